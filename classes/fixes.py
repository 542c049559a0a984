"""Ways out of a finding that the editor offers as one click: each takes drafts and gives other drafts.

Nothing here decides what is lawful; it only moves hours and days to where `checks` has no objection,
and the person still looks at the result and saves it.
"""

import datetime
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from classes.checks import ClassCheck
from classes.models import TrainingClass
from classes.timetables import LessonDraft, hours_by_kind
from courses.outlines import UnitDraft
from policy.terms import HOMEWORK_AND_EXAM, QUALITY_AND_TUTORING, HourKind, Mode

MORNING, AFTERNOON = datetime.time(8, 30), datetime.time(14, 30)
LONGEST_SESSION = Decimal(4)  # a morning or an afternoon of the template, in lesson hours


@dataclass(frozen=True, slots=True)
class Fix:
    """One offer: a code for the form, what it says on the button, and what it does to the drafts.

    `row` is the lesson that gives hours away, `surplus` how many of its kind there are too many.
    """

    code: str
    label: str
    apply: Callable[[], list[LessonDraft]]
    row: int | None = None
    surplus: Decimal = Decimal(0)


def fixes_for(
    training_class: TrainingClass,
    drafts: Sequence[LessonDraft],
    check: ClassCheck,
    *,
    lesson_hour: datetime.timedelta,
) -> list[Fix]:
    """Everything that can be offered for this timetable, in the order of the findings."""
    if check.timetable is None or not drafts:
        return []
    offers = []
    surplus = _surplus(training_class, drafts, check)
    if surplus is not None:
        row, hours = surplus
        offers.append(
            Fix(
                "to_live",
                _("把“%(title)s”的 %(hours)s 课时改成直播")
                % {"title": drafts[row].title, "hours": _whole(hours)},
                lambda: to_live(drafts, row, hours, lesson_hour),
                row=row,
                surplus=hours,
            )
        )
    missing = _missing(check)
    if missing:
        offers.append(
            Fix(
                "add_live",
                _("在最后加一节 %(hours)s 课时的直播") % {"hours": _whole(missing)},
                lambda: [*drafts, _after(drafts, missing, lesson_hour)],
            )
        )
    return offers


def to_live(
    drafts: Sequence[LessonDraft], row: int, hours: Decimal, lesson_hour: datetime.timedelta
) -> list[LessonDraft]:
    """Turn the last `hours` of one lesson into a live lesson of their own; all of it, if it has no
    more.
    """
    lesson = drafts[row]
    if hours >= lesson.hours:
        changed = [replace(lesson, kind=HourKind.LIVE)]
    else:
        middle = lesson.starts_at + float(lesson.hours - hours) * lesson_hour
        changed = [
            replace(lesson, hours=lesson.hours - hours, ends_at=middle),
            replace(lesson, kind=HourKind.LIVE, hours=hours, starts_at=middle),
        ]
    return [*drafts[:row], *changed, *drafts[row + 1 :]]


def postponed(drafts: Iterable[LessonDraft], days: int) -> list[LessonDraft]:
    """The same timetable some days later, at the same times of day."""
    shift = datetime.timedelta(days=days)
    return [
        replace(draft, starts_at=draft.starts_at + shift, ends_at=draft.ends_at + shift) for draft in drafts
    ]


def from_outline(
    units: Sequence[UnitDraft], *, first_day: datetime.date, lesson_hour: datetime.timedelta
) -> list[LessonDraft]:
    """A timetable after the course's outline: sessions of up to four hours, mornings and afternoons,
    day by day.
    """
    sessions: list[tuple[HourKind, Decimal, list[str]]] = []
    for unit in units:
        kind = unit.kind
        if sessions and sessions[-1][0] is kind and sessions[-1][1] + unit.hours <= LONGEST_SESSION:
            sessions[-1] = (kind, sessions[-1][1] + unit.hours, [*sessions[-1][2], unit.title])
        else:
            sessions.append((kind, unit.hours, [unit.title]))
    drafts = []
    for number, (kind, hours, titles) in enumerate(sessions):
        day = first_day + datetime.timedelta(days=number // 2)
        starts = timezone.make_aware(datetime.datetime.combine(day, (MORNING, AFTERNOON)[number % 2]))
        drafts.append(
            LessonDraft(
                starts_at=starts,
                ends_at=starts + float(hours) * lesson_hour,
                kind=kind,
                hours=hours,
                title=_("；").join(titles)[:120],
            )
        )
    return drafts


def _surplus(
    training_class: TrainingClass, drafts: Sequence[LessonDraft], check: ClassCheck
) -> tuple[int, Decimal] | None:
    """The last lesson of a kind that has too many hours, and how many of them should be live."""
    assert check.timetable is not None
    limits, hours = check.timetable.limits, hours_by_kind(drafts)

    def have(kinds: Iterable[HourKind]) -> Decimal:
        return sum((hours.get(kind, Decimal(0)) for kind in kinds), Decimal(0))

    ceilings: list[tuple[tuple[HourKind, ...], int]] = [(HOMEWORK_AND_EXAM, limits.most_homework_exam)]
    if training_class.mode == Mode.FULL_LIVE:
        ceilings.insert(0, (QUALITY_AND_TUTORING, limits.most_quality_tutoring))
        ceilings.append(((HourKind.ON_DEMAND, HourKind.OFFLINE), 0))
    else:
        ceilings.insert(0, (QUALITY_AND_TUTORING, 0))
        ceilings.append(((HourKind.ON_DEMAND,), limits.most_on_demand))
    for kinds, most in ceilings:
        over = have(kinds) - most
        if over > 0:
            # Exam and quality hours are short and fixed; homework and tutoring have hours to give.
            rows = [row for row, draft in enumerate(drafts) if draft.kind in kinds]
            row = max(rows, key=lambda row: (drafts[row].hours, row))
            return row, min(Decimal(math.ceil(over)), drafts[row].hours)
    return None


def _missing(check: ClassCheck) -> Decimal:
    """Whole hours that the total lacks."""
    for finding in check.findings:
        if finding.code == "total_hours" and not finding.passed:
            required, actual = finding.required, finding.actual
            return Decimal(math.ceil(required - actual))  # type: ignore[operator]  # both are Fractions there
    return Decimal(0)


def _after(drafts: Sequence[LessonDraft], hours: Decimal, lesson_hour: datetime.timedelta) -> LessonDraft:
    last = max(drafts, key=lambda draft: draft.ends_at)
    starts = timezone.make_aware(datetime.datetime.combine(last.day + datetime.timedelta(days=1), MORNING))
    return LessonDraft(
        starts_at=starts,
        ends_at=starts + float(hours) * lesson_hour,
        kind=HourKind.LIVE,
        hours=hours,
        title=_("直播课"),
    )


def _whole(hours: Decimal) -> str:
    return f"{hours.normalize():f}"
