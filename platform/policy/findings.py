"""What a judgement found, rule by rule."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from policy.citations import citation_of
from policy.editions import Parameter, Reading
from policy.messages import Msgid, Translate, fill, gettext_noop, plain, untranslated
from policy.refusals import Refusal


class Outcome(StrEnum):
    """How a rule came out."""

    PASSED = "passed"
    FAILED = "failed"
    OPEN = "open"  # cannot be judged: the edition leaves a number unset, or a calendar is not published
    NOTED = "noted"  # worth a look, but blocks nothing

    @property
    def label(self) -> Msgid:
        return _OUTCOMES[self]


_OUTCOMES = {
    Outcome.PASSED: gettext_noop("符合"),
    Outcome.FAILED: gettext_noop("不符合"),
    Outcome.OPEN: gettext_noop("规则未定"),
    Outcome.NOTED: gettext_noop("提示"),
}
_OPEN_CODES = frozenset({"edition_unset", "calendar_unpublished"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule applied once: what the rule requires, what was there, and whether that is enough.

    `code` and `row` say which rule; `message` is a Chinese source string filled from `params`. `outcome`
    follows from `passed` unless it is given. `numbers` are the edition's parameters that went into the
    judgement, each with its source; `reading` says how an ambiguous passage was understood. A finding that
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
    numbers: tuple[Parameter, ...] = ()
    outcome: Outcome = None  # type: ignore[assignment]  # derived below where it is not given
    cited: str = ""  # where it is not the ledger row's own sentence

    def __post_init__(self) -> None:
        if not self.outcome:
            unjudged = Outcome.OPEN if self.code in _OPEN_CODES else Outcome.FAILED
            object.__setattr__(self, "outcome", Outcome.PASSED if self.passed else unjudged)
        elif self.outcome is not Outcome.NOTED and self.passed is not (self.outcome is Outcome.PASSED):
            raise ValueError(f"{self.code}: {self.outcome} contradicts passed={self.passed}")

    @classmethod
    def of_refusal(cls, refusal: Refusal) -> "Finding":
        """Return the finding that a rule could not be applied: it blocks as firmly as a broken one."""
        return cls(
            code=refusal.code,
            row=refusal.rule,
            passed=False,
            required=refusal.required,
            actual=refusal.found,
            message=refusal.message,
            params=refusal.params,
            cited=refusal.citation,
        )

    @property
    def citation(self) -> str:
        """The ledger row's sentence; that of the number itself where the edition is of another norm."""
        own = self.cited or next((one.citation for one in self.numbers if one.foreign), "")
        return own or citation_of(self.row)

    @property
    def blocks(self) -> bool:
        """Whether the step has to stop for this: it failed or cannot be judged."""
        return not self.passed and self.outcome is not Outcome.NOTED

    def render(self, translate: Translate = untranslated) -> dict[str, Any]:
        """Return the JSON form, with exact numbers as integers or decimal strings."""
        return {
            "code": self.code,
            "row": self.row,
            "passed": self.passed,
            "outcome": self.outcome.value,
            "required": plain(self.required, translate),
            "actual": plain(self.actual, translate),
            "citation": self.citation,
            "message": fill(self.message, self.params, translate),
            "numbers": [number.render(translate) for number in self.numbers],
            "reading": plain(self.reading, translate),
            "waivable": self.waivable,
        }


def all_pass(findings: Iterable[Finding]) -> bool:
    """A judgement passes exactly when no finding fails; what is only noted does not count."""
    return not any(finding.blocks for finding in findings)
