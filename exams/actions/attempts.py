"""Sitting the exam: start, autosave, hand in. The server's clock alone decides what was in time."""

import datetime
import hashlib
import random

import rfc8785
from django.db import transaction
from django.utils.translation import gettext_noop

import audit
from accounts import editions
from accounts.models import User
from attendance.actions.units import credit_unit
from attendance.permissions import require_trainee
from classes.models import Enrolment, TrainingClass
from classes.states import ClassState
from exams.marking import is_choice, mark
from exams.models import Attempt, AttemptAnswer, Exam
from exams.states import ATTEMPT_MOVES, AttemptState
from policy.completion import may_sit_again
from policy.refusals import Refusal


def start_attempt(*, actor: User, exam: Exam, at: datetime.datetime) -> Attempt:
    """Begin the trainee's sitting, or return the one that is running; everything comes in random order.

    Raises Refusal `trainee_required` (403), `exam_not_open`, `exam_over`, `exam_attempts`.
    """
    with transaction.atomic():
        # The class row first: an exam may not begin while the class is being concluded.
        training_class = TrainingClass.objects.select_for_update(no_key=True).get(pk=exam.training_class_id)
        enrolment = Enrolment.objects.select_for_update().get(pk=require_trainee(actor, training_class).pk)
        running = Attempt.objects.filter(enrolment=enrolment, state=AttemptState.RUNNING).first()
        if running:
            return running
        _require_open(exam, training_class, at)
        number = Attempt.objects.filter(enrolment=enrolment).count() + 1
        again = may_sit_again(editions.edition(training_class.edition), attempts=number - 1)
        if not again.passed:
            raise Refusal(
                "exam_attempts",
                again.message,
                found=number - 1,
                required=again.required,
                rule="M9",
                params=again.params,
                next_step=gettext_noop("对成绩有疑问，请联系本班讲师。"),
            )
        attempt = Attempt.objects.create(
            exam=exam,
            enrolment=enrolment,
            number=number,
            started_at=at,
            deadline_at=min(at + datetime.timedelta(seconds=exam.seconds_allowed), exam.lesson.ends_at),
            arrangement=_arrange(exam),
        )
        audit.record(
            "exam.started",
            actor_id=actor.pk,
            subject=enrolment.subject,
            facts={"attempt": attempt.pk, "number": number, "deadline": attempt.deadline_at},
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
            next_step=gettext_noop("请联系本班讲师安排补考。"),
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
    """Store what is chosen so far for one question (by its place in the paper).

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
            # Conditional, so that two saves under way at once end with the newer one.
            AttemptAnswer.objects.filter(pk=answer.pk, revision__lt=revision).update(
                chosen=sorted(chosen), revision=revision, saved_at=at
            )
            answer.refresh_from_db()
    return answer


def _own_running(actor: User, attempt: Attempt, at: datetime.datetime) -> Attempt:
    attempt = (
        Attempt.objects.select_for_update(of=("self",))
        .select_related("exam", "enrolment__training_class")
        .get(pk=attempt.pk)
    )
    if require_trainee(actor, attempt.enrolment.training_class).pk != attempt.enrolment_id:
        raise Refusal(
            "trainee_required",
            gettext_noop("只能答自己的卷子。"),
            rule="M9",
            next_step=gettext_noop("请用学员本人的账号登录。"),
            status=403,
        )
    if attempt.state != AttemptState.RUNNING:
        raise Refusal(
            "attempt_closed",
            gettext_noop("这份卷子已经交了，不能再改。"),
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


def submit_attempt(*, actor: User, attempt: Attempt, at: datetime.datetime) -> Attempt:
    """Hand in and mark at once; handing in again returns the marked paper.

    Raises Refusal `trainee_required` (403). After the deadline what was saved in time is handed in.
    """
    with transaction.atomic():
        locked = (
            Attempt.objects.select_for_update(of=("self",))
            .select_related("exam__lesson", "enrolment__training_class")
            .get(pk=attempt.pk)
        )
        if require_trainee(actor, locked.enrolment.training_class).pk != locked.enrolment_id:
            _own_running(actor, attempt, at)
        if locked.state == AttemptState.RUNNING:
            _hand_in(locked, actor=actor, at=min(at, locked.deadline_at), by_deadline=at > locked.deadline_at)
    return locked


def close_due_attempts(*, at: datetime.datetime) -> int:
    """Hand in every paper whose time is over, with what was saved; returns how many. Run by the beat."""
    closed = 0
    due = Attempt.objects.filter(state=AttemptState.RUNNING, deadline_at__lt=at).values_list("pk", flat=True)
    for pk in list(due):
        with transaction.atomic():
            attempt = (
                Attempt.objects.select_for_update(of=("self",), skip_locked=True)
                .select_related("exam__lesson", "enrolment__training_class")
                .filter(pk=pk, state=AttemptState.RUNNING)
                .first()
            )
            if attempt:
                _hand_in(attempt, actor=None, at=attempt.deadline_at, by_deadline=True)
                closed += 1
    return closed


def _hand_in(attempt: Attempt, *, actor: User | None, at: datetime.datetime, by_deadline: bool) -> None:
    """Mark and close a locked, running attempt; the exam lesson's hours are earned by handing in."""
    chosen = dict(attempt.answers.values_list("question", "chosen"))
    attempt.state = ATTEMPT_MOVES[attempt.state]["submit"]
    attempt.submitted_at = at
    attempt.points = mark(attempt.exam.paper, chosen)
    attempt.save(update_fields=["state", "submitted_at", "points"])
    answers = [[place, chosen[place]] for place in sorted(chosen)]
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
            "answers": hashlib.sha256(rfc8785.dumps(answers)).hexdigest(),
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
