"""Marking a paper: a question earns its points for exactly the right options, otherwise nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

PaperQuestion = Mapping[str, Any]


def mark(paper: Sequence[PaperQuestion], chosen: Mapping[int, Sequence[int]]) -> int:
    """Return the points earned; `chosen` maps a question's place in the paper to option indexes."""
    return sum(
        int(question["points"])
        for place, question in enumerate(paper)
        if sorted(chosen.get(place, ())) == sorted(question["correct"])
    )


def is_choice(question: PaperQuestion, chosen: object) -> bool:
    """Whether `chosen` is possible for this question: known options, each once, one for single choice."""
    if not isinstance(chosen, list) or not all(type(option) is int for option in chosen):
        return False
    if len(set(chosen)) != len(chosen) or not all(
        0 <= option < len(question["options"]) for option in chosen
    ):
        return False
    return question["kind"] == "multiple" or len(chosen) <= 1
