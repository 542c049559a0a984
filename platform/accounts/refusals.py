"""Refusals in the reader's language: policy raises them untranslated, every edge renders them here."""

from typing import Any

from django.utils.translation import gettext

from policy.refusals import Refusal


def rendered(refusal: Refusal) -> dict[str, Any]:
    """Return `{"code", "message", "details", "citation"}` in the active language."""
    return refusal.render(gettext)
