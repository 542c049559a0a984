"""Rows that tests write at once, together with the evidence that the real actions would have left."""

import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

import audit
from accounts import vault
from accounts.models import Person
from classes.actions.roster import commitment_of
from classes.actions.timetable import timetable_digest
from classes.models import Enrolment, Lesson, TrainingClass
from classes.states import ClassState, EnrolmentState
from classes.timetables import drafts_of, hours_by_kind

BEFORE = datetime.datetime(2026, 8, 1, tzinfo=datetime.UTC)


def record(kind: str, subject: str, at: datetime.datetime, /, *, by: int | None = None, **facts: Any) -> None:
    with transaction.atomic():
        audit.record(kind, actor_id=by, subject=subject, facts=facts, at=at)


def class_on_record(**details: Any) -> TrainingClass:
    """A class with the entry of its making."""
    training_class = TrainingClass.objects.create(**details)
    _details("class.created", training_class)
    return training_class


def change_on_record(training_class: TrainingClass, **details: Any) -> None:
    """Other details of the class, such as its mode."""
    for name, value in details.items():
        setattr(training_class, name, value)
    training_class.save(update_fields=details)
    _details("class.changed", training_class)


def _details(kind: str, training_class: TrainingClass) -> None:
    names = ("course", "course_version", "lecturer", "assistant")
    record(
        kind,
        training_class.subject,
        BEFORE,
        mode=training_class.mode,
        edition=training_class.edition,
        starts_on=training_class.starts_on,
        ends_on=training_class.ends_on,
        **{name: getattr(training_class, f"{name}_id") for name in names},
    )


def finish_on_record(training_class: TrainingClass, at: datetime.datetime) -> None:
    """Its lessons are over, and so is the class."""
    TrainingClass.objects.filter(pk=training_class.pk).update(state=ClassState.FINISHED, finished_at=at)
    record("class.finished", training_class.subject, at, lessons=1, trainees=1)


def enrol_on_record(
    training_class: TrainingClass, person: Person, category: str = "rural_worker"
) -> Enrolment:
    """A trainee of the class, committed to as the roster does."""
    salt = audit.new_salt()
    enrolment = Enrolment.objects.create(
        training_class=training_class,
        person=person,
        category=category,
        commitment_salt_sealed=vault.seal(salt, context=Enrolment.SALT_CONTEXT),
    )
    record(
        "roster.trainee_added",
        training_class.subject,
        BEFORE,
        trainee=enrolment.pk,
        trainees=_active(training_class),
        source="roster",
        commitment=commitment_of(person.open_id_number(), person.name, category, salt=salt),
    )
    return enrolment


def leave_on_record(enrolment: Enrolment) -> None:
    Enrolment.objects.filter(pk=enrolment.pk).update(state=EnrolmentState.LEFT)
    training_class = enrolment.training_class
    record(
        "roster.trainee_removed",
        training_class.subject,
        BEFORE,
        trainee=enrolment.pk,
        trainees=_active(training_class),
    )


def timetable_on_record(training_class: TrainingClass) -> None:
    """The timetable as its rows now stand."""
    drafts = drafts_of(training_class.lessons.all())
    hours = hours_by_kind(drafts)
    record(
        "timetable.set",
        training_class.subject,
        BEFORE,
        lessons=len(drafts),
        total=sum(hours.values(), Decimal(0)),
        hours={kind.value: count for kind, count in hours.items()},
        timetable=timetable_digest(drafts),
    )


def held_on_record(lesson: Lesson) -> None:
    """That the lesson was opened, and closed where it was."""
    if lesson.opened_at is not None:
        record("lesson.opened", lesson.subject, lesson.opened_at, kind=lesson.kind, hours=lesson.hours)
    if lesson.opened_at is not None and lesson.closed_at is not None:
        record("lesson.closed", lesson.subject, lesson.closed_at, opened_at=lesson.opened_at)


def _active(training_class: TrainingClass) -> int:
    return training_class.enrolments.filter(state=EnrolmentState.ACTIVE).count()
