"""Sign-ins, checks and their answers, units handed in, and the verdict they add up to."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Bureau, Person, User
from attendance.states import (
    DECIDED_STATES,
    LIVE_STATES,
    CheckKind,
    SignInMethod,
    SignInState,
    WatchClosing,
)
from classes.models import Enrolment, Lesson
from courses.models import Material
from identity.models import FaceCheck

MICROSECONDS = 1_000_000
GROUND_LENGTH = 500  # characters


class SignIn(models.Model):
    """One sign-in of a trainee to one lesson, until they sign out (F19). Once accepted, a window of time.

    The window opens when the trainee showed who they are (`requested_at`), however long the check or the
    assistant took afterwards, and ends at `signed_out_at`; without a sign-out it stays open and presence
    alone ends the time. After signing out a trainee may sign in again: another row, another window.
    """

    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="sign_ins")
    lesson = models.ForeignKey(Lesson, models.PROTECT, related_name="sign_ins")
    method = models.CharField(_("签到方式"), max_length=4, choices=SignInMethod.choices)
    state = models.CharField(_("状态"), max_length=8, choices=SignInState.choices)
    requested_at = models.DateTimeField(_("签到时间"))
    signed_out_at = models.DateTimeField(_("签退时间"), null=True, blank=True)
    # What became of the face may be erased on schedule or on request; that somebody signed in stays.
    face_check = models.OneToOneField(
        FaceCheck, models.SET_NULL, null=True, blank=True, related_name="sign_in"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    # Empty where the face check alone decided.
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=40, blank=True)  # the code of why it was refused or referred

    class Meta:
        ordering = ["requested_at", "pk"]
        verbose_name = _("签到")
        indexes = [models.Index(fields=["lesson", "enrolment"], name="sign_in_by_lesson")]
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment", "lesson"],
                condition=Q(state__in=LIVE_STATES, signed_out_at__isnull=True),
                name="sign_in_one_live_per_lesson",
            ),
            models.CheckConstraint(name="sign_in_state_known", condition=Q(state__in=SignInState.values)),
            models.CheckConstraint(name="sign_in_method_known", condition=Q(method__in=SignInMethod.values)),
            models.CheckConstraint(
                name="sign_in_decided_exactly_when_it_says_so",
                condition=Q(state__in=DECIDED_STATES, decided_at__isnull=False)
                | (~Q(state__in=DECIDED_STATES) & Q(decided_at__isnull=True, decided_by__isnull=True)),
            ),
            models.CheckConstraint(
                name="sign_out_not_before_sign_in",
                condition=Q(signed_out_at__isnull=True) | Q(signed_out_at__gte=F("requested_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.enrolment_id} to {self.lesson_id}: {self.state}"


class Check(models.Model):
    """A roll call or a random question put to people in the room (F20, F21); one at a time in a lesson.

    An answer in time, right or wrong, proves that its person was there. `closed_at` is set once `due_at` has
    passed: only closed checks leave time unproven, so a result never depends on when it is computed.
    """

    lesson = models.ForeignKey(Lesson, models.PROTECT, related_name="checks")
    kind = models.CharField(_("方式"), max_length=9, choices=CheckKind.choices)
    prompt = models.CharField(_("题目"), max_length=200, blank=True)
    options = models.JSONField(_("选项"), default=list)
    correct = models.PositiveSmallIntegerField(_("正确选项"), null=True, blank=True)  # index into options
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    opened_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["opened_at", "pk"]
        verbose_name = _("在线检查")
        constraints = [
            models.UniqueConstraint(
                fields=["lesson"], condition=Q(closed_at__isnull=True), name="check_one_open_per_lesson"
            ),
            models.CheckConstraint(name="check_kind_known", condition=Q(kind__in=CheckKind.values)),
            models.CheckConstraint(name="check_due_after_opening", condition=Q(due_at__gt=F("opened_at"))),
            models.CheckConstraint(
                name="check_closed_not_before_due",
                condition=Q(closed_at__isnull=True) | Q(closed_at__gte=F("due_at")),
            ),
            models.CheckConstraint(
                name="check_question_has_an_answer",
                condition=Q(kind=CheckKind.ROLL_CALL, correct__isnull=True, prompt="")
                | (Q(kind=CheckKind.QUESTION, correct__isnull=False) & ~Q(prompt="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} in {self.lesson_id}"

    @property
    def subject(self) -> str:
        return self.lesson.subject


class CheckTarget(models.Model):
    """A trainee who was in the room when a check opened and was asked; nobody else can miss it."""

    append_only: ClassVar[bool] = True

    asked_in = models.ForeignKey(Check, models.PROTECT, related_name="targets", db_column="check_id")
    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="check_targets")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["asked_in", "enrolment"], name="check_asks_a_trainee_once")
        ]

    def __str__(self) -> str:
        return f"{self.asked_in_id} asks {self.enrolment_id}"


class CheckAnswer(models.Model):
    """The one answer of a trainee who was asked, by the server's clock."""

    append_only: ClassVar[bool] = True

    target = models.OneToOneField(CheckTarget, models.PROTECT, primary_key=True, related_name="answer")
    answered_at = models.DateTimeField()
    option = models.PositiveSmallIntegerField(null=True)  # empty for a roll call
    correct = models.BooleanField(null=True)

    class Meta:
        verbose_name = _("应答")
        constraints = [
            models.CheckConstraint(
                name="answer_is_judged_exactly_when_it_chose",
                condition=Q(option__isnull=True, correct__isnull=True)
                | Q(option__isnull=False, correct__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"answer to {self.target_id}"


class UnitCredit(models.Model):
    """A homework or exam lesson that a trainee handed in, which earns its filed hours (M8, reading 6)."""

    append_only: ClassVar[bool] = True

    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="unit_credits")
    lesson = models.ForeignKey(Lesson, models.PROTECT, related_name="unit_credits")
    source = models.CharField(max_length=40)  # what was handed in, as its app names it: attempt/12
    credited_at = models.DateTimeField()

    class Meta:
        ordering = ["credited_at", "pk"]
        verbose_name = _("作业、考试计时")
        constraints = [models.UniqueConstraint(fields=["enrolment", "lesson"], name="unit_credited_once")]

    def __str__(self) -> str:
        return f"{self.enrolment_id} handed in {self.source}"


class OpenWatch(models.Model):
    """Who watches a video on demand right now: one row a human, whatever tabs and devices (H14).

    The stretch under way is [started_at, last_seen_at) by the server's clock and [from_ms, to_ms) of the
    video; while paused both are empty. A heartbeat answers `nonce` with the number after `seq`.
    """

    person = models.OneToOneField(Person, models.PROTECT, primary_key=True, related_name="open_watch")
    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="open_watches")
    material = models.ForeignKey(Material, models.PROTECT, related_name="open_watches")
    connection = models.UUIDField(unique=True)
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    from_ms = models.PositiveIntegerField()
    to_ms = models.PositiveIntegerField()
    heartbeats = models.PositiveIntegerField(default=0)
    longest_gap_ms = models.PositiveIntegerField(default=0)
    nonce = models.UUIDField()
    answered = models.UUIDField(null=True)  # the nonce that the last heartbeat answered: it may be sent twice
    seq = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="open_watch_seen_after_start", condition=Q(last_seen_at__gte=F("started_at"))
            ),
            models.CheckConstraint(name="open_watch_runs_forward", condition=Q(to_ms__gte=F("from_ms"))),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} watches {self.material_id}"


class WatchedStretch(models.Model):
    """A stretch of watching without a break: when, by the server's clock, and which part of the video.

    The ledger from which on-demand time is credited; like presence, one human has one clock.
    """

    append_only: ClassVar[bool] = True

    person = models.ForeignKey(Person, models.PROTECT, related_name="watched_stretches")
    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="watched_stretches")
    material = models.ForeignKey(Material, models.PROTECT, related_name="watched_stretches")
    during = DateTimeRangeField()
    from_ms = models.PositiveIntegerField()
    to_ms = models.PositiveIntegerField()
    heartbeats = models.PositiveIntegerField()
    closing = models.CharField(max_length=12, choices=WatchClosing.choices)
    connection = models.UUIDField()

    class Meta:
        ordering = ["enrolment_id", "during"]
        verbose_name = _("点播记录")
        indexes = [models.Index(fields=["enrolment", "material"], name="watched_by_enrolment")]
        constraints = [
            ExclusionConstraint(
                name="watched_one_human_one_clock",
                expressions=[("person", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            ),
            models.CheckConstraint(
                name="watched_has_both_ends",
                condition=Q(
                    during__isempty=False, during__startswith__isnull=False, during__endswith__isnull=False
                ),
            ),
            models.CheckConstraint(name="watched_some_content", condition=Q(to_ms__gt=F("from_ms"))),
            models.CheckConstraint(
                name="watched_closing_known", condition=Q(closing__in=WatchClosing.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} watched {self.material_id} {self.during}"


class Verdict(models.Model):
    """Whether a trainee's attendance passed when the class ended (M8), in microseconds, never rounded."""

    append_only: ClassVar[bool] = True

    enrolment = models.OneToOneField(Enrolment, models.PROTECT, primary_key=True, related_name="verdict")
    computed_at = models.DateTimeField()
    edition = models.CharField(_("政策版本"), max_length=40)
    # credited / required is the share, exactly.
    credited_microseconds = models.BigIntegerField()
    required_microseconds = models.BigIntegerField()  # all online hours of the filed timetable
    by_kind = models.JSONField()  # {kind: microseconds}
    passed = models.BooleanField(_("合格"))
    # [{"code", …}]: the judgement with its numbers first, then what happened lesson by lesson.
    reasons = models.JSONField()
    evidence_seq = models.BigIntegerField()
    evidence_hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["enrolment_id"]
        verbose_name = _("考勤结论")
        constraints = [
            models.CheckConstraint(
                name="verdict_time_is_possible",
                condition=Q(
                    credited_microseconds__gte=0,
                    required_microseconds__gt=0,
                    credited_microseconds__lte=F("required_microseconds"),
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.enrolment_id}: {'passed' if self.passed else 'not passed'}"

    @property
    def share(self) -> Fraction:
        return Fraction(self.credited_microseconds, self.required_microseconds)

    @property
    def credited_seconds(self) -> Decimal:
        return Decimal(self.credited_microseconds) / MICROSECONDS

    @property
    def required_seconds(self) -> Decimal:
        return Decimal(self.required_microseconds) / MICROSECONDS


class LossReview(models.Model):
    """That an office looked into a lecturer's lost trainees and did not find the teaching poor (L5).

    It answers the case that the figures opened, which its day names; a later run opens another.
    """

    append_only: ClassVar[bool] = True

    person = models.ForeignKey(Person, models.PROTECT, related_name="loss_reviews")
    # The last day of the class that completed the run.
    opened_on = models.DateField(_("提请核查的班结班日期"))
    ground = models.CharField(_("核查情况"), max_length=GROUND_LENGTH)
    bureau = models.ForeignKey(Bureau, models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField(_("登记时间"))
    reviewed_by = models.ForeignKey(User, models.PROTECT, related_name="+")

    class Meta:
        ordering = ["person_id", "opened_on"]
        verbose_name = _("学员流失核查")
        constraints = [
            models.UniqueConstraint(fields=["person", "opened_on"], name="one_review_of_a_loss_case"),
            models.CheckConstraint(name="loss_review_has_a_ground", condition=~Q(ground="")),
        ]

    def __str__(self) -> str:
        return f"{self.person_id}: {self.opened_on}"

    @property
    def subject(self) -> str:
        return f"person/{self.person_id}/loss-review/{self.pk}"
