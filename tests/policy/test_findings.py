"""A finding says how a rule came out, with which numbers and which reading."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from policy.editions import Edition
from policy.figures import found_text, required_text
from policy.findings import Finding, Outcome, all_pass
from policy.messages import fill
from policy.refusals import Refusal
from policy.timetable import check_timetable

GIVEN: dict[str, Any] = {"row": "H5", "required": 1, "actual": 0, "message": ""}


def test_the_outcome_follows_from_passing() -> None:
    assert Finding(code="live_share", passed=True, **GIVEN).outcome is Outcome.PASSED
    assert Finding(code="live_share", passed=False, **GIVEN).outcome is Outcome.FAILED
    assert Finding(code="edition_unset", passed=False, **GIVEN).outcome is Outcome.OPEN
    assert Finding(code="calendar_unpublished", passed=False, **GIVEN).outcome is Outcome.OPEN


def test_what_is_noted_never_blocks() -> None:
    for passed in (True, False):
        noted = Finding(code="independence", passed=passed, outcome=Outcome.NOTED, **GIVEN)
        assert not noted.blocks
        assert all_pass([noted])
    assert not all_pass([noted, Finding(code="edition_unset", passed=False, **GIVEN)])


@pytest.mark.parametrize(("passed", "outcome"), [(True, "failed"), (True, "open"), (False, "passed")])
def test_an_outcome_cannot_contradict_the_finding(passed: bool, outcome: str) -> None:
    with pytest.raises(ValueError, match="contradicts"):
        Finding(code="live_share", passed=passed, outcome=Outcome(outcome), **GIVEN)


def test_a_refused_rule_is_a_finding_that_blocks(demo: Edition) -> None:
    with pytest.raises(Refusal) as refused:
        demo.money("subsidy_rate", "IYB")
    finding = Finding.of_refusal(refused.value)
    assert (finding.outcome, finding.blocks, finding.row) == (Outcome.OPEN, True, "A4")
    assert finding.render()["message"] == str(refused.value)


def test_a_finding_names_its_numbers_with_their_source(demo: Edition) -> None:
    decision = check_timetable(demo, course_type="GYB", mode="full_live", hours={"live": 24})
    by_row = {finding["row"]: finding for finding in decision.render()["findings"]}
    assert [(n["name"], n["value"], n["unit"], n["source"]) for n in by_row["H5"]["numbers"]] == [
        (
            "full_live_min_live_share",
            60,
            "percent",
            "豫人社办〔2020〕97号《河南省互联网+创业培训工作规范（试行）》",
        )
    ]
    assert [n["name"] for n in by_row["H4"]["numbers"]] == ["standard_hours.GYB"]
    assert by_row["H5"]["reading"]["code"] == "exact"
    assert by_row["H9"]["outcome"] == "passed"


def test_an_open_number_is_named_too(editions: Mapping[str, Edition]) -> None:
    norm = editions["henan-2020-97"]
    total = check_timetable(norm, course_type="GYB", mode="full_live", hours={"live": 24}).findings[0]
    assert total.outcome is Outcome.OPEN
    assert [(one.key, one.render()["status"]) for one in total.numbers] == [("standard_hours.GYB", "unset")]
    other = check_timetable(norm, course_type="IYB", mode="full_live", hours={"live": 24}).findings[0]
    assert (other.outcome, other.numbers) == (Outcome.OPEN, ())


@pytest.mark.parametrize(
    ("finding", "required", "found"),
    [
        ({"code": "live_share", "required": "14.4", "actual": 16}, "14.4 课时", "16 课时"),
        ({"code": "class_size", "required": 60, "actual": 4}, "60 人", "4 人"),
        (
            {"code": "lecturer_route", "required": 2, "actual": "2019-03-01"},
            "从事培训满 2 年",
            "2019年3月1日 起从事培训",
        ),
        (
            {"code": "institution_designated", "required": "2026-12-31", "actual": True},
            "开班到 2026年12月31日 每天是定点机构",
            None,
        ),
        ({"code": "rectification", "required": None, "actual": 0}, None, "0 项没有完成"),
        (
            {"code": "edition_in_force", "passed": False, "required": "2020-12-02", "actual": "2026-01-05"},
            "施行到 2020年12月2日",
            "2026年1月5日",
        ),
        ({"code": "independence_of_somebody_else", "required": 2, "actual": 1}, None, None),
        ({"code": "live_session", "required": ["lecturer"], "actual": []}, "讲师在线", None),
        (
            {"code": "edition_in_force", "passed": False, "required": None, "actual": "2026-01-05"},
            None,
            "2026年1月5日",
        ),
    ],
)
def test_figures_are_said_with_their_unit(
    finding: Mapping[str, Any], required: str | None, found: str | None
) -> None:
    assert (required_text(finding), found_text(finding)) == (required, found)


def test_a_day_in_a_message_reads_as_people_write_it() -> None:
    assert fill("%(days)s 停课。", {"days": [date(2026, 1, 2), date(2026, 11, 23)]}) == (
        "2026年1月2日、2026年11月23日 停课。"
    )
