"""Free time for lessons: mornings and afternoons on which the class has nothing, its people are not booked
elsewhere and the day is not full yet.

Working days of the class come first, then its weekends, then working days after its end: whoever takes such a
proposal still looks at it, and lengthens the class where it needs that.
"""

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import floor

from django.utils import timezone

from accounts.calendars import calendar
from accounts.editions import edition as find_edition
from classes.bookings import booked_times
from classes.models import TrainingClass
from classes.timetables import LessonDraft
from policy.terms import HourKind

SESSIONS = (datetime.time(8, 30), datetime.time(14, 30))
LONGEST_SESSION = Decimal(4)  # a morning or an afternoon of the template, in lesson hours
MOST_DAYS = 400  # after a class's first day that are looked at

Stretch = tuple[datetime.datetime, datetime.datetime]


@dataclass
class FreeTime:
    """What is still free for one class, while drafts are being put in."""

    starts_on: datetime.date
    ends_on: datetime.date
    lesson_hour: datetime.timedelta
    most_a_day: Decimal | None = None
    booked: Sequence[Stretch] = ()
    _drafts: list[LessonDraft] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        training_class: TrainingClass,
        *,
        lesson_hour: datetime.timedelta,
        starts_on: datetime.date | None = None,
        ends_on: datetime.date | None = None,
    ) -> "FreeTime":
        """The class's dates (or others), the limit a day, the times at which its people are taken."""
        edition = find_edition(training_class.edition)
        starts_on = starts_on or training_class.starts_on
        return cls(
            starts_on=starts_on,
            ends_on=ends_on or training_class.ends_on,
            lesson_hour=lesson_hour,
            most_a_day=Decimal(edition.whole("daily_hours_cap"))
            if edition.is_set("daily_hours_cap")
            else None,
            booked=booked_times(training_class, since=_instant(starts_on, datetime.time.min)),
        )

    def is_booked(self, draft: LessonDraft) -> bool:
        """Whether somebody of the class is taken elsewhere while this lesson runs."""
        return any(starts < draft.ends_at and draft.starts_at < ends for starts, ends in self.booked)

    def place(
        self,
        drafts: Iterable[LessonDraft],
        kind: HourKind,
        hours: Decimal,
        title: str,
        *,
        near: datetime.date | None = None,
    ) -> list[LessonDraft] | None:
        """Lessons for `hours` beside `drafts`, on the day `near` if there is room; None if there is none."""
        self._drafts = list(drafts)
        days = [near] if near is not None and self.starts_on <= near <= self.ends_on else []
        return self._fill((kind, hours, title), [*days, *self._days()])

    def in_order(self, sessions: Iterable[tuple[HourKind, Decimal, str]]) -> list[LessonDraft] | None:
        """A whole timetable of these sessions, one after the other; on weekends as well if it would not fit
        into the class's dates without them. None if there is no room.
        """
        sessions, found = list(sessions), None
        for is_open in (_works, lambda day: not _is_holiday(day)):
            days = list(filter(is_open, self._stretch()))
            self._drafts = []
            for session in sessions:
                if self._fill(session, days, after=True) is None:
                    break
            else:
                found = list(self._drafts)
                if not found or found[-1].day <= self.ends_on:
                    break
        return found

    def _fill(
        self, session: tuple[HourKind, Decimal, str], days: Iterable[datetime.date], *, after: bool = False
    ) -> list[LessonDraft] | None:
        kind, left, title = session
        placed: list[LessonDraft] = []
        for day in days:
            for opens in SESSIONS:
                # In order, a session is given to one lesson, so that kinds do not share a morning.
                while left > 0 and (piece := self._piece(_instant(day, opens), left, after=after)):
                    starts, hours = piece
                    placed.append(
                        LessonDraft(
                            starts_at=starts,
                            ends_at=starts + float(hours) * self.lesson_hour,
                            kind=kind,
                            hours=hours,
                            title=title,
                        )
                    )
                    self._drafts.append(placed[-1])
                    left -= hours
            if left <= 0:
                return placed
        return None

    def _piece(
        self, opens: datetime.datetime, left: Decimal, *, after: bool
    ) -> tuple[datetime.datetime, Decimal] | None:
        """Where in a morning or afternoon there is room, and for how many of the hours that are left."""
        closes = opens + float(LONGEST_SESSION) * self.lesson_hour
        day = timezone.localdate(opens)
        room = LONGEST_SESSION
        if self.most_a_day is not None:
            given = sum((draft.hours for draft in self._drafts if draft.day == day), Decimal(0))
            room = min(room, self.most_a_day - given)
        taken = [(draft.starts_at, draft.ends_at) for draft in self._drafts] + list(self.booked)
        if after and any(opens <= draft.starts_at or opens < draft.ends_at for draft in self._drafts):
            return None
        for starts in sorted({opens, *(ends for _starts, ends in taken if opens < ends < closes)}):
            if any(begins <= starts < ends for begins, ends in taken):
                continue
            until = min([closes, *(begins for begins, _ends in taken if begins > starts)])
            hours = min(left, room, _hours(until - starts, self.lesson_hour))
            if hours < left:
                hours = Decimal(floor(hours))
            if hours > 0:
                return starts, hours
        return None

    def _days(self) -> Iterator[datetime.date]:
        within = [day for day in self._stretch() if day <= self.ends_on]
        yield from filter(_works, within)
        yield from (day for day in within if not _works(day) and not _is_holiday(day))
        yield from filter(_works, self._stretch()[len(within) :])

    def _stretch(self) -> list[datetime.date]:
        last = min(self.starts_on.toordinal() + MOST_DAYS, datetime.date.max.toordinal() - 1)
        return [datetime.date.fromordinal(number) for number in range(self.starts_on.toordinal(), last)]


def _is_holiday(day: datetime.date) -> bool:
    """Where nobody has published the year, no day of it is known to be off."""
    known = calendar()
    return known.publishes(day.year) and known.is_holiday(day)


def _works(day: datetime.date) -> bool:
    """Where nobody has published the year, the weekday decides."""
    known = calendar()
    return known.is_working_day(day) if known.publishes(day.year) else day.weekday() < 5


def _hours(time: datetime.timedelta, lesson_hour: datetime.timedelta) -> Decimal:
    """The hours that fit, down to the hundredth that a lesson may have."""
    return Decimal(time * 100 // lesson_hour) / 100


def _instant(day: datetime.date, clock: datetime.time) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime.combine(day, clock))
