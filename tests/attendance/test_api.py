"""The API of DESIGN §6: what it answers, to whom, and that a stranger finds nothing and changes nothing."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from time_machine import TimeMachineFixture

from attendance import actions, queries
from attendance.models import Check, CheckAnswer, SignIn
from attendance.states import SignInState
from audit.models import Entry
from classes.live.models import RoomEvent
from classes.live.queries import snapshot
from classes.live.registry import first_closed_gate
from classes.models import Lesson, TrainingClass
from classes.states import ClassState, LessonState
from config.demo.cast import Cast
from identity.models import FaceTemplate
from tests.attendance.conftest import Room, clock
from tests.cast import client_of
from tests.identity.pictures import burst

pytestmark = pytest.mark.django_db
Capture = Callable[..., Any]


@pytest.fixture(autouse=True)
def _at_0835(time_machine: TimeMachineFixture) -> None:
    """Edges read the clock; it stands at 08:35 of the lesson's day."""
    time_machine.move_to(clock("08:35").astimezone(datetime.UTC), tick=False)


@pytest.fixture
def learner(cast: Cast) -> Client:
    return client_of(cast.learner)


@pytest.fixture
def assistant(cast: Cast) -> Client:
    return client_of(cast.assistant)


def post(client: Client, path: str, **data: Any) -> Any:
    return client.post(f"/api/v1/{path}", data, content_type="application/json")


def get(client: Client, path: str) -> Any:
    return client.get(f"/api/v1/{path}")


def frames(name: str) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(f"{n}.jpg", data, "image/jpeg") for n, data in enumerate(burst(name))]


# --- signing in ---


def test_before_the_first_try_there_is_none_and_it_says_when_signing_in_opens(
    learner: Client, lesson: Lesson
) -> None:
    answer = get(learner, f"lessons/{lesson.pk}/sign-in/")
    assert answer.status_code == 200
    assert answer.json()["state"] == "none"
    assert datetime.datetime.fromisoformat(answer.json()["opens_at"]) == clock("08:00")


def test_the_right_face_signs_in(
    learner: Client, lesson: Lesson, enrolled: FaceTemplate, django_capture_on_commit_callbacks: Capture
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = learner.post(f"/api/v1/lessons/{lesson.pk}/sign-in/", {"frames": frames("person_b_2")})
    assert (answer.status_code, answer.json()["state"]) == (201, "checking")
    now = get(learner, f"lessons/{lesson.pk}/sign-in/").json()
    assert (now["state"], now["method"]) == ("accepted", "face")
    assert "08:35:00" in now["message"]


def test_the_wrong_face_does_not_and_is_told_both_ways_on(
    learner: Client, lesson: Lesson, enrolled: FaceTemplate, django_capture_on_commit_callbacks: Capture
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        learner.post(f"/api/v1/lessons/{lesson.pk}/sign-in/", {"frames": frames("impostor_1")})
    now = get(learner, f"lessons/{lesson.pk}/sign-in/").json()
    assert now["state"] == "refused"
    assert "验证码" in now["next"]


def test_a_code_signs_in_and_the_assistant_confirms(
    learner: Client, assistant: Client, room: Room, lesson: Lesson
) -> None:
    issued = post(assistant, f"lessons/{lesson.pk}/sign-in-codes/", enrolment=room.learner.pk)
    assert issued.status_code == 201
    answer = post(learner, f"lessons/{lesson.pk}/sign-in/", code=issued.json()["code"])
    assert (answer.status_code, answer.json()["state"]) == (201, "pending")
    confirmed = post(assistant, f"sign-in/{answer.json()['id']}/confirm/")
    assert (confirmed.status_code, confirmed.json()["state"]) == (200, "accepted")
    out = post(learner, f"lessons/{lesson.pk}/sign-out/")
    assert (out.status_code, out.json()["signed_out_at"]) == (200, "2026-09-07T08:35:00+08:00")


def test_nothing_sent_or_a_wrong_code_is_refused_in_one_shape(learner: Client, lesson: Lesson) -> None:
    for data, status, code in (
        ({}, 422, "frames_missing"),
        ({"code": "123456"}, 409, "code_missing"),
        ({"code": ""}, 400, "invalid"),
    ):
        answer = post(learner, f"lessons/{lesson.pk}/sign-in/", **data)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json().keys() == {"code", "message", "details", "citation"}
    assert not SignIn.objects.exists()


# --- checks ---


def test_a_roll_call_is_called_and_answered(
    learner: Client, assistant: Client, room: Room, lesson: Lesson
) -> None:
    room.enters(room.learner, lesson, clock("08:30"), clock("08:35"))
    called = post(assistant, f"lessons/{lesson.pk}/roll-calls/", seconds=30)
    assert called.status_code == 201
    assert called.json()["asked"] == [room.learner.pk]
    answered = post(learner, f"checks/{called.json()['id']}/answer/")
    assert answered.status_code == 200
    assert answered.json() == {
        "check": called.json()["id"],
        "answered_at": "2026-09-07T08:35:00+08:00",
        "option": None,
        "correct": None,
    }


def test_a_question_is_asked_answered_and_judged(
    learner: Client, assistant: Client, room: Room, lesson: Lesson
) -> None:
    room.enters(room.learner, lesson, clock("08:30"), clock("08:35"))
    asked = post(
        assistant,
        f"lessons/{lesson.pk}/questions/",
        prompt="五里之内有几家同行？",
        options=["一家", "三家"],
        correct=1,
    )
    assert asked.status_code == 201
    assert "correct" not in asked.json()
    answered = post(learner, f"checks/{asked.json()['id']}/answer/", option=1)
    assert answered.json()["correct"] is True


def test_a_late_answer_is_refused_and_leaves_nothing(
    learner: Client, assistant: Client, room: Room, lesson: Lesson, time_machine: TimeMachineFixture
) -> None:
    room.enters(room.learner, lesson, clock("08:30"), clock("08:35"))
    called = post(assistant, f"lessons/{lesson.pk}/roll-calls/").json()
    time_machine.move_to(clock("08:36:01").astimezone(datetime.UTC), tick=False)
    answer = post(learner, f"checks/{called['id']}/answer/")
    assert (answer.status_code, answer.json()["code"]) == (409, "check_over")
    assert answer.json()["details"]["rule"] == "F20"
    assert not CheckAnswer.objects.exists()


# --- time ---


def test_the_class_s_attendance_is_exact_and_paginated(cast: Cast, room: Room, lesson: Lesson) -> None:
    until = clock("08:34") + datetime.timedelta(microseconds=250)
    room.seen(room.learner, lesson, (clock("08:30"), until))
    room.signed_in(room.learner, lesson, clock("08:30"))
    body = get(client_of(cast.manager), f"classes/{room.training_class.pk}/attendance/").json()
    assert (body["count"], body["next"]) == (1, None)
    [row] = body["results"]
    assert row["seconds"]["live"] == "240.00025"
    assert (row["credited_seconds"], row["required_seconds"]) == ("240.00025", "10800")
    assert row["share"] == "960001/43200000"
    assert row["share_percent"] == "2.22%"
    assert (row["passed"], row["concluded"]) == (False, False)
    assert [reason["code"] for reason in row["reasons"]] == ["attendance_share"]
    Lesson.objects.update(state=LessonState.CLOSED, closed_at=clock("11:30"))
    [row] = get(client_of(cast.manager), f"classes/{room.training_class.pk}/attendance/").json()["results"]
    assert [(reason["code"], reason["lesson"]) for reason in row["reasons"][1:]] == [
        ("not_signed_out", lesson.pk),
        ("not_whole", lesson.pk),
    ]
    assert row["id_number"].count("*") > 4


def test_the_attendance_of_thirty_costs_as_many_queries_as_of_one(
    cast: Cast, room: Room, lesson: Lesson, django_assert_num_queries: Any
) -> None:
    client = client_of(cast.manager)
    path = f"classes/{room.training_class.pk}/attendance/"
    get(client, path)
    with CaptureQueriesContext(connection) as one:
        get(client, path)
    for person in cast.trainees(30)[1:]:
        room.enrol(person)
    with django_assert_num_queries(len(one)):
        assert get(client, path).json()["count"] == 30


def test_the_meter_shows_one_s_own_time_and_what_was_lost(learner: Client, room: Room) -> None:
    lesson = room.lesson("08:30", "11:30")
    room.seen(room.learner, lesson, (clock("08:33"), clock("11:30")))
    room.signed_in(room.learner, lesson, clock("08:20"), clock("11:30"))
    body = get(learner, f"me/meter/?class={room.training_class.pk}").json()
    assert body["credited_seconds"] == "10620"
    assert body["training_class"] == room.training_class.pk
    [one] = body["lessons"]
    assert (one["number"], one["worth_seconds"], one["credited_seconds"]) == (1, "10800", "10620")
    [lost] = one["lost"]
    assert (lost["reason"], lost["seconds"]) == ("came_late", "180")
    assert lost["message"] == "08:33 您才进课堂，前面没有算。"


@pytest.mark.parametrize("query", ["", "?class=", "?class=x", "?class=0", "?class=99999999999999999999"])
def test_the_meter_of_no_class_is_refused(learner: Client, room: Room, query: str) -> None:
    assert get(learner, f"me/meter/{query}").status_code in (400, 404)


def test_a_class_without_a_timetable_has_no_meter_yet(learner: Client, room: Room) -> None:
    answer = get(learner, f"me/meter/?class={room.training_class.pk}")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_lessons")


# --- strangers ---


def everything(room: Room, lesson: Lesson, check: Check, sign_in: SignIn) -> list[tuple[str, str]]:
    return [
        ("get", f"lessons/{lesson.pk}/sign-in/"),
        ("post", f"lessons/{lesson.pk}/sign-in/"),
        ("post", f"lessons/{lesson.pk}/sign-out/"),
        ("post", f"lessons/{lesson.pk}/sign-in-codes/"),
        ("post", f"sign-in/{sign_in.pk}/confirm/"),
        ("post", f"sign-in/{sign_in.pk}/refuse/"),
        ("post", f"lessons/{lesson.pk}/roll-calls/"),
        ("post", f"lessons/{lesson.pk}/questions/"),
        ("post", f"checks/{check.pk}/answer/"),
        ("get", f"classes/{room.training_class.pk}/attendance/"),
        ("get", f"me/meter/?class={room.training_class.pk}"),
    ]


DATA = {
    "code": "123456",
    "enrolment": 1,
    "prompt": "？",
    "options": ["一", "二"],
    "correct": 0,
}


def test_the_rival_finds_nothing_anywhere_and_changes_nothing(cast: Cast, room: Room, lesson: Lesson) -> None:
    room.enters(room.learner, lesson, clock("08:30"), clock("08:35"))
    check = actions.call_roll(lesson=lesson, actor=cast.assistant, at=clock("08:35"))
    sign_in = room.signed_in(room.learner, lesson, clock("08:30"))
    before = (Entry.objects.count(), RoomEvent.objects.count(), SignIn.objects.values().get())
    rival = client_of(cast.rival)
    for method, path in everything(room, lesson, check, sign_in):
        answer = get(rival, path) if method == "get" else post(rival, path, **DATA)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    assert (Entry.objects.count(), RoomEvent.objects.count(), SignIn.objects.values().get()) == before
    assert Check.objects.count() == 1


def test_who_is_not_signed_in_to_the_platform_is_told_so(cast: Cast, room: Room, lesson: Lesson) -> None:
    check = room.checked(lesson, clock("08:31"), clock("08:32"), [room.learner])
    sign_in = room.signed_in(room.learner, lesson, clock("08:30"))
    nobody = client_of(None)
    for method, path in everything(room, lesson, check, sign_in):
        answer = get(nobody, path) if method == "get" else post(nobody, path, **DATA)
        assert answer.status_code == 401, path


def test_a_trainee_cannot_see_the_class_s_table_nor_run_checks_nor_confirm_themselves(
    cast: Cast, room: Room, lesson: Lesson, learner: Client
) -> None:
    room.enters(room.learner, lesson, clock("08:30"), clock("08:35"))
    sign_in = SignIn.objects.create(
        enrolment=room.learner,
        lesson=lesson,
        method="code",
        state=SignInState.PENDING,
        requested_at=clock("08:30"),
    )
    assert get(learner, f"classes/{room.training_class.pk}/attendance/").status_code == 404
    for path in (f"sign-in/{sign_in.pk}/confirm/", f"lessons/{lesson.pk}/roll-calls/"):
        answer = post(learner, path)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_the_staff")
    sign_in.refresh_from_db()
    assert sign_in.state == SignInState.PENDING


def test_another_trainee_s_sign_in_is_not_there(
    cast: Cast, room: Room, lesson: Lesson, learner: Client
) -> None:
    other = room.enrol(cast.trainees(2)[1])
    theirs = room.signed_in(other, lesson, clock("08:30"))
    assert post(learner, f"sign-in/{theirs.pk}/confirm/").status_code == 404


@pytest.mark.parametrize("kind", ["homework", "exam", "offline", "on_demand"])
def test_lessons_without_a_room_have_no_sign_in(room: Room, learner: Client, kind: str) -> None:
    lesson = room.lesson("08:30", "11:30", kind=kind, state=LessonState.PLANNED)
    assert get(learner, f"lessons/{lesson.pk}/sign-in/").status_code == 404


def test_an_edition_that_leaves_the_sign_in_open_stops_it(
    room: Room, lesson: Lesson, learner: Client
) -> None:
    TrainingClass.objects.update(edition="henan-2020-97", state=ClassState.RUNNING)
    answer = get(learner, f"lessons/{lesson.pk}/sign-in/")
    assert (answer.status_code, answer.json()["code"]) == (409, "edition_unset")


# --- what the room is given ---


def test_the_room_s_snapshot_carries_checks_and_sign_ins(cast: Cast, room: Room, lesson: Lesson) -> None:
    room.enters(room.learner, lesson, clock("08:30"), clock("08:35"))
    check = actions.ask_question(
        lesson=lesson,
        prompt="五里之内有几家同行？",
        options=["一家", "三家"],
        correct=1,
        everyone=True,
        actor=cast.assistant,
        at=clock("08:35"),
    )
    mine = snapshot(lesson, cast.learner)
    [shown] = mine["checks"]
    assert (shown["check"], shown["correct"], shown["closed"]) == (check.pk, None, False)
    assert shown["mine"] == {"answered": False, "option": None, "correct": None}
    assert mine["sign_in"] == {"mine": None, "waiting": [], "missing": []}
    staff = snapshot(lesson, cast.assistant)
    assert staff["checks"][0]["correct"] == 1
    assert staff["checks"][0]["mine"] is None
    [missing] = staff["sign_in"]["missing"]
    assert missing["enrolment"] == room.learner.pk


def test_the_snapshot_costs_the_same_with_one_and_three_checks(
    cast: Cast, room: Room, lesson: Lesson, django_assert_num_queries: Any
) -> None:
    room.checked(lesson, clock("08:31"), clock("08:32"), [room.learner])
    with django_assert_num_queries(2):
        queries.checks_of(lesson)
    room.checked(lesson, clock("08:33"), clock("08:34"), [room.learner])
    room.checked(lesson, clock("08:35"), clock("08:36"), [room.learner])
    with django_assert_num_queries(2):
        assert len(queries.checks_of(lesson)) == 3


def test_a_trainee_is_sent_to_sign_in_before_the_room(cast: Cast, room: Room, lesson: Lesson) -> None:
    gate = f"/lessons/{lesson.pk}/sign-in/"
    assert first_closed_gate(lesson, cast.learner) == gate
    assert first_closed_gate(lesson, cast.assistant) is None
    room.signed_in(room.learner, lesson, clock("08:30"), clock("08:34"))
    assert first_closed_gate(lesson, cast.learner) == gate
    room.signed_in(room.learner, lesson, clock("08:35"))
    assert first_closed_gate(lesson, cast.learner) is None
