"""What attendance puts into the live room, which cannot know it: parts of its snapshot, a gate at its door.

Also what identity asks and tells upwards: who vouches for people in a class, and that a face has been judged.
"""

import datetime
from typing import Any

from django.urls import reverse

from accounts import start
from accounts.models import User
from attendance import losses, queries
from attendance.actions import settle_sign_in
from attendance.models import SignIn
from attendance.permissions import own_enrolment
from classes.live.registry import register_gate, register_snapshot_part
from classes.models import Lesson, TrainingClass
from classes.permissions import can_teach
from classes.states import LessonState
from identity import outcomes
from identity.permissions import register_in_charge
from identity.states import Purpose


def checks_part(lesson: Lesson, user: User) -> list[dict[str, Any]]:
    """The lesson's checks, the latest first.

    [{check, kind, prompt, options, opened_at, due_at, closed, asked, answered, correct, mine}]: `asked` and
    `answered` are person ids; `correct` is told to staff, and to all once the check is closed; `mine` is
    null for who was not asked, else {answered, option, correct}.
    """
    return [_check(one, user, can_teach(user, lesson.training_class)) for one in queries.checks_of(lesson)]


def sign_in_part(lesson: Lesson, user: User) -> dict[str, Any]:
    """Where this person's sign-in stands, and for staff who still waits and who has not signed in.

    {mine: {sign_in, state, method, requested_at, signed_out_at} | null,
     waiting: [{sign_in, person, enrolment, name, method, state, requested_at, face_check}],
     missing: [{person, enrolment, name}]}; the two lists are empty for trainees.
    """
    enrolment = own_enrolment(user, lesson.training_class)
    mine = queries.last_sign_in(lesson, enrolment) if enrolment else None
    teaching = can_teach(user, lesson.training_class)
    return {
        "mine": sign_in_state(mine) if mine else None,
        "waiting": [
            {
                **sign_in_state(one),
                "person": one.enrolment.person_id,
                "enrolment": one.enrolment_id,
                "name": one.enrolment.person.name,
                "face_check": one.face_check_id,
            }
            for one in (queries.waiting_sign_ins(lesson) if teaching else ())
        ],
        "missing": [
            {"person": one.person_id, "enrolment": one.pk, "name": one.person.name}
            for one in (queries.not_signed_in(lesson) if teaching else ())
        ],
    }


def sign_in_state(sign_in: SignIn) -> dict[str, Any]:
    """A sign-in as plain JSON, for the room and the API."""
    return {
        "sign_in": sign_in.pk,
        "state": sign_in.state,
        "method": sign_in.method,
        "requested_at": sign_in.requested_at.isoformat(),
        "signed_out_at": sign_in.signed_out_at.isoformat() if sign_in.signed_out_at else None,
        "reason": sign_in.reason,
    }


def sign_in_gate(lesson: Lesson, user: User) -> str | None:
    """Send a trainee to sign in before they enter: their time counts from then on."""
    if lesson.state == LessonState.CLOSED:
        return None
    enrolment = own_enrolment(user, lesson.training_class)
    if enrolment is None or queries.live_sign_in(lesson, enrolment) is not None:
        return None
    return reverse("attendance:sign_in", args=[lesson.pk])


def when_judged(check_id: int, at: datetime.datetime) -> None:
    """Take a judged face check over into the sign-in that asked for it."""
    sign_in = SignIn.objects.filter(face_check_id=check_id).first()
    if sign_in is not None:
        settle_sign_in(sign_in=sign_in, at=at)


def in_charge(user: User, subject: str) -> bool:
    """Whether this person is the lecturer or the assistant of the class that the subject begins with."""
    training_class = TrainingClass.objects.filter(pk=subject.split("/")[1]).first()
    return training_class is not None and can_teach(user, training_class)


def _check(one: queries.CheckOfLesson, user: User, teaching: bool) -> dict[str, Any]:
    check = one.check
    mine = next((target for target in one.targets if target.person_id == user.person_id), None)
    return {
        "check": check.pk,
        "kind": check.kind,
        "prompt": check.prompt,
        "options": check.options,
        "opened_at": check.opened_at.isoformat(),
        "due_at": check.due_at.isoformat(),
        "closed": check.closed_at is not None,
        "asked": [target.person_id for target in one.targets],
        "answered": [target.person_id for target in one.targets if target.answered_at],
        "correct": check.correct if teaching or check.closed_at else None,
        "mine": {
            "answered": mine.answered_at is not None,
            "option": mine.option,
            "correct": mine.correct,
        }
        if mine
        else None,
    }


start.register(queries.next_steps_for)
start.register(losses.next_steps_for)
register_snapshot_part("checks", checks_part)
register_snapshot_part("sign_in", sign_in_part)
register_gate(sign_in_gate)
register_in_charge("class", in_charge)
outcomes.register(Purpose.SIGN_IN, when_judged)
