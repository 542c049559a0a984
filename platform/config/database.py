"""One schema behind four logins: reads and writes go to `default` unless a query names another alias."""

from typing import Any

from django.db.models import Model


class OneSchemaRouter:
    """All aliases are the same database, so relations across them are always allowed."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        instance = hints.get("instance")
        # An object read through the supervision login keeps reading through it.
        return instance._state.db if instance is not None else None

    def allow_relation(self, left: Model, right: Model, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Migrate with `--database owner`; tests migrate `default`, which they own."""
        return db in ("owner", "default")
