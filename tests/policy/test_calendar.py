"""规范 五（三）: five working days between filing and the first lesson, F7."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.calendar import (
    CalendarError,
    add_working_days,
    earliest_start,
    latest_filing,
    load_calendar,
    state_council_calendar,
)
from policy.editions import Edition, load_editions
from policy.refusals import Refusal
from tests.policy.cases import CALENDARS, load

DEMO = load_editions()["demo"]


@pytest.mark.parametrize("case", load("calendar"))
def test_the_earliest_start_is_as_the_table_says(
    editions: Mapping[str, Edition], case: dict[str, Any]
) -> None:
    edition = editions[case.get("edition", "demo")]
    calendar = load_calendar(CALENDARS) if case.get("loaded") else None
    if "refused" in case:
        with pytest.raises(Refusal) as refused:
            earliest_start(edition, case["filed_on"], calendar=calendar)
        assert (refused.value.code, refused.value.rule) == (case["refused"], "F7")
    else:
        decision = earliest_start(edition, case["filed_on"], calendar=calendar)
        assert decision.date == case["earliest"]
        assert decision.working_days == len(decision.counted)


@given(st.dates(date(2019, 1, 1), date(2026, 12, 1)))
def test_exactly_the_lead_lies_between_filing_and_start(filed_on: date) -> None:
    calendar = state_council_calendar()
    start = earliest_start(DEMO, filed_on).date
    following = [filed_on + timedelta(days=n) for n in range(1, (start - filed_on).days + 1)]
    assert sum(calendar.is_working_day(day) for day in following) == 5
    assert calendar.is_working_day(start)


@given(st.dates(date(2019, 2, 1), date(2026, 11, 20)))
def test_the_last_day_to_file_is_in_time_and_the_next_is_not(starts_on: date) -> None:
    last = latest_filing(DEMO, starts_on)
    assert earliest_start(DEMO, last).date <= starts_on
    assert earliest_start(DEMO, last + timedelta(days=1)).date > starts_on


def test_the_last_day_to_file_counts_a_worked_sunday() -> None:
    """20 September 2026 is a Sunday on which offices work, so Saturday the 19th is still in time."""
    assert latest_filing(DEMO, date(2026, 9, 24)) == date(2026, 9, 19)
    assert latest_filing(DEMO, date(2026, 9, 23)) == date(2026, 9, 17)
    assert latest_filing(DEMO, date(2026, 10, 19)) == date(2026, 10, 12)
    with pytest.raises(Refusal) as refused:
        latest_filing(DEMO, date(2031, 3, 1))
    assert refused.value.code == "calendar_unpublished"


def test_a_loaded_year_overrides_the_library_and_opens_the_next(demo: Edition) -> None:
    calendar = state_council_calendar().with_year(
        2027, days_off=[date(2027, 1, 1)], days_worked=[date(2027, 1, 9)]
    )
    assert earliest_start(demo, date(2026, 12, 28), calendar=calendar).date == date(2027, 1, 5)
    assert earliest_start(demo, date(2027, 1, 4), calendar=calendar).date == date(2027, 1, 9)
    without_holidays = calendar.with_year(2026, days_off=[], days_worked=[])
    assert earliest_start(demo, date(2026, 9, 30), calendar=without_holidays).date == date(2026, 10, 7)


def test_a_year_is_loaded_with_its_own_days_only() -> None:
    with pytest.raises(ValueError, match="not days of 2027"):
        state_council_calendar().with_year(2027, days_off=[date(2026, 12, 31)], days_worked=[])


def test_a_deadline_counts_working_days_from_the_next_day() -> None:
    calendar = state_council_calendar()
    assert calendar.add_working_days(date(2026, 11, 20), 5) == date(2026, 11, 27)
    assert add_working_days(date(2026, 9, 18), 5) == date(2026, 9, 24)
    assert calendar.add_working_days(date(2026, 11, 21), 0) == date(2026, 11, 21)


def test_the_decision_shows_the_days_it_counted(demo: Edition) -> None:
    assert earliest_start(demo, date(2026, 9, 18)).render() == {
        "date": "2026-09-24",
        "working_days": 5,
        "filed_on": "2026-09-18",
        "counted": ["2026-09-20", "2026-09-21", "2026-09-22", "2026-09-23", "2026-09-24"],
        "reading": demo.reading("start_day_counting").render(),
    }


def test_a_loaded_year_names_the_notice_it_came_from() -> None:
    calendar = load_calendar(CALENDARS)
    assert calendar.years[2027].document == "测试用放假安排，不是国务院办公厅的通知"
    assert "国务院办公厅" in calendar.years[2026].document
    assert calendar.is_working_day(date(2026, 12, 26))  # a Saturday that the notice for 2027 has worked
    assert not calendar.is_working_day(date(2026, 12, 31))
    assert not state_council_calendar().is_working_day(date(2026, 12, 26))


@pytest.mark.parametrize("year", range(2019, 2027))
def test_the_kept_library_knows_each_year_whole(year: int) -> None:
    published = state_council_calendar().years[year]
    assert date(year, 1, 1) in published.days_off
    assert {date(year, 5, 1), date(year, 10, 1)} <= published.days_off
    assert all(day.weekday() >= 5 for day in published.days_worked)


_NOTICE = """\
year: 2027
document: 通知
issued_by: 国务院办公厅
issued_on: 2026-11-10
holidays:
  - {name: 元旦, from: 2027-01-01, to: 2027-01-03}
worked: [2027-01-09]
"""


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("document: 通知\n", "", "missing document"),
        ("document: 通知", "document: ''", "document: must be a text"),
        ("year: 2027", "year: '2027'", "must be a year"),
        ("year: 2027", "year: 1999", "must be a year"),
        ("issued_on: 2026-11-10", "issued_on: 十一月", "issued_on: must be a date"),
        ("worked: [2027-01-09]", "worked: [2027-01-11]", "no weekend day"),
        ("worked: [2027-01-09]", "worked: [2027-01-03]", "also a holiday"),
        ("worked: [2027-01-09]", "worked: [2027-01-09, 2027-01-09]", "named twice"),
        ("worked: [2027-01-09]", "worked: [2028-01-08]", "neither of 2027"),
        ("worked: [2027-01-09]", "worked: 2027-01-09", "must be a list of dates"),
        ("worked: [2027-01-09]", "worked: [九日]", "must be a date"),
        ("to: 2027-01-03", "to: 2026-12-31", "is no holiday"),
        ("to: 2027-01-03", "to: 2027-03-03", "is no holiday"),
        ("from: 2027-01-01", "from: 2027-01-02", "New Year's Day of 2027 is missing"),
        ("name: 元旦, ", "", "must give name, from and to"),
        ("worked: [2027-01-09]", "worked: []\nurl: javascript:alert(1)", "url: must be"),
        ("worked: [2027-01-09]", "worked: []\nnote: x", "unknown note"),
        ("worked: [2027-01-09]", "worked: []\nworked: []", "doubled key"),
        (
            "worked:",
            "  - {name: 春节, from: 2027-01-03, to: 2027-01-05}\nworked:",
            "is in two holidays",
        ),
    ],
)
def test_a_year_file_that_cannot_be_trusted_is_refused(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    assert old in _NOTICE
    path = tmp_path / "2027.yaml"
    path.write_text(_NOTICE.replace(old, new), encoding="utf-8")
    with pytest.raises(CalendarError, match=problem) as refused:
        load_calendar(tmp_path)
    assert str(refused.value).startswith(str(path))


def test_a_year_is_given_once_and_follows_the_one_before(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(_NOTICE, encoding="utf-8")
    with pytest.raises(CalendarError, match="already given"):
        load_calendar(tmp_path)
    (tmp_path / "two.yaml").unlink()
    reaching_back = _NOTICE.replace("2027", "2029").replace("2029-01-01, to", "2028-12-31, to")
    (tmp_path / "one.yaml").write_text(reaching_back.replace("2029-01-09", "2029-01-13"), encoding="utf-8")
    with pytest.raises(CalendarError, match="2028, which is not published"):
        load_calendar(tmp_path)
    with pytest.raises(CalendarError, match="no such directory"):
        load_calendar(tmp_path / "nowhere")
