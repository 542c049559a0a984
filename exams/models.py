"""The final exam, coursework and certificates of a class (P12, P13, M9–M12)."""

from __future__ import annotations

from fractions import Fraction

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from attendance.models import Verdict
from classes.models import Enrolment, Lesson, TrainingClass
from courses.models import Course
from exams.states import AttemptState, CertificateState, QuestionKind


class Question(models.Model):
    """One question of a course's bank. A paper keeps its own copy, so later edits never change a sat exam."""

    course = models.ForeignKey(Course, models.PROTECT, related_name="questions")
    kind = models.CharField(_("题型"), max_length=10, choices=QuestionKind.choices)
    stem = models.TextField(_("题目"))
    options = models.JSONField(_("选项"))  # list of strings
    correct = models.JSONField(_("答案"))  # sorted list of indexes into options
    points = models.PositiveSmallIntegerField(_("分值"))
    retired = models.BooleanField(_("停用"), default=False)

    class Meta:
        ordering = ["course_id", "pk"]
        verbose_name = _("试题")
        constraints = [
            models.CheckConstraint(name="question_points_positive", condition=Q(points__gt=0)),
            models.CheckConstraint(name="question_kind_known", condition=Q(kind__in=QuestionKind.values)),
        ]

    def __str__(self) -> str:
        return self.stem[:40]


class Exam(models.Model):
    """The final exam of a class, sat during its exam lesson (M9). `paper` is frozen when the exam is set."""

    training_class = models.OneToOneField(TrainingClass, models.PROTECT, related_name="exam")
    lesson = models.OneToOneField(Lesson, models.PROTECT, related_name="exam")
    # [{"kind", "stem", "options", "correct", "points"}], in the order of the paper.
    paper = models.JSONField()
    total_points = models.PositiveSmallIntegerField()
    seconds_allowed = models.PositiveIntegerField(_("时限（秒）"))
    set_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        verbose_name = _("结业考试")
        constraints = [
            models.CheckConstraint(
                name="exam_has_points_and_time", condition=Q(total_points__gt=0, seconds_allowed__gt=0)
            )
        ]

    def __str__(self) -> str:
        return f"exam of class {self.training_class_id}"


class Attempt(models.Model):
    """One sitting of the exam by one trainee, timed and marked by the server."""

    exam = models.ForeignKey(Exam, models.PROTECT, related_name="attempts")
    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=AttemptState.choices, default=AttemptState.RUNNING)
    started_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    # For each place on this trainee's screen: the question's place in the paper and the order of its options.
    arrangement = models.JSONField()
    # What the log keeps of each answer is taken under this; empty where it was begun before the log kept any.
    salt = models.CharField(max_length=64, blank=True, editable=False)
    points = models.PositiveSmallIntegerField(null=True)

    class Meta:
        ordering = ["exam_id", "enrolment_id", "number"]
        verbose_name = _("答卷")
        constraints = [
            models.UniqueConstraint(fields=["enrolment", "number"], name="attempt_number_once"),
            models.UniqueConstraint(
                fields=["enrolment"], condition=Q(state=AttemptState.RUNNING), name="attempt_one_running"
            ),
            models.CheckConstraint(name="attempt_state_known", condition=Q(state__in=AttemptState.values)),
            models.CheckConstraint(
                name="attempt_ends_after_it_starts", condition=Q(deadline_at__gt=F("started_at"))
            ),
            models.CheckConstraint(
                name="attempt_marked_when_submitted",
                condition=Q(state=AttemptState.RUNNING, submitted_at__isnull=True, points__isnull=True)
                | Q(state=AttemptState.SUBMITTED, submitted_at__isnull=False, points__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.enrolment_id}"

    @property
    def hundredths(self) -> Fraction:
        """The score out of 100 points, exactly, whatever the paper's total."""
        return Fraction(100 * (self.points or 0), self.exam.total_points)


class AttemptAnswer(models.Model):
    """What a trainee has chosen so far for one question of the paper; saved while they answer."""

    attempt = models.ForeignKey(Attempt, models.CASCADE, related_name="answers")
    question = models.PositiveSmallIntegerField()  # place in the exam's paper
    chosen = models.JSONField()  # sorted list of option indexes of the paper
    revision = (
        models.PositiveIntegerField()
    )  # the client's counter: an older save never overwrites a newer one
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["attempt", "question"], name="attempt_answer_once")]

    def __str__(self) -> str:
        return f"{self.attempt_id}/{self.question}"


class Submission(models.Model):
    """A trainee's coursework (培训成果) for a homework lesson, and its score (P13, M10)."""

    lesson = models.ForeignKey(Lesson, models.PROTECT, related_name="submissions")
    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="submissions")
    text = models.TextField(_("内容"))
    submitted_at = models.DateTimeField()
    score = models.PositiveSmallIntegerField(_("评分"), null=True, blank=True)
    comment = models.TextField(_("评语"), blank=True)
    scored_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    scored_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["lesson_id", "submitted_at"]
        verbose_name = _("培训成果")
        constraints = [
            models.UniqueConstraint(fields=["lesson", "enrolment"], name="submission_once_per_lesson"),
            models.CheckConstraint(
                name="submission_score_within_hundred", condition=Q(score__isnull=True) | Q(score__lte=100)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lesson_id}/{self.enrolment_id}"


class CertificateCounter(models.Model):
    """The last number given out per region and year; locked while taking the next, so there are no gaps."""

    prefix = models.CharField(max_length=12, primary_key=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.prefix}: {self.last}"


def certificate_path(certificate: Certificate, filename: str) -> str:
    return f"certificates/{certificate.pk}/{filename}"


class Certificate(models.Model):
    """河南省就业创业培训合格证: issued exactly when exam and attendance both pass (M11, M12).

    `number` is ours; the province may assign its own (LEDGER ambiguity 18), and both are kept.
    """

    enrolment = models.OneToOneField(Enrolment, models.PROTECT, related_name="certificate")
    number = models.CharField(_("证书编号"), max_length=20, unique=True)
    provincial_number = models.CharField(_("省系统证书编号"), max_length=40, blank=True)
    state = models.CharField(max_length=8, choices=CertificateState.choices, default=CertificateState.VALID)
    verdict = models.ForeignKey(Verdict, models.PROTECT, related_name="+")
    attempt = models.ForeignKey(Attempt, models.PROTECT, related_name="+")
    issued_on = models.DateField(_("发证日期"))
    issued_at = models.DateTimeField()
    issued_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField(null=True)
    revocation_reason = models.TextField(blank=True)
    pdf = models.FileField(upload_to=certificate_path, blank=True)
    pdf_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["number"]
        verbose_name = _("合格证")
        constraints = [
            models.CheckConstraint(
                name="certificate_state_known", condition=Q(state__in=CertificateState.values)
            ),
            models.CheckConstraint(
                name="certificate_revocation_is_whole",
                condition=Q(state=CertificateState.VALID, revoked_at__isnull=True)
                | (Q(state=CertificateState.REVOKED, revoked_at__isnull=False) & ~Q(revocation_reason="")),
            ),
        ]

    def __str__(self) -> str:
        return self.number
