"""Refusals that are stored and said later, in whatever language they are read."""

from collections.abc import Mapping
from typing import Any

from policy.messages import Msgid, Translate, fill, plain, untranslated
from policy.refusals import Refusal


def source_of(refusal: Refusal) -> dict[str, Any]:
    """A refusal as JSON of its source strings: {code, message, params, next_step, found, required}."""
    return {
        "code": refusal.code,
        "message": str(refusal.message),
        "params": {
            name: {"msgid": str(value)} if isinstance(value, Msgid) else plain(value)
            for name, value in refusal.params.items()
        },
        "next_step": str(refusal.next_step),
    }


def said(problem: Mapping[str, Any], translate: Translate = untranslated) -> dict[str, str]:
    """{code, message, next} of what `source_of` made, spoken through `translate`."""
    params = {
        name: Msgid(value["msgid"]) if isinstance(value, Mapping) else value
        for name, value in problem.get("params", {}).items()
    }
    return {
        "code": problem.get("code", ""),
        "message": fill(problem.get("message", ""), params, translate),
        "next": fill(problem.get("next_step", ""), params, translate),
    }
