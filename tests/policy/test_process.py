"""规范 一 and 五: the six stages, live sessions and long days. F1, A1, I3."""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

import pytest

from policy.editions import Edition
from policy.figures import found_text, required_text
from policy.lessons import judge_daily_hours, judge_live_session
from policy.process import Stage, judge_stage_order
from policy.refusals import Refusal
from tests.policy.cases import load


@pytest.mark.parametrize("case", load("process", "stages"))
def test_the_six_stages_come_in_order(case: dict[str, Any]) -> None:
    finding = judge_stage_order({Stage(stage): day for stage, day in case["began"].items()})
    assert (finding.row, finding.passed) == ("F1", case["passed"])
    for name in case.get("says", []):
        assert f"“{name}”" in finding.render()["message"]


@pytest.mark.parametrize("case", load("process", "live"))
def test_a_session_is_live_with_a_lecturer_trainees_and_interaction(
    editions: Mapping[str, Edition], case: dict[str, Any]
) -> None:
    finding = judge_live_session(
        editions[case.get("edition", "demo")],
        lecturer_seconds=case["lecturer_seconds"],
        trainees=case["trainees"],
        interactions=case["interactions"],
    )
    assert (finding.row, finding.passed) == ("A1", case["passed"])
    if "actual" in case:
        assert finding.actual == case["actual"]


@pytest.mark.parametrize("case", load("process", "daily"))
def test_a_day_is_not_too_long(editions: Mapping[str, Edition], case: dict[str, Any]) -> None:
    edition = editions[case.get("edition", "demo")]
    hours = {day: Fraction(value) for day, value in case["hours"].items()}
    if "refused" in case:
        with pytest.raises(Refusal) as refused:
            judge_daily_hours(edition, hours)
        assert (refused.value.code, refused.value.rule) == (case["refused"], "I3")
    else:
        finding = judge_daily_hours(edition, hours)
        assert finding.passed is case["passed"]
        assert finding.actual == Fraction(case["actual"])


def test_stages_are_shown_by_name_and_not_by_code() -> None:
    day = date(2026, 9, 18)
    finding = judge_stage_order({Stage.PROMOTION: day, Stage.FILING: day}).render()
    assert finding["required"] == ["promotion", "screening", "filing"]
    assert required_text(finding) == "项目推介、学员筛选、开班备案"
    assert found_text(finding) == "项目推介、开班备案"
