"""规范 三 and 五: a class's size, people and first day. F7, F9, F11-F14, S1-S6, T1-T3, L5."""

from collections.abc import Mapping
from typing import Any

import pytest

from policy.classes import (
    ClassLoss,
    LecturerRecord,
    judge_class_size,
    judge_lecturer,
    judge_losses,
    judge_staff,
    judge_start,
    parse_category,
)
from policy.editions import Edition
from policy.findings import Finding
from policy.refusals import Refusal
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


@pytest.mark.parametrize("case", load("classes", "losses"))
def test_losing_half_of_two_classes_running_opens_a_case(demo: Edition, case: dict[str, Any]) -> None:
    losses = [ClassLoss(roster=roster, remaining=remaining) for roster, remaining in case["classes"]]
    assert judge_losses(demo, losses).passed is case["passed"]
