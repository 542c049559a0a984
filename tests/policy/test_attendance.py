"""规范 六（三） and 二: 80 % of the online hours, at most six hours of it by replay. M8, H8, H15, F18."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.attendance import (
    judge_attendance,
    judge_offline_attendance,
    replay_credit,
    required_online_seconds,
)
from policy.editions import Edition, load_editions
from policy.messages import percent_figure
from policy.refusals import Refusal
from policy.terms import CreditKind
from tests.policy.cases import load

DEMO = load_editions()["demo"]


@pytest.mark.parametrize("case", load("attendance"))
def test_a_verdict_is_as_the_table_says(editions: Mapping[str, Edition], case: dict[str, Any]) -> None:
    given_, expected = case["given"], case["expected"]
    credited = {
        kind: Fraction(value) if isinstance(value, str) else value
        for kind, value in given_["credited"].items()
    }

    def judge() -> Any:
        return judge_attendance(
            editions[given_.get("edition", "demo")],
            mode=given_["mode"],
            required_seconds=given_["required"],
            live_seconds=given_["live"],
            credited=credited,
        )

    if "refused" in expected:
        with pytest.raises(Refusal) as refused:
            judge()
        assert refused.value.code == expected["refused"]
        return
    decision = judge()
    assert decision.passed is expected["passed"]
    assert decision.share == Fraction(expected["share"])
    assert decision.missing_seconds == expected["missing"]
    reasons = [] if expected["passed"] else ["attendance_share"]
    assert [finding.code for finding in decision.reasons] == expected.get("reasons", reasons)
    if "percent" in expected:
        assert decision.render()["share_percent"] == expected["percent"]
    if "replay" in expected:
        assert decision.replay.credited == expected["replay"]
        assert decision.replay.uncounted == expected["uncounted"]
        assert decision.credited[CreditKind.REPLAY] == expected["replay"]
    if "live_share" in expected:
        assert decision.live_share == Fraction(expected["live_share"])
        assert decision.strict_passed is expected["strict_passed"]


@given(base=st.integers(1, 10**6), live=st.integers(0, 10**6), homework=st.integers(0, 10**6))
def test_missing_seconds_are_exactly_enough(base: int, live: int, homework: int) -> None:
    def judge(homework: int) -> Any:
        return judge_attendance(
            DEMO,
            mode="full_live",
            required_seconds=base,
            live_seconds=base,
            credited={"live": live, "homework": homework},
        )

    decision = judge(homework)
    assert decision.passed is (100 * (live + homework) >= 80 * base)
    assert decision.passed is (decision.missing_seconds == 0)
    assert judge(homework + decision.missing_seconds).passed
    if decision.missing_seconds:
        assert not judge(homework + decision.missing_seconds - 1).passed


@given(st.fractions(0, 2))
def test_a_percentage_is_never_shown_above_the_truth(share: Fraction) -> None:
    shown = Fraction(percent_figure(share)) / 100
    assert shown <= share < shown + Fraction(1, 10_000)


@given(watched=st.integers(0, 10**5), missed=st.integers(0, 10**5))
def test_replay_never_exceeds_what_was_watched_missed_and_allowed(watched: int, missed: int) -> None:
    replay = replay_credit(DEMO, mode="full_live", watched=watched, missed_live=missed)
    assert replay.credited == min(watched, missed, 6 * 2700)
    assert replay.credited + replay.uncounted == watched


@pytest.mark.parametrize(
    ("credited", "error"),
    [
        ({"live": 1.5}, TypeError),
        ({"live": True}, TypeError),
        ({"live": -1}, ValueError),
        ({"offline": 1}, ValueError),
        ({"chat": 1}, ValueError),
    ],
)
def test_seconds_that_cannot_be_are_a_fault(credited: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        judge_attendance(DEMO, mode="full_live", required_seconds=10, live_seconds=10, credited=credited)


@pytest.mark.parametrize("case", load("classes", "online_seconds"))
def test_the_base_is_the_online_hours_of_the_timetable(
    editions: Mapping[str, Edition], case: dict[str, Any]
) -> None:
    edition = editions[case.get("edition", "demo")]
    if "refused" in case:
        with pytest.raises(Refusal) as refused:
            required_online_seconds(edition, case["mode"], case["hours"])
        assert refused.value.code == case["refused"]
    else:
        assert required_online_seconds(edition, case["mode"], case["hours"]) == case["seconds"]


@pytest.mark.parametrize("case", load("classes", "offline"))
def test_the_offline_part_has_a_share_of_its_own(
    editions: Mapping[str, Edition], case: dict[str, Any]
) -> None:
    edition = editions[case.get("edition", "demo")]
    if "refused" in case:
        with pytest.raises(Refusal) as refused:
            judge_offline_attendance(edition, attended=case["attended"], planned=case["planned"])
        assert (refused.value.code, refused.value.rule) == (case["refused"], "F18")
    else:
        finding = judge_offline_attendance(edition, attended=case["attended"], planned=case["planned"])
        assert finding.passed is case["passed"]
