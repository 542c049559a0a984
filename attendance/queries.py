"""Who has how much time, who is signed in, which checks are running; and from a total down to its seconds."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import groupby
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from accounts.editions import edition
from accounts.models import User
from accounts.start import Task
from attendance import credit
from attendance.credit import CreditRow, LessonCredit
from attendance.models import MICROSECONDS, Check, CheckTarget, SignIn, Verdict
from attendance.states import LIVE_STATES, SignInMethod, SignInState
from attendance.trace import LessonTrace, Stretch, trace
from classes.models import Enrolment, Lesson, TrainingClass
from classes.states import ClassState, EnrolmentState, LessonState
from identity.states import CheckState
from policy.attendance import AttendanceDecision, judge_attendance, required_online_seconds
from policy.editions import Edition
from policy.messages import percent_text
from policy.refusals import Refusal
from policy.terms import CreditKind, HourKind, Mode
from policy.timetable import online_kinds

__all__ = [
    "CheckOfLesson",
    "LessonTrace",
    "Stretch",
    "TargetOfCheck",
    "TraineeCredit",
    "checks_of",
    "credit_of",
    "credit_of_class",
    "deducts",
    "is_concluded",
    "last_sign_in",
    "live_sign_in",
    "next_steps_for",
    "not_signed_in",
    "trace",
    "unsettled_sign_ins",
    "waiting_sign_ins",
]


@dataclass(frozen=True, slots=True)
class Remark:
    """What there is to say of one lesson; `attendance.wording.remark_words` says it."""

    code: str
    lesson_id: int
    credited_microseconds: int
    worth_microseconds: int
    missed_checks: int

    def as_json(self) -> dict[str, int | str]:
        return {
            "code": self.code,
            "lesson": self.lesson_id,
            "credited_microseconds": self.credited_microseconds,
            "worth_microseconds": self.worth_microseconds,
            "missed_checks": self.missed_checks,
        }


@dataclass(frozen=True)
class TraineeCredit:
    """One trainee's time so far and what the edition makes of it. Microseconds, exact."""

    row: CreditRow
    by_kind: Mapping[CreditKind, int]
    required_microseconds: int
    decision: AttendanceDecision
    is_finished: bool  # the class is: what has not been done by now will not be

    @property
    def enrolment_id(self) -> int:
        return self.row.enrolment_id

    @property
    def person_id(self) -> int:
        return self.row.person_id

    @property
    def name(self) -> str:
        return self.row.name

    @property
    def lessons(self) -> tuple[LessonCredit, ...]:
        return self.row.lessons

    @cached_property
    def credited_microseconds(self) -> int:
        return sum(self.by_kind.values())

    @property
    def credited_seconds(self) -> int:
        """Whole seconds, cut: what a page shows."""
        return credit.floor_seconds(self.credited_microseconds)

    @property
    def share(self) -> Fraction:
        return Fraction(self.credited_microseconds, self.required_microseconds)

    @property
    def share_text(self) -> str:
        """The share in per cent with two decimals, cut: 79.99 never reads as 80."""
        return percent_text(self.share)

    @property
    def passed(self) -> bool:
        return self.decision.passed

    @cached_property
    def remarks(self) -> list[Remark]:
        """What there is to say of single lessons: what they did not bring, a sign-out that is missing."""
        return [
            remark
            for lesson in self.lessons
            if self.is_finished or lesson.state == LessonState.CLOSED
            for remark in _remarks(lesson)
        ]


def credit_of_class(training_class: TrainingClass, using: str = "default") -> list[TraineeCredit]:
    """Every active trainee's credited time by kind and by lesson, by name, with the verdict it would get now.

    One query on the connection `using`, however many trainees. A lesson that is running counts up to the last
    heartbeat. Empty for a class without lessons or without trainees.

    Raises Refusal edition_unset while the edition leaves a number open, no_online_hours if there is none.
    """
    rules = edition(training_class.edition)
    rows = credit.class_rows(
        training_class.pk, lesson_hour=rules.lesson_hour_seconds, deduct=deducts(rules), using=using
    )
    return _judge_rows(rows, training_class, rules) if rows else []


def _judge_rows(rows: list[CreditRow], training_class: TrainingClass, rules: Edition) -> list[TraineeCredit]:
    mode = Mode(training_class.mode)
    required = required_online_seconds(rules, mode, _hours(rows[0], rules))
    live_seconds = (
        sum(lesson.worth for lesson in rows[0].lessons if lesson.kind is HourKind.LIVE) // MICROSECONDS
    )
    finished = training_class.state == ClassState.FINISHED
    return [_judged(row, rules, mode, required, live_seconds, finished) for row in rows]


def credit_of(enrolment: Enrolment, using: str = "default") -> TraineeCredit:
    """One trainee's credit. Raises as `credit_of_class`, and Refusal no_lessons without a timetable."""
    rules = edition(enrolment.training_class.edition)
    rows = credit.class_rows(
        enrolment.training_class_id,
        lesson_hour=rules.lesson_hour_seconds,
        deduct=deducts(rules),
        using=using,
        enrolment=enrolment.pk,
    )
    if not rows:
        raise Refusal(
            "no_lessons",
            gettext_noop("这个班还没有排课，没有学时可以看。"),
            found=0,
            required=1,
            rule="M8",
            next_step=gettext_noop("课表排好以后再来看。"),
        )
    return _judge_rows(rows, enrolment.training_class, rules)[0]


def is_concluded(training_class: TrainingClass, using: str = "default") -> bool:
    """Whether the verdicts have been given, for good."""
    return Verdict.objects.using(using).filter(enrolment__training_class=training_class).exists()


def deducts(rules: Edition) -> bool:
    """Whether a missed check leaves time unproven, or is only kept on record (reading 6)."""
    return rules.reading("unanswered_check").code == "unproven_since_last_proof"


def _hours(row: CreditRow, rules: Edition) -> dict[HourKind, Fraction]:
    """The filed hours by kind, from the lessons, which do not change once the class is filed."""
    hours = dict.fromkeys(HourKind, Fraction(0))
    for lesson in row.lessons:
        hours[lesson.kind] += Fraction(lesson.worth, rules.lesson_hour_seconds * MICROSECONDS)
    return hours


def _judged(
    row: CreditRow, rules: Edition, mode: Mode, required: int, live_seconds: int, finished: bool
) -> TraineeCredit:
    online = online_kinds(rules, mode)
    by_kind = {CreditKind(kind.value): 0 for kind in online}
    for lesson in row.lessons:
        if lesson.kind in online:
            by_kind[CreditKind(lesson.kind.value)] += lesson.microseconds
    decision = judge_attendance(
        rules,
        mode=mode,
        required_seconds=required,
        credited={kind: Fraction(time, MICROSECONDS) for kind, time in by_kind.items()},
        live_seconds=live_seconds,
    )
    return TraineeCredit(row, by_kind, required * MICROSECONDS, decision, finished)


def _remarks(lesson: LessonCredit) -> list[Remark]:
    codes: list[str] = []
    if lesson.kind in credit.BY_HANDING_IN:
        codes = [] if lesson.handed_in else ["not_handed_in"]
    elif lesson.kind in credit.BY_PRESENCE:
        if not lesson.signed_in:
            codes = ["not_signed_in"]
        else:
            if lesson.missed_checks:
                codes.append("checks_missed")
            if not lesson.signed_out:
                codes.append("not_signed_out")
            if lesson.microseconds < lesson.worth and not lesson.missed_checks:
                codes.append("not_whole")
    return [
        Remark(code, lesson.lesson_id, lesson.microseconds, lesson.worth, lesson.missed_checks)
        for code in codes
    ]


def next_steps_for(user: User, now: datetime.datetime) -> Iterable[Task]:
    """For the start page of lecturers and assistants: lessons in which sign-ins wait for their word."""
    if user.person_id is None:
        return
    taught = Q(training_class__lecturer=user.person_id) | Q(training_class__assistant=user.person_id)
    lessons = (
        Lesson.objects.filter(taught, sign_ins__state=SignInState.PENDING)
        .select_related("training_class")
        .annotate(waiting=Count("sign_ins"))
        .order_by("starts_at")
    )
    for lesson in lessons:
        yield Task(
            title=ngettext("%(n)s 位学员的签到等您确认", "%(n)s 位学员的签到等您确认", lesson.waiting)
            % {"n": lesson.waiting},
            url=reverse("attendance:desk", args=[lesson.pk]),
            detail=f"{lesson.training_class.name} · {lesson.title}",
            urgent=lesson.state == LessonState.OPEN,
            icon="user-check",
            action=_("去确认"),
        )


# --- watching on demand ---


def watched_ms(enrolment: Enrolment, using: str = "default") -> dict[int, int]:
    """How much of each video a trainee has seen, in milliseconds of the video, by material id."""
    return credit.seen_ms(enrolment.pk, using=using)


def on_demand_opens(training_class: TrainingClass) -> datetime.datetime | None:
    """When watching begins to earn time; None where a class is not mixed or has no on-demand hours (H14)."""
    if training_class.mode != Mode.MIXED:
        return None
    lessons = training_class.lessons.filter(kind=HourKind.ON_DEMAND)
    return lessons.order_by("starts_at").values_list("starts_at", flat=True).first()


# --- the room ---


def live_sign_in(lesson: Lesson, enrolment: Enrolment) -> SignIn | None:
    """The sign-in under which this trainee's time runs, or would once it is confirmed."""
    return (
        SignIn.objects.select_related("face_check")
        .filter(enrolment=enrolment, lesson=lesson, state__in=LIVE_STATES, signed_out_at__isnull=True)
        .first()
    )


def last_sign_in(lesson: Lesson, enrolment: Enrolment) -> SignIn | None:
    """The latest try, whatever became of it."""
    return SignIn.objects.select_related("face_check").filter(enrolment=enrolment, lesson=lesson).last()


def waiting_sign_ins(lesson: Lesson) -> QuerySet[SignIn]:
    """Sign-ins that wait for the assistant: a face in doubt, or somebody with a code to be seen live."""
    return (
        SignIn.objects.filter(lesson=lesson, state=SignInState.PENDING)
        .select_related("enrolment__person")
        .order_by("requested_at", "pk")
    )


def not_signed_in(lesson: Lesson) -> QuerySet[Enrolment]:
    """Active trainees of the class without any live or accepted sign-in to this lesson, by name."""
    signed = SignIn.objects.filter(lesson=lesson, enrolment=OuterRef("pk"), state__in=LIVE_STATES)
    return (
        Enrolment.objects.filter(training_class=lesson.training_class_id, state=EnrolmentState.ACTIVE)
        .filter(~Exists(signed))
        .select_related("person")
        .order_by("person__name_pinyin", "pk")
    )


def unsettled_sign_ins() -> QuerySet[SignIn]:
    """Sign-ins by face that still wait although the check has been judged or decided."""
    return SignIn.objects.filter(method=SignInMethod.FACE, state=SignInState.CHECKING).exclude(
        face_check__state=CheckState.PENDING
    ) | SignIn.objects.filter(
        method=SignInMethod.FACE,
        state=SignInState.PENDING,
        face_check__state__in=[CheckState.CONFIRMED, CheckState.DENIED],
    )


@dataclass(frozen=True, slots=True)
class TargetOfCheck:
    """One trainee who was asked, and what became of it."""

    enrolment_id: int
    person_id: int
    name: str
    answered_at: datetime.datetime | None
    option: int | None
    correct: bool | None


@dataclass(frozen=True, slots=True)
class CheckOfLesson:
    check: Check
    targets: tuple[TargetOfCheck, ...]


def checks_of(lesson: Lesson, using: str = "default") -> list[CheckOfLesson]:
    """The checks of a lesson with everybody who was asked, the latest first. Two queries."""
    checks = {check.pk: check for check in Check.objects.using(using).filter(lesson=lesson)}
    targets: Iterable[tuple[Any, ...]] = (
        CheckTarget.objects.using(using)
        .filter(asked_in__in=checks)
        .order_by("asked_in_id", "enrolment__person__name_pinyin", "pk")
        .values_list(
            "asked_in_id",
            "enrolment_id",
            "enrolment__person_id",
            "enrolment__person__name",
            "answer__answered_at",
            "answer__option",
            "answer__correct",
        )
    )
    asked = {
        pk: tuple(TargetOfCheck(*rest) for _pk, *rest in group)
        for pk, group in groupby(targets, key=lambda row: row[0])
    }
    return [CheckOfLesson(check, asked.get(pk, ())) for pk, check in reversed(checks.items())]
