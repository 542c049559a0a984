"""A training class: its staff, roster, timetable and filing."""

from __future__ import annotations

import datetime
from typing import Any, ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Institution, Person, Reachable, User
from classes.states import ClassState, EnrolmentState, FilingState, LessonStanding, LessonState
from courses.models import Course, CourseVersion
from exchange.models import Package
from policy.terms import HourKind, Mode, TraineeCategory

# The policy's words, spoken in the reader's language; its own labels are untranslated source strings.
MODES = [(mode.value, _(mode.label)) for mode in Mode]
HOUR_KINDS = [(kind.value, _(kind.label)) for kind in HourKind]
CATEGORIES = [(category.value, _(category.label)) for category in TraineeCategory]
# Hours that have their hour: everybody has to be there. Homework and videos are done when it suits.
BOOKED_KINDS = (HourKind.LIVE, HourKind.TUTORING, HourKind.QUALITY, HourKind.EXAM, HourKind.OFFLINE)


class TsTzRange(Func):
    """`tstzrange(starts_at, ends_at)`, half open."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


MOST_REASON = 500  # characters


class TrainingClass(models.Model):
    """One class of a course at one institution, judged all its life by the edition it was filed under."""

    institution = models.ForeignKey(
        Institution, models.PROTECT, verbose_name=_("机构"), related_name="classes"
    )
    course = models.ForeignKey(Course, models.PROTECT, verbose_name=_("课程"), related_name="classes")
    # What is taught: the newest published when the class was made; filing freezes it (A2). Empty only for
    # classes older than versions.
    course_version = models.ForeignKey(
        CourseVersion,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("课程版本"),
        related_name="classes",
    )
    name = models.CharField(_("班级名称"), max_length=80)
    mode = models.CharField(_("培训模式"), max_length=12, choices=MODES)
    edition = models.CharField(_("政策版本"), max_length=40)
    starts_on = models.DateField(_("开班日期"))
    ends_on = models.DateField(_("结班日期"))
    lecturer = models.ForeignKey(
        Person,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("讲师"),
        related_name="classes_as_lecturer",
    )
    assistant = models.ForeignKey(
        Person,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("助教"),
        related_name="classes_as_assistant",
    )
    state = models.CharField(_("状态"), max_length=12, choices=ClassState.choices, default=ClassState.DRAFT)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    finished_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(_("取消的理由"), max_length=MOST_REASON, blank=True)

    class Meta:
        ordering = ["-starts_on", "-pk"]
        verbose_name = _("培训班")
        constraints = [
            models.UniqueConstraint(fields=["institution", "name"], name="class_name_once_per_institution"),
            models.CheckConstraint(
                name="class_ends_after_it_starts", condition=Q(ends_on__gte=F("starts_on"))
            ),
            models.CheckConstraint(name="class_state_known", condition=Q(state__in=ClassState.values)),
            models.CheckConstraint(name="class_mode_known", condition=Q(mode__in=[m.value for m in Mode])),
            models.CheckConstraint(
                name="class_finished_has_its_time",
                condition=Q(state=ClassState.FINISHED, finished_at__isnull=False)
                | ~Q(state=ClassState.FINISHED) & Q(finished_at__isnull=True),
            ),
            models.CheckConstraint(
                # F14: the assistant is another person.
                name="class_lecturer_is_not_its_assistant",
                condition=Q(lecturer__isnull=True) | Q(assistant__isnull=True) | ~Q(lecturer=F("assistant")),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        """The class's name in the evidence log; also its chain."""
        return f"class/{self.pk}"


class Enrolment(Reachable):
    """A person on the roster of a class, in exactly one of the five categories (S6).

    The phone number is the one that the class's institution was given; no other's is shown to it.
    """

    training_class = models.ForeignKey(TrainingClass, models.PROTECT, related_name="enrolments")
    person = models.ForeignKey(Person, models.PROTECT, related_name="enrolments")
    category = models.CharField(_("学员类别"), max_length=24, choices=CATEGORIES)
    state = models.CharField(
        _("状态"), max_length=8, choices=EnrolmentState.choices, default=EnrolmentState.ACTIVE
    )
    source = models.CharField(_("报名来源"), max_length=40, default="roster")  # I4
    # Opens the commitment to name, ID number and category in the evidence log; sealed by the vault.
    commitment_salt_sealed = models.BinaryField(editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    SALT_CONTEXT: ClassVar[bytes] = b"enrolment.commitment_salt"
    PHONE_CONTEXT: ClassVar[bytes] = b"enrolment.phone"

    class Meta:
        ordering = ["person__name_pinyin", "pk"]
        verbose_name = _("学员")
        constraints = [
            models.UniqueConstraint(fields=["training_class", "person"], name="enrolment_once_per_class"),
            models.CheckConstraint(
                name="enrolment_state_known", condition=Q(state__in=EnrolmentState.values)
            ),
            models.CheckConstraint(
                name="enrolment_category_known",
                condition=Q(category__in=[c.value for c in TraineeCategory]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.training_class_id}/{self.person_id}"

    @property
    def subject(self) -> str:
        return f"class/{self.training_class_id}/trainee/{self.pk}"


class Lesson(models.Model):
    """One entry of the timetable: a stretch of time of one kind of hours, worth a number of 课时."""

    training_class = models.ForeignKey(TrainingClass, models.PROTECT, related_name="lessons")
    starts_at = models.DateTimeField(_("开始"))
    ends_at = models.DateTimeField(_("结束"))
    kind = models.CharField(_("课时类别"), max_length=12, choices=HOUR_KINDS)
    hours = models.DecimalField(_("课时"), max_digits=5, decimal_places=2)
    title = models.CharField(_("内容"), max_length=120)
    state = models.CharField(
        _("状态"), max_length=8, choices=LessonState.choices, default=LessonState.PLANNED
    )
    opened_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["starts_at", "pk"]
        verbose_name = _("课次")
        constraints = [
            models.CheckConstraint(
                name="lesson_ends_after_it_starts", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.CheckConstraint(name="lesson_hours_positive", condition=Q(hours__gt=0)),
            models.CheckConstraint(name="lesson_state_known", condition=Q(state__in=LessonState.values)),
            models.CheckConstraint(
                name="lesson_kind_known", condition=Q(kind__in=[k.value for k in HourKind])
            ),
            models.CheckConstraint(
                name="lesson_open_and_close_in_order",
                condition=Q(closed_at__isnull=True)
                | Q(opened_at__isnull=False, closed_at__gte=F("opened_at")),
            ),
            ExclusionConstraint(
                name="lessons_of_a_class_do_not_overlap",
                expressions=[
                    ("training_class", RangeOperators.EQUAL),
                    (
                        TsTzRange("starts_at", "ends_at", RangeBoundary()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def subject(self) -> str:
        return f"class/{self.training_class_id}/lesson/{self.pk}"

    @property
    def day(self) -> datetime.date:
        """The legal day on which the lesson begins."""
        return timezone.localdate(self.starts_at)

    @property
    def is_held_on_time(self) -> bool:
        """Whether people meet for it at its hour: what is handed in or watched has no such hour."""
        return self.is_roomed or self.kind == HourKind.OFFLINE

    @property
    def planned(self) -> datetime.timedelta:
        return self.ends_at - self.starts_at

    @property
    def is_roomed(self) -> bool:
        """Whether the lesson is held in the live room, where presence is what earns the time."""
        return self.kind in (HourKind.LIVE, HourKind.TUTORING, HourKind.QUALITY)

    def standing_at(self, at: datetime.datetime) -> LessonStanding:
        """How the lesson stands at a moment: a class that has concluded has none ahead."""
        if self.state != LessonState.PLANNED:
            return LessonStanding.OVER if self.state == LessonState.CLOSED else LessonStanding.UNDER_WAY
        over = at >= self.ends_at or self.training_class.state == ClassState.FINISHED
        if self.is_roomed:
            return LessonStanding.NOT_HELD if over else LessonStanding.AHEAD
        if over:
            return LessonStanding.OVER
        return LessonStanding.UNDER_WAY if at >= self.starts_at else LessonStanding.AHEAD


class Booking(models.Model):
    """A person's time that a filed class has taken: one lesson, one person (`classes.bookings`)."""

    lesson = models.ForeignKey(Lesson, models.CASCADE, related_name="bookings")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+", db_index=False)
    during = DateTimeRangeField()

    class Meta:
        verbose_name = _("占用的时间")
        constraints = [
            ExclusionConstraint(
                name="person_booked_once_at_a_time",
                expressions=[("person", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lesson_id}/{self.person_id}"


class Filing(models.Model):
    """One submission of a class for 开班备案, with a frozen snapshot of what was submitted (F7, F8,
    F9).
    """

    training_class = models.ForeignKey(TrainingClass, models.PROTECT, related_name="filings")
    state = models.CharField(
        _("状态"), max_length=10, choices=FilingState.choices, default=FilingState.SUBMITTED
    )
    submitted_at = models.DateTimeField(_("提交时间"))
    submitted_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    # What was filed: staff, roster (masked), timetable, hours by kind, edition. Never edited afterwards.
    snapshot = models.JSONField()
    findings = models.JSONField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    # The day that the province's receipt gives (办理日期); an officer's own decision is made at `decided_at`.
    decided_on = models.DateField(_("省系统办理日期"), null=True, blank=True)
    reason = models.TextField(_("理由"), blank=True)
    number = models.CharField(_("备案号"), max_length=40, blank=True)
    # Codes of the findings in the snapshot's exceptions that the approval accepted ("原则上").
    accepted = models.JSONField(_("认可的例外"), default=list, blank=True)
    # Why an approved filing had to make way for a new one.
    change_reason = models.TextField(_("变更理由"), blank=True)
    # Asked for by the submission, written by the worker; older filings may have none.
    package = models.OneToOneField(
        Package, models.PROTECT, null=True, blank=True, verbose_name=_("材料包"), related_name="filing"
    )

    class Meta:
        ordering = ["-submitted_at", "-pk"]
        verbose_name = _("开班备案")
        constraints = [
            models.CheckConstraint(name="filing_state_known", condition=Q(state__in=FilingState.values)),
            models.UniqueConstraint(
                fields=["training_class"],
                condition=Q(state__in=[FilingState.SUBMITTED, FilingState.APPROVED]),
                name="filing_one_live_per_class",
            ),
            # A class that files a change may keep its number; no other class ever has it.
            ExclusionConstraint(
                name="filing_number_of_one_class",
                expressions=[
                    ("number", RangeOperators.EQUAL),
                    ("training_class", RangeOperators.NOT_EQUAL),
                ],
                condition=~Q(number=""),
            ),
            models.CheckConstraint(
                name="filing_approval_has_a_number", condition=~Q(state=FilingState.APPROVED) | ~Q(number="")
            ),
            models.CheckConstraint(
                name="filing_return_has_a_reason", condition=~Q(state=FilingState.RETURNED) | ~Q(reason="")
            ),
            models.CheckConstraint(
                name="filing_change_has_a_reason",
                condition=~Q(state=FilingState.SUPERSEDED) | ~Q(number="") & ~Q(change_reason=""),
            ),
            models.CheckConstraint(
                name="filing_decision_is_whole",
                condition=Q(state__in=[FilingState.SUBMITTED, FilingState.WITHDRAWN])
                | Q(decided_at__isnull=False, decided_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.training_class_id}#{self.pk}"

    @property
    def subject(self) -> str:
        return f"class/{self.training_class_id}/filing/{self.pk}"

    @property
    def exceptions(self) -> list[dict[str, Any]]:
        """What the submission asked to be excepted from, each with its reason; frozen in the snapshot."""
        return list(self.snapshot.get("exceptions", []))

    @property
    def package_sha256(self) -> str:
        """SHA-256 of the package for the province; empty until it is written."""
        return self.package.sha256 if self.package else ""


class CalendarFeed(models.Model):
    """A person's secret calendar address (`classes.feeds`), of which only the hash is kept."""

    user = models.OneToOneField(User, models.CASCADE, related_name="calendar_feed")
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    issued_at = models.DateTimeField()

    class Meta:
        verbose_name = _("日历订阅")

    def __str__(self) -> str:
        return f"calendar/{self.user_id}"
