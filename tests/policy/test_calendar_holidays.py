"""Holidays by the State Council's notices, as against ordinary days off."""

import datetime

import pytest

from policy.calendar import state_council_calendar
from policy.refusals import Refusal


@pytest.mark.parametrize(
    ("day", "holiday"),
    [
        (datetime.date(2026, 10, 1), True),
        (datetime.date(2026, 10, 3), True),  # a Saturday within the break
        (datetime.date(2026, 9, 12), False),  # an ordinary Saturday
        (datetime.date(2026, 9, 20), False),  # a Sunday that is worked
        (datetime.date(2026, 9, 21), False),
    ],
)
def test_only_a_notice_makes_a_holiday(day: datetime.date, holiday: bool) -> None:
    assert state_council_calendar().is_holiday(day) is holiday


def test_a_year_without_a_notice_is_refused() -> None:
    with pytest.raises(Refusal) as error:
        state_council_calendar().is_holiday(datetime.date(2031, 10, 1))
    assert error.value.code == "calendar_unpublished"
