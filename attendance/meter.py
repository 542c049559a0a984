"""A trainee's meter: what came in by kind of hours, and the shortest way to the pass line."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from attendance.credit import floor_seconds
from attendance.models import MICROSECONDS
from attendance.queries import LessonTrace, TraineeCredit
from policy.terms import HOMEWORK_AND_EXAM, QUALITY_AND_TUTORING, HourKind

# The kinds of hours as the ceilings of the norm gather them, each with its colour.
GROUPS: tuple[tuple[str, Promise, tuple[HourKind, ...]], ...] = (
    ("live", _("直播课"), (HourKind.LIVE,)),
    ("work", _("作业、考试"), HOMEWORK_AND_EXAM),
    ("care", _("辅导、质量评估"), QUALITY_AND_TUTORING),
    ("on_demand", _("点播"), (HourKind.ON_DEMAND,)),
)


@dataclass(frozen=True, slots=True)
class Group:
    """Kinds of hours that stand together: what came in, of how much. Microseconds."""

    kind: str
    label: Promise
    credited: int
    worth: int
    over: int
    ahead: int
    by_handing_in: bool
    by_watching: bool = False

    @property
    def parts(self) -> dict[str, int]:
        """For the bar."""
        return {self.kind: self.credited}

    @property
    def credited_seconds(self) -> int:
        return floor_seconds(self.credited)

    @property
    def worth_seconds(self) -> int:
        return floor_seconds(self.worth)


def groups_of(credit: TraineeCredit, lessons: Iterable[LessonTrace]) -> list[Group]:
    """The groups that the timetable has, in a fixed order."""
    found = []
    planned = list(lessons)
    for name, label, kinds in GROUPS:
        mine = [one for one in planned if one.lesson.kind in kinds]
        if not mine:
            continue
        found.append(
            Group(
                kind=name,
                label=label,
                credited=sum(time for kind, time in credit.by_kind.items() if kind.value in kinds),
                worth=sum(one.worth for one in mine),
                over=sum(_is_done(one) for one in mine),
                ahead=sum(not _is_done(one) for one in mine),
                by_handing_in=all(one.by_handing_in for one in mine),
                by_watching=all(one.by_watching for one in mine),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Step:
    """One lesson to come, and how much of it is needed. Microseconds."""

    traced: LessonTrace
    needed: int
    possible: int

    @property
    def needed_seconds(self) -> int:
        """Rounded up: a second less would not do."""
        return -floor_seconds(-self.needed)

    @property
    def possible_seconds(self) -> int:
        return floor_seconds(self.possible)

    @property
    def is_exam(self) -> bool:
        return self.traced.lesson.kind == HourKind.EXAM


@dataclass(frozen=True, slots=True)
class Outlook:
    """Where a trainee stands: what is missing, the steps that close the gap, the most that can be had."""

    missing: int
    steps: tuple[Step, ...]
    best_share: Fraction
    required_share: Fraction

    @property
    def is_reachable(self) -> bool:
        return self.best_share >= self.required_share


def outlook(credit: TraineeCredit, lessons: list[LessonTrace], at: datetime.datetime) -> Outlook:
    """The shortest way to the pass line: the exam, which the certificate needs anyway, then lesson by lesson.

    Only lessons that can still earn time at `at` count; the steps come in the order of the timetable.
    """
    missing = max(0, credit.decision.missing_seconds * MICROSECONDS)
    ahead = [
        Step(one, 0, one.worth - one.microseconds)
        for one in lessons
        if one.worth > one.microseconds and _is_ahead(one, at)
    ]
    left = missing
    chosen = []
    for step in sorted(ahead, key=lambda step: not step.is_exam):
        if left <= 0:
            break
        # What is handed in counts as a whole or not at all.
        needed = step.possible if step.traced.by_handing_in else min(left, step.possible)
        chosen.append(Step(step.traced, needed, step.possible))
        left -= needed
    best = credit.credited_microseconds + sum(step.possible for step in ahead)
    return Outlook(
        missing=missing,
        steps=tuple(sorted(chosen, key=lambda step: step.traced.number)),
        best_share=Fraction(best, credit.required_microseconds),
        required_share=credit.decision.required_share,
    )


def _is_done(one: LessonTrace) -> bool:
    if one.by_watching:
        return one.microseconds >= one.worth
    return one.handed_in is not None if one.by_handing_in else one.is_over


def _is_ahead(one: LessonTrace, at: datetime.datetime) -> bool:
    """Whether the lesson can still earn time: it is to be held, or something may still be handed in."""
    if one.by_handing_in:
        return one.handed_in is None
    if one.by_watching:
        return True  # until the class is finished
    return one.by_presence and not one.is_over and one.lesson.ends_at > at
