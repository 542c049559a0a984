"""Dates that can only be a slip of the pen are refused, and no count runs off the end of the calendar."""

from datetime import date

import pytest

from policy.calendar import WorkingCalendar, add_working_days, earliest_start, latest_filing
from policy.dates import require_near, require_on_paper
from policy.editions import load_editions
from policy.messages import day_text
from policy.refusals import Refusal

DEMO = load_editions()["demo"]
TODAY = date(2028, 2, 29)


@pytest.mark.parametrize("day", [None, date(2018, 1, 1), TODAY, date(2038, 12, 31)])
def test_a_plan_may_lie_ten_calendar_years_around_today(day: date | None) -> None:
    require_near(day, today=TODAY, name="开班日期")


@pytest.mark.parametrize("day", [date.min, date(2017, 12, 31), date(2039, 1, 1), date.max])
def test_a_plan_beyond_them_is_refused_with_what_is_possible(day: date) -> None:
    with pytest.raises(Refusal) as refused:
        require_near(day, today=TODAY, name="开班日期", field="starts_on", rule="F9")
    body = refused.value.render()
    assert (body["code"], refused.value.status) == ("date_out_of_range", 400)
    assert refused.value.field == "starts_on"
    assert body["message"] == f"开班日期写的是 {day_text(day)}，年份不对。"
    assert body["details"]["found"] == day.isoformat()
    assert body["details"]["required"] == ["2018-01-01", "2038-12-31"]
    assert body["details"]["next"] == "请改成 2018年1月1日 到 2038年12月31日 之间的日期。"


@pytest.mark.parametrize("today", [date.min, date.max])
def test_the_bounds_themselves_never_overflow(today: date) -> None:
    require_near(today, today=today, name="开班日期")


@pytest.mark.parametrize("day", [date.min, date(1899, 12, 31), date(2200, 1, 1), date.max])
def test_a_paper_states_no_such_day(day: date) -> None:
    with pytest.raises(Refusal, check=lambda r: r.code == "date_out_of_range"):
        require_on_paper(day, name="有效期止")
    require_on_paper(date(1900, 1, 1), name="有效期起")
    require_on_paper(date(2199, 12, 31), name="有效期止")


@pytest.mark.parametrize("day", [date.min, date(1, 6, 1), date(9999, 12, 30), date.max])
@pytest.mark.parametrize("count", [earliest_start, latest_filing])
def test_no_count_overflows_at_the_ends_of_time(day: date, count) -> None:
    with pytest.raises(Refusal) as refused:
        count(DEMO, day)
    assert refused.value.code == "calendar_unpublished"
    body = refused.value.render()
    assert "不在已经录入放假安排的年份里" in body["message"]
    assert "请核对日期的年份" in body["details"]["next"]


def test_even_a_calendar_of_the_last_year_refuses_the_day_after() -> None:
    last = WorkingCalendar({}).with_year(9999, days_off=(), days_worked=())
    for count in (1, 5):
        with pytest.raises(Refusal, check=lambda r: r.code == "calendar_unpublished"):
            add_working_days(date.max, count, calendar=last)
    first = WorkingCalendar({}).with_year(1, days_off=(), days_worked=())
    with pytest.raises(Refusal, check=lambda r: r.code == "calendar_unpublished"):
        latest_filing(DEMO, date.min, calendar=first)


def test_the_year_after_the_last_one_is_waited_for() -> None:
    with pytest.raises(Refusal) as refused:
        add_working_days(date(2026, 12, 30), 5)
    assert "请等国务院办公厅公布 2027 年放假安排" in refused.value.render()["details"]["next"]
