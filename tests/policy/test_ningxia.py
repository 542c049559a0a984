"""Another province's rules are another file: 60/35/5 of 40 hours, paid in two halves."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from policy.completion import payments
from policy.editions import Edition, EditionError, SourceKind, load_editions
from policy.findings import Finding
from policy.refusals import Refusal
from policy.terms import Mode
from policy.timetable import check_timetable, whole_hour_limits
from tests.policy.cases import load


@pytest.fixture
def ningxia(editions: Mapping[str, Edition]) -> Edition:
    return editions["ningxia-2020"]


@pytest.mark.parametrize("case", load("ningxia", "timetable"))
def test_a_timetable_is_judged_by_the_other_norm(ningxia: Edition, case: dict[str, Any]) -> None:
    def judge() -> Any:
        return check_timetable(
            ningxia, course_type="SYB", mode=case.get("mode", "full_live"), hours=case["hours"]
        )

    if "refused" in case:
        with pytest.raises(Refusal) as refused:
            judge()
        assert (refused.value.code, refused.value.rule) == (case["refused"], case["rows"][0])
        return
    decision = judge()
    failing = [finding for finding in decision.findings if not finding.passed]
    named = [finding.code if finding.code in case["failing"] else finding.row for finding in failing]
    assert named == case["failing"]
    assert decision.least_live_hours == case["least_live_hours"]


@pytest.mark.parametrize("case", load("ningxia", "whole_hours"))
def test_whole_hours_of_the_other_norm(ningxia: Edition, case: dict[str, Any]) -> None:
    limits = whole_hour_limits(ningxia, Mode.FULL_LIVE, case["total"])
    assert (limits.least_live, limits.most_on_demand) == (case["live"], case["on_demand"])


@pytest.mark.parametrize("total", range(1, 61))
def test_the_least_live_hours_are_truly_the_least(ningxia: Edition, total: int) -> None:
    def lawful(live: int) -> bool:
        rest = total - live
        return any(
            all(
                finding.passed
                for finding in check_timetable(
                    ningxia,
                    course_type="SYB",
                    mode="full_live",
                    hours={"live": live, "tutoring": part, "on_demand": rest - part},
                ).findings
                if finding.row != "H4"
            )
            for part in range(rest + 1)
        )

    least = whole_hour_limits(ningxia, Mode.FULL_LIVE, total).least_live
    assert least == next((live for live in range(total + 1) if lawful(live)), None)


@pytest.mark.parametrize("case", load("ningxia", "payments"))
def test_a_subsidy_is_paid_in_two_halves(ningxia: Edition, case: dict[str, Any]) -> None:
    assert [str(part) for part in payments(ningxia, Decimal(case["amount"]))] == case["parts"]


def test_its_findings_cite_its_own_sources_and_never_the_norm(ningxia: Edition) -> None:
    decision = check_timetable(
        ningxia, course_type="SYB", mode="full_live", hours={"live": 24, "on_demand": 14, "tutoring": 2}
    )
    cited = {finding.code: finding.citation for finding in decision.findings if finding.numbers}
    assert len(cited) == 5
    assert not [citation for citation in cited.values() if "规范" in citation]
    assert cited["on_demand_share"] == "点播占35%，按上限读"


def test_what_it_leaves_open_is_not_put_on_the_norm_either(ningxia: Edition) -> None:
    with pytest.raises(Refusal) as refused:
        ningxia.whole("class_size_cap", "SYB")
    assert refused.value.render()["citation"] == "报道没有写明"
    assert Finding.of_refusal(refused.value).citation == "报道没有写明"


def test_nothing_in_it_claims_to_be_verified(ningxia: Edition) -> None:
    assert {source.verified for source in ningxia.sources} == {False}
    assert {source.kind for source in ningxia.sources} == {
        SourceKind.PRESS,
        SourceKind.READING,
        SourceKind.REFERRED,
    }
    assert "未经核对" in ningxia.title
    assert ningxia.note
    assert not ningxia.follows_norm


def test_rules_of_another_norm_stand_by_themselves(tmp_path: Any) -> None:
    path = tmp_path / "other.yaml"
    path.write_text(
        "id: other\nextends: ningxia-2020\ntitle: 测试\nissued_by: 测试\neffective_from: 2026-01-01\n"
        "demo: true\nfollows_norm: false\nsources: {test: 测试用数}\nparameters: {}\n",
        encoding="utf-8",
    )
    with pytest.raises(EditionError, match="stand by themselves"):
        load_editions(tmp_path)
    path.write_text(
        path.read_text("utf-8")
        .replace("extends: ningxia-2020\n", "")
        .replace("{}", "{exam_resits: {value: 1, unit: times, row: M9, source: test}}"),
        encoding="utf-8",
    )
    with pytest.raises(EditionError, match="give their own citation"):
        load_editions(tmp_path)
