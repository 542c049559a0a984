"""Opening and closing a lesson: the state and its evidence. What happens in the room is `classes.live`'s
affair.
"""

import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format

import audit
from accounts.editions import edition as find_edition
from accounts.models import User
from accounts.registers.queries import cancelled_on, disqualified_on
from classes import permissions, queries
from classes.actions.classes import lock_class
from classes.actions.moves import move
from classes.models import Lesson, TrainingClass
from classes.standing import staff_in_office
from classes.states import ClassState, LessonState
from policy.messages import gettext_noop
from policy.refusals import Refusal
from policy.terms import HourKind


def opens_at(lesson: Lesson) -> datetime.datetime:
    """When the staff may open the lesson: with the sign-in, and never later than the lecturer must be there
    (L2).

    Raises Refusal `edition_unset` where the edition gives neither.
    """
    edition = find_edition(lesson.training_class.edition)
    leads = [
        edition.seconds(name) for name in ("sign_in_opens_before", "lecturer_early") if edition.is_set(name)
    ]
    lead = max(leads) if leads else edition.seconds("sign_in_opens_before")
    return lesson.starts_at - datetime.timedelta(seconds=lead)


def open_lesson(*, lesson: Lesson, actor: User, at: datetime.datetime) -> Lesson:
    """Open a lesson for its class; the first one starts the training. An open lesson is returned as it is.

    Raises Refusal `class_not_approved` (F9: no session before approval), `lesson_not_roomed`,
    `lesson_too_early`, `lesson_before_approval` (F9), `lesson_over`, `lecturer_disqualified` (T3),
    `institution_not_designated` (I1), `qualification_cancelled` (Q9), `staff_left` (F13, F14),
    `move_refused` (closed already), `not_the_staff` (403).
    """
    with transaction.atomic():
        training_class = lock_class(lesson.training_class_id)
        lesson = _lock_lesson(lesson.pk, training_class)
        permissions.require_teach(actor, training_class)
        if lesson.state == LessonState.OPEN:
            return lesson
        _judge_opening(lesson, at)
        move(lesson, "open")
        lesson.opened_at = at
        lesson.save(update_fields=["state", "opened_at"])
        if training_class.state == ClassState.APPROVED:
            move(training_class, "start")
            training_class.save(update_fields=["state"])
            audit.record("class.started", actor_id=actor.pk, subject=training_class.subject, facts={}, at=at)
        audit.record(
            "lesson.opened",
            actor_id=actor.pk,
            subject=lesson.subject,
            facts={"kind": lesson.kind, "hours": lesson.hours},
            at=at,
        )
    return lesson


def close_lesson(*, lesson: Lesson, actor: User | None, at: datetime.datetime) -> Lesson:
    """Close an open lesson; a closed one is returned as it is.

    `actor` is None when the platform itself closes a lesson whose planned end has passed. Raises Refusal
    `move_refused` (never opened), `lesson_not_over` (the platform, too early), `not_the_staff` (403).
    """
    with transaction.atomic():
        training_class = lock_class(lesson.training_class_id)
        lesson = _lock_lesson(lesson.pk, training_class)
        if actor is not None:
            permissions.require_teach(actor, training_class)
        elif at < lesson.ends_at:
            raise Refusal(
                "lesson_not_over",
                gettext_noop("这节课还没有到结束时间。"),
                found=at.isoformat(),
                required=lesson.ends_at.isoformat(),
                rule="M6",
                next_step=gettext_noop("请等这节课到点，或由讲师、助教下课。"),
            )
        if lesson.state == LessonState.CLOSED:
            return lesson
        move(lesson, "close")
        assert lesson.opened_at is not None  # an open lesson has been opened
        lesson.closed_at = max(at, lesson.opened_at)
        lesson.save(update_fields=["state", "closed_at"])
        audit.record(
            "lesson.closed",
            actor_id=actor.pk if actor else None,
            subject=lesson.subject,
            facts={"opened_at": lesson.opened_at},
            at=at,
        )
    return lesson


def _lock_lesson(pk: int, training_class: TrainingClass) -> Lesson:
    # NO KEY: rows that refer to the lesson (presence, sign-ins) may still be written while it is held.
    lesson = Lesson.objects.select_for_update(no_key=True).get(pk=pk, training_class=training_class)
    lesson.training_class = training_class
    return lesson


def _judge_opening(lesson: Lesson, at: datetime.datetime) -> None:
    training_class = lesson.training_class
    if training_class.state not in (ClassState.APPROVED, ClassState.RUNNING):
        raise Refusal(
            "class_not_approved",
            gettext_noop("班级%(state)s，备案通过以前不能上课。")
            if training_class.state in (ClassState.DRAFT, ClassState.SUBMITTED, ClassState.RETURNED)
            else gettext_noop("班级%(state)s，不能再上课。"),
            found=ClassState(training_class.state),
            required=ClassState.APPROVED,
            rule="F9",
            params={"state": training_class.get_state_display()},
            next_step=gettext_noop("请机构管理员先办好开班备案。"),
        )
    if not lesson.is_roomed:
        raise Refusal(
            "lesson_not_roomed",
            gettext_noop("%(kind)s课不在直播课堂里上，不用开课。"),
            found=HourKind(lesson.kind),
            required=["live", "tutoring", "quality"],
            rule="A1",
            params={"kind": lesson.get_kind_display()},
            next_step=gettext_noop("学员按课表提交作业或参加考试即可。"),
        )
    earliest = opens_at(lesson)
    if at < earliest:
        raise Refusal(
            "lesson_too_early",
            gettext_noop("现在开课太早，%(earliest)s 起可以开课。"),
            found=at.isoformat(),
            required=earliest.isoformat(),
            rule="L2",
            params={"earliest": date_format(timezone.localtime(earliest), "DATETIME_FORMAT")},
            next_step=gettext_noop("请到时间再开课。"),
        )
    if lesson in queries.before_approval(training_class):
        raise Refusal(
            "lesson_before_approval",
            gettext_noop("这节课本应 %(starts)s 开始，那时备案还没有通过，不能开课。"),
            found=lesson.starts_at.isoformat(),
            required=False,
            rule="F9",
            params={"starts": date_format(timezone.localtime(lesson.starts_at), "DATETIME_FORMAT")},
            next_step=gettext_noop("要补这节课，请机构管理员办理变更备案，重新排课表。"),
        )
    if at >= lesson.ends_at:
        raise Refusal(
            "lesson_over",
            gettext_noop("这节课的时间已经过了，不能再开课。"),
            found=at.isoformat(),
            required=lesson.ends_at.isoformat(),
            rule="M6",
            next_step=gettext_noop("没有上的课请联系经办人员，另行安排。"),
        )
    _judge_institution(training_class, timezone.localdate(at))
    # Whoever opens it: the lesson is the filed lecturer's, and there is no other (F13).
    since = disqualified_on(training_class.lecturer_id, timezone.localdate(at))
    if since is not None:
        raise Refusal(
            "lecturer_disqualified",
            gettext_noop("讲师资格已于 %(since)s 取消，不能开课。"),
            found=since,
            required=False,
            rule="T3",
            params={"since": since},
            next_step=gettext_noop("请机构联系当地人力资源和社会保障部门，换讲师要重新备案。"),
        )
    left = next((one for one in staff_in_office(training_class) if one.blocks), None)
    # An assistant who leaves in mid-course does not strand the trainees: what is filed cannot change then.
    if left is not None and (left.row == "F13" or training_class.state == ClassState.APPROVED):
        raise Refusal(
            "staff_left",
            left.message,
            found=False,
            required=True,
            rule=left.row,
            next_step=gettext_noop("请机构重新登记他的任职；换讲师、助教要重新备案。"),
        )


def _judge_institution(training_class: TrainingClass, today: datetime.date) -> None:
    """Only a designated institution that was not struck off trains, on the day itself (I1, Q9)."""
    since = cancelled_on(training_class.institution_id, today)
    if since is not None:
        raise Refusal(
            "qualification_cancelled",
            gettext_noop("培训资格自 %(since)s 起取消，不能开课。"),
            found=since,
            required=False,
            rule="Q9",
            params={"since": since},
            next_step=gettext_noop("请联系当地人社部门。"),
        )
    if not training_class.institution.is_designated_on(today):
        raise Refusal(
            "institution_not_designated",
            gettext_noop("本机构今天不是定点培训机构，不能开课。"),
            found=False,
            required=True,
            rule="I1",
            next_step=gettext_noop("请联系当地人社部门。"),
        )
