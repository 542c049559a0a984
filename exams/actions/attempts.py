"""Sitting the exam: start, autosave, hand in. The server's clock alone decides what was in time.

Whoever writes a sitting's outcome locks class, enrolment, sitting and evidence chain in this order; crediting
the exam lesson takes the enrolment and the chain again.
"""

import datetime
import random
import secrets

import structlog
from django.db import transaction
from django.utils.translation import gettext_noop

import audit
from accounts import editions
from accounts.models import User
from accounts.permissions import roles_of
from accounts.states import Role
from attendance.actions.units import credit_unit
from attendance.permissions import require_trainee
from audit.commitments import SALT_BYTES
from audit.models import Entry
from classes.models import Enrolment, TrainingClass
from classes.states import ClassState
from exams.actions.moves import move
from exams.marking import is_choice, mark
from exams.models import Attempt, AttemptAnswer, Exam
from exams.on_record import (
    DIFFERS,
    answer_digest,
    answers_digest,
    require_paper_on_record,
    require_sitting_on_record,
    salt_digest,
)
from exams.states import AttemptState
from policy.completion import judge_exam, may_sit_again
from policy.refusals import Refusal

log = structlog.get_logger(__name__)


def start_attempt(*, actor: User, exam: Exam, at: datetime.datetime) -> Attempt:
    """Begin the trainee's sitting, or return the one that is running; everything comes in random order.

    A sitting whose time is over is handed in first; it is never gone on with.

    Raises Refusal `trainee_required` (403), `exam_not_open`, `exam_over`, `exam_attempts`,
    `exam_passed_already`, `exam_paper_differs`, `exam_answers_differ`.
    """
    with transaction.atomic():
        # The class row first: an exam may not begin while it is being set or the class is being concluded.
        training_class = TrainingClass.objects.select_for_update(no_key=True).get(pk=exam.training_class_id)
        exam = Exam.objects.select_related("lesson").get(pk=exam.pk)
        enrolment = Enrolment.objects.select_for_update(no_key=True).get(
            pk=require_trainee(actor, training_class).pk
        )
        sat = list(Attempt.objects.filter(enrolment=enrolment).values_list("pk", "state"))
        for pk, state in sat:
            if state == AttemptState.RUNNING:
                running = _locked(pk)
                if running.state == AttemptState.RUNNING and at <= running.deadline_at:
                    return running
                _close_if_due(running, at)
        _require_open(exam, training_class, at)
        _require_another(enrolment, training_class)
        require_paper_on_record(exam)
        attempt = Attempt.objects.create(
            exam=exam,
            enrolment=enrolment,
            number=len(sat) + 1,
            started_at=at,
            deadline_at=min(at + datetime.timedelta(seconds=exam.seconds_allowed), exam.lesson.ends_at),
            arrangement=_arrange(exam),
            salt=secrets.token_hex(SALT_BYTES),
        )
        audit.record(
            "exam.started",
            actor_id=actor.pk,
            subject=enrolment.subject,
            facts={
                "attempt": attempt.pk,
                "number": attempt.number,
                "deadline": attempt.deadline_at,
                "salt": salt_digest(attempt.salt),
            },
            at=at,
        )
    return attempt


def _require_open(exam: Exam, training_class: TrainingClass, at: datetime.datetime) -> None:
    lesson = exam.lesson
    if training_class.state not in (ClassState.APPROVED, ClassState.RUNNING) or at < lesson.starts_at:
        raise Refusal(
            "exam_not_open",
            gettext_noop("结业考试还没有开始。"),
            found=at.isoformat(),
            required=lesson.starts_at.isoformat(),
            rule="M9",
            next_step=gettext_noop("请在课表写的时间再来。"),
        )
    if at >= lesson.ends_at:
        raise Refusal(
            "exam_over",
            gettext_noop("结业考试的时间已经过了。"),
            found=at.isoformat(),
            required=lesson.ends_at.isoformat(),
            rule="M9",
            next_step=gettext_noop("请联系本班讲师。"),
        )


def _require_another(enrolment: Enrolment, training_class: TrainingClass) -> None:
    """Refuse a sitting beyond those that the edition allows, or after one that passed."""
    edition = editions.edition(training_class.edition)
    sat = list(Attempt.objects.filter(enrolment=enrolment).select_related("exam"))
    if any(judge_exam(edition, attempt.hundredths).passed for attempt in sat):
        raise Refusal(
            "exam_passed_already",
            gettext_noop("结业考试已经合格，不用再考。"),
            found=True,
            required=False,
            rule="M9",
            next_step=gettext_noop("请看成绩页。"),
        )
    again = may_sit_again(edition, attempts=len(sat))
    if not again.passed:
        raise Refusal(
            "exam_attempts",
            again.message,
            found=len(sat),
            required=again.required,
            rule="M9",
            params=again.params,
            next_step=gettext_noop("对成绩有疑问，请联系本班讲师。"),
        )


def _arrange(exam: Exam) -> list[dict[str, object]]:
    shuffled = random.SystemRandom()
    places = list(range(len(exam.paper)))
    shuffled.shuffle(places)
    arrangement: list[dict[str, object]] = []
    for place in places:
        options = list(range(len(exam.paper[place]["options"])))
        if exam.paper[place]["kind"] != "judgement":  # right before wrong, as people expect it
            shuffled.shuffle(options)
        arrangement.append({"question": place, "options": options})
    return arrangement


def save_answer(
    *, actor: User, attempt: Attempt, question: int, chosen: list[int], revision: int, at: datetime.datetime
) -> AttemptAnswer:
    """Store what is chosen so far for one question (by its place in the paper), and put it on record.

    A repeated or late-arriving older save changes nothing and answers with what is stored.

    Raises Refusal `trainee_required` (403), `attempt_closed`, `attempt_time_over`, `answer_malformed` (400).
    """
    with transaction.atomic():
        attempt = _own_running(actor, attempt, at)
        paper = attempt.exam.paper
        if not 0 <= question < len(paper) or not is_choice(paper[question], chosen):
            raise Refusal(
                "answer_malformed",
                gettext_noop("这道题没有这样的选项。"),
                found=chosen,
                required=True,
                rule="M9",
                next_step=gettext_noop("请重新选择。"),
                status=400,
            )
        answer, created = AttemptAnswer.objects.get_or_create(
            attempt=attempt,
            question=question,
            defaults={"chosen": sorted(chosen), "revision": revision, "saved_at": at},
        )
        if not created:
            # The sitting is locked, so two saves at once come one after the other; the newer one stays.
            if answer.revision >= revision:
                return answer
            answer.chosen, answer.revision, answer.saved_at = sorted(chosen), revision, at
            answer.save(update_fields=["chosen", "revision", "saved_at"])
        if attempt.salt:
            audit.record(
                "exam.answered",
                actor_id=actor.pk,
                subject=attempt.enrolment.subject,
                facts={
                    "attempt": attempt.pk,
                    "question": question,
                    "revision": revision,
                    "answer": answer_digest(answer, salt=attempt.salt),
                },
                at=at,
            )
    return answer


def _own_running(actor: User, attempt: Attempt, at: datetime.datetime) -> Attempt:
    attempt = (
        Attempt.objects.select_for_update(of=("self",))
        .select_related("exam", "enrolment__training_class")
        .get(pk=attempt.pk)
    )
    _require_own(actor, attempt)
    if attempt.state != AttemptState.RUNNING:
        raise Refusal(
            "attempt_closed",
            gettext_noop("这份卷子已经交了，不能再改。"),
            found=AttemptState(attempt.state),
            required=True,
            rule="M9",
            next_step=gettext_noop("请看成绩页。"),
        )
    if at > attempt.deadline_at:
        raise Refusal(
            "attempt_time_over",
            gettext_noop("答卷时间到了，已经保存的答案会自动交卷。"),
            found=at.isoformat(),
            required=attempt.deadline_at.isoformat(),
            rule="M9",
            next_step=gettext_noop("请看成绩页。"),
        )
    return attempt


def _require_own(actor: User, attempt: Attempt) -> None:
    if require_trainee(actor, attempt.enrolment.training_class).pk != attempt.enrolment_id:
        raise Refusal(
            "trainee_required",
            gettext_noop("只能答自己的卷子。"),
            found=roles_of(actor),
            required=Role.TRAINEE,
            rule="M9",
            next_step=gettext_noop("请用学员本人的账号登录。"),
            status=403,
        )


def submit_attempt(*, actor: User, attempt: Attempt, at: datetime.datetime) -> Attempt:
    """Hand in and mark at once; handing in again returns the marked paper.

    After the deadline it closes with what was saved until then. Raises Refusal `trainee_required` (403),
    `exam_paper_differs`, `exam_answers_differ`.
    """
    try:
        with transaction.atomic():
            locked = _locked(attempt.pk)
            _require_own(actor, locked)
            if locked.state == AttemptState.RUNNING and at <= locked.deadline_at:
                _hand_in(locked, actor=actor, at=at, by_deadline=False)
            else:
                _close_if_due(locked, at)
    except Refusal as refusal:
        _note_unmarked(attempt.pk, refusal, at)
        raise
    return locked


def close_due_attempts(*, at: datetime.datetime, training_class: TrainingClass | None = None) -> int:
    """Hand in every paper whose time is over, with what was saved; returns how many.

    Run by the beat for all classes, and before one is concluded. Idempotent. A paper whose rows the log does
    not bear out stays as it is, which goes on record; the others are handed in.
    """
    due = Attempt.objects.filter(state=AttemptState.RUNNING, deadline_at__lt=at)
    if training_class is not None:
        due = due.filter(exam__training_class=training_class)
    closed = 0
    for pk in list(due.order_by("enrolment_id").values_list("pk", flat=True)):
        try:
            with transaction.atomic():
                closed += _close_if_due(_locked(pk), at)
        except Refusal as refusal:
            if refusal.code not in DIFFERS:
                raise
            _note_unmarked(pk, refusal, at)
    return closed


def _note_unmarked(pk: int, refusal: Refusal, at: datetime.datetime) -> None:
    """Put on record, once, that a sitting was not marked because its rows differ from the log."""
    if refusal.code not in DIFFERS:
        return
    log.critical("sitting_is_not_what_was_recorded", attempt=pk, code=refusal.code)
    with transaction.atomic():
        attempt = _locked(pk)
        told = {"kind": "exam.not_marked", "subject": attempt.enrolment.subject, "facts__attempt": pk}
        if not Entry.objects.filter(**told).exists():
            audit.record(
                "exam.not_marked",
                actor_id=None,
                subject=attempt.enrolment.subject,
                facts={"attempt": pk, "number": attempt.number, "because": refusal.code},
                at=at,
            )


def _locked(pk: int) -> Attempt:
    """The sitting as it now is, locked after its enrolment."""
    Enrolment.objects.select_for_update(of=("self",), no_key=True).get(attempts=pk)
    return (
        Attempt.objects.select_for_update(of=("self",))
        .select_related("exam__lesson", "enrolment__training_class")
        .get(pk=pk)
    )


def _close_if_due(locked: Attempt, at: datetime.datetime) -> bool:
    """Hand in for somebody whose time is over; by the clock this happened at the deadline."""
    if locked.state != AttemptState.RUNNING or at <= locked.deadline_at:
        return False
    _hand_in(locked, actor=None, at=locked.deadline_at, by_deadline=True)
    return True


def _hand_in(attempt: Attempt, *, actor: User | None, at: datetime.datetime, by_deadline: bool) -> None:
    """Mark and close a locked, running attempt that the log bears out.

    The exam lesson's hours are earned by handing in.
    """
    saved = list(attempt.answers.all())
    require_sitting_on_record(attempt, saved)
    chosen = {answer.question: answer.chosen for answer in saved}
    move(attempt, "submit")
    attempt.submitted_at = at
    attempt.points = mark(attempt.exam.paper, chosen)
    attempt.save(update_fields=["state", "submitted_at", "points"])
    audit.record(
        "exam.submitted",
        actor_id=actor.pk if actor else None,
        subject=attempt.enrolment.subject,
        facts={
            "attempt": attempt.pk,
            "number": attempt.number,
            "points": attempt.points,
            "total": attempt.exam.total_points,
            "answered": sum(1 for options in chosen.values() if options),
            "answers": answers_digest(chosen),
            "by_deadline": by_deadline,
        },
        at=at,
    )
    credit_unit(
        enrolment=attempt.enrolment,
        lesson=attempt.exam.lesson,
        source=f"attempt/{attempt.pk}",
        actor=actor,
        at=at,
    )
