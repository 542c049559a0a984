"""规范 五（三）: five working days between filing and the first lesson, F7."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.calendar import add_working_days, earliest_start, state_council_calendar
from policy.editions import Edition, load_editions
from policy.refusals import Refusal
from tests.policy.cases import load

DEMO = load_editions()["demo"]


@pytest.mark.parametrize("case", load("calendar"))
def test_the_earliest_start_is_as_the_table_says(
    editions: Mapping[str, Edition], case: dict[str, Any]
) -> None:
    edition = editions[case.get("edition", "demo")]
    if "refused" in case:
        with pytest.raises(Refusal) as refused:
            earliest_start(edition, case["filed_on"])
        assert (refused.value.code, refused.value.rule) == (case["refused"], "F7")
    else:
        decision = earliest_start(edition, case["filed_on"])
        assert decision.date == case["earliest"]
        assert decision.working_days == len(decision.counted)


@given(st.dates(date(2019, 1, 1), date(2026, 12, 1)))
def test_exactly_the_lead_lies_between_filing_and_start(filed_on: date) -> None:
    calendar = state_council_calendar()
    start = earliest_start(DEMO, filed_on).date
    following = [filed_on + timedelta(days=n) for n in range(1, (start - filed_on).days + 1)]
    assert sum(calendar.is_working_day(day) for day in following) == 5
    assert calendar.is_working_day(start)


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
