"""规范 一, 四 and 六（一）: who may run a class, and on which platform. I1, I5, Q8, Q9, P0, N2."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from policy.classes import (
    PLATFORM_CONDITIONS,
    IndependenceFact,
    MeasureKind,
    MeasureRecord,
    PlatformField,
    judge_independence,
    judge_institution,
    judge_platform,
    judge_platform_report,
)
from policy.editions import Edition
from policy.findings import all_pass
from tests.policy.cases import load

START = date(2026, 10, 12)
PLATFORM_ROWS = [f"P{number}" for number in range(1, 27)]


@pytest.mark.parametrize("case", load("institutions", "institution"))
def test_an_institution_is_designated_and_in_good_standing(
    editions: Mapping[str, Edition], case: dict[str, Any]
) -> None:
    findings = judge_institution(
        editions[case.get("edition", "demo")],
        designated=case.get("designated", True),
        measures=[
            MeasureRecord(**measure | {"kind": MeasureKind(measure["kind"])})
            for measure in case.get("measures", [])
        ],
        starts_on=START,
        filed_on=case.get("filed_on"),
    )
    assert [finding.row for finding in findings] == ["I1", "Q8", "Q9"]
    assert [finding.outcome.value for finding in findings] == case["outcomes"]
    assert all_pass(findings) is ("failed" not in case["outcomes"])


@pytest.mark.parametrize("case", load("institutions", "independence"))
def test_signs_of_handing_the_training_on_are_shown_and_never_block(
    demo: Edition, case: dict[str, Any]
) -> None:
    finding = judge_independence(
        demo,
        recorded=[IndependenceFact(fact) for fact in case["recorded"]],
        shared={IndependenceFact(fact): others for fact, others in case["shared"].items()},
    )
    assert finding.outcome == case["outcome"]
    assert finding.passed
    assert not finding.blocks
    assert case.get("says", "") in finding.render()["message"]


@pytest.mark.parametrize("case", load("institutions", "platform"))
def test_a_platform_meets_all_nine_conditions_at_once(case: dict[str, Any]) -> None:
    findings = judge_platform({row: row not in case["without"] for row in PLATFORM_ROWS})
    assert findings[0].actual == case["met"]
    assert [finding.row for finding in findings if not finding.passed] == case["failing"]
    silent = judge_platform({row: True for row in PLATFORM_ROWS if row not in case["without"]})
    assert silent == findings


def test_the_nine_conditions_are_all_rows_of_the_platform_once() -> None:
    assert [row for condition in PLATFORM_CONDITIONS for row in condition.rows] == PLATFORM_ROWS
    assert [condition.number for condition in PLATFORM_CONDITIONS] == list(range(1, 10))


@pytest.mark.parametrize("case", load("institutions", "report"))
def test_a_platform_is_reported_with_five_facts(case: dict[str, Any]) -> None:
    fields = {field: "  " if field in case["blank"] else "有" for field in PlatformField}
    finding = judge_platform_report(fields)
    assert finding.passed is case["passed"]
    assert finding.actual == 5 - len(case["blank"])
    for field in case["blank"]:
        assert PlatformField(field).label in finding.render()["message"]
