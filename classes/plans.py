"""A whole timetable in one stroke: the outline's hours on certain weekdays, or an earlier class's lessons.

Like `fixes`, this takes data and gives drafts; the person looks at them and saves them.
"""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from classes.fixes import postponed
from classes.timetables import LONGEST_TITLE, MOST_LESSONS, LessonDraft
from courses.outlines import UnitDraft
from policy.messages import gettext_noop
from policy.refusals import Refusal
from policy.terms import HourKind


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekPlan:
    """The same hours on the same weekdays (0 is Monday), from a day on."""

    weekdays: frozenset[int]
    starts: datetime.time
    ends: datetime.time
    first_day: datetime.date
    skips_holidays: bool = True

    def hours(self, lesson_hour: datetime.timedelta) -> int:
        """Whole lesson hours that fit between start and end; 0 where not even one does."""
        day = datetime.date.min
        length = datetime.datetime.combine(day, self.ends) - datetime.datetime.combine(day, self.starts)
        return max(0, length // lesson_hour)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Hours of one kind within one meeting, in the outline's order."""

    kind: HourKind
    hours: Decimal
    titles: tuple[str, ...]


def by_weekday(
    units: Sequence[UnitDraft],
    plan: WeekPlan,
    *,
    lesson_hour: datetime.timedelta,
    is_holiday: Callable[[datetime.date], bool],
    most_a_day: Decimal | None = None,
) -> list[LessonDraft]:
    """Put the outline's hours on the plan's days until they are used up.

    A unit too long for one meeting goes on in the next; a change of kind within a meeting begins a new
    lesson right after the one before. No meeting has more than `most_a_day` hours. Asking `is_holiday`
    may raise Refusal `calendar_unpublished`.
    """
    drafts: list[LessonDraft] = []
    day = plan.first_day
    length = Decimal(plan.hours(lesson_hour))
    meetings = _meetings(units, length if most_a_day is None else min(length, most_a_day))
    while meetings and len(drafts) <= MOST_LESSONS:
        if day.weekday() in plan.weekdays and not (plan.skips_holidays and _is_off(day, is_holiday)):
            clock = timezone.make_aware(datetime.datetime.combine(day, plan.starts))
            for piece in meetings.pop(0):
                ends = clock + float(piece.hours) * lesson_hour
                title = _("；").join(piece.titles)[:LONGEST_TITLE]
                drafts.append(
                    LessonDraft(
                        starts_at=clock, ends_at=ends, kind=piece.kind, hours=piece.hours, title=title
                    )
                )
                clock = ends
        day += datetime.timedelta(days=1)
    return drafts


def _is_off(day: datetime.date, is_holiday: Callable[[datetime.date], bool]) -> bool:
    """Whether lessons skip this day. No rule asks for that, so where it cannot be told there is no rule to
    cite and one need not wait.
    """
    try:
        return is_holiday(day)
    except Refusal as refusal:
        raise Refusal(
            refusal.code,
            gettext_noop("%(year)s 年的放假安排还没有录入，不知道要跳过哪些天。"),
            found=False,
            required=True,
            next_step=gettext_noop(
                "请取消勾选“跳过国务院公布的放假日”再排；放假安排公布以后，看看有没有课排在放假日。"
            ),
            params={"year": str(day.year)},
            status=refusal.status,
            details=refusal.details,
        ) from refusal


def _meetings(units: Sequence[UnitDraft], length: Decimal) -> list[list[_Piece]]:
    """Cut the outline into meetings of `length` hours, each in pieces of one kind."""
    meetings: list[list[_Piece]] = []
    room = Decimal(0)
    for unit in units:
        left = unit.hours
        while left > 0 and length > 0:
            if not room:
                meetings.append([])
                room = length
            taken = min(left, room)
            left, room = left - taken, room - taken
            pieces = meetings[-1]
            if pieces and pieces[-1].kind is unit.kind:
                last = pieces[-1]
                pieces[-1] = replace(last, hours=last.hours + taken, titles=(*last.titles, unit.title))
            else:
                pieces.append(_Piece(unit.kind, taken, (unit.title,)))
    return meetings


def from_class(drafts: Sequence[LessonDraft], *, was: datetime.date, now: datetime.date) -> list[LessonDraft]:
    """An earlier class's timetable, moved from the day on which that class began to this one's."""
    return postponed(drafts, (now - was).days)
