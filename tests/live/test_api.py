"""The room over HTTP: shapes, bad input, and who may (DESIGN §6)."""

import uuid
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse
from rest_framework.authtoken.models import Token

from audit.models import Entry
from classes.live.api import api_urlpatterns
from classes.live.models import MediaPeer, OpenPresence, RaisedHand, Recording, Room, RoomEvent
from classes.states import LessonState
from tests.cast import client_of
from tests.live.conftest import HOUR, SECOND, enter, seat

pytestmark = pytest.mark.django_db

NOWHERE = uuid.UUID(int=7)
BODIES: dict[str, dict[str, Any]] = {
    "room-messages": {"key": str(NOWHERE), "text": "在呢"},
    "room-hands": {"raised": True},
    "room-media-publish": {"connection": str(NOWHERE), "sdp": "v=0"},
    "room-media-watch": {"connection": str(NOWHERE), "feed": "lecturer-1"},
    "room-media-start": {"peer": str(NOWHERE)},
    "room-media-configure": {"peer": str(NOWHERE), "mid": "1", "send": False},
    "room-media-leave": {"peer": str(NOWHERE)},
}
READS = {"room", "room-events"}
WHIP = {"room-whip", "room-whip-end"}  # a token and SDP of their own; tested below
ALL = sorted({str(pattern.name) for pattern in api_urlpatterns} - WHIP)


@pytest.fixture(autouse=True)
def _by_the_tests_clock(time_machine, now):
    time_machine.move_to(now + SECOND)


def call(user, name, lesson, body=None, *, method=None):
    url = reverse(f"api:{name}", args=[lesson.pk])
    client = client_of(user)
    if (method or ("get" if name in READS else "post")) == "get":
        return client.get(url)
    return client.post(url, BODIES.get(name, {}) if body is None else body, content_type="application/json")


def state_of_the_world():
    return (
        [model.objects.count() for model in (Room, RoomEvent, RaisedHand, OpenPresence, MediaPeer, Entry)],
        list(Room.objects.values_list("seq", flat=True)),
    )


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("lesson_state", [LessonState.OPEN, LessonState.PLANNED])
def test_the_rival_finds_nothing_and_changes_nothing(school, cast, now, name, lesson_state):
    lesson = school.lesson(now, state=lesson_state)
    before = state_of_the_world()
    answer = call(cast.rival, name, lesson)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"
    lesson.refresh_from_db()
    assert lesson.state == lesson_state
    assert state_of_the_world() == before


@pytest.mark.parametrize("name", ALL)
def test_nobody_is_told_to_sign_in(lesson, name):
    answer = call(None, name, lesson)
    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authenticated"


@pytest.mark.parametrize("name", sorted(set(ALL) - READS))
@pytest.mark.parametrize("who", ["manager", "officer"])
def test_who_only_sees_the_class_changes_nothing_in_its_room(cast, lesson, name, who):
    before = state_of_the_world()
    answer = call(cast[who], name, lesson)
    assert answer.status_code == 403
    assert answer.json()["code"] in ("not_in_class", "not_the_staff")
    assert answer.json()["details"]["next"]
    assert state_of_the_world() == before


@pytest.mark.parametrize("name", ["room-start", "room-end", "room-media-publish"])
def test_a_trainee_does_not_lead(school, cast, now, name):
    lesson = school.lesson(now, state=LessonState.PLANNED if name == "room-start" else LessonState.OPEN)
    before = state_of_the_world()
    answer = call(cast.learner, name, lesson)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_the_staff")
    assert state_of_the_world() == before


def test_a_token_serves_as_well(cast, lesson, client):
    token = Token.objects.create(user=cast.learner)
    answer = client.get(f"/api/v1/lessons/{lesson.pk}/room/", headers={"Authorization": f"Token {token.key}"})
    assert answer.json()["me"]["role"] == "trainee"


def test_a_room_that_nobody_used_is_readable(cast, lesson):
    assert call(cast.manager, "room", lesson).json()["seq"] == 0
    assert call(cast.manager, "room-events", lesson).json() == {"seq": 0, "events": []}


def test_a_message_comes_back_as_the_event_it_is(cast, lesson):
    seat(cast.learner, lesson, lesson.starts_at)
    answer = call(cast.learner, "room-messages", lesson)
    assert answer.status_code == 201
    event = RoomEvent.objects.get()
    assert answer.json() == event.message
    events = client_of(cast.learner).get(f"/api/v1/lessons/{lesson.pk}/events/?after=0").json()
    assert events == {"seq": 1, "events": [event.message]}


@pytest.mark.parametrize("name", ["room-messages", "room-hands"])
def test_words_and_hands_wait_for_the_lesson_and_for_the_door(school, cast, now, name):
    lesson = school.lesson(now, state=LessonState.PLANNED)
    enter(cast.learner, lesson, now)
    before = state_of_the_world()
    for user in (cast.learner, cast.trainer):
        answer = call(user, name, lesson)
        assert (answer.status_code, answer.json()["code"]) == (409, "lesson_not_open")
        assert answer.json()["details"]["words"] == {"found": "未开始", "required": "进行中"}
    assert state_of_the_world() == before
    call(cast.trainer, "room-start", lesson)
    OpenPresence.objects.all().delete()
    before = state_of_the_world()
    answer = call(cast.learner, name, lesson)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_in_room")
    details = answer.json()["details"]
    assert (details["found"], details["required"], details["rule"]) == (None, lesson.pk, "P17")
    assert details["next"]
    assert state_of_the_world() == before
    enter(cast.learner, lesson, now)
    assert call(cast.learner, name, lesson).status_code in (201, 204)


def test_start_end_and_hands(school, cast, now):
    lesson = school.lesson(now, state=LessonState.PLANNED)
    started = call(cast.trainer, "room-start", lesson)
    assert (started.status_code, started.json()["state"]) == (200, "open")
    seat(cast.learner, lesson, now)
    assert call(cast.learner, "room-hands", lesson).status_code == 204
    body = {"raised": False, "person": cast.learner.person_id}
    assert call(cast.assistant, "room-hands", lesson, body).status_code == 204
    ended = call(cast.assistant, "room-end", lesson)
    assert (ended.status_code, ended.json()["state"]) == (200, "closed")
    assert [event.type for event in RoomEvent.objects.order_by("seq")] == [
        "lesson.started",
        "hand.raised",
        "hand.lowered",
        "lesson.ended",
    ]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("room-messages", {}),
        ("room-messages", {"key": "x", "text": "a"}),
        ("room-messages", {"key": str(NOWHERE)}),
        ("room-messages", {"key": str(NOWHERE), "text": {"a": 1}}),
        ("room-messages", {"key": str(NOWHERE), "text": "a" * 20_001}),
        ("room-messages", {"key": str(NOWHERE), "text": "a\x00b"}),
        ("room-messages", {"key": str(NOWHERE), "text": "   "}),
        ("room-messages", []),
        ("room-hands", {}),
        ("room-hands", {"raised": "perhaps"}),
        ("room-hands", {"raised": False, "person": "me"}),
        ("room-media-watch", {"connection": str(NOWHERE)}),
        ("room-media-watch", {"connection": "x", "feed": "y"}),
        ("room-media-start", {"peer": "x"}),
        ("room-media-configure", {"peer": str(NOWHERE), "mid": "1"}),
    ],
)
def test_bad_input_is_refused_with_a_code_and_leaves_nothing(cast, lesson, name, body):
    seat(cast.learner, lesson, lesson.starts_at)
    before = state_of_the_world()
    answer = call(cast.learner, name, lesson, body)
    assert answer.status_code == 400
    assert answer.json()["code"] in ("invalid", "malformed", "message_empty")
    assert state_of_the_world() == before


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "9" * 30])
def test_events_after_something_that_is_no_number(cast, lesson, after):
    answer = client_of(cast.learner).get(f"/api/v1/lessons/{lesson.pk}/events/?after={after}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


# --- without Janus ---


def test_without_janus_the_room_works_and_says_that_there_is_no_picture(cast, lesson, now, settings):
    settings.JANUS_HTTP_URL = ""
    presence = enter(cast.trainer, lesson, now)
    connection = str(presence.connection)
    for name, body in (
        ("room-media-publish", {"connection": connection, "sdp": "v=0"}),
        ("room-media-watch", {"connection": connection, "feed": "lecturer-1"}),
    ):
        answer = call(cast.trainer, name, lesson, body)
        assert (answer.status_code, answer.json()["code"]) == (503, "media_unavailable")
        assert answer.json()["details"]["next"]
    assert not MediaPeer.objects.exists()
    assert call(cast.trainer, "room", lesson).json()["media"] == {
        "available": False,
        "feeds": [],
        "ice_servers": [],
    }


def test_pictures_are_for_those_who_are_in_the_room(cast, lesson):
    """A leg belongs to a socket: without one there is no presence, and nothing to watch or to send."""
    for user, name in ((cast.trainer, "room-media-publish"), (cast.learner, "room-media-watch")):
        answer = call(user, name, lesson)
        assert (answer.status_code, answer.json()["code"]) == (409, "not_in_room")


def test_a_socket_of_somebody_else_does_not_serve(cast, lesson, now):
    presence = enter(cast.learner, lesson, now)
    body = {"connection": str(presence.connection), "sdp": "v=0"}
    answer = call(cast.trainer, "room-media-publish", lesson, body)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_in_room")


def whip(user, lesson, offer="v=0"):
    token = Token.objects.get_or_create(user=user)[0].key if user else "none"
    return client_of(None).post(
        f"/api/v1/lessons/{lesson.pk}/whip/",
        offer,
        content_type="application/sdp",
        headers={"Authorization": f"Bearer {token}"},
    )


@pytest.mark.parametrize(
    ("who", "status", "code"),
    [
        (None, 401, "not_authenticated"),
        ("rival", 404, "not_found"),
        ("learner", 403, "not_the_staff"),
        ("manager", 403, "not_the_staff"),
        ("trainer", 409, "not_in_room"),
    ],
)
def test_whip_is_for_staff_who_are_in_the_room(cast, lesson, who, status, code):
    answer = whip(cast[who] if who else None, lesson)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not MediaPeer.objects.exists()


def test_whip_takes_no_session_and_nothing_but_sdp(cast, lesson, now):
    enter(cast.trainer, lesson, now)
    url = f"/api/v1/lessons/{lesson.pk}/whip/"
    assert client_of(cast.trainer).post(url, "v=0", content_type="application/sdp").status_code == 401
    token = Token.objects.create(user=cast.trainer).key
    headers = {"Authorization": f"Bearer {token}"}
    answer = client_of(None).post(url, {"sdp": "v=0"}, content_type="application/json", headers=headers)
    assert answer.status_code == 415


@pytest.fixture
def peer(cast, lesson, now):
    presence = enter(cast.trainer, lesson, now)
    return MediaPeer.objects.create(
        id=uuid.uuid4(),
        room_id=lesson.pk,
        person=cast.trainer.person,
        connection=presence.connection,
        kind="publish",
        feed=f"lecturer-{cast.trainer.person_id}",
        session=1,
        handle=2,
        opened_at=now,
        connected_at=now,
    )


@pytest.mark.parametrize("name", ["room-media-start", "room-media-configure", "room-media-leave"])
def test_a_leg_of_somebody_else_is_gone(cast, lesson, peer, name):
    answer = call(cast.assistant, name, lesson, {**BODIES[name], "peer": str(peer.pk)})
    assert (answer.status_code, answer.json()["code"]) == (409, "peer_gone")
    peer.refresh_from_db()
    assert peer.closed_at is None


def test_leaving_the_room_ends_ones_legs_and_tells_the_room(cast, lesson, peer, now):
    from classes.live import actions
    from classes.live.states import Closing

    assert call(cast.learner, "room", lesson).json()["media"]["feeds"] == [
        {"feed": peer.feed, "person": peer.person_id, "name": "李明远"}
    ]
    actions.close_presence(connection=peer.connection, closing=Closing.LEFT, at=now + SECOND)
    peer.refresh_from_db()
    assert peer.closed_at == now + SECOND
    assert [event.type for event in RoomEvent.objects.order_by("seq")][-2:] == ["media.gone", "person.left"]
    assert call(cast.learner, "room", lesson).json()["media"]["feeds"] == []


# --- replay ---


@pytest.fixture
def recording(school, now):
    lesson = school.lesson(now - 24 * HOUR, state=LessonState.CLOSED)
    Room.objects.create(lesson=lesson)
    made = Recording(
        lesson=lesson,
        feed="lecturer-1",
        started_at=now - 24 * HOUR,
        duration_ms=61_500,
        size=5,
        sha256="ab" * 32,
    )
    made.file.save("lecturer-1-1.webm", ContentFile(b"video"), save=True)
    return made


def test_the_replay_lists_its_segments(cast, recording):
    answer = client_of(cast.learner).get(f"/lessons/{recording.lesson_id}/replay/")
    page = answer.content.decode()
    assert f"/lessons/{recording.lesson_id}/recordings/{recording.pk}/" in page
    assert "1 分 01 秒" in page


@pytest.mark.parametrize(
    ("who", "status"), [("learner", 206), ("manager", 206), ("officer", 206), ("rival", 404)]
)
def test_a_recording_is_for_those_who_see_the_class(cast, recording, who, status):
    url = f"/lessons/{recording.lesson_id}/recordings/{recording.pk}/"
    answer = client_of(cast[who]).get(url, headers={"Range": "bytes=0-1"})
    assert answer.status_code == status
    if status == 206:
        assert answer["Cache-Control"].startswith("private")
        assert answer["Content-Range"] == "bytes 0-1/5"


def test_a_recording_of_another_lesson_is_not_found_under_this_one(cast, lesson, recording):
    url = f"/lessons/{lesson.pk}/recordings/{recording.pk}/"
    assert client_of(cast.learner).get(url).status_code == 404
