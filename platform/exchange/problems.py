"""Refusals that are stored and said later, in whatever language they are read."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from policy.messages import Msgid, Translate, fill, plain, untranslated
from policy.refusals import Refusal


def source_of(refusal: Refusal) -> dict[str, Any]:
    """A refusal as JSON of its source strings: {code, message, params, next_step, found, required}."""
    return {
        "code": refusal.code,
        "message": str(refusal.message),
        "params": {name: _kept(value) for name, value in refusal.params.items()},
        "next_step": str(refusal.next_step),
    }


def said(problem: Mapping[str, Any], translate: Translate = untranslated) -> dict[str, str]:
    """{code, message, next} of what `source_of` made, spoken through `translate`."""
    params = {name: _read(value) for name, value in problem.get("params", {}).items()}
    return {
        "code": problem.get("code", ""),
        "message": fill(problem.get("message", ""), params, translate),
        "next": fill(problem.get("next_step", ""), params, translate),
    }


def _kept(value: object) -> Any:
    """A value as JSON that still tells a source string and a day from other text."""
    if isinstance(value, Msgid):
        return {"msgid": str(value)}
    if isinstance(value, date) and not isinstance(value, datetime):
        return {"day": value.isoformat()}
    return plain(value)


def _read(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    return date.fromisoformat(value["day"]) if "day" in value else Msgid(value["msgid"])
