"""Putting one person on the roster of a class: what a registration becomes (P8, F6, I4)."""

import datetime

from django.db import transaction

import audit
from accounts import vault
from accounts.actions import ensure_trainee_account, find_or_create_person
from accounts.editions import edition as find_edition
from accounts.id_numbers import IdNumber
from accounts.models import User
from accounts.states import Role
from classes import permissions
from classes.actions.classes import lock_class
from classes.actions.moves import move
from classes.actions.roster import commitment_of
from classes.models import Enrolment, TrainingClass
from classes.states import EnrolmentState
from policy.classes import judge_class_size
from policy.messages import gettext_noop
from policy.refusals import Refusal


def enrol(
    *,
    training_class: TrainingClass,
    name: str,
    id_number: IdNumber,
    phone: str,
    category: str,
    source: str,
    actor: User,
    at: datetime.datetime,
) -> Enrolment:
    """Put one person on the roster of a draft or returned class, with an account to sign in (P7, P8, F6).

    `source` says where the registration came from (I4), at most 40 characters. Somebody who had left comes
    back. Raises Refusal `class_full`, `already_enrolled`, `is_staff`, `name_differs`, `class_not_editable`,
    `edition_unset` (no cap for this course type), `not_the_manager` (403).
    """
    with transaction.atomic():
        training_class = lock_class(training_class.pk)
        permissions.require_manage(actor, training_class)
        permissions.require_editable(training_class)
        person = find_or_create_person(name=name, id_number=id_number, phone=phone, at=at)
        if person.pk in (training_class.lecturer_id, training_class.assistant_id):
            raise Refusal(
                "is_staff",
                gettext_noop("是这个班的讲师或助教，不能同时当学员。"),
                found=Role.LECTURER if person.pk == training_class.lecturer_id else Role.ASSISTANT,
                required=Role.TRAINEE,
                rule="F14",
                next_step=gettext_noop("请换一个班，或换一名讲师、助教。"),
            )
        enrolment = Enrolment.objects.filter(training_class=training_class, person=person).first()
        if enrolment is not None and enrolment.state == EnrolmentState.ACTIVE:
            raise Refusal(
                "already_enrolled",
                gettext_noop("已经在这个班的花名册里。"),
                found=True,
                required=False,
                rule="P7",
                next_step=gettext_noop("不用再分班。"),
            )
        if not free_places(training_class):
            edition = find_edition(training_class.edition)
            finding = judge_class_size(edition, training_class.course.course_type, active(training_class))
            raise Refusal(
                "class_full",
                gettext_noop("这个班已经有 %(size)s 人，到了上限 %(most)s 人。"),
                found=finding.actual,
                required=finding.required,
                rule=finding.row,
                params={"size": finding.actual, "most": finding.required},
                next_step=gettext_noop("请换一个班，或先放入候补名单。"),
            )
        salt = audit.new_salt()
        sealed = vault.seal(salt, context=Enrolment.SALT_CONTEXT)
        if enrolment is None:
            enrolment = Enrolment(training_class=training_class, person=person)
        else:
            move(enrolment, "rejoin")
        enrolment.category, enrolment.source = category, source
        enrolment.commitment_salt_sealed = sealed
        enrolment.seal_phone(phone)
        enrolment.save()
        ensure_trainee_account(person=person, at=at)
        audit.record(
            "roster.trainee_added",
            actor_id=actor.pk,
            subject=training_class.subject,
            facts={
                "trainee": enrolment.pk,
                "trainees": active(training_class),
                "source": source,
                "commitment": commitment_of(id_number.value, name, category, salt=salt),
            },
            at=at,
        )
    return enrolment


def free_places(training_class: TrainingClass) -> int:
    """How many more trainees the class may take under its edition; raises `edition_unset` without a cap."""
    most = find_edition(training_class.edition).whole("class_size_cap", training_class.course.course_type)
    return max(0, most - active(training_class))


def active(training_class: TrainingClass) -> int:
    """How many are on the active roster now."""
    return training_class.enrolments.filter(state=EnrolmentState.ACTIVE).count()
