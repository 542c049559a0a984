"""Working days as the State Council publishes them, and the earliest lawful start of a class (F7).

A published year says which weekdays are off and which weekend days are worked. Years nobody has published are
refused, never guessed: the regulator's calendar for the next year comes out in November. Days at the very end
of the last published year may still change with it, when a New Year break reaches back over 31 December.

The years up to the present come from a kept library (chinesecalendar). Later ones, or corrections, are loaded
from files, one a year, each naming the notice it was copied from (`load_calendar`):

    year: 2027
    document: 国办发明电〔2026〕0号
    issued_by: 国务院办公厅
    issued_on: 2026-11-04
    url: https://www.gov.cn/…          # optional
    holidays:
      - {name: 元旦, from: 2027-01-01, to: 2027-01-03}
    worked: [2027-02-14]               # weekend days that are worked (调休上班)
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import chinese_calendar
import yaml

from policy.editions import Edition, Reading
from policy.messages import Translate, gettext_noop, untranslated
from policy.refusals import Refusal
from policy.strict_yaml import StrictLoader

_ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PublishedYear:
    """One year's notice: weekdays that are off and weekend days that are worked (调休)."""

    days_off: frozenset[dt.date]
    days_worked: frozenset[dt.date]
    document: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Published years. Loaded data takes precedence through `with_year`."""

    years: Mapping[int, PublishedYear]

    def with_year(
        self,
        year: int,
        *,
        days_off: Iterable[dt.date],
        days_worked: Iterable[dt.date],
        document: str = "",
        url: str = "",
    ) -> "WorkingCalendar":
        """Return a calendar in which `year` is published as given, whatever was known about it."""
        published = PublishedYear(frozenset(days_off), frozenset(days_worked), document, url)
        strangers = [day for day in published.days_off | published.days_worked if day.year != year]
        if strangers:
            raise ValueError(f"not days of {year}: {sorted(strangers)}")
        return WorkingCalendar({**self.years, year: published})

    def publishes(self, year: int) -> bool:
        """Whether the year's holidays are known."""
        return year in self.years

    def is_holiday(self, day: dt.date) -> bool:
        """Whether the day is off by the year's notice; an ordinary weekend is no holiday.

        Raises:
            Refusal: `calendar_unpublished` if the year's holidays are not known.
        """
        return day in self._published(day).days_off

    def is_working_day(self, day: dt.date) -> bool:
        """Whether offices work on this day.

        Raises:
            Refusal: `calendar_unpublished` if the year's holidays are not known.
        """
        published = self._published(day)
        if day.weekday() < 5:
            return day not in published.days_off
        return day in published.days_worked

    def _published(self, day: dt.date) -> PublishedYear:
        published = self.years.get(day.year)
        if published is None:
            raise self._unpublished(day)
        return published

    def _unpublished(self, day: dt.date) -> Refusal:
        """The refusal of a day that cannot be counted: one of the coming years is waited for, any
        other is a date to look at again.
        """
        known = sorted(self.years)
        is_ahead = not known or known[-1] < day.year <= known[-1] + 10
        return Refusal(
            "calendar_unpublished",
            gettext_noop("%(year)s 年的放假安排还没有录入，算不出工作日。")
            if is_ahead
            else gettext_noop("%(day)s 不在已经录入放假安排的年份里，算不出工作日。"),
            found=day.year,
            required=known[-1:],
            rule="F7",
            next_step=gettext_noop("请等国务院办公厅公布 %(year)s 年放假安排、平台录入以后再算。")
            if is_ahead
            else gettext_noop("请核对日期的年份：平台录入了 %(first)s 年到 %(last)s 年的放假安排。"),
            params={
                "year": str(day.year),
                "day": day,
                "first": str(known[0]) if known else "",
                "last": str(known[-1]) if known else "",
            },
            details={"year": day.year, "published": known},
        )

    def day_after(self, day: dt.date) -> dt.date:
        """The next day; the last one that a date can say has none.

        Raises:
            Refusal: `calendar_unpublished` at the end of the year 9999.
        """
        if day == dt.date.max:
            raise self._unpublished(day)
        return day + _ONE_DAY

    def day_before(self, day: dt.date) -> dt.date:
        """The day before; raises Refusal `calendar_unpublished` at the beginning of the year 1."""
        if day == dt.date.min:
            raise self._unpublished(day)
        return day - _ONE_DAY

    def working_days_after(self, day: dt.date, count: int) -> tuple[dt.date, ...]:
        """Return the next `count` working days; `day` itself is day 0 and not among them.

        Raises:
            Refusal: `calendar_unpublished` if the count runs into a year that is not known.
        """
        found: list[dt.date] = []
        while len(found) < count:
            day = self.day_after(day)
            if self.is_working_day(day):
                found.append(day)
        return tuple(found)

    def add_working_days(self, day: dt.date, count: int) -> dt.date:
        """Return the `count`-th working day after `day`, or `day` itself for 0 (deadlines, public notice)."""
        return self.working_days_after(day, count)[-1] if count else day


_LIBRARY = gettext_noop("国务院办公厅历年放假通知")


class CalendarError(ValueError):
    """A year file that cannot be trusted; the message names the file and the place in it."""


@cache
def state_council_calendar() -> WorkingCalendar:
    """The years that the installed library of State Council notices knows."""
    years = {day.year for day in chinese_calendar.holidays}
    return WorkingCalendar(
        {
            year: PublishedYear(
                days_off=frozenset(day for day in chinese_calendar.holidays if day.year == year),
                days_worked=frozenset(day for day in chinese_calendar.workdays if day.year == year),
                document=_LIBRARY,
            )
            for year in sorted(years)
        }
    )


def load_calendar(*directories: Path | str) -> WorkingCalendar:
    """Return the library's years with the year files (`*.yaml`) of `directories` on top.

    A year's notice may also set days of the December before it, when the New Year break reaches back.

    Raises:
        CalendarError: if a file is malformed, contradicts itself, or gives a year twice.
    """
    calendar = state_council_calendar()
    files: dict[int, Path] = {}
    for directory in map(Path, directories):
        if not directory.is_dir():
            raise CalendarError(f"{directory}: no such directory of calendars")
        for path in sorted(directory.glob("*.yaml")):
            notice = _read_notice(path)
            if notice.year in files:
                raise CalendarError(f"{path}: year: {notice.year} is already given by {files[notice.year]}")
            files[notice.year] = path
            calendar = notice.on_top_of(calendar)
    return calendar


@dataclass(frozen=True, slots=True)
class _Notice:
    path: Path
    year: int
    document: str
    url: str
    days_off: frozenset[dt.date]
    days_worked: frozenset[dt.date]

    def on_top_of(self, calendar: WorkingCalendar) -> WorkingCalendar:
        calendar = calendar.with_year(
            self.year,
            days_off=(day for day in self.days_off if day.year == self.year),
            days_worked=(day for day in self.days_worked if day.year == self.year),
            document=self.document,
            url=self.url,
        )
        off = {day for day in self.days_off if day.year < self.year}
        worked = {day for day in self.days_worked if day.year < self.year}
        before = calendar.years.get(self.year - 1)
        if not off | worked:
            return calendar
        if before is None:
            raise CalendarError(f"{self.path}: days of {self.year - 1}, which is not published")
        return calendar.with_year(
            self.year - 1,
            days_off=before.days_off - worked | off,
            days_worked=before.days_worked - off | worked,
            document=before.document,
            url=before.url,
        )


_NOTICE_KEYS = {"year", "document", "issued_by", "issued_on", "holidays", "worked"}


def _read_notice(path: Path) -> _Notice:
    def error(place: str, problem: str) -> CalendarError:
        return CalendarError(f"{path}: {place}: {problem}")

    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=StrictLoader)  # noqa: S506 — a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise CalendarError(f"{path}: {problem}") from problem
    if not isinstance(content, dict):
        raise CalendarError(f"{path}: not a mapping")
    if missing := sorted(_NOTICE_KEYS - content.keys()):
        raise error("calendar", f"missing {', '.join(missing)}")
    if unknown := sorted(str(key) for key in content.keys() - _NOTICE_KEYS - {"url"}):
        raise error("calendar", f"unknown {', '.join(unknown)}")
    year = content["year"]
    if type(year) is not int or not 2004 <= year <= 2100:
        raise error("year", f"must be a year from 2004 to 2100, not {year!r}")
    for name in ("document", "issued_by"):
        if not isinstance(content[name], str) or not content[name].strip():
            raise error(name, "must be a text: the notice that the days were copied from")
    if type(content["issued_on"]) is not dt.date:
        raise error("issued_on", "must be a date")
    url = content.get("url", "")
    if not isinstance(url, str) or (url and not url.startswith(("https://", "http://"))):
        raise error("url", "must be an address of the web")
    if not isinstance(content["holidays"], list) or not content["holidays"]:
        raise error("holidays", "must be a list that is not empty")
    if not isinstance(content["worked"], list):
        raise error("worked", "must be a list of dates")

    def its_own(place: str, day: object) -> dt.date:
        if type(day) is not dt.date:
            raise error(place, f"must be a date, not {day!r}")
        if day.year != year and (day.year, day.month) != (year - 1, 12):
            raise error(place, f"{day} is neither of {year} nor of the December before")
        return day

    off: set[dt.date] = set()
    for number, holiday in enumerate(content["holidays"], start=1):
        place = f"holidays {number}"
        if not isinstance(holiday, dict) or holiday.keys() != {"name", "from", "to"}:
            raise error(place, "must give name, from and to")
        if not isinstance(holiday["name"], str) or not holiday["name"].strip():
            raise error(place, "name must be a text")
        first, last = its_own(place, holiday["from"]), its_own(place, holiday["to"])
        if not 0 <= (last - first).days < 31:
            raise error(place, f"from {first} to {last} is no holiday")
        days = {first + _ONE_DAY * offset for offset in range((last - first).days + 1)}
        if days & off:
            raise error(place, f"{min(days & off)} is in two holidays")
        off |= days
    if dt.date(year, 1, 1) not in off:
        raise error("holidays", f"the New Year's Day of {year} is missing")
    worked = [its_own("worked", day) for day in content["worked"]]
    if len(set(worked)) != len(worked):
        raise error("worked", "a day is named twice")
    for day in worked:
        if day.weekday() < 5:
            raise error("worked", f"{day} is no weekend day")
        if day in off:
            raise error("worked", f"{day} is also a holiday")
    return _Notice(path, year, content["document"], url, frozenset(off), frozenset(worked))


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
        start = calendar.day_after(start)
    return StartDecision(filed_on=filed_on, date=start, working_days=lead, counted=counted, reading=reading)


def latest_filing(
    edition: Edition, starts_on: dt.date, *, calendar: WorkingCalendar | None = None
) -> dt.date:
    """Return the last day on which a class that starts on `starts_on` may still be filed (F7).

    The rule of `earliest_start` read backwards: filed on this day the class may start in time, filed on the
    next it may not. It may be a day off, because a submission is judged by its legal day alone.

    Raises:
        Refusal: `calendar_unpublished`, or `edition_unset` if the edition gives no lead.
    """
    calendar = calendar or state_council_calendar()
    day = starts_on
    while earliest_start(edition, day, calendar=calendar).date > starts_on:
        day = calendar.day_before(day)
    return day
