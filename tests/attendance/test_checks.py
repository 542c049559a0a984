"""Roll calls and random questions: who is asked, who may answer until when, what is left behind."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.http import Http404

from attendance import actions, queries
from attendance.models import Check, CheckAnswer, CheckTarget
from attendance.states import CheckKind
from attendance.tasks import close_checks
from audit.models import Entry
from classes.live.models import RoomEvent
from classes.models import Enrolment, Lesson
from classes.states import LessonState
from config.demo.cast import Cast
from policy.refusals import Refusal
from tests.attendance.conftest import Room, clock

pytestmark = pytest.mark.django_db
SECOND = datetime.timedelta(seconds=1)
QUESTION: dict[str, Any] = {"prompt": "五里之内有几家同行？", "options": ["一家", "三家"], "correct": 1}


@pytest.fixture
def others(room: Room, lesson: Lesson) -> list[Enrolment]:
    """Three more trainees; all four of the class are in the room at 09:00."""
    added = [room.enrol(person) for person in room.cast.trainees(4)[1:]]
    for enrolment in (room.learner, *added):
        room.enters(enrolment, lesson, clock("08:30"), clock("09:00"))
    return added


def refused(call: Callable[..., Any], **arguments: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        call(**arguments)
    return caught.value


def events(lesson: Lesson) -> list[tuple[str, dict[str, Any]]]:
    return [(event.type, event.data) for event in RoomEvent.objects.filter(room_id=lesson.pk)]


def test_a_roll_call_asks_everybody_in_the_room_for_as_long_as_the_edition_says(
    cast: Cast, room: Room, lesson: Lesson, others: list[Enrolment]
) -> None:
    check = actions.call_roll(lesson=lesson, actor=cast.assistant, at=clock("09:00"))
    assert (check.opened_at, check.due_at) == (clock("09:00"), clock("09:01"))
    asked = {room.learner.pk, *(enrolment.pk for enrolment in others)}
    assert set(check.targets.values_list("enrolment_id", flat=True)) == asked
    [(kind, data)] = events(lesson)
    assert kind == "check.opened"
    assert set(data["asked"]) == {room.learner.person_id, *(one.person_id for one in others)}
    entry = Entry.objects.get(kind="attendance.check_opened")
    assert entry.subject == lesson.subject
    assert set(entry.facts["asked"]) == asked


def test_a_random_question_asks_one_of_them_and_the_room_does_not_learn_the_answer(
    cast: Cast, lesson: Lesson, others: list[Enrolment]
) -> None:
    check = actions.ask_question(lesson=lesson, actor=cast.trainer, at=clock("09:00"), **QUESTION)
    assert check.targets.count() == 1
    assert (check.kind, check.correct, check.due_at) == (CheckKind.QUESTION, 1, clock("09:01:30"))
    [(_kind, data)] = events(lesson)
    assert "correct" not in data


def test_a_question_may_go_to_everybody(cast: Cast, lesson: Lesson, others: list[Enrolment]) -> None:
    check = actions.ask_question(
        lesson=lesson, actor=cast.trainer, at=clock("09:00"), everyone=True, seconds=30, **QUESTION
    )
    assert check.targets.count() == 4
    assert check.due_at == clock("09:00:30")


def test_who_lost_the_line_or_is_elsewhere_is_not_asked(
    cast: Cast, room: Room, lesson: Lesson, others: list[Enrolment]
) -> None:
    lost, elsewhere, left = others
    lost.person.open_presence.delete()
    room.enters(lost, lesson, clock("08:30"), clock("08:59:30"))
    other_lesson = room.lesson("14:00", "15:30", hours="2", state=LessonState.OPEN)
    elsewhere.person.open_presence.delete()
    room.enters(elsewhere, other_lesson, clock("08:30"), clock("09:00"))
    Enrolment.objects.filter(pk=left.pk).update(state="left")
    check = actions.call_roll(lesson=lesson, actor=cast.assistant, at=clock("09:00"))
    assert list(check.targets.values_list("enrolment_id", flat=True)) == [room.learner.pk]


def test_the_first_answer_in_time_stands(
    cast: Cast, room: Room, lesson: Lesson, others: list[Enrolment]
) -> None:
    check = actions.ask_question(
        lesson=lesson, actor=cast.trainer, at=clock("09:00"), everyone=True, seconds=60, **QUESTION
    )
    answer = actions.answer_check(check=check, actor=cast.learner, at=clock("09:01"), option=0)
    assert (answer.answered_at, answer.option, answer.correct) == (clock("09:01"), 0, False)
    again = actions.answer_check(check=check, actor=cast.learner, at=clock("09:05"), option=1)
    assert (again.option, again.answered_at) == (0, clock("09:01"))
    assert Entry.objects.filter(kind="attendance.check_answered").count() == 1
    assert events(lesson)[-1] == ("check.answered", {"check": check.pk, "person": cast.learner.person_id})


def test_an_answer_after_the_time_is_refused_and_leaves_nothing(
    cast: Cast, lesson: Lesson, others: list[Enrolment]
) -> None:
    check = actions.call_roll(lesson=lesson, actor=cast.assistant, at=clock("09:00"))
    late = clock("09:01") + datetime.timedelta(microseconds=1)
    refusal = refused(actions.answer_check, check=check, actor=cast.learner, at=late)
    assert (refusal.code, refusal.required) == ("check_over", clock("09:01"))
    assert not CheckAnswer.objects.exists()
    assert not Entry.objects.filter(kind="attendance.check_answered").exists()


@pytest.mark.parametrize("option", [None, -1, 2])
def test_a_question_takes_only_its_own_options(
    cast: Cast, lesson: Lesson, others: list[Enrolment], option: int | None
) -> None:
    check = actions.ask_question(
        lesson=lesson, actor=cast.trainer, at=clock("09:00"), everyone=True, **QUESTION
    )
    refusal = refused(
        actions.answer_check, check=check, actor=cast.learner, at=clock("09:00:10"), option=option
    )
    assert (refusal.code, refusal.status) == ("option_unknown", 400)
    assert not CheckAnswer.objects.exists()


def test_only_who_was_asked_answers(cast: Cast, room: Room, lesson: Lesson, others: list[Enrolment]) -> None:
    cast.learner.person.open_presence.delete()  # type: ignore[union-attr]
    check = actions.call_roll(lesson=lesson, actor=cast.assistant, at=clock("09:00"))
    at = clock("09:00:10")
    assert refused(actions.answer_check, check=check, actor=cast.learner, at=at).code == "check_not_asked"
    assert refused(actions.answer_check, check=check, actor=cast.trainer, at=at).code == "trainee_required"
    with pytest.raises(Http404):
        actions.answer_check(check=check, actor=cast.rival, at=at)
    assert not CheckAnswer.objects.exists()


def test_only_the_class_s_own_staff_asks(cast: Cast, lesson: Lesson, others: list[Enrolment]) -> None:
    for actor in (cast.learner, cast.manager):
        refusal = refused(actions.call_roll, lesson=lesson, actor=actor, at=clock("09:00"))
        assert (refusal.code, refusal.status) == ("not_the_staff", 403)
    with pytest.raises(Http404):
        actions.call_roll(lesson=lesson, actor=cast.rival, at=clock("09:00"))
    assert not Check.objects.exists()
    assert events(lesson) == []


@pytest.mark.parametrize("state", [LessonState.PLANNED, LessonState.CLOSED])
def test_a_lesson_that_is_not_running_cannot_be_checked(cast: Cast, room: Room, state: str) -> None:
    lesson = room.lesson("08:30", "11:30", state=state)
    assert refused(actions.call_roll, lesson=lesson, actor=cast.assistant, at=clock("09:00")).code == (
        "lesson_not_open"
    )


def test_an_empty_room_cannot_be_checked(cast: Cast, lesson: Lesson) -> None:
    assert refused(actions.call_roll, lesson=lesson, actor=cast.assistant, at=clock("09:00")).code == (
        "nobody_present"
    )


@pytest.mark.parametrize("seconds", [0, -5, 601])
def test_an_odd_answer_time_is_refused(
    cast: Cast, lesson: Lesson, others: list[Enrolment], seconds: int
) -> None:
    refusal = refused(
        actions.call_roll, lesson=lesson, actor=cast.assistant, at=clock("09:00"), seconds=seconds
    )
    assert (refusal.code, refusal.status) == ("check_time_odd", 400)


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "  "},
        {"options": ["一家"], "correct": 0},
        {"options": ["一家", " 一家 "]},
        {"options": ["一家", ""]},
        {"options": list("一二三四五六七")},
        {"correct": 2},
        {"correct": -1},
    ],
)
def test_an_incomplete_question_is_refused(
    cast: Cast, lesson: Lesson, others: list[Enrolment], change: dict[str, Any]
) -> None:
    refusal = refused(
        actions.ask_question, lesson=lesson, actor=cast.trainer, at=clock("09:00"), **{**QUESTION, **change}
    )
    assert (refusal.code, refusal.status) == ("question_incomplete", 400)
    assert not Check.objects.exists()


def test_one_check_at_a_time(cast: Cast, lesson: Lesson, others: list[Enrolment]) -> None:
    first = actions.call_roll(lesson=lesson, actor=cast.assistant, at=clock("09:00"))
    refusal = refused(actions.call_roll, lesson=lesson, actor=cast.trainer, at=clock("09:00:59"))
    assert (refusal.code, refusal.found) == ("check_running", first.due_at)
    for one in (*others, Enrolment.objects.get(person=cast.learner.person)):
        type(one.person.open_presence).objects.update(last_seen_at=clock("09:01"))
    second = actions.call_roll(lesson=lesson, actor=cast.trainer, at=clock("09:01:02"))
    first.refresh_from_db()
    assert first.closed_at == second.opened_at


def test_a_due_check_is_closed_once_and_tells_who_missed_it(
    cast: Cast, room: Room, lesson: Lesson, others: list[Enrolment]
) -> None:
    check = actions.call_roll(lesson=lesson, actor=cast.assistant, at=clock("09:00"))
    actions.answer_check(check=check, actor=cast.learner, at=clock("09:00:10"))
    assert actions.close_due_checks(at=clock("09:01:01")) == []
    assert actions.close_due_checks(at=clock("09:01:02")) == [check]
    assert actions.close_due_checks(at=clock("09:01:03")) == []
    entry = Entry.objects.get(kind="attendance.check_closed")
    assert entry.facts["answered"] == 1
    assert entry.facts["missed_count"] == 3
    assert entry.facts["missed"] == [enrolment.pk for enrolment in others]
    assert events(lesson)[-1][0] == "check.closed"


def test_beat_closes_what_is_due(cast: Cast, lesson: Lesson, others: list[Enrolment]) -> None:
    actions.call_roll(lesson=lesson, actor=cast.assistant, at=clock("09:00"))
    assert close_checks() == 1  # the clock of the test machine is later than 2026-09-07
    assert close_checks() == 0


def test_missing_a_roll_call_costs_the_time_since_the_sign_in(
    cast: Cast, room: Room, lesson: Lesson, others: list[Enrolment]
) -> None:
    room.signed_in(room.learner, lesson, clock("08:50"))
    actions.call_roll(lesson=lesson, actor=cast.assistant, at=clock("08:58"))
    before = queries.credit_of(room.learner).credited_microseconds
    actions.close_due_checks(at=clock("09:00"))
    assert before == 600 * 1_000_000
    assert queries.credit_of(room.learner).credited_microseconds == 60 * 1_000_000


def test_who_was_asked_and_who_answered_cannot_be_changed(
    cast: Cast, lesson: Lesson, others: list[Enrolment]
) -> None:
    check = actions.call_roll(lesson=lesson, actor=cast.assistant, at=clock("09:00"))
    actions.answer_check(check=check, actor=cast.learner, at=clock("09:00:10"))
    for change in (
        lambda: CheckAnswer.objects.update(answered_at=clock("08:00")),
        lambda: CheckAnswer.objects.all().delete(),
        lambda: CheckTarget.objects.filter(answer=None).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert CheckTarget.objects.count() == 4
