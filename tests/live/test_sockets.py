"""The room's socket, spoken to over a real network through the whole ASGI application."""

import asyncio
import threading
from typing import Any

import pytest
from django.utils import timezone
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from classes.live import actions, broadcast, pulse, queries
from classes.live.models import OpenPresence, PresenceInterval, RoomEvent
from classes.live.states import Closing
from classes.states import LessonState
from tests.live.conftest import SECOND
from tests.live.sockets import LiveServer, RoomClient, eventually, in_room

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def now():
    """Sockets go by the server's clock."""
    return timezone.now().replace(microsecond=0) - 60 * SECOND


@pytest.fixture(scope="module")
def running_server():
    running = LiveServer()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def server(transactional_db, running_server):
    yield running_server
    eventually(lambda: not OpenPresence.objects.exists())  # its sockets have put everything away


def test_a_dialogue(server, school, cast, lesson):
    """Come in, see who is there, hear what is said, prove to be there, leave."""
    with in_room(server, cast.learner, lesson) as learner:
        assert learner.hello["seq"] == 1
        assert learner.hello["heartbeat_seconds"] == 5
        assert learner.hear("person.joined")["data"]["person"] == cast.learner.person_id

        with in_room(server, cast.trainer, lesson) as trainer:
            assert learner.hear("person.joined") == {
                "type": "person.joined",
                "id": 2,
                "data": {
                    "at": RoomEvent.objects.get(seq=2).at.isoformat(),
                    "person": cast.trainer.person_id,
                    "name": "李明远",
                    "role": "lecturer",
                },
            }
            said = trainer.post_message("大家算一下自己的店。")
            assert learner.hear("message.posted") == said
            assert trainer.hear("message.posted") == said

        left = learner.hear("person.left")["data"]
        assert (left["person"], left["closing"]) == (cast.trainer.person_id, "left")
        first, second = learner.beat(), learner.beat()
        assert (first["id"], second["id"]) == (1, 2)
        assert first["data"]["nonce"] != second["data"]["nonce"]
        learner.leave()

    eventually(lambda: not OpenPresence.objects.exists())
    interval = PresenceInterval.objects.get(person=cast.learner.person)
    assert (interval.heartbeats, interval.closing) == (2, Closing.LEFT)
    assert interval.during.lower < interval.during.upper <= timezone.now()


def test_who_leaves_while_a_heartbeat_is_being_counted_has_left(server, cast, lesson, monkeypatch):
    """Their goodbye waits in line; that the heartbeat's answer reaches nobody any more is no lost line."""
    goodbye = threading.Event()
    counted = pulse.Pulse.beat

    async def slowly(self: pulse.Pulse, connection: Any, at: Any) -> None:
        await asyncio.to_thread(goodbye.wait, 10)
        await counted(self, connection, at)

    monkeypatch.setattr(pulse.Pulse, "beat", slowly)
    with in_room(server, cast.learner, lesson) as learner:
        learner.say("heartbeat", {"nonce": learner.nonce, "seq": 1}, 1)
        learner.leave()
        goodbye.set()
    eventually(lambda: not OpenPresence.objects.exists())
    interval = PresenceInterval.objects.get()
    assert (interval.heartbeats, interval.closing) == (1, Closing.LEFT)


def test_heartbeats_must_answer_the_last_nonce_with_a_higher_number(server, cast, lesson):
    with in_room(server, cast.learner, lesson) as learner:
        fresh = learner.nonce
        learner.say("heartbeat", {"nonce": "guessed", "seq": 1}, 1)
        assert learner.hear("error") == {
            "type": "error",
            "id": 1,
            "data": {"code": "heartbeat_wrong_nonce"},
        }
        learner.beat()
        learner.say("heartbeat", {"nonce": fresh, "seq": 2}, 2)  # each nonce answers once
        assert learner.hear("error")["data"]["code"] == "heartbeat_wrong_nonce"
        for number in (1, 0, -1, None, "2", True):
            learner.say("heartbeat", {"nonce": learner.nonce, "seq": number}, 3)
            assert learner.hear("error")["data"]["code"] == "heartbeat_old_number"
        learner.leave()
    eventually(lambda: not OpenPresence.objects.exists())
    assert PresenceInterval.objects.get().heartbeats == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("hello", "malformed"),
        ("[]", "malformed"),
        ('{"type": 3, "data": {}}', "malformed"),
        ('{"type": "heartbeat"}', "malformed"),
        (r'{"type": "chat", "data": {"text": "\ud800"}}', "malformed"),
        ('{"type": "heartbeat", "data": []}', "malformed"),
        ('{"type": "heartbeat", "data": {"x": "' + "x" * 2000 + '"}}', "malformed"),
        ('{"type": "message.posted", "id": {"a": 1}, "data": {}}', "unknown_type"),
    ],
)
def test_what_the_protocol_does_not_know_is_answered_with_a_code(server, cast, lesson, text, code):
    with in_room(server, cast.learner, lesson) as learner:
        learner.send(text)
        assert learner.hear("error") == {"type": "error", "id": None, "data": {"code": code}}
        learner.beat()  # and the conversation goes on


def test_bytes_are_malformed(server, cast, lesson):
    with in_room(server, cast.learner, lesson) as learner:
        learner.socket.send(b"\x00\x01")
        assert learner.hear("error")["data"]["code"] == "malformed"


@pytest.mark.parametrize(
    ("who", "code"), [(None, 4001), ("rival", 4003), ("manager", 4003), ("regulator", 4003)]
)
def test_who_does_not_belong_there_is_not_let_in(server, cast, lesson, who, code):
    client = RoomClient(server, cast[who] if who else None, lesson)
    assert client.closed_with() == code
    assert not OpenPresence.objects.exists()
    assert not RoomEvent.objects.exists()


def test_a_stranger_is_told_the_same_about_a_lesson_that_is_not_there(server, cast, lesson):
    there = RoomClient(server, cast.rival, lesson)
    lesson.pk = 10**6
    nowhere = RoomClient(server, cast.rival, lesson)
    assert there.closed_with() == nowhere.closed_with() == 4003
    assert there.transcript[:-1] == nowhere.transcript[:-1] == []


def test_another_sites_page_opens_no_socket(server, cast, lesson):
    with pytest.raises(InvalidStatus) as refused:
        RoomClient(server, cast.learner, lesson, origin="https://evil.example")
    assert refused.value.response.status_code == 403
    assert not OpenPresence.objects.exists()


@pytest.mark.parametrize("path", ["ws/", "ws/nope/", "ws/lessons/abc/", "ws/lessons/18/x", "ws/lessons/"])
def test_an_address_that_is_no_room_is_turned_away(server, path):
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://{server.address}/{path}", origin=Origin(f"http://{server.address}"), proxy=None)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(("sent", "kept"), [("%00", ""), ("a%00%1bb", "ab"), ("%ff%ed%a0%80", "\ufffd" * 4)])
def test_a_device_is_called_by_what_can_be_read(server, cast, lesson, sent, kept):
    with in_room(server, cast.learner, lesson, device=sent):
        assert OpenPresence.objects.get().device == kept


def test_a_closed_lesson_says_so_in_the_readers_language(server, school, cast, now):
    closed = school.lesson(now, state=LessonState.CLOSED)
    client = RoomClient(server, cast.learner, closed)
    error = client.hear("error")["data"]
    assert (error["code"], error["message"]) == ("lesson_closed", "这节课已经结束。")
    assert client.closed_with() == 4011


def test_a_second_device_takes_over_and_the_first_is_told(server, cast, lesson):
    with in_room(server, cast.learner, lesson, device="phone") as phone:
        phone.beat()
        with in_room(server, cast.learner, lesson, device="desk") as desk:
            assert phone.hear("presence.taken_over") == {
                "type": "presence.taken_over",
                "id": None,
                "data": {},
            }
            assert phone.closed_with() == 4009
            desk.beat()
            assert OpenPresence.objects.get().connection.hex == desk.hello["connection"].replace("-", "")
            desk.leave()
    eventually(lambda: not OpenPresence.objects.exists())
    closings = PresenceInterval.objects.order_by("during").values_list("closing", flat=True)
    assert list(closings)[-1] == Closing.LEFT


@pytest.mark.parametrize("end", ["another device", "the lesson ends"])
def test_an_accepted_heartbeat_counts_however_soon_the_clock_is_stopped_elsewhere(
    server, school, cast, lesson, end
):
    """Another process stops it, and this one has not written the heartbeats yet."""
    with in_room(server, cast.learner, lesson, device="phone") as phone:
        started_at = OpenPresence.objects.get().started_at
        phone.beat()
        phone.beat()
        if end == "another device":
            with in_room(server, cast.learner, lesson, device="desk") as desk:
                desk.leave()
        else:
            actions.end_lesson(lesson=lesson, actor=cast.trainer, at=timezone.now())
        stretch = PresenceInterval.objects.order_by("during")[0]
        assert (stretch.heartbeats, stretch.during.lower) == (2, started_at)
        assert stretch.during.upper > started_at


def test_who_vanishes_is_closed_at_the_last_heartbeat(server, cast, lesson):
    client = RoomClient(server, cast.learner, lesson)
    client.hear("hello")
    client.beat()
    client.vanish()
    eventually(lambda: not OpenPresence.objects.exists())
    interval = PresenceInterval.objects.get()
    assert (interval.closing, interval.heartbeats) == (Closing.SILENT, 1)


def test_silence_is_dropped_by_the_process_itself(server, cast, lesson, settings, monkeypatch):
    monkeypatch.setattr(pulse, "FLUSH_SECONDS", 0.05)
    settings.PRESENCE_TIMEOUT_SECONDS = 0.3
    client = RoomClient(server, cast.learner, lesson)
    client.hear("hello")
    client.beat()
    assert client.closed_with() == 4012
    eventually(lambda: not OpenPresence.objects.exists())
    assert PresenceInterval.objects.get().closing == Closing.SILENT


def test_who_was_closed_elsewhere_is_sent_to_connect_again(server, cast, lesson, monkeypatch):
    """As when this process was stopped for so long that the sweep took its members for gone."""
    monkeypatch.setattr(pulse, "FLUSH_SECONDS", 0.05)
    with in_room(server, cast.learner, lesson) as client:
        client.beat()
        eventually(lambda: OpenPresence.objects.get().heartbeats == 1)
        actions.close_presence(
            connection=OpenPresence.objects.get().connection, closing=Closing.SILENT, at=timezone.now()
        )
        client.beat()
        assert client.closed_with() == 4010
    assert PresenceInterval.objects.count() == 1


def test_heartbeats_are_written_while_the_socket_lives(server, cast, lesson, monkeypatch):
    """A process may be killed at any time: what it has heard is in the database within seconds."""
    monkeypatch.setattr(pulse, "FLUSH_SECONDS", 0.05)
    with in_room(server, cast.learner, lesson) as client:
        client.beat()
        client.beat()
        eventually(lambda: OpenPresence.objects.get().heartbeats == 2)
        row = OpenPresence.objects.get()
        assert row.last_seen_at > row.started_at
        eventually(
            lambda: client.beat()["data"]["seq"] == 1
        )  # the room's last number, to see what was missed


def test_the_end_of_the_lesson_is_heard_and_closes_the_socket(server, cast, lesson):
    with in_room(server, cast.learner, lesson) as learner, in_room(server, cast.trainer, lesson) as trainer:
        learner.beat()
        assert trainer.post("end").status_code == 200
        for client in (learner, trainer):
            assert client.hear("lesson.ended")["data"]["state"] == "closed"
            assert client.closed_with() == 4011
    lesson.refresh_from_db()
    assert lesson.state == LessonState.CLOSED
    assert not OpenPresence.objects.exists()


def test_a_client_that_was_cut_off_has_no_gap_and_no_double(server, cast, lesson):
    """Snapshot, events, a break, events after the last number: each event exactly once, in order."""
    with in_room(server, cast.trainer, lesson) as trainer:

        def wave(times):
            for n in range(times):
                assert trainer.post("hands", raised=n % 2 == 0).status_code == 204

        client = RoomClient(server, cast.learner, lesson)
        client.hear("hello")
        wave(2)
        seen: list[dict[str, Any]] = []
        last = client.get("room").json()["seq"]
        first = last + 1
        wave(4)
        while len(seen) < 4:
            event = client.listen()
            if event["id"] > last:
                seen.append(event)
                last = event["id"]
        client.vanish()
        wave(6)

        with in_room(server, cast.learner, lesson) as again:
            posting = threading.Thread(target=wave, args=[6])
            posting.start()  # while the client catches up
            missed = again.get(f"events/?after={last}").json()
            seen += missed["events"]
            last = seen[-1]["id"]
            posting.join()
            total = queries.room_numbers([lesson.pk])[lesson.pk]
            while last < total:
                event = again.listen()
                if event["id"] > last:
                    seen.append(event)
                    last = event["id"]
    kept = RoomEvent.objects.filter(seq__gte=first, seq__lte=last).order_by("seq")
    assert seen == [event.message for event in kept]
    assert [event["id"] for event in seen] == list(range(first, last + 1))
    assert sum(event["type"].startswith("hand.") for event in seen) == 16


def test_a_reader_that_stalls_holds_nobody_up(server, school, cast, lesson):
    """Some 30 MB to a phone that takes nothing: its presence ends, the other hears every message."""
    stalled = RoomClient(server, school.mates[0], lesson, max_queue=1, compression=None)
    stalled.hear("hello")
    stalled.beat()
    body = "课" * 3500
    with in_room(server, cast.learner, lesson) as learner:
        heard: list[int] = []

        def listen():
            while len(heard) < 3000:
                message = learner.listen()
                if message["type"] == "test":
                    heard.append(message["id"])
                learner.transcript.clear()

        listening = threading.Thread(target=listen)
        listening.start()
        for number in range(3000):
            broadcast.to_room(lesson.pk, f'{{"type":"test","id":{number},"data":{{"text":"{body}"}}}}')
        listening.join(60)
        assert heard == list(range(3000))
        eventually(lambda: not OpenPresence.objects.filter(person=school.mates[0].person).exists())
        assert OpenPresence.objects.get().person == cast.learner.person
    stalled.vanish()
    assert PresenceInterval.objects.get(person=school.mates[0].person).closing == Closing.SILENT
