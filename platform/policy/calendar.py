"""Working days as the State Council publishes them, and the earliest lawful start of a class (F7).

A published year says which weekdays are off and which weekend days are worked. Years nobody has published are
refused, never guessed: the regulator's calendar for the next year comes out in November. Days at the very end
of the last published year may still change with it, when a New Year break reaches back over 31 December.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import chinese_calendar

from policy.editions import Edition, Reading
from policy.messages import Translate, gettext_noop, untranslated
from policy.refusals import Refusal

_ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PublishedYear:
    """One year's notice: weekdays that are off and weekend days that are worked (调休)."""

    days_off: frozenset[dt.date]
    days_worked: frozenset[dt.date]


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Published years. Loaded data takes precedence through `with_year`."""

    years: Mapping[int, PublishedYear]

    def with_year(
        self, year: int, *, days_off: Iterable[dt.date], days_worked: Iterable[dt.date]
    ) -> "WorkingCalendar":
        """Return a calendar in which `year` is published as given, whatever was known about it."""
        published = PublishedYear(frozenset(days_off), frozenset(days_worked))
        strangers = [day for day in published.days_off | published.days_worked if day.year != year]
        if strangers:
            raise ValueError(f"not days of {year}: {sorted(strangers)}")
        return WorkingCalendar({**self.years, year: published})

    def is_working_day(self, day: dt.date) -> bool:
        """Whether offices work on this day.

        Raises:
            Refusal: `calendar_unpublished` if the year's holidays are not known.
        """
        published = self.years.get(day.year)
        if published is None:
            raise Refusal(
                "calendar_unpublished",
                gettext_noop("%(year)s 年的放假安排还没有录入，算不出工作日。"),
                found=day.year,
                required=sorted(self.years)[-1:],
                rule="F7",
                next_step=gettext_noop("请等国务院办公厅公布 %(year)s 年放假安排、平台录入以后再算。"),
                params={"year": str(day.year)},
                details={"year": day.year, "published": sorted(self.years)},
            )
        if day.weekday() < 5:
            return day not in published.days_off
        return day in published.days_worked

    def working_days_after(self, day: dt.date, count: int) -> tuple[dt.date, ...]:
        """Return the next `count` working days; `day` itself is day 0 and not among them.

        Raises:
            Refusal: `calendar_unpublished` if the count runs into a year that is not known.
        """
        found: list[dt.date] = []
        while len(found) < count:
            day += _ONE_DAY
            if self.is_working_day(day):
                found.append(day)
        return tuple(found)

    def add_working_days(self, day: dt.date, count: int) -> dt.date:
        """Return the `count`-th working day after `day`, or `day` itself for 0 (deadlines, public notice)."""
        return self.working_days_after(day, count)[-1] if count else day


@cache
def state_council_calendar() -> WorkingCalendar:
    """The years that the installed library of State Council notices knows."""
    years = {day.year for day in chinese_calendar.holidays}
    return WorkingCalendar(
        {
            year: PublishedYear(
                days_off=frozenset(day for day in chinese_calendar.holidays if day.year == year),
                days_worked=frozenset(day for day in chinese_calendar.workdays if day.year == year),
            )
            for year in sorted(years)
        }
    )


def add_working_days(day: dt.date, count: int, *, calendar: WorkingCalendar | None = None) -> dt.date:
    """Return the `count`-th working day after `day` by the State Council's calendar, or by the one given.

    Raises:
        Refusal: `calendar_unpublished`.
    """
    return (calendar or state_council_calendar()).add_working_days(day, count)


@dataclass(frozen=True, slots=True)
class StartDecision:
    """The earliest lawful start of a class filed on a day, with the working days that were counted."""

    filed_on: dt.date
    date: dt.date
    working_days: int
    counted: tuple[dt.date, ...]
    reading: Reading

    def render(self, translate: Translate = untranslated) -> dict[str, Any]:
        """Return the JSON form {date, working_days, filed_on, counted, reading}."""
        return {
            "date": self.date.isoformat(),
            "working_days": self.working_days,
            "filed_on": self.filed_on.isoformat(),
            "counted": [day.isoformat() for day in self.counted],
            "reading": self.reading.render(translate),
        }


def earliest_start(
    edition: Edition, filed_on: dt.date, *, calendar: WorkingCalendar | None = None
) -> StartDecision:
    """Return the first day on which a class filed on `filed_on` may start (F7).

    `filed_on` is the legal day, in the regulator's zone, of the submission that is (or will be) approved.
    With a lead of 0 a class may start on the day it is filed. F9 adds: never before approval.

    Raises:
        Refusal: `calendar_unpublished`, or `edition_unset` if the edition gives no lead.
    """
    calendar = calendar or state_council_calendar()
    lead = edition.whole("filing_lead_working_days")
    reading = edition.reading("start_day_counting")
    counted = calendar.working_days_after(filed_on, lead)
    start = counted[-1] if counted else filed_on
    if counted and reading.code == "full_days_between":
        start += _ONE_DAY
    return StartDecision(filed_on=filed_on, date=start, working_days=lead, counted=counted, reading=reading)
