"""Coursework (培训成果): handed in by the trainee, scored by the lecturer (P13, M10)."""

import datetime
import hashlib

from django.db import transaction
from django.utils.translation import gettext_noop

import audit
from accounts import editions
from accounts.models import User
from accounts.permissions import roles_of
from accounts.states import Role
from attendance.actions.units import credit_unit
from attendance.permissions import require_trainee
from classes.models import Enrolment, Lesson, TrainingClass
from classes.permissions import can_teach
from classes.states import ClassState
from exams.models import Submission
from policy.refusals import Refusal
from policy.terms import HourKind

MIN_CHARACTERS = 20
MAX_CHARACTERS = 20_000


def submit_coursework(*, actor: User, lesson: Lesson, text: str, at: datetime.datetime) -> Submission:
    """Hand in one's work for a homework lesson; until it is scored a new text replaces the old.

    Raises Refusal `trainee_required` (403), `coursework_lesson_wrong`, `coursework_not_open`,
    `coursework_closed`, `coursework_scored`, `coursework_length` (400).
    """
    text = text.strip()
    with transaction.atomic():
        training_class = TrainingClass.objects.select_for_update(no_key=True).get(pk=lesson.training_class_id)
        enrolment = Enrolment.objects.select_for_update(no_key=True).get(
            pk=require_trainee(actor, training_class).pk
        )
        if lesson.kind != HourKind.HOMEWORK:
            raise Refusal(
                "coursework_lesson_wrong",
                gettext_noop("这节课不用交作业。"),
                found=HourKind(lesson.kind),
                required=HourKind.HOMEWORK,
                rule="P13",
                next_step=gettext_noop("请从课表里的“作业”一节进入。"),
            )
        existing = Submission.objects.filter(lesson=lesson, enrolment=enrolment).first()
        _require_open(training_class, lesson, existing, at)
        if not MIN_CHARACTERS <= len(text) <= MAX_CHARACTERS:
            raise Refusal(
                "coursework_length",
                gettext_noop("内容要在 %(least)s 到 %(most)s 字之间，现在 %(found)s 字。"),
                found=len(text),
                required=f"{MIN_CHARACTERS}–{MAX_CHARACTERS}",
                rule="P13",
                params={"least": MIN_CHARACTERS, "most": MAX_CHARACTERS, "found": len(text)},
                next_step=gettext_noop("请改好再交，写的内容还在页面上。"),
                status=400,
            )
        if existing and existing.text == text:
            return existing
        submission, _created = Submission.objects.update_or_create(
            lesson=lesson, enrolment=enrolment, defaults={"text": text, "submitted_at": at}
        )
        audit.record(
            "coursework.submitted",
            actor_id=actor.pk,
            subject=enrolment.subject,
            facts={
                "submission": submission.pk,
                "lesson": lesson.pk,
                "characters": len(text),
                "text": hashlib.sha256(text.encode()).hexdigest(),
            },
            at=at,
        )
        credit_unit(
            enrolment=enrolment, lesson=lesson, source=f"submission/{submission.pk}", actor=actor, at=at
        )
    return submission


def _require_open(
    training_class: TrainingClass, lesson: Lesson, existing: Submission | None, at: datetime.datetime
) -> None:
    if at < lesson.starts_at:
        raise Refusal(
            "coursework_not_open",
            gettext_noop("还没有到交作业的时间。"),
            found=at.isoformat(),
            required=lesson.starts_at.isoformat(),
            rule="P13",
            next_step=gettext_noop("请在课表写的时间再来。"),
        )
    if training_class.state not in (ClassState.APPROVED, ClassState.RUNNING):
        raise Refusal(
            "coursework_closed",
            gettext_noop("班级%(state)s，不再收作业。"),
            found=ClassState(training_class.state),
            required=[ClassState.APPROVED, ClassState.RUNNING],
            rule="P13",
            params={"state": training_class.get_state_display()},
            next_step=gettext_noop("请联系本班讲师。"),
        )
    if existing and existing.scored_at:
        raise Refusal(
            "coursework_scored",
            gettext_noop("讲师已经评过分，不能再改。"),
            found=existing.scored_at.isoformat(),
            required=False,
            rule="P13",
            next_step=gettext_noop("对评分有疑问，请联系本班讲师。"),
        )


def score_coursework(
    *, actor: User, submission: Submission, score: int, comment: str, at: datetime.datetime
) -> Submission:
    """Score a work from 0 to 100 with a comment; a later score replaces the earlier one, both are on record.

    The same score again changes nothing. Raises Refusal `lecturer_required` (403),
    `score_out_of_range` (400), `class_concluded` where the edition lets the score decide on the certificate.
    """
    with transaction.atomic():
        submission = (
            Submission.objects.select_for_update(of=("self",))
            .select_related("enrolment__training_class")
            .get(pk=submission.pk)
        )
        if not can_teach(actor, submission.enrolment.training_class):
            raise Refusal(
                "lecturer_required",
                gettext_noop("培训成果由本班讲师或助教评分。"),
                found=roles_of(actor),
                required=[Role.LECTURER, Role.ASSISTANT],
                rule="M10",
                next_step=gettext_noop("请联系本班讲师。"),
                status=403,
            )
        if not 0 <= score <= 100:
            raise Refusal(
                "score_out_of_range",
                gettext_noop("评分要在 0 到 100 之间。"),
                found=score,
                required="0–100",
                rule="M10",
                next_step=gettext_noop("请重新填写。"),
                status=400,
            )
        if (submission.score, submission.comment) == (score, comment.strip()):
            return submission
        _require_no_conclusion(submission.enrolment.training_class)
        submission.score, submission.comment = score, comment.strip()
        submission.scored_by, submission.scored_at = actor, at
        submission.save(update_fields=["score", "comment", "scored_by", "scored_at"])
        audit.record(
            "coursework.scored",
            actor_id=actor.pk,
            subject=submission.enrolment.subject,
            facts={"submission": submission.pk, "score": score},
            at=at,
        )
    return submission


def _require_no_conclusion(training_class: TrainingClass) -> None:
    """A score that gates the certificate (M10) cannot come after the certificates."""
    gate = editions.edition(training_class.edition).reading("outcome_gate").code
    if gate == "required" and training_class.state == ClassState.FINISHED:
        raise Refusal(
            "class_concluded",
            gettext_noop("班级已经结班，培训成果不能再评分。"),
            found=ClassState(training_class.state),
            required=ClassState.RUNNING,
            rule="M10",
            next_step=gettext_noop("对结论有疑问，请联系当地人社部门。"),
        )
