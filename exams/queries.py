"""Who has finished what, and what comes next."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import editions
from accounts.models import User
from accounts.start import Task
from accounts.states import Role
from attendance.models import Verdict
from classes.models import Enrolment, Lesson, TrainingClass
from classes.permissions import managed_institution
from classes.queries import roster_of
from classes.states import ClassState, EnrolmentState, LessonState
from exams.models import Attempt, Certificate, Exam, Submission
from exams.states import AttemptState
from policy.completion import CompletionDecision, judge_completion, judge_exam
from policy.editions import Edition
from policy.findings import Finding
from policy.refusals import Refusal
from policy.terms import HourKind

RUNNING = (ClassState.APPROVED, ClassState.RUNNING)
SOON = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Completion:
    """One trainee of a class: verdict, best sitting, and whether that makes a certificate (M11)."""

    enrolment: Enrolment
    verdict: Verdict | None
    attempt: Attempt | None
    exam: Finding | None
    decision: CompletionDecision

    @property
    def certificate(self) -> Certificate | None:
        return getattr(self.enrolment, "certificate", None)

    @property
    def passed(self) -> bool:
        return self.decision.passed


def completions_of(training_class: TrainingClass, *, using: str = "default") -> list[Completion]:
    """Every active trainee of a class with what they have reached; four queries whatever their number.

    The best sitting counts: an edition that allows resits allows them to be better.
    """
    edition = editions.edition(training_class.edition)
    enrolments = list(
        Enrolment.objects.using(using)
        .filter(training_class=training_class, state=EnrolmentState.ACTIVE)
        .select_related("person", "verdict", "certificate")
        .order_by("person__name_pinyin", "pk")
    )
    best: dict[int, Attempt] = {}
    for attempt in (
        Attempt.objects.using(using)
        .filter(exam__training_class=training_class, state=AttemptState.SUBMITTED)
        .select_related("exam")
        .order_by("points", "-number")
    ):
        best[attempt.enrolment_id] = attempt
    scores = {
        row["enrolment"]: row["score"]
        for row in Submission.objects.using(using)
        .filter(enrolment__training_class=training_class, score__isnull=False)
        .order_by("lesson__starts_at")
        .values("enrolment", "score")
    }
    completions = []
    for enrolment in enrolments:
        attempt_of = best.get(enrolment.pk)
        exam = _judged(edition, attempt_of) if attempt_of else None
        verdict = getattr(enrolment, "verdict", None)
        outcome = scores.get(enrolment.pk)
        completions.append(
            Completion(
                enrolment=enrolment,
                verdict=verdict,
                attempt=attempt_of,
                exam=exam,
                decision=judge_completion(
                    edition,
                    exam_passed=exam is not None and exam.passed,
                    attendance_passed=verdict is not None and verdict.passed,
                    outcome_passed=None if outcome is None else judge_exam(edition, outcome).passed,
                ),
            )
        )
    return completions


def _judged(edition: Edition, attempt: Attempt) -> Finding:
    """What its score makes of a sitting; one that no paper gives is a finding too, since somebody who looks
    at a changed row has to see it.
    """
    try:
        return judge_exam(edition, attempt.hundredths)
    except Refusal as refusal:
        if refusal.code != "score_out_of_range":
            raise
        return Finding.of_refusal(refusal)


def exam_of(training_class: TrainingClass) -> Exam | None:
    """The class's exam with its lesson, if it has been set."""
    return Exam.objects.select_related("lesson").filter(training_class=training_class).first()


def exams_of(person_id: int) -> QuerySet[Exam]:
    """The exams of the classes that a person attends, the latest first."""
    return (
        Exam.objects.filter(
            training_class__enrolments__person_id=person_id,
            training_class__enrolments__state=EnrolmentState.ACTIVE,
        )
        .select_related("lesson", "training_class")
        .order_by("-lesson__starts_at")
    )


def attempts_of(person_id: int, exam: Exam | None = None) -> QuerySet[Attempt]:
    """A person's sittings, in order; of one exam or of all."""
    own = Attempt.objects.filter(enrolment__person_id=person_id).select_related("exam__training_class")
    return own.filter(exam=exam) if exam else own


def certificates_of(person_id: int) -> QuerySet[Certificate]:
    """The certificates a person holds, the latest first."""
    return (
        Certificate.objects.filter(enrolment__person_id=person_id)
        .select_related("enrolment__training_class__course")
        .order_by("-issued_on", "-pk")
    )


def certificates_to_print() -> QuerySet[Certificate, int]:
    """The ids of certificates that have no file yet, the oldest first."""
    return Certificate.objects.filter(pdf="").order_by("pk").values_list("pk", flat=True)


def homework_of(person_id: int) -> QuerySet[Lesson]:
    """The homework lessons of running classes that a person attends and has not handed in."""
    enrolments = Enrolment.objects.filter(person_id=person_id, state=EnrolmentState.ACTIVE)
    handed_in = Submission.objects.filter(lesson=OuterRef("pk"), enrolment__person_id=person_id)
    return (
        Lesson.objects.filter(
            kind=HourKind.HOMEWORK,
            training_class__state__in=RUNNING,
            training_class__in=enrolments.values("training_class"),
        )
        .exclude(Exists(handed_in))
        .select_related("training_class")
    )


def submissions_of(training_class: TrainingClass) -> QuerySet[Submission]:
    """Everybody's work in a class, what waits for its score first."""
    return (
        Submission.objects.filter(enrolment__training_class=training_class)
        .select_related("lesson", "enrolment__person")
        .order_by(
            F("scored_at").asc(nulls_first=True), "lesson__starts_at", "enrolment__person__name_pinyin", "pk"
        )
    )


def not_handed_in(exam: Exam) -> QuerySet[Enrolment]:
    """Active trainees who have no paper of this exam handed in, by name."""
    handed_in = Attempt.objects.filter(enrolment=OuterRef("pk"), exam=exam, state=AttemptState.SUBMITTED)
    return roster_of(exam.training_class).exclude(Exists(handed_in))


def next_steps_for(user: User, now: datetime.datetime) -> Iterator[Task]:
    """Papers to sit and work to hand in; work to score; classes to conclude."""
    if user.person_id is not None and user.has_role(Role.TRAINEE):
        yield from _trainee_steps(user.person_id, now)
    if user.person_id is not None and user.has_role(Role.LECTURER, Role.ASSISTANT):
        yield from _staff_steps(user.person_id, now)
    if (institution := managed_institution(user)) is not None:
        over = TrainingClass.objects.filter(institution=institution, state=ClassState.RUNNING).annotate(
            over_at=Max("lessons__ends_at")
        )
        for training_class in over.filter(over_at__lte=now).order_by("over_at"):
            yield Task(
                title=_("给“%(name)s”结班") % {"name": training_class.name},
                url=reverse("exams:conclude", args=[training_class.pk]),
                detail=_("课都上完了。结班后考勤定下来，合格的学员拿到合格证。"),
                icon="certificate",
                action=_("去结班"),
            )


def _trainee_steps(person_id: int, now: datetime.datetime) -> Iterator[Task]:
    sat = Attempt.objects.filter(
        exam=OuterRef("pk"), enrolment__person_id=person_id, state=AttemptState.SUBMITTED
    )
    exams = exams_of(person_id).filter(
        training_class__state__in=RUNNING, lesson__ends_at__gt=now, lesson__starts_at__lte=now + SOON
    )
    for exam in exams.exclude(Exists(sat)):
        is_open = exam.lesson.starts_at <= now
        yield Task(
            title=_("参加结业考试"),
            url=reverse("exams:take", args=[exam.pk]),
            detail=exam.training_class.name,
            due=exam.lesson.ends_at if is_open else exam.lesson.starts_at,
            urgent=is_open,
            icon="writing",
            action=_("去考试") if is_open else _("看说明"),
        )
    for lesson in homework_of(person_id).filter(starts_at__lte=now).order_by("ends_at"):
        yield Task(
            title=_("交作业：%(title)s") % {"title": lesson.title},
            url=reverse("exams:coursework", args=[lesson.pk]),
            detail=lesson.training_class.name,
            due=lesson.ends_at if lesson.ends_at > now else None,
            icon="notebook",
            action=_("去写"),
        )


def _staff_steps(person_id: int, now: datetime.datetime) -> Iterator[Task]:
    own = Q(lecturer=person_id) | Q(assistant=person_id)
    classes = TrainingClass.objects.filter(own, state__in=(*RUNNING, ClassState.FINISHED))
    waiting = Submission.objects.filter(enrolment__training_class=OuterRef("pk"), score__isnull=True)
    for training_class in classes.filter(Exists(waiting)):
        yield Task(
            title=_("给培训成果评分"),
            url=reverse("exams:class", args=[training_class.pk]),
            detail=training_class.name,
            icon="clipboard-check",
            action=_("去评分"),
        )
    exam_lessons = Lesson.objects.filter(
        training_class__in=classes.filter(state__in=RUNNING),
        kind=HourKind.EXAM,
        state=LessonState.PLANNED,
        ends_at__gt=now,
        training_class__exam__isnull=True,
    ).select_related("training_class")
    for lesson in exam_lessons.order_by("starts_at"):
        yield Task(
            title=_("设置结业考试"),
            url=reverse("exams:class", args=[lesson.training_class_id]),
            detail=lesson.training_class.name,
            due=lesson.starts_at,
            icon="list-check",
            action=_("去设置"),
        )
