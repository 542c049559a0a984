"""Into a class, onto the waiting list, or refused: the institution's answer to a registration (F6, P8)."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from accounts.models import User
from classes.actions import enrol, free_places, remove_trainee
from classes.actions.classes import lock_class
from classes.models import Enrolment, TrainingClass
from classes.permissions import require_editable, require_manage
from classes.recruitment.actions.moves import move
from classes.recruitment.actions.registrations import lock_registration, record_move
from classes.recruitment.models import Registration
from classes.recruitment.permissions import require_manages
from classes.recruitment.queries import waiting_list
from classes.recruitment.states import REGISTRATION_MOVES, RegistrationState, Source
from classes.states import ClassState, EnrolmentState
from policy.messages import gettext_noop
from policy.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Placement:
    """What became of several registrations at once; nobody is left out silently."""

    assigned: tuple[Registration, ...]
    waiting: tuple[Registration, ...]
    refused: tuple[tuple[Registration, Refusal], ...]


def assign(
    *, registration: Registration, training_class: TrainingClass, actor: User, at: datetime.datetime
) -> Registration:
    """Put one screened or waiting applicant on the roster of a class that may still change (F6, P8).

    Raises Refusal `class_full`, `course_not_fitting` (F6), `already_assigned`, `move_refused`, and those of
    `classes.actions.enrol`; Http404 for strangers.
    """
    require_manages(actor, registration.institution_id)
    with transaction.atomic():
        training_class = _lock(training_class, registration.institution_id, actor)
        return _assign(lock_registration(registration.pk), training_class, actor, at)


def assign_many(
    *,
    registrations: Sequence[Registration],
    training_class: TrainingClass,
    actor: User,
    at: datetime.datetime,
) -> Placement:
    """Put several into a class in the order in which they registered; who no longer fits in waits (P8).

    The class is never filled above its cap: the rest goes onto the waiting list. Whoever cannot be assigned
    for another reason stays where they are and is named with that reason. Raises as `assign` for the class.
    """
    assigned, waiting, refused = [], [], []
    with transaction.atomic():
        institution_id = training_class.institution_id
        for registration in registrations:
            require_manages(actor, registration.institution_id)
        training_class = _lock(training_class, institution_id, actor)
        for registration in sorted(registrations, key=lambda each: (each.submitted_at, each.pk)):
            try:
                with transaction.atomic():
                    row = lock_registration(registration.pk)
                    if free_places(training_class) or row.state == RegistrationState.WAITING:
                        assigned.append(_assign(row, training_class, actor, at))
                    else:
                        _judge_fit(row, training_class)
                        waiting.append(_wait(row, actor, at))
            except Refusal as refusal:
                refused.append((registration, refusal))
    return Placement(tuple(assigned), tuple(waiting), tuple(refused))


def promote_waiting(*, training_class: TrainingClass, actor: User, at: datetime.datetime) -> Placement:
    """Fill the free places of a class from the waiting list of its course type, who waits longest first (P8).

    Whoever cannot be assigned keeps their place on the list and is named with the reason; the next one
    moves up. Raises Refusal `waiting_list_empty`, `class_full`, `class_not_editable`; Http404 for strangers.
    """
    assigned, refused = [], []
    with transaction.atomic():
        training_class = _lock(training_class, training_class.institution_id, actor)
        if not free_places(training_class):
            raise Refusal(
                "class_full",
                gettext_noop("这个班没有空名额。"),
                found=0,
                required=1,
                rule="P8",
                next_step=gettext_noop("有人退出以后再递补。"),
            )
        queue = list(waiting_list(training_class.institution_id, training_class.course.course_type))
        if not queue:
            raise Refusal(
                "waiting_list_empty",
                gettext_noop("候补名单上没有人在等这类课程。"),
                found=0,
                required=1,
                rule="P8",
                next_step=gettext_noop("可以从待分班的报名里选人。"),
            )
        for registration in queue:
            if not free_places(training_class):
                break
            try:
                with transaction.atomic():
                    assigned.append(_assign(lock_registration(registration.pk), training_class, actor, at))
            except Refusal as refusal:
                refused.append((registration, refusal))
    return Placement(tuple(assigned), (), tuple(refused))


def put_on_waiting_list(*, registration: Registration, actor: User, at: datetime.datetime) -> Registration:
    """Let a screened applicant wait for a place; raises `no_fitting_course`, `move_refused`, Http404."""
    require_manages(actor, registration.institution_id)
    with transaction.atomic():
        return _wait(lock_registration(registration.pk), actor, at)


def reject(*, registration: Registration, reason: str, actor: User, at: datetime.datetime) -> Registration:
    """Turn a registration down with a reason that the applicant reads; raises `reason_missing` (400),
    `move_refused`, Http404 for strangers.
    """
    require_manages(actor, registration.institution_id)
    reason = reason.strip()
    if not reason or len(reason) > 300:
        raise Refusal(
            "reason_missing",
            gettext_noop("不录取要写明理由，300 个字以内，学员会看到。"),
            found=len(reason),
            required="1–300",
            rule="F5",
            next_step=gettext_noop("请写上理由再提交。"),
            status=400,
        )
    with transaction.atomic():
        registration = lock_registration(registration.pk)
        move(registration, "reject")
        registration.waiting_since = None
        registration.reason = reason
        _decided(registration, actor, at, "waiting_since", "reason")
        record_move(registration, actor=actor, at=at, reason=reason)
    return registration


def reopen(*, registration: Registration, actor: User, at: datetime.datetime) -> Registration:
    """Take a rejected registration up again, before screening; raises `move_refused`, Http404."""
    require_manages(actor, registration.institution_id)
    with transaction.atomic():
        registration = lock_registration(registration.pk)
        move(registration, "reopen")
        registration.reason = ""
        registration.fitting_course = None
        _decided(registration, actor, at, "reason", "fitting_course")
        record_move(registration, actor=actor, at=at)
    return registration


def release(*, registration: Registration, actor: User, at: datetime.datetime) -> Registration:
    """Take somebody off the roster of a class that may still change, back to those who wait for a class.

    Who was taken off on the roster's own page, or whose class was cancelled, only has the registration put
    right: the roster of a cancelled class stays as it was. Raises `move_refused`,
    `class_not_editable`, Http404 for strangers.
    """
    require_manages(actor, registration.institution_id)
    with transaction.atomic():
        training_class = registration.training_class
        if training_class is not None:
            lock_class(training_class.pk)
        registration = lock_registration(registration.pk)
        enrolment = registration.enrolment
        if (
            enrolment is not None
            and enrolment.state == EnrolmentState.ACTIVE
            and enrolment.training_class.state != ClassState.CANCELLED
        ):
            remove_trainee(enrolment=enrolment, actor=actor, at=at)
        _release(registration, actor, at)
    return registration


def release_of_cancelled(training_class: TrainingClass, actor: User, at: datetime.datetime) -> None:
    """Put everybody who was assigned to a cancelled class back to those who wait for one."""
    assigned = Registration.objects.filter(
        enrolment__training_class=training_class, state=RegistrationState.ASSIGNED
    )
    for pk in assigned.order_by("pk").values_list("pk", flat=True):
        _release(lock_registration(pk), actor, at)


def _release(registration: Registration, actor: User, at: datetime.datetime) -> None:
    move(registration, "release")
    registration.enrolment = None
    _decided(registration, actor, at, "enrolment")
    record_move(registration, actor=actor, at=at)


def _lock(training_class: TrainingClass, institution_id: int, actor: User) -> TrainingClass:
    training_class = lock_class(training_class.pk)
    require_manage(actor, training_class)
    require_manages(actor, institution_id)
    require_editable(training_class)
    if training_class.institution_id != institution_id:
        raise Refusal(
            "class_of_another_institution",
            gettext_noop("这个班不是报名的那家机构的。"),
            found=False,
            required=True,
            rule="I4",
            next_step=gettext_noop("请选本机构的班。"),
        )
    return training_class


def _assign(
    registration: Registration, training_class: TrainingClass, actor: User, at: datetime.datetime
) -> Registration:
    _require_move(registration, "assign")
    _judge_fit(registration, training_class)
    _judge_once(registration, training_class)
    enrolment = enrol(
        training_class=training_class,
        name=registration.name,
        id_number=registration.open_id_number(),
        phone=registration.open_phone(),
        category=registration.category,
        source=_source(registration),
        actor=actor,
        at=at,
    )
    move(registration, "assign")
    registration.waiting_since = None
    registration.enrolment, registration.person = enrolment, enrolment.person
    _decided(registration, actor, at, "waiting_since", "enrolment", "person")
    record_move(registration, actor=actor, at=at)
    return registration


def _wait(registration: Registration, actor: User, at: datetime.datetime) -> Registration:
    _require_move(registration, "wait")
    if registration.fitting_course is None:
        raise Refusal(
            "no_fitting_course",
            gettext_noop("筛选结果是暂不适合，没有可以等的课程。"),
            found=False,
            required=True,
            rule="F6",
            next_step=gettext_noop("请先改判并写明理由，或不录取。"),
        )
    move(registration, "wait")
    registration.waiting_since = at
    _decided(registration, actor, at, "waiting_since")
    record_move(registration, actor=actor, at=at)
    return registration


def _require_move(registration: Registration, verb: str) -> None:
    """Hear "not from this state" before anything else is judged."""
    if verb not in REGISTRATION_MOVES[registration.state]:
        move(registration, verb)


def _judge_fit(registration: Registration, training_class: TrainingClass) -> None:
    """F6: the class teaches the course type that the screening found fitting."""
    fitting = registration.fitting_course
    if fitting is not None and fitting.course_type == training_class.course.course_type:
        return
    raise Refusal(
        "course_not_fitting",
        gettext_noop("筛选认为适合的课程是“%(fitting)s”，这个班是“%(course)s”。")
        if fitting
        else gettext_noop("筛选结果是暂不适合，不能分到“%(course)s”的班。"),
        found=training_class.course.course_type,
        required=fitting.course_type if fitting else False,
        rule="F6",
        params={"fitting": fitting.name if fitting else "", "course": training_class.course.name},
        next_step=gettext_noop("请换一个班；认为筛选结果不对，请先改判并写明理由。"),
    )


def _judge_once(registration: Registration, training_class: TrainingClass) -> None:
    """Nobody sits in two classes of one course type at one institution at the same time (S6)."""
    other = (
        Enrolment.objects.filter(
            person__id_number_index=registration.id_number_index,
            state=EnrolmentState.ACTIVE,
            training_class__institution=training_class.institution_id,
            training_class__course__course_type=training_class.course.course_type,
        )
        .exclude(training_class__state__in=[ClassState.CANCELLED, ClassState.FINISHED])
        .exclude(training_class=training_class)
        .select_related("training_class")
        .first()
    )
    if other is not None:
        raise Refusal(
            "already_assigned",
            gettext_noop("已经在本机构的“%(name)s”里。"),
            found=other.training_class.name,
            required=False,
            rule="S6",
            params={"name": other.training_class.name},
            next_step=gettext_noop("同类培训一次只进一个班。"),
        )


def _source(registration: Registration) -> str:
    """The source as the roster keeps it (I4)."""
    if registration.event is not None:
        return f"{Source.EVENT.value}/{registration.event.code}"
    if registration.source == Source.CAMPAIGN:
        return f"{Source.CAMPAIGN.value}/{registration.campaign_id}"
    return str(registration.source)


def _decided(registration: Registration, actor: User, at: datetime.datetime, *fields: str) -> None:
    registration.decided_at, registration.decided_by = at, actor
    registration.save(update_fields=["state", "decided_at", "decided_by", *fields])
