"""From a trainee's credited time down to the seconds, and from each second not credited to its reason."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from accounts.editions import edition
from attendance import credit
from attendance.credit import LessonRanges, Range, Viewing
from attendance.models import MICROSECONDS, CheckTarget, SignIn, UnitCredit
from attendance.states import SignInState
from classes.live.models import PresenceInterval
from classes.live.states import Closing
from classes.models import Enrolment, Lesson
from classes.states import LessonState
from policy.terms import HourKind


class Fate(StrEnum):
    """What became of a stretch of a lesson's planned time."""

    CREDITED = "credited"
    UNPROVEN = "unproven"
    UNSIGNED = "unsigned"
    ABSENT = "absent"


class Reason(StrEnum):
    """Why a stretch was not credited; `attendance.wording` says it in words."""

    NONE = ""
    CHECK_MISSED = "check_missed"
    NOT_SIGNED_IN = "not_signed_in"
    SIGN_IN_WAITS = "sign_in_waits"
    SIGNED_OUT = "signed_out"
    NOT_SEEN_AT_ALL = "not_seen_at_all"
    CAME_LATE = "came_late"
    LINE_LOST = "line_lost"
    LEFT = "left"
    CHANGED_DEVICE = "changed_device"
    LESSON_ENDED = "lesson_ended"


@dataclass(frozen=True, slots=True)
class MissedCheck:
    """A check that nobody answered for this trainee: when it was, and since when they were unproven."""

    kind: str
    opened_at: datetime.datetime
    due_at: datetime.datetime


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of the planned time with one fate and, unless it was credited, one reason."""

    lesson_kind: HourKind
    starts_at: datetime.datetime
    ends_at: datetime.datetime
    fate: Fate
    reason: Reason = Reason.NONE
    missed: tuple[MissedCheck, ...] = ()
    signed_out_at: datetime.datetime | None = None

    @property
    def microseconds(self) -> int:
        return credit.microseconds_of([(self.starts_at, self.ends_at)])

    @property
    def length(self) -> datetime.timedelta:
        return self.ends_at - self.starts_at

    @property
    def kind(self) -> str:
        """The colour in a ribbon."""
        if self.fate is Fate.CREDITED:
            return self.lesson_kind.value
        return "unproven" if self.fate is Fate.UNPROVEN else "absent"


@dataclass(frozen=True, slots=True)
class AskedCheck:
    """A check this trainee was asked in."""

    check_id: int
    kind: str
    prompt: str
    opened_at: datetime.datetime
    due_at: datetime.datetime
    closed_at: datetime.datetime | None
    answered_at: datetime.datetime | None
    correct: bool | None


@dataclass(frozen=True)
class LessonTrace:
    """One lesson of one trainee, to the second. `subject` names its entries in the evidence log."""

    lesson: Lesson
    number: int
    worth: int
    microseconds: int
    subject: str
    stretches: tuple[Stretch, ...] = ()
    sign_ins: tuple[SignIn, ...] = ()
    checks: tuple[AskedCheck, ...] = ()
    presence: tuple[PresenceInterval, ...] = ()
    handed_in: UnitCredit | None = None
    # What was watched on demand in this class; every on-demand lesson has all of it, they share the time.
    viewings: tuple[Viewing, ...] = ()

    @property
    def credited_seconds(self) -> int:
        """Whole seconds, cut."""
        return credit.floor_seconds(self.microseconds)

    @property
    def by_presence(self) -> bool:
        return self.lesson.kind in credit.BY_PRESENCE

    @property
    def by_handing_in(self) -> bool:
        return self.lesson.kind in credit.BY_HANDING_IN

    @property
    def by_watching(self) -> bool:
        return self.lesson.kind in credit.BY_WATCHING

    @property
    def credited(self) -> tuple[Stretch, ...]:
        return tuple(stretch for stretch in self.stretches if stretch.fate is Fate.CREDITED)

    @property
    def lost(self) -> tuple[Stretch, ...]:
        """What was not credited of a lesson that brought less than it is worth."""
        if self.microseconds >= self.worth:
            return ()
        return tuple(stretch for stretch in self.stretches if stretch.fate is not Fate.CREDITED)

    @property
    def is_over(self) -> bool:
        return self.lesson.state == LessonState.CLOSED


@dataclass
class _Facts:
    """What is known of one lesson, gathered from four tables."""

    presence: list[PresenceInterval] = field(default_factory=list)
    sign_ins: list[SignIn] = field(default_factory=list)
    checks: list[AskedCheck] = field(default_factory=list)
    handed_in: UnitCredit | None = None


def trace(enrolment: Enrolment, using: str = "default") -> list[LessonTrace]:
    """Every lesson of the class as this trainee spent it, in the order of the timetable. Six queries,
    seven where there are on-demand lessons.

    The stretches of a lesson by presence are exactly its planned time when it is over; while it runs, what is
    still to come is left out. Raises Refusal edition_unset where a lesson hour has no length.
    """
    training_class = enrolment.training_class
    rules = edition(training_class.edition)
    ranges = credit.trainee_ranges(
        training_class.pk,
        enrolment.pk,
        lesson_hour=rules.lesson_hour_seconds,
        deduct=rules.reading("unanswered_check").code == "unproven_since_last_proof",
        using=using,
    )
    facts = _facts(enrolment, using)
    lessons = Lesson.objects.using(using).filter(training_class=training_class).order_by("starts_at", "pk")
    hour = rules.lesson_hour_seconds
    planned = list(lessons)
    watches = any(lesson.kind in credit.BY_WATCHING for lesson in planned)
    viewings = tuple(credit.viewings(enrolment.pk, using=using)) if watches else ()
    return [
        _lesson(
            lesson, number, enrolment, ranges.get(lesson.pk), facts.get(lesson.pk, _Facts()), hour, viewings
        )
        for number, lesson in enumerate(planned, 1)
    ]


def _facts(enrolment: Enrolment, using: str) -> dict[int, _Facts]:
    found: dict[int, _Facts] = {}

    def of(lesson_id: int) -> _Facts:
        return found.setdefault(lesson_id, _Facts())

    intervals = PresenceInterval.objects.using(using).filter(
        person_id=enrolment.person_id, lesson__training_class=enrolment.training_class_id
    )
    for interval in intervals.order_by("lesson_id", "during"):
        of(interval.lesson_id).presence.append(interval)
    for sign_in in SignIn.objects.using(using).filter(enrolment=enrolment):
        of(sign_in.lesson_id).sign_ins.append(sign_in)
    for unit in UnitCredit.objects.using(using).filter(enrolment=enrolment):
        of(unit.lesson_id).handed_in = unit
    asked: Iterable[tuple[Any, ...]] = (
        CheckTarget.objects.using(using)
        .filter(enrolment=enrolment)
        .order_by("asked_in__opened_at")
        .values_list(
            "asked_in__lesson_id",
            "asked_in_id",
            "asked_in__kind",
            "asked_in__prompt",
            "asked_in__opened_at",
            "asked_in__due_at",
            "asked_in__closed_at",
            "answer__answered_at",
            "answer__correct",
        )
    )
    for lesson_id, *rest in asked:
        of(lesson_id).checks.append(AskedCheck(*rest))
    return found


def _lesson(
    lesson: Lesson,
    number: int,
    enrolment: Enrolment,
    ranges: LessonRanges | None,
    facts: _Facts,
    lesson_hour: int,
    viewings: tuple[Viewing, ...],
) -> LessonTrace:
    by_presence = lesson.kind in credit.BY_PRESENCE and lesson.state != LessonState.PLANNED
    return LessonTrace(
        lesson=lesson,
        number=number,
        worth=int(lesson.hours * lesson_hour * MICROSECONDS),
        microseconds=ranges.microseconds if ranges else 0,
        # What was watched belongs to the class, not to a lesson: its evidence is the trainee's.
        subject=enrolment.subject
        if lesson.kind in credit.BY_WATCHING
        else f"{lesson.subject}/person/{enrolment.person_id}",
        stretches=tuple(_stretches(lesson, ranges, facts)) if ranges and by_presence else (),
        sign_ins=tuple(facts.sign_ins),
        checks=tuple(facts.checks),
        presence=tuple(facts.presence),
        handed_in=facts.handed_in,
        viewings=viewings if lesson.kind in credit.BY_WATCHING else (),
    )


def _stretches(lesson: Lesson, ranges: LessonRanges, facts: _Facts) -> list[Stretch]:
    kind = HourKind(lesson.kind)
    pieces = [Stretch(kind, *bounds, Fate.CREDITED) for bounds in ranges.credited]
    pieces += [
        Stretch(kind, *bounds, Fate.UNPROVEN, Reason.CHECK_MISSED, tuple(_missed(bounds, facts.checks)))
        for bounds in ranges.unproven
    ]
    for bounds in ranges.unsigned:
        pieces += _explained(kind, Fate.UNSIGNED, bounds, facts)
    for bounds in ranges.absent:
        if lesson.state == LessonState.OPEN and bounds[1] == lesson.ends_at:
            continue  # still to come
        pieces += _explained(kind, Fate.ABSENT, bounds, facts)
    return sorted(pieces, key=lambda piece: piece.starts_at)


def _missed(bounds: Range, checks: Iterable[AskedCheck]) -> Iterator[MissedCheck]:
    """The checks that made this stretch unproven: those due within it or at its end."""
    for check in checks:
        if check.answered_at is None and check.closed_at and bounds[0] < check.due_at <= bounds[1]:
            yield MissedCheck(check.kind, check.opened_at, check.due_at)


def _explained(kind: HourKind, fate: Fate, bounds: Range, facts: _Facts) -> list[Stretch]:
    """The stretch with its reason, cut in two where a sign-out falls into an absence."""
    since, until = bounds
    signed_out = _last_sign_out(facts.sign_ins, until)
    if signed_out is not None and _accepted_after(facts.sign_ins, signed_out) <= since:
        signed_out = None  # signed in again before this stretch
    if signed_out is not None and since < signed_out:
        if fate is Fate.UNSIGNED:
            signed_out = None
        else:
            return [
                Stretch(kind, since, signed_out, fate, _why_absent(since, facts.presence)),
                Stretch(kind, signed_out, until, fate, Reason.SIGNED_OUT, signed_out_at=signed_out),
            ]
    if signed_out is not None:
        return [Stretch(kind, since, until, fate, Reason.SIGNED_OUT, signed_out_at=signed_out)]
    if fate is Fate.UNSIGNED:
        waits = any(
            one.state in (SignInState.CHECKING, SignInState.PENDING) and one.requested_at < until
            for one in facts.sign_ins
        )
        return [Stretch(kind, since, until, fate, Reason.SIGN_IN_WAITS if waits else Reason.NOT_SIGNED_IN)]
    return [Stretch(kind, since, until, fate, _why_absent(since, facts.presence))]


def _last_sign_out(sign_ins: Sequence[SignIn], until: datetime.datetime) -> datetime.datetime | None:
    outs = [
        one.signed_out_at
        for one in sign_ins
        if one.state == SignInState.ACCEPTED and one.signed_out_at and one.signed_out_at < until
    ]
    return max(outs, default=None)


def _accepted_after(sign_ins: Sequence[SignIn], moment: datetime.datetime) -> datetime.datetime:
    """When the trainee signed in again after `moment`; the end of time if they did not."""
    again = [
        one.requested_at
        for one in sign_ins
        if one.state == SignInState.ACCEPTED and one.requested_at >= moment
    ]
    return min(again, default=datetime.datetime.max.replace(tzinfo=datetime.UTC))


_REASON_OF: dict[str, Reason] = {
    Closing.SILENT: Reason.LINE_LOST,
    Closing.LEFT: Reason.LEFT,
    Closing.TAKEN_OVER: Reason.CHANGED_DEVICE,
    Closing.LESSON_CLOSED: Reason.LESSON_ENDED,
}


def _why_absent(since: datetime.datetime, presence: Sequence[PresenceInterval]) -> Reason:
    """How the last presence before the absence ended; or that there was none yet, or none at all."""
    if not presence:
        return Reason.NOT_SEEN_AT_ALL
    before = [one for one in presence if one.during.upper <= since]
    return _REASON_OF[before[-1].closing] if before else Reason.CAME_LATE
