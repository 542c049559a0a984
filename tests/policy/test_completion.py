"""规范 六: exam and attendance together make a certificate and a payable head. M9-M11, Q4, F17."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.completion import (
    claim_amount,
    effective_trainees,
    judge_completion,
    judge_exam,
    may_sit_again,
    payments,
)
from policy.editions import Edition, load_editions
from policy.refusals import Refusal
from tests.policy.cases import EDITIONS, load


def _expect(case: dict[str, Any], judge: Callable[[], Any]) -> Any:
    if "refused" not in case:
        return judge()
    with pytest.raises(Refusal) as refused:
        judge()
    assert refused.value.code == case["refused"]
    return None


@pytest.mark.parametrize("case", load("completion", "exam"))
def test_the_pass_mark_itself_passes(editions: Mapping[str, Edition], case: dict[str, Any]) -> None:
    edition = editions[case.get("edition", "demo")]
    finding = _expect(case, lambda: judge_exam(edition, Fraction(case["score"])))
    if finding:
        assert finding.passed is case["passed"]
        assert finding.required == 60


@pytest.mark.parametrize("case", load("completion", "resits"))
def test_the_exam_may_be_sat_once_and_as_often_again_as_the_edition_says(
    editions: Mapping[str, Edition], case: dict[str, Any]
) -> None:
    edition = editions[case.get("edition", "demo")]
    finding = _expect(case, lambda: may_sit_again(edition, attempts=case["attempts"]))
    if finding:
        assert finding.passed is case["passed"]


@pytest.mark.parametrize("case", load("completion", "certificate"))
def test_a_certificate_takes_exam_and_attendance(
    editions: Mapping[str, Edition], case: dict[str, Any]
) -> None:
    decision = judge_completion(
        editions[case.get("edition", "demo")],
        exam_passed=case["exam"],
        attendance_passed=case["attendance"],
        outcome_passed=case.get("outcome"),
    )
    assert decision.passed is case["passed"]
    assert [finding.code for finding in decision.reasons] == case["reasons"]
    assert effective_trainees([decision, decision]) == (2 if case["passed"] else 0)


@pytest.mark.parametrize("case", load("completion", "amount"))
def test_a_claim_is_heads_times_the_rate(editions: Mapping[str, Edition], case: dict[str, Any]) -> None:
    edition = editions[case.get("edition", "demo")]
    amount = _expect(case, lambda: claim_amount(edition, case["course_type"], case["effective"]))
    if amount is not None:
        assert str(amount) == case["amount"]


@pytest.mark.parametrize("case", load("completion", "payments"))
def test_a_subsidy_is_paid_in_the_editions_parts(
    editions: Mapping[str, Edition], case: dict[str, Any]
) -> None:
    edition = editions[case.get("edition", "demo")]
    parts = _expect(case, lambda: payments(edition, Decimal(case["amount"])))
    if parts is not None:
        assert [str(part) for part in parts] == case["parts"]


STRICT = load_editions(EDITIONS)["strict"]


@given(st.integers(0, 10**9))
def test_no_cent_is_lost_in_parts(cents: int) -> None:
    amount = Decimal(cents).scaleb(-2)
    assert sum(payments(STRICT, amount)) == amount


def test_heads_below_zero_are_a_fault(demo: Edition) -> None:
    with pytest.raises(ValueError, match="fewer than no"):
        claim_amount(demo, "GYB", -1)
