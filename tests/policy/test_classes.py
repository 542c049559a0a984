"""规范 三 and 五: a class's outline, size, people and first day.

A2, F7, F9, F11-F14, N5, S1-S6, T1-T4, L5, L6.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from policy.classes import (
    ClassLoss,
    EvidenceRecord,
    LecturerRecord,
    judge_category_evidence,
    judge_class_size,
    judge_disorder,
    judge_edition,
    judge_lecturer,
    judge_losses,
    judge_outline,
    judge_paid_once,
    judge_staff,
    judge_start,
    judge_working_age,
    last_losing_run,
    lecturer_fee,
    parse_category,
)
from policy.editions import Edition
from policy.findings import Finding
from policy.refusals import Refusal
from policy.terms import HourKind, TraineeCategory
from tests.policy.cases import load


def _failing(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.row for finding in findings if not finding.passed]


@pytest.mark.parametrize("case", load("classes", "size"))
def test_a_class_is_small_enough(editions: Mapping[str, Edition], case: dict[str, Any]) -> None:
    edition = editions[case.get("edition", "demo")]
    if "refused" in case:
        with pytest.raises(Refusal) as refused:
            judge_class_size(edition, case["course_type"], case["size"])
        assert (refused.value.code, refused.value.rule) == (case["refused"], "A4")
    else:
        finding = judge_class_size(edition, case["course_type"], case["size"])
        assert finding.passed is case["passed"]
        assert finding.row == case["rows"][0]


def test_a_class_too_large_says_how_many_to_move(demo: Edition) -> None:
    assert judge_class_size(demo, "SYB", 31).render()["message"] == (
        "创办企业培训（SYB）每班不超过 30 人，现在 31 人。请移出 1 人，或另开一班。"
    )


@pytest.mark.parametrize("case", load("classes", "staff"))
def test_a_class_has_a_lecturer_and_another_person_to_assist(demo: Edition, case: dict[str, Any]) -> None:
    findings = judge_staff(demo, lecturers=case["lecturers"], assistants=case["assistants"])
    assert _failing(findings) == case["failing"]


@pytest.mark.parametrize("case", load("classes", "start"))
def test_a_class_starts_after_lead_and_approval(demo: Edition, case: dict[str, Any]) -> None:
    dates = {
        "starts_on": case["starts"],
        "submitted_on": case["submitted"],
        "approved_on": case["approved"],
    }
    if "refused" in case:
        with pytest.raises(Refusal) as refused:
            judge_start(demo, **dates)
        assert refused.value.code == case["refused"]
    else:
        assert _failing(judge_start(demo, **dates)) == case["failing"]


@pytest.mark.parametrize("case", load("classes", "category"))
def test_a_trainee_is_of_one_of_five_categories(case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises(Refusal) as refused:
            parse_category(case["raw"])
        assert (refused.value.code, refused.value.status) == (case["refused"], 400)
        assert len(refused.value.render()["details"]["required"]) == 5
    else:
        category = parse_category(case["raw"])
        assert category.value == case["category"]
        assert category.row == case["rows"][0]


@pytest.mark.parametrize("case", load("classes", "lecturer"))
def test_a_lecturer_qualifies_by_either_route(demo: Edition, case: dict[str, Any]) -> None:
    findings = judge_lecturer(demo, LecturerRecord(**case["record"]), on=case["day"])
    assert _failing(findings) == case["failing"]


def test_a_disqualification_is_worded_so_that_it_is_true_before_and_after_its_first_day(
    demo: Edition,
) -> None:
    """A class that ends in July is judged in May, and the filing is read in August."""
    record = LecturerRecord(disqualified_from=date(2027, 6, 24))
    _route, standing = judge_lecturer(demo, record, on=date(2027, 7, 1))
    assert standing.render()["message"] == "讲师资格自 2027年6月24日 起取消，不能备案。"


@pytest.mark.parametrize("case", load("classes", "losses"))
def test_losing_half_of_two_classes_running_opens_a_case(demo: Edition, case: dict[str, Any]) -> None:
    losses = [ClassLoss(roster=roster, remaining=remaining) for roster, remaining in case["classes"]]
    assert judge_losses(demo, losses).passed is case["passed"]
    assert (last_losing_run(demo, losses) is None) is case["passed"]


def test_the_last_class_of_the_last_run_is_named(demo: Edition) -> None:
    half, kept = ClassLoss(roster=4, remaining=2), ClassLoss(roster=4, remaining=3)
    assert last_losing_run(demo, [half, half, kept, half]) == 1
    assert last_losing_run(demo, [half, half, kept, half, half, half, kept]) == 5


def _hours(given: dict[str, Any]) -> dict[HourKind, Fraction]:
    return {HourKind(kind): Fraction(value) for kind, value in given.items()}


@pytest.mark.parametrize("case", load("classes", "outline"))
def test_the_outline_covers_every_filed_hour(editions: Mapping[str, Edition], case: dict[str, Any]) -> None:
    edition = editions[case.get("edition", "demo")]
    finding = judge_outline(edition, _hours(case["filed"]), _hours(case["outline"]))
    assert (finding.row, finding.passed) == ("A2", case["passed"])
    assert finding.actual == case["covered"]
    assert case.get("missing", "") in finding.render()["message"]


@pytest.mark.parametrize("case", load("classes", "in_force"))
def test_an_edition_judges_classes_that_start_in_its_time(
    editions: Mapping[str, Edition], case: dict[str, Any]
) -> None:
    edition = editions[case["edition"]]
    finding = judge_edition(edition, starts_on=case["starts"])
    assert (finding.row, finding.passed) == ("N5", case["passed"])
    if edition.follows_norm:
        assert edition.in_force(case["starts"]) is case["passed"]
    assert edition.title in finding.render()["message"]


@pytest.mark.parametrize("case", load("classes", "disorder"))
def test_disorder_in_two_classes_running_opens_a_case(demo: Edition, case: dict[str, Any]) -> None:
    finding = judge_disorder(demo, case["classes"])
    assert (finding.row, finding.passed) == ("L6", case["passed"])


@pytest.mark.parametrize("case", load("classes", "fee"))
def test_a_lecturer_is_paid_by_the_hour(editions: Mapping[str, Edition], case: dict[str, Any]) -> None:
    edition = editions[case.get("edition", "demo")]
    if "refused" in case:
        with pytest.raises(Refusal) as refused:
            lecturer_fee(edition, Fraction(case["hours"]))
        assert (refused.value.code, refused.value.rule) == (case["refused"], "T4")
    else:
        assert lecturer_fee(edition, Fraction(case["hours"])) == Decimal(case["amount"])


def test_nobody_is_paid_for_less_than_no_time(demo: Edition) -> None:
    with pytest.raises(ValueError, match="fewer than no hours"):
        lecturer_fee(demo, -1)


@pytest.mark.parametrize("case", load("classes", "evidence"))
def test_a_trainee_shows_one_category(editions: Mapping[str, Edition], case: dict[str, Any]) -> None:
    records = [
        EvidenceRecord(**record | {"category": TraineeCategory(record["category"])})
        for record in case["records"]
    ]
    finding = judge_category_evidence(
        editions[case.get("edition", "demo")],
        records,
        date(2026, 9, 24),
        claiming=case.get("claiming", False),
    )
    assert (finding.outcome, finding.row) == (case["outcome"], case["row"])
    assert finding.blocks is (case["outcome"] == "failed")
    assert finding.passed is not finding.blocks


@pytest.mark.parametrize("case", load("classes", "working_age"))
def test_trainees_are_of_working_age(editions: Mapping[str, Edition], case: dict[str, Any]) -> None:
    people = [(TraineeCategory(category), born) for category, born in case["ages"]]
    finding = judge_working_age(editions["henan-2020-97"], people, date(2026, 9, 24))
    assert (finding.outcome, finding.row, finding.actual) == (case["outcome"], "S1", case["found"])


@pytest.mark.parametrize("case", load("classes", "paid_once"))
def test_a_person_is_paid_for_once(editions: Mapping[str, Edition], case: dict[str, Any]) -> None:
    edition = editions[case.get("edition", "demo")]
    finding = judge_paid_once(edition, "GYB", case["earlier"], claiming=case.get("claiming", False))
    assert finding.outcome == case["outcome"]
    assert finding.reading == edition.reading("paid_once")
