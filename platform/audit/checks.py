"""System checks: every kind's sentence speaks only of facts that the kind has, in every language."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.translation import override

from audit import kinds


@register
def sentences_fit_their_facts(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """audit.E001: a sentence has a place for something that is no fact of its kind."""
    errors: list[CheckMessage] = []
    for language, _name in settings.LANGUAGES:
        with override(language):
            errors += [
                Error(
                    f"{kind.name} ({language}): no fact {', '.join(sorted(strangers))}",
                    id="audit.E001",
                    obj=kind.name,
                )
                for kind in kinds.registered()
                if (strangers := kind.strangers())
            ]
    return errors
