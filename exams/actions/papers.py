"""Setting the final exam of a class from its course's question bank (F22, M9)."""

import datetime
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext_noop

import audit
from accounts.models import User
from classes.models import Lesson, TrainingClass
from classes.permissions import can_manage, require_teach
from classes.states import ClassState
from exams.models import Exam, Question
from exams.on_record import is_paper_on_record, paper_digest
from policy.refusals import Refusal
from policy.terms import HourKind


def set_exam(
    *,
    actor: User,
    training_class: TrainingClass,
    lesson: Lesson,
    at: datetime.datetime,
    questions: Sequence[Question] | None = None,
    seconds_allowed: int | None = None,
) -> Exam:
    """Freeze the paper of a class's final exam; until somebody starts, setting it again replaces it.

    Without `questions` the course's whole bank is taken. The time allowed is at most the lesson's. The same
    exam set again changes nothing.

    Raises Refusal `not_the_staff` (403), Http404 for a stranger, `class_not_approved` (its timetable may
    still change), `exam_lesson_wrong`, `exam_over`, `question_bank_empty`, `question_unknown`,
    `exam_already_sat`, `exam_time_wrong`.
    """
    with transaction.atomic():
        training_class = TrainingClass.objects.select_for_update().get(pk=training_class.pk)
        if not can_manage(actor, training_class):
            require_teach(actor, training_class)
        _judge_lesson(training_class, lesson, at)
        existing = Exam.objects.filter(training_class=training_class).first()
        if existing and existing.attempts.exists():
            raise Refusal(
                "exam_already_sat",
                gettext_noop("已经有人开始答卷，试卷不能再改。"),
                found=True,
                required=False,
                rule="M9",
                next_step=gettext_noop("需要重考的学员，按补考次数安排。"),
            )
        chosen = _chosen(training_class, questions)
        longest = int(lesson.planned.total_seconds())
        allowed = longest if seconds_allowed is None else seconds_allowed
        if not 0 < allowed <= longest:
            raise Refusal(
                "exam_time_wrong",
                gettext_noop("答卷时限要在 1 秒到 %(longest)s 秒之间，不能比这节课长。"),
                found=allowed,
                required=longest,
                rule="M9",
                params={"longest": longest},
                next_step=gettext_noop("请改短时限，或在课表里延长考试课。"),
                status=400,
            )
        paper = [
            {
                "kind": question.kind,
                "stem": question.stem,
                "options": question.options,
                "correct": question.correct,
                "points": question.points,
            }
            for question in chosen
        ]
        points = sum(question.points for question in chosen)
        is_same = existing and (existing.lesson_id, existing.paper, existing.seconds_allowed) == (
            lesson.pk,
            paper,
            allowed,
        )
        if existing and is_same and is_paper_on_record(existing):
            return existing
        exam, _created = Exam.objects.update_or_create(
            training_class=training_class,
            defaults={
                "lesson": lesson,
                "paper": paper,
                "total_points": points,
                "seconds_allowed": allowed,
                "set_by": actor,
                "set_at": at,
            },
        )
        audit.record(
            "exam.set",
            actor_id=actor.pk,
            subject=training_class.subject,
            facts={
                "exam": exam.pk,
                "lesson": lesson.pk,
                "questions": len(paper),
                "points": points,
                "paper": paper_digest(paper),
                "seconds": allowed,
            },
            at=at,
        )
    return exam


def _judge_lesson(training_class: TrainingClass, lesson: Lesson, at: datetime.datetime) -> None:
    if training_class.state not in (ClassState.APPROVED, ClassState.RUNNING):
        raise Refusal(
            "class_not_approved",
            gettext_noop("班级%(state)s，现在不能设置结业考试。"),
            found=ClassState(training_class.state),
            required=[ClassState.APPROVED, ClassState.RUNNING],
            rule="M9",
            params={"state": training_class.get_state_display()},
            next_step=gettext_noop("备案通过以后、结班以前可以设置。"),
        )
    if lesson.training_class_id != training_class.pk or lesson.kind != HourKind.EXAM:
        raise Refusal(
            "exam_lesson_wrong",
            gettext_noop("结业考试要安排在本班课表里的一节考试课上。"),
            found=HourKind(lesson.kind),
            required=HourKind.EXAM,
            rule="M9",
            next_step=gettext_noop("请在课表里选一节“考试”。"),
        )
    if at >= lesson.ends_at:
        raise Refusal(
            "exam_over",
            gettext_noop("结业考试的时间已经过了。"),
            found=at.isoformat(),
            required=lesson.ends_at.isoformat(),
            rule="M9",
            next_step=gettext_noop("请选一节还没有结束的考试课。"),
        )


def _chosen(training_class: TrainingClass, questions: Sequence[Question] | None) -> list[Question]:
    bank = list(Question.objects.filter(course_id=training_class.course_id, retired=False))
    chosen = bank if questions is None else list(dict.fromkeys(questions))
    if not chosen:
        raise Refusal(
            "question_bank_empty",
            gettext_noop("这门课程的题库里还没有试题。"),
            found=0,
            required=1,
            rule="P12",
            next_step=gettext_noop("请先为课程录入试题。"),
        )
    if strange := [question.pk for question in chosen if question not in bank]:
        raise Refusal(
            "question_unknown",
            gettext_noop("有 %(count)s 道题不在这门课程的题库里，或者已经停用。"),
            found=strange,
            required=False,
            rule="P12",
            params={"count": len(strange)},
            next_step=gettext_noop("请只选本课程题库里的试题。"),
            status=400,
        )
    return chosen
