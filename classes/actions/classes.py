"""Making, changing, cancelling and finishing a class."""

import datetime
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

import audit
from accounts.editions import all_editions
from accounts.editions import edition as find_edition
from accounts.models import Institution, Person, User
from accounts.permissions import require_role
from accounts.states import Role
from classes import permissions, queries
from classes.actions.bookings import free
from classes.actions.moves import move
from classes.models import MOST_REASON, Lesson, TrainingClass
from classes.standing import is_on_roster
from classes.states import EnrolmentState, LessonState
from courses.models import Course, CourseVersion
from courses.permissions import require_open
from courses.states import VersionState
from policy.classes import judge_edition
from policy.dates import require_near
from policy.messages import gettext_noop
from policy.refusals import Refusal
from policy.timetable import parse_mode
from policy.words import bare


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassDetails:
    """What a manager decides about a class before roster and timetable."""

    name: str
    course: Course
    mode: str
    edition: str
    starts_on: datetime.date
    ends_on: datetime.date
    lecturer: Person | None = None
    assistant: Person | None = None
    # None keeps the version that the class has, or takes the newest published one.
    course_version: CourseVersion | None = None


def lock_class(pk: int) -> TrainingClass:
    """Lock the class until the transaction ends and return it as it now is; the first lock of every action
    here.
    """
    return (
        TrainingClass.objects.select_for_update(of=("self",))
        .select_related("institution__region", "course", "course_version", "lecturer", "assistant")
        .get(pk=pk)
    )


def create_class(*, details: ClassDetails, actor: User, at: datetime.datetime) -> TrainingClass:
    """Enter a new class as a draft of the actor's institution (A5, P8).

    Raises Refusal `role_required` (403), `class_name_missing`, `class_name_taken`, `mode_unknown`,
    `edition_unknown`, `edition_unset` (no standard hours for this course type: H4, A4),
    `edition_elsewhere`, `edition_not_in_force`, `date_out_of_range` (400), `class_dates_reversed`,
    `staff_unknown`, `assistant_is_lecturer`, `course_not_published`,
    `course_not_open` (another institution's own), `course_version_unfit`.
    """
    require_role(actor, Role.MANAGER)
    institution = permissions.managed_institution(actor)
    assert institution is not None  # the membership of a manager names one (accounts)
    with transaction.atomic():
        _judge(details, institution, at)
        training_class = TrainingClass(institution=institution, created_by=actor)
        _write(training_class, details, _version(details, training_class))
        audit.record(
            "class.created",
            actor_id=actor.pk,
            subject=training_class.subject,
            facts=_facts(training_class),
            at=at,
        )
    return training_class


def update_class(
    *, training_class: TrainingClass, details: ClassDetails, actor: User, at: datetime.datetime
) -> TrainingClass:
    """Replace the details of a class that has not been filed or was returned; the same details again change
    nothing.

    Raises as `create_class`, and Refusal `not_the_manager` (403), `class_not_editable`, `is_trainee` (the
    lecturer or assistant is on the class's own roster).
    """
    with transaction.atomic():
        training_class = lock_class(training_class.pk)
        permissions.require_manage(actor, training_class)
        permissions.require_editable(training_class)
        _judge(details, training_class.institution, at)
        _judge_roster(details, training_class)
        before = (training_class.name, _facts(training_class))
        _write(training_class, details, _version(details, training_class))
        if before != (training_class.name, _facts(training_class)):
            audit.record(
                "class.changed",
                actor_id=actor.pk,
                subject=training_class.subject,
                facts=_facts(training_class),
                at=at,
            )
    return training_class


# Steps of apps above this one.
_after_cancelling: list[Callable[[TrainingClass, User, datetime.datetime], None]] = []


def after_cancelling(step: Callable[[TrainingClass, User, datetime.datetime], None]) -> None:
    """Let an app above this one put right what a cancelled class leaves, in the same transaction."""
    _after_cancelling.append(step)


def cancel_class(
    *, training_class: TrainingClass, reason: str, actor: User, at: datetime.datetime
) -> TrainingClass:
    """Give up a class before its first lesson; raises Refusal `reason_missing`, `move_refused`,
    `not_the_manager`.
    """
    with transaction.atomic():
        training_class = lock_class(training_class.pk)
        permissions.require_manage(actor, training_class)
        reason = bare(reason)
        if not 0 < len(reason) <= MOST_REASON:
            raise Refusal(
                "reason_missing",
                gettext_noop("取消开班要写明理由，最多 %(most)s 个字。"),
                found=len(reason),
                required=MOST_REASON,
                params={"most": MOST_REASON},
                next_step=gettext_noop("请写上理由再提交。"),
                status=400,
            )
        move(training_class, "cancel")
        free(training_class)
        training_class.cancel_reason = reason
        training_class.save(update_fields=["state", "cancel_reason"])
        audit.record(
            "class.cancelled",
            actor_id=actor.pk,
            subject=training_class.subject,
            facts={"reason": hashlib.sha256(reason.encode()).hexdigest()},
            at=at,
        )
        for step in _after_cancelling:
            step(training_class, actor, at)
    return training_class


def finish_class(*, training_class: TrainingClass, actor: User, at: datetime.datetime) -> TrainingClass:
    """End the training once every lesson is over; a class that is already finished is returned as it is.

    Raises Refusal `lessons_left` (a planned lesson is still to come), `lesson_still_open`, `move_refused`,
    `not_the_staff` (403).
    """
    with transaction.atomic():
        training_class = lock_class(training_class.pk)
        if not permissions.can_manage(actor, training_class):
            permissions.require_teach(actor, training_class)
        if training_class.finished_at is not None:
            return training_class
        lessons = list(Lesson.objects.select_for_update().filter(training_class=training_class))
        running = [lesson for lesson in lessons if lesson.state == LessonState.OPEN]
        if running:
            raise Refusal(
                "lesson_still_open",
                gettext_noop("“%(title)s”还没有下课。"),
                found=len(running),
                required=0,
                rule="F1",
                params={"title": running[0].title},
                next_step=gettext_noop("请讲师或助教先下课，再结班。"),
            )
        ahead = [lesson for lesson in lessons if lesson.state == LessonState.PLANNED and lesson.ends_at > at]
        if ahead:
            raise Refusal(
                "lessons_left",
                gettext_noop("课表上还有 %(count)s 节课没有上完。"),
                found=len(ahead),
                required=0,
                rule="F1",
                params={"count": len(ahead)},
                next_step=gettext_noop("请等最后一节课结束再结班。"),
            )
        move(training_class, "finish")
        training_class.finished_at = at
        training_class.save(update_fields=["state", "finished_at"])
        audit.record(
            "class.finished",
            actor_id=actor.pk,
            subject=training_class.subject,
            facts={
                "lessons": len(lessons),
                "trainees": training_class.enrolments.filter(state=EnrolmentState.ACTIVE).count(),
            },
            at=at,
        )
    return training_class


def _judge(details: ClassDetails, institution: Institution, at: datetime.datetime) -> None:
    if not bare(details.name) or len(bare(details.name)) > 80:
        raise Refusal(
            "class_name_missing",
            gettext_noop("班级名称要写 1 到 80 个字。"),
            found=len(bare(details.name)),
            required="1–80",
            next_step=gettext_noop("请写上班级名称。"),
            status=400,
        )
    parse_mode(details.mode)
    edition = find_edition(details.edition)
    edition.number("standard_hours", details.course.course_type)
    today = timezone.localdate(at)
    require_near(details.starts_on, today=today, name=gettext_noop("开班日期"), field="starts_on", rule="F9")
    require_near(details.ends_on, today=today, name=gettext_noop("结班日期"), field="ends_on", rule="F9")
    if details.ends_on < details.starts_on:
        raise Refusal(
            "class_dates_reversed",
            gettext_noop("结班日期 %(ends)s 早于开班日期 %(starts)s。"),
            found=details.ends_on,
            required=details.starts_on,
            rule="F9",
            params={"ends": details.ends_on, "starts": details.starts_on},
            next_step=gettext_noop("请把结班日期改到开班当天或以后。"),
            status=400,
        )
    if not edition.follows_norm:
        raise Refusal(
            "edition_elsewhere",
            gettext_noop("《%(edition)s》是别处的规定，只供比较，不能按它开班。"),
            found=edition.id,
            required=[one.id for one in all_editions().values() if one.follows_norm],
            rule="F9",
            params={"edition": edition.title},
            next_step=gettext_noop("请换一个政策版本。"),
        )
    if not edition.in_force(details.starts_on):
        finding = judge_edition(edition, starts_on=details.starts_on)
        raise Refusal(
            "edition_not_in_force",
            finding.message,
            found=finding.actual,
            required=finding.required,
            rule=finding.row,
            params=finding.params,
            next_step=gettext_noop("请换一个政策版本，或改开班日期。"),
        )
    for person, role in ((details.lecturer, Role.LECTURER), (details.assistant, Role.ASSISTANT)):
        if person is not None and not queries.staff_of(institution, role).filter(pk=person.pk).exists():
            raise Refusal(
                "staff_unknown",
                gettext_noop("选的%(role)s不在本机构的%(role)s名单里。"),
                found=False,
                required=role,
                rule="F13" if role == Role.LECTURER else "F14",
                params={"role": str(role.label)},
                next_step=gettext_noop("请从名单里选一位。"),
                status=400,
            )
    if details.lecturer is not None and details.lecturer == details.assistant:
        raise Refusal(
            "assistant_is_lecturer",
            gettext_noop("讲师和助教要由两个人分别担任。"),
            found=1,
            required=2,
            rule="F14",
            next_step=gettext_noop("请另选一名助教。"),
        )


def _judge_roster(details: ClassDetails, training_class: TrainingClass) -> None:
    """Who learns in a class neither teaches nor assists in it (F13, F14)."""
    for person, role in ((details.lecturer, Role.LECTURER), (details.assistant, Role.ASSISTANT)):
        if person is not None and is_on_roster(training_class, person):
            raise Refusal(
                "is_trainee",
                gettext_noop("选的%(role)s在这个班的花名册里，不能同时当学员。"),
                found=Role.TRAINEE,
                required=role,
                rule="F13" if role == Role.LECTURER else "F14",
                params={"role": str(role.label)},
                next_step=gettext_noop("请另选一位，或先把他移出花名册。"),
            )


def _version(details: ClassDetails, training_class: TrainingClass) -> CourseVersion:
    """The version that the class is to teach: the one asked for, its own, or the newest published."""
    institution, course = training_class.institution, details.course
    keeps = training_class.course_version
    if keeps is not None and keeps.course_id == course.pk and details.course_version in (None, keeps):
        return keeps
    newest = require_open(course, institution)
    asked = details.course_version or newest
    if asked.course_id != course.pk or asked.state != VersionState.PUBLISHED:
        raise Refusal(
            "course_version_unfit",
            gettext_noop("选的版本不是课程“%(course)s”已发布的版本。"),
            found=asked.pk,
            required=newest.pk,
            rule="A2",
            params={"course": course.name},
            next_step=gettext_noop("请选这门课已发布的版本。"),
            status=400,
        )
    return asked


def _write(training_class: TrainingClass, details: ClassDetails, version: CourseVersion) -> None:
    training_class.name = bare(details.name)
    training_class.course = details.course
    training_class.course_version = version
    training_class.mode = details.mode
    training_class.edition = details.edition
    training_class.starts_on = details.starts_on
    training_class.ends_on = details.ends_on
    training_class.lecturer = details.lecturer
    training_class.assistant = details.assistant
    try:
        with transaction.atomic():
            training_class.save()
    except IntegrityError as error:
        if "class_name_once_per_institution" not in str(error):
            raise
        raise Refusal(
            "class_name_taken",
            gettext_noop("本机构已经有一个班叫“%(name)s”。"),
            found=True,
            required=False,
            params={"name": training_class.name},
            next_step=gettext_noop("请换一个名称，例如加上期数。"),
        ) from None


def _facts(training_class: TrainingClass) -> dict[str, audit.kinds.Fact]:
    return {
        "course": training_class.course_id,
        "course_version": training_class.course_version_id,
        "mode": training_class.mode,
        "edition": training_class.edition,
        "starts_on": training_class.starts_on,
        "ends_on": training_class.ends_on,
        "lecturer": training_class.lecturer_id,
        "assistant": training_class.assistant_id,
    }
