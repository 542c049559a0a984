"""Who finished, who counts, and what that is worth (M11, Q4, F17)."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from policy.editions import Edition, Reading
from policy.findings import Finding, all_pass
from policy.messages import Translate, exact_text, gettext_noop, untranslated
from policy.refusals import Refusal

FULL_MARKS = 100


@dataclass(frozen=True, slots=True)
class CompletionDecision:
    """Whether one trainee has finished: the certificate and the claim both hang on it."""

    findings: tuple[Finding, ...]
    reading: Reading

    @property
    def passed(self) -> bool:
        return all_pass(self.findings)

    @property
    def reasons(self) -> tuple[Finding, ...]:
        """The findings that failed; empty for a pass."""
        return tuple(finding for finding in self.findings if not finding.passed)

    def render(self, translate: Translate = untranslated) -> dict[str, Any]:
        """Return the JSON form {passed, findings, reading}."""
        return {
            "passed": self.passed,
            "findings": [finding.render(translate) for finding in self.findings],
            "reading": self.reading.render(translate),
        }


def judge_exam(edition: Edition, score: int | Decimal | Fraction) -> Finding:
    """Judge a final exam out of 100 points (M11); the pass mark itself passes.

    Raises:
        Refusal: `edition_unset` if the edition gives no pass mark; `score_out_of_range`.
    """
    exact = Fraction(score)
    if not 0 <= exact <= FULL_MARKS:
        raise Refusal(
            "score_out_of_range",
            gettext_noop("结业考试成绩要在 0 到 %(most)s 之间，现在是 %(score)s。"),
            found=exact,
            required=FULL_MARKS,
            rule="M9",
            next_step=gettext_noop("请核对成绩后重新填写。"),
            params={"score": exact_text(exact), "most": FULL_MARKS},
            status=400,
        )
    mark = edition.number("exam_pass_mark")
    passed = exact >= mark
    return Finding(
        code="exam_score",
        row="M11",
        passed=passed,
        required=mark,
        actual=exact,
        message=(
            gettext_noop("结业考试 %(score)s 分，达到 %(mark)s 分，考试合格。")
            if passed
            else gettext_noop("结业考试 %(score)s 分，不到 %(mark)s 分。")
        ),
        params={"score": exact_text(exact), "mark": exact_text(mark)},
        numbers=(edition.parameter("exam_pass_mark"),),
    )


def may_sit_again(edition: Edition, *, attempts: int) -> Finding:
    """Whether someone who sat the exam `attempts` times may sit (again): once plus the resits (M9).

    Raises:
        Refusal: `edition_unset` if the edition does not say how many resits there are.
    """
    allowed = 1 + edition.whole("exam_resits")
    return Finding(
        code="exam_attempts",
        row="M9",
        passed=attempts < allowed,
        required=allowed,
        actual=attempts,
        message=gettext_noop("结业考试最多参加 %(allowed)s 次，已经参加 %(attempts)s 次。"),
        params={"allowed": allowed, "attempts": attempts},
        numbers=(edition.parameter("exam_resits"),),
    )


def judge_completion(
    edition: Edition, *, exam_passed: bool, attendance_passed: bool, outcome_passed: bool | None = None
) -> CompletionDecision:
    """Decide on the certificate: final exam and attendance both pass (M11).

    `outcome_passed` is the score of the training outcome (None: not scored yet); it decides only where the
    edition says that it gates the certificate (M10).
    """
    reading = edition.reading("outcome_gate")
    findings = [
        _gate(
            "exam",
            "M11",
            exam_passed,
            gettext_noop("结业考试合格。") if exam_passed else gettext_noop("结业考试还没有合格。"),
        ),
        _gate(
            "attendance",
            "M11",
            attendance_passed,
            gettext_noop("考勤合格。") if attendance_passed else gettext_noop("考勤还没有合格。"),
        ),
    ]
    if reading.code == "required":
        scored = outcome_passed is True
        findings.append(
            _gate(
                "outcome",
                "M10",
                scored,
                gettext_noop("培训成果合格。") if scored else gettext_noop("培训成果还没有合格。"),
            )
        )
    return CompletionDecision(findings=tuple(findings), reading=reading)


def effective_trainees(decisions: Iterable[CompletionDecision]) -> int:
    """Return 有效培训人数: how many passed both the final exam and attendance (Q4)."""
    return sum(decision.passed for decision in decisions)


def claim_amount(edition: Edition, course_type: str, effective: int) -> Decimal:
    """Return what a class may claim in yuan: effective trainees times the offline project's rate (F17).

    Raises:
        Refusal: `edition_unset` if the edition gives no rate for this course type.
    """
    if effective < 0:
        raise ValueError("there cannot be fewer than no trainees")
    return edition.money("subsidy_rate", course_type) * effective


def payments(edition: Edition, amount: Decimal) -> tuple[Decimal, ...]:
    """Split an amount into the parts in which it is paid; cents left over go to the last part (F17).

    Raises:
        Refusal: `edition_unset` if the edition does not say how a subsidy is paid.
    """
    cents = int(amount.scaleb(2))
    shares = edition.shares("payment_split")
    parts = [int(cents * share) for share in shares[:-1]]
    return tuple(Decimal(part).scaleb(-2) for part in (*parts, cents - sum(parts)))


def _gate(code: str, row: str, passed: bool, message: str) -> Finding:
    return Finding(code=code, row=row, passed=passed, required=True, actual=passed, message=message)
