"""What a judgement found, rule by rule."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from policy.citations import citation_of
from policy.editions import Reading
from policy.messages import Translate, fill, plain, untranslated


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule applied once: what the rule requires, what was there, and whether that is enough.

    `code` and `row` say which rule; `message` is a Chinese source string filled from `params`. A finding that
    failed and is `waivable` may still be accepted through a recorded, approved exception ("原则上").
    """

    code: str
    row: str
    passed: bool
    required: object
    actual: object
    message: str
    params: Mapping[str, object] = field(default_factory=dict)
    reading: Reading | None = None
    waivable: bool = False

    @property
    def citation(self) -> str:
        return citation_of(self.row)

    def render(self, translate: Translate = untranslated) -> dict[str, Any]:
        """Return the JSON form, with exact numbers as integers or decimal strings."""
        return {
            "code": self.code,
            "row": self.row,
            "passed": self.passed,
            "required": plain(self.required, translate),
            "actual": plain(self.actual, translate),
            "citation": self.citation,
            "message": fill(self.message, self.params, translate),
            "reading": plain(self.reading, translate),
            "waivable": self.waivable,
        }


def all_pass(findings: Iterable[Finding]) -> bool:
    """A judgement passes exactly when no finding fails."""
    return all(finding.passed for finding in findings)
