"""规范 二: lesson hours, H4-H15."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.editions import Edition, load_editions
from policy.hours import parse_hours
from policy.messages import NBSP
from policy.refusals import Refusal
from policy.terms import HourKind, Mode
from policy.timetable import check_timetable, parse_course_type, parse_mode, whole_hour_limits
from tests.policy.cases import EDITIONS, load

DEMO = load_editions(EDITIONS)["demo"]


@pytest.mark.parametrize("case", load("timetable"))
def test_a_timetable_is_judged_as_the_table_says(
    editions: Mapping[str, Edition], case: dict[str, Any]
) -> None:
    given_, expected = case["given"], case["expected"]
    decision = check_timetable(
        editions[given_.get("edition", "demo")],
        course_type=given_["course_type"],
        mode=given_["mode"],
        hours=given_["hours"],
    )
    failing = [finding for finding in decision.findings if not finding.passed]
    assert [finding.row for finding in failing] == expected["failing"]
    assert decision.passed is (not expected["failing"])
    assert decision.least_live_hours == expected["least_live_hours"]
    if "codes" in expected:
        assert [finding.code for finding in failing] == expected["codes"]
    if "waivable" in expected:
        assert [finding.row for finding in decision.findings if finding.waivable] == expected["waivable"]


@pytest.mark.parametrize("case", load("whole_hours"))
def test_whole_hours_go_as_far_as_the_table_says(demo: Edition, case: dict[str, Any]) -> None:
    full_live = whole_hour_limits(demo, Mode.FULL_LIVE, case["total"])
    assert {
        "live": full_live.least_live,
        "homework_exam": full_live.most_homework_exam,
        "quality_tutoring": full_live.most_quality_tutoring,
    } == case["full_live"]
    mixed = whole_hour_limits(demo, Mode.MIXED, case["total"])
    assert {
        "offline": mixed.least_offline,
        "online": mixed.online,
        "live": mixed.least_live,
        "homework_exam": mixed.most_homework_exam,
        "on_demand": mixed.most_on_demand,
    } == case["mixed"]


def _share_rules_pass(mode: Mode, hours: dict[str, int]) -> bool:
    decision = check_timetable(DEMO, course_type="GYB", mode=mode, hours=hours)
    return all(finding.passed for finding in decision.findings if finding.row not in ("H4", "H10"))


@pytest.mark.parametrize("total", range(1, 61))
def test_the_least_live_hours_of_a_full_live_class_are_truly_the_least(total: int) -> None:
    def lawful(live: int) -> bool:
        rest = total - live
        return any(
            _share_rules_pass(Mode.FULL_LIVE, {"live": live, "homework": part, "tutoring": rest - part})
            for part in range(rest + 1)
        )

    least = whole_hour_limits(DEMO, Mode.FULL_LIVE, total).least_live
    assert least is not None
    assert lawful(least)
    assert not lawful(least - 1)


@pytest.mark.parametrize("total", range(4, 91))
def test_the_least_live_hours_of_a_mixed_class_are_truly_the_least_with_most_online(total: int) -> None:
    limits = whole_hour_limits(DEMO, Mode.MIXED, total)
    online, least = int(limits.online), limits.least_live

    def lawful(live: int, online: int) -> bool:
        rest = online - live
        return any(
            _share_rules_pass(
                Mode.MIXED,
                {"offline": total - online, "live": live, "homework": part, "on_demand": rest - part},
            )
            for part in range(rest + 1)
        )

    assert least is not None
    assert lawful(least, online)
    assert not lawful(least - 1, online)
    assert not any(lawful(live, online + 1) for live in range(online + 2))


def test_no_timetable_is_lawful_at_half_an_hour() -> None:
    decision = check_timetable(DEMO, course_type="GYB", mode="full_live", hours={"homework": "0.5"})
    assert decision.least_live_hours is None


@given(
    live=st.integers(0, 10**4),
    homework=st.integers(0, 10**4),
    tutoring=st.integers(0, 10**4),
    parts=st.integers(1, 1000),
)
def test_shares_are_compared_exactly(live: int, homework: int, tutoring: int, parts: int) -> None:
    """Against whole-number arithmetic, for hours in any fraction of an hour."""
    hours = {
        "live": Fraction(live, parts),
        "homework": Fraction(homework, parts),
        "tutoring": Fraction(tutoring, parts),
    }
    decision = check_timetable(DEMO, course_type="GYB", mode="full_live", hours=hours)
    total = live + homework + tutoring
    assert {finding.row: finding.passed for finding in decision.findings} == {
        "H4": total >= 24 * parts,
        "H5": 100 * live >= 60 * total,
        "H6": 100 * homework <= 20 * total,
        "H7": 100 * tutoring <= 20 * total,
        "H9": True,
    }
    assert decision.passed is all(finding.passed for finding in decision.findings)


def test_a_finding_says_rule_found_and_required() -> None:
    decision = check_timetable(
        DEMO, course_type="GYB", mode="full_live", hours={"live": 15, "homework": 5, "tutoring": 4}
    )
    [failing] = [finding for finding in decision.render()["findings"] if not finding["passed"]]
    assert [number["name"] for number in failing.pop("numbers")] == ["full_live_max_homework_exam_share"]
    assert [failing] == [
        {
            "code": "homework_exam_share",
            "row": "H6",
            "passed": False,
            "outcome": "failed",
            "required": "4.8",
            "actual": 5,
            "citation": "规范 二（第2段）：“作业和考试课时不超过20%”",
            "message": f"作业和考试 5 课时，超过总课时的 20{NBSP}%（4.8 课时），整课时最多 4。",
            "reading": {
                "parameter": "share_comparison",
                "code": "exact",
                "text": "比例按分数精确比较，不四舍五入；“不少于”“不低于”“不超过”都包括本数。",
            },
            "waivable": False,
        }
    ]


@pytest.mark.parametrize("case", load("hours_refused"))
def test_what_is_no_number_of_hours_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        parse_hours(case["hours"])
    body = refused.value.render()
    assert body["code"] == case["code"]
    assert refused.value.status == 400
    assert body["details"]["required"] is not None
    assert body["details"]["next"]
    assert body["details"]["rule"] == ""
    for notation in ("None", "True", "{", "[", "list", "dict", "NoneType", "'"):
        assert notation not in f"{body['message']}{body['details']['found']}"


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        ({"live": None}, "直播课时要填数字，现在是空值（null）。"),
        ({"live": True}, "直播课时要填数字，现在是真假值（true、false）。"),
        ({"live": {"a": 1}}, "直播课时要填数字，现在是一个对象。"),
        ({"live": [16]}, "直播课时要填数字，现在是一个列表。"),
        ({"live": "16h"}, "直播课时要填数字，现在填的是“16h”。"),
    ],
)
def test_what_stands_in_the_place_of_hours_is_told_in_words(hours: dict[str, Any], said: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_hours(hours)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (16, Fraction(16)),
        ("16", Fraction(16)),
        ("13.5", Fraction(27, 2)),
        ("40/3", Fraction(40, 3)),
        (13.5, Fraction(27, 2)),
        (0.1, Fraction(1, 10)),
        (1e-06, Fraction(1, 10**6)),
        (Decimal("13.50"), Fraction(27, 2)),
        (Fraction(40, 3), Fraction(40, 3)),
        (10000, Fraction(10000)),
        ("-0", Fraction(0)),
    ],
)
def test_hours_are_read_exactly(written: object, meant: Fraction) -> None:
    hours = parse_hours({"live": written})
    assert hours[HourKind.LIVE] == meant
    assert hours[HourKind.OFFLINE] == 0


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_NUMBERS = (
    st.integers() | st.floats() | st.decimals() | st.fractions() | st.text("0123456789./-e", max_size=12)
)


@given(_JSON | st.dictionaries(st.sampled_from([kind.value for kind in HourKind]), _NUMBERS | _JSON))
def test_any_input_is_read_or_refused(raw: object) -> None:
    hours, refusal = None, None
    try:
        hours = parse_hours(raw)
    except Refusal as refused:
        refusal = refused
    if hours is not None:
        assert set(hours) == set(HourKind)
        assert all(0 <= number <= 10_000 for number in hours.values())
    else:
        assert refusal is not None
        assert refusal.status == 400
        assert refusal.render()["message"]


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        check_timetable(DEMO, course_type="GYB", mode="hybrid", hours={"live": 24})
    assert (refused.value.code, refused.value.rule, refused.value.status) == ("mode_unknown", "A5", 400)


@pytest.mark.parametrize("course_type", ["", "gyb", "创业", "GYB ", "A" * 11, 5, None, ["GYB"]])
def test_a_malformed_course_type_is_refused(course_type: object) -> None:
    with pytest.raises(Refusal) as refused:
        parse_course_type(course_type)
    assert (refused.value.code, refused.value.status) == ("course_type_malformed", 400)
    assert refused.value.render()["details"]["required"] == ["GYB", "SYB"]


@pytest.mark.parametrize("mode", ["", "FULL_LIVE", None, 1, ["mixed"], {}])
def test_a_malformed_mode_is_refused(mode: object) -> None:
    with pytest.raises(Refusal) as refused:
        parse_mode(mode)
    assert (refused.value.code, refused.value.status) == ("mode_unknown", 400)
