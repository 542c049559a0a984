"""The evidence log: what happened, in an order that nobody can quietly change.

    from audit import record

    record("filing.submitted", actor_id=actor.id, subject=f"class/{id}/filing/{n}", facts={"lessons": 14},
    at=at)

Takes ids and plain facts and knows nobody: the apps above register their kinds (`audit.kinds`) and call
`record` inside their own transaction. How it holds: docs/decisions/0010-evidence.md.
"""

from typing import TYPE_CHECKING, Any

from audit.commitments import commit, new_salt, opens

if TYPE_CHECKING:
    from audit.actions import Record, record, record_many

__all__ = ["Record", "commit", "new_salt", "opens", "record", "record_many"]


def __getattr__(name: str) -> Any:
    # Loaded at first use: this package is imported while Django collects the apps, too early for models.
    if name in ("Record", "record", "record_many"):
        from audit import actions

        return getattr(actions, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
