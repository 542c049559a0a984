"""A room's numbered events: no gap, no double, whoever writes and however often a client asks again."""

import uuid

import pytest
from django.db import transaction
from django.http import Http404

import audit
from audit.models import Entry
from classes.live import actions, queries
from classes.live.actions.interaction import MESSAGE_LENGTH, MESSAGES_AT_ONCE
from classes.live.models import PresenceInterval, RaisedHand, Room, RoomEvent
from classes.live.protocol import Event
from classes.live.states import Closing
from classes.states import LessonState
from policy.refusals import Refusal
from tests.live.conftest import HOUR, SECOND, at_once, beat, enter, seat

pytestmark = pytest.mark.django_db


def say(user, lesson, at, text="我想开个早餐店", key=None):
    seat(user, lesson, at)
    return actions.post_message(actor=user, lesson=lesson, text=text, key=key or uuid.uuid4(), at=at)


def raise_hand(*, actor, lesson, at):
    seat(actor, lesson, at)
    return actions.raise_hand(actor=actor, lesson=lesson, at=at)


def entries(kind):
    return list(Entry.objects.filter(kind=kind))


def test_events_are_numbered_from_one_and_kept(learner, trainer, lesson, now):
    enter(learner, lesson, now)
    say(learner, lesson, now)
    raise_hand(actor=learner, lesson=lesson, at=now)
    actions.lower_hand(actor=trainer, lesson=lesson, person_id=learner.person_id, at=now)
    kept = [(e.seq, e.type, e.actor_id) for e in RoomEvent.objects.order_by("seq")]
    assert kept == [
        (1, "person.joined", learner.pk),
        (2, "message.posted", learner.pk),
        (3, "hand.raised", learner.pk),
        (4, "hand.lowered", trainer.pk),
    ]
    assert Room.objects.get().seq == 4


def test_an_event_is_announced_only_inside_a_transaction(lesson, now, transactional_db):
    with pytest.raises(transaction.TransactionManagementError):
        actions.announce(lesson=lesson, type=Event.HAND_RAISED, data={}, actor=None, at=now)
    assert not RoomEvent.objects.exists()


def test_a_step_that_is_rolled_back_leaves_no_number_behind(learner, lesson, now):
    say(learner, lesson, now)

    def fail_afterwards():
        with transaction.atomic():
            say(learner, lesson, now)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_afterwards()
    assert say(learner, lesson, now).seq == 2


@pytest.mark.django_db(transaction=True)
def test_many_at_once_get_each_number_once(school, lesson, now):
    """Eight writers, five messages each: 40 numbers without a hole."""

    def talk(user, turn):
        for n in range(5):
            say(user, lesson, now + (turn * 60 + n * 10) * SECOND)

    results = at_once(*(lambda t=turn: talk(school.trainees[t % 3], t) for turn in range(8)))
    assert results == [None] * 8
    assert sorted(RoomEvent.objects.values_list("seq", flat=True)) == list(range(1, 41))
    assert len(entries("room.message_posted")) == 40


# --- messages ---


def test_a_message_is_in_the_room_and_its_commitment_in_the_evidence(learner, lesson, now):
    event = say(learner, lesson, now, "  房租一年三万六，摊到每碗咋算？ ")
    assert event.data == {
        "key": str(event.key),
        "person": learner.person_id,
        "name": "王小满",
        "role": "trainee",
        "text": "房租一年三万六，摊到每碗咋算？",
    }
    [entry] = entries("room.message_posted")
    assert entry.subject == f"{lesson.subject}/person/{learner.person_id}"
    assert (entry.facts["event"], entry.facts["length"]) == (event.seq, 15)
    assert audit.opens(entry.facts["text"], event.data["text"], salt=bytes(event.salt))
    assert "房租" not in str(entry.facts)


def test_a_message_sent_again_is_posted_once(learner, lesson, now):
    key = uuid.uuid4()
    first, again = say(learner, lesson, now, "在呢", key), say(learner, lesson, now + SECOND, "在呢", key)
    assert again.pk == first.pk
    assert RoomEvent.objects.count() == 1
    assert len(entries("room.message_posted")) == 1


@pytest.mark.django_db(transaction=True)
def test_a_message_sent_again_at_once_is_posted_once(learner, lesson, now):
    key = uuid.uuid4()
    results = at_once(*[lambda: say(learner, lesson, now, "在呢", key)] * 4)
    assert {one.seq for one in results} == {1}
    assert RoomEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("   ", "message_empty"),
        ("\u200b\u3164", "message_empty"),
        ("课" * (MESSAGE_LENGTH + 1), "message_too_long"),
    ],
)
def test_a_message_has_a_length(learner, lesson, now, text, code):
    with pytest.raises(Refusal) as refused:
        say(learner, lesson, now, text)
    assert (refused.value.code, refused.value.status) == (code, 400)
    assert refused.value.required is not None
    assert not RoomEvent.objects.exists()


def test_the_longest_message_fits(learner, lesson, now):
    assert say(learner, lesson, now, "课" * MESSAGE_LENGTH).seq == 1


def test_nobody_floods_the_room(learner, trainer, lesson, now):
    for _n in range(MESSAGES_AT_ONCE):
        say(learner, lesson, now)
    with pytest.raises(Refusal) as refused:
        say(learner, lesson, now + 9 * SECOND)
    assert (refused.value.code, refused.value.status) == ("messages_too_fast", 429)
    assert RoomEvent.objects.count() == MESSAGES_AT_ONCE
    say(trainer, lesson, now + 9 * SECOND)  # others are not held up
    say(learner, lesson, now + 10 * SECOND)


@pytest.mark.parametrize(("who", "raised"), [("rival", Http404), ("manager", Refusal), ("officer", Refusal)])
def test_only_the_class_speaks_in_its_room(cast, lesson, now, who, raised):
    with pytest.raises(raised):
        say(cast[who], lesson, now)
    with pytest.raises(raised):
        raise_hand(actor=cast[who], lesson=lesson, at=now)
    assert not RoomEvent.objects.exists()
    assert not RaisedHand.objects.exists()


def test_a_closed_room_is_quiet(school, learner, now):
    closed = school.lesson(now, state=LessonState.CLOSED)
    with pytest.raises(Refusal) as refused:
        say(learner, closed, now)
    assert refused.value.code == "lesson_closed"
    with pytest.raises(Refusal) as refused:
        raise_hand(actor=learner, lesson=closed, at=now)
    assert refused.value.code == "lesson_closed"
    assert not RoomEvent.objects.exists()


@pytest.mark.parametrize("who", ["learner", "trainer", "assistant"])
def test_nobody_speaks_before_the_lesson_is_opened(school, cast, now, who):
    planned = school.lesson(now, state=LessonState.PLANNED)
    enter(cast[who], planned, now)
    before = RoomEvent.objects.count(), Entry.objects.count()
    for step in (
        lambda: say(cast[who], planned, now),
        lambda: raise_hand(actor=cast[who], lesson=planned, at=now),
    ):
        with pytest.raises(Refusal) as refused:
            step()
        body = refused.value.render()
        assert (body["code"], refused.value.status) == ("lesson_not_open", 409)
        assert (body["details"]["found"], body["details"]["required"]) == ("planned", "open")
        assert body["details"]["rule"] == "P17"
        assert body["details"]["next"] == "请等讲师或助教开始上课。"
    assert before == (RoomEvent.objects.count(), Entry.objects.count())
    assert not RaisedHand.objects.exists()


def test_a_trainee_speaks_only_from_within_the_room(school, learner, lesson, now):
    key = uuid.uuid4()

    def refused_outside(found):
        for step in (
            lambda: actions.post_message(actor=learner, lesson=lesson, text="在呢", key=key, at=now),
            lambda: actions.raise_hand(actor=learner, lesson=lesson, at=now),
        ):
            with pytest.raises(Refusal) as refused:
                step()
            assert (refused.value.code, refused.value.found) == ("not_in_room", found)
            assert (refused.value.required, refused.value.rule) == (lesson.pk, "P17")
            assert "请先进课堂" in refused.value.next_step
        assert not RoomEvent.objects.filter(type__in=(Event.MESSAGE_POSTED, Event.HAND_RAISED)).exists()
        assert not entries("room.message_posted")

    refused_outside(None)
    other = school.lesson(now, training_class=school.another_class())
    school.enrol(learner, other.training_class)
    enter(learner, other, now)
    refused_outside(other.pk)
    presence = enter(learner, lesson, now + SECOND)
    assert actions.post_message(actor=learner, lesson=lesson, text="在呢", key=key, at=now + SECOND)
    actions.raise_hand(actor=learner, lesson=lesson, at=now + SECOND)
    actions.close_presence(connection=presence.connection, closing=Closing.LEFT, at=now + 2 * SECOND)
    again = actions.post_message(actor=learner, lesson=lesson, text="在呢", key=key, at=now + 3 * SECOND)
    assert again.key == key  # what had arrived stays; only new words need a seat
    with pytest.raises(Refusal, check=lambda r: r.code == "not_in_room"):
        actions.post_message(
            actor=learner, lesson=lesson, text="还有一句", key=uuid.uuid4(), at=now + 3 * SECOND
        )


def test_who_leads_the_lesson_speaks_without_a_seat(trainer, assistant, lesson, now):
    for user in (trainer, assistant):
        assert say(user, lesson, now)
        actions.raise_hand(actor=user, lesson=lesson, at=now)


# --- hands ---


def test_a_hand_is_raised_once_and_lowered_once(learner, lesson, now):
    for _twice in range(2):
        raise_hand(actor=learner, lesson=lesson, at=now)
    [hand] = queries.hands(lesson)
    assert (hand["person"], hand["name"]) == (learner.person_id, "王小满")
    for _twice in range(2):
        actions.lower_hand(actor=learner, lesson=lesson, person_id=learner.person_id, at=now)
    assert [e.type for e in RoomEvent.objects.order_by("seq")] == ["hand.raised", "hand.lowered"]
    assert len(entries("room.hand_raised")) == 1


def test_a_trainee_does_not_lower_another_hand(school, lesson, now):
    learner, mate, _third = school.trainees
    raise_hand(actor=mate, lesson=lesson, at=now)
    with pytest.raises(Refusal) as refused:
        actions.lower_hand(actor=learner, lesson=lesson, person_id=mate.person_id, at=now)
    assert refused.value.status == 403
    assert RaisedHand.objects.count() == 1


# --- opening and closing ---


def test_the_lecturer_opens_the_lesson_once(school, trainer, now):
    planned = school.lesson(now, state=LessonState.PLANNED)
    for _twice in range(2):
        opened = actions.start_lesson(actor=trainer, lesson=planned, at=now + SECOND)
    assert (opened.state, opened.opened_at) == (LessonState.OPEN, now + SECOND)
    assert [e.type for e in RoomEvent.objects.all()] == ["lesson.started"]


def test_the_lesson_ends_once_and_lowers_all_hands(learner, assistant, lesson, now):
    raise_hand(actor=learner, lesson=lesson, at=now)
    for _twice in range(2):
        ended = actions.end_lesson(actor=assistant, lesson=lesson, at=now + HOUR)
    assert (ended.state, ended.closed_at) == (LessonState.CLOSED, now + HOUR)
    assert not RaisedHand.objects.exists()
    assert [e.type for e in RoomEvent.objects.order_by("seq")] == ["hand.raised", "lesson.ended"]
    assert len(entries("lesson.closed")) == 1


@pytest.mark.parametrize("who", ["learner", "manager"])
def test_nobody_else_opens_or_ends_a_lesson(school, cast, now, who):
    planned, running = school.lesson(now, state=LessonState.PLANNED), school.lesson(now + 24 * HOUR)
    for step, lesson in ((actions.start_lesson, planned), (actions.end_lesson, running)):
        with pytest.raises(Refusal) as refused:
            step(actor=cast[who], lesson=lesson, at=lesson.starts_at)
        assert (refused.value.code, refused.value.status) == ("not_the_staff", 403)
    planned.refresh_from_db()
    running.refresh_from_db()
    assert (planned.state, running.state) == (LessonState.PLANNED, LessonState.OPEN)
    assert not RoomEvent.objects.exists()


def test_a_stranger_opens_nothing(school, rival, now):
    planned = school.lesson(now, state=LessonState.PLANNED)
    with pytest.raises(Http404):
        actions.start_lesson(actor=rival, lesson=planned, at=now)
    planned.refresh_from_db()
    assert planned.state == LessonState.PLANNED


def test_the_platform_ends_what_nobody_ended(school, learner, lesson, now):
    later = school.lesson(now + 4 * HOUR)
    presence = enter(learner, lesson, now)
    beat(presence, now + SECOND)
    due = lesson.ends_at + HOUR / 2
    assert actions.end_overdue_lessons(at=due - SECOND) == 0
    assert actions.end_overdue_lessons(at=due) == 1
    assert actions.end_overdue_lessons(at=due) == 0
    lesson.refresh_from_db()
    later.refresh_from_db()
    assert (lesson.state, later.state) == (LessonState.CLOSED, LessonState.OPEN)
    [entry] = entries("lesson.closed")
    assert entry.actor_id is None
    assert PresenceInterval.objects.get().during.upper == now + SECOND


# --- the snapshot ---


def test_the_snapshot_is_the_room_at_one_number(school, learner, trainer, lesson, now):
    enter(trainer, lesson, now)
    enter(learner, lesson, now)
    say(learner, lesson, now, "在呢")
    raise_hand(actor=school.mates[0], lesson=lesson, at=now)
    room = queries.snapshot(lesson, learner)
    assert room["seq"] == 4
    assert room["lesson"]["state"] == "open"
    assert room["me"] == {
        "person": learner.person_id,
        "name": "王小满",
        "role": "trainee",
        "leads": False,
    }
    assert [(one["name"], one["role"], one["online"]) for one in room["people"]] == [
        ("李明远", "lecturer", True),
        ("赵晓宁", "assistant", False),
        ("陈国强", "trainee", True),
        ("杜秀英", "trainee", False),
        ("王小满", "trainee", True),
    ]
    assert [one["text"] for one in room["messages"]] == ["在呢"]
    assert [one["person"] for one in room["hands"]] == [school.mates[0].person_id]
    assert (room["slides"], room["polls"]) == ([], [])
    assert {"checks", "sign_in"} <= room.keys()  # what attendance puts in


def test_the_snapshot_of_a_room_where_nothing_happened(learner, lesson):
    assert queries.snapshot(lesson, learner)["seq"] == 0


@pytest.mark.parametrize("count", [1, 3])
def test_a_full_room_costs_no_more_queries(school, trainer, lesson, now, count, django_assert_num_queries):
    for number, user in enumerate(school.trainees[:count]):
        enter(user, lesson, now)
        say(user, lesson, now)
        raise_hand(actor=user, lesson=lesson, at=now + number * SECOND)
    queries.snapshot(lesson, trainer)  # the edition is read once per process
    with django_assert_num_queries(SNAPSHOT_QUERIES):
        queries.snapshot(lesson, trainer)


SNAPSHOT_QUERIES = 15


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_and_what_follows_have_no_gap_and_no_double(school, learner, trainer, lesson, now):
    """Snapshots taken while others write: snapshot + events after its number is always the whole."""
    enter(learner, lesson, now)

    def talk():
        for n in range(30):
            say(trainer, lesson, now + n * 10 * SECOND, str(n))

    def look():
        seen = []
        for _n in range(15):
            room = queries.snapshot(lesson, learner)
            seen.append((room["seq"], [one["text"] for one in room["messages"]]))
        return seen

    _none, first, second = at_once(talk, look, look)
    for seq, texts in first + second:
        after = [event.data["text"] for event in queries.events_after(lesson, seq)]
        assert texts + after == [str(n) for n in range(30)]


def test_events_after_a_number_come_in_order(learner, lesson, now):
    for n in range(4):
        say(learner, lesson, now + n * 10 * SECOND, str(n))
    assert [e.data["text"] for e in queries.events_after(lesson, 2)] == ["2", "3"]
    assert queries.events_after(lesson, 4) == []
