"""Presence: intervals closed at the last heartbeat, one human on one clock."""

import uuid
from datetime import timedelta
from functools import partial

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.http import Http404

from accounts.actions import reset_access
from audit.models import Entry
from classes.live import actions
from classes.live.models import OpenPresence, PresenceInterval, RoomEvent
from classes.live.states import Closing
from classes.live.unwritten import Beat
from classes.states import ClassState, LessonState
from policy.refusals import Refusal
from tests.live.conftest import HOUR, SECOND, at_once, beat, enter

pytestmark = pytest.mark.django_db


def events(lesson):
    return list(RoomEvent.objects.filter(room_id=lesson.pk).order_by("seq").values_list("type", flat=True))


def evidence(lesson):
    return list(Entry.objects.filter(kind="presence.closed", subject__startswith=f"{lesson.subject}/"))


def test_presence_is_an_interval_closed_at_the_last_heartbeat(learner, lesson, now):
    presence = enter(learner, lesson, now)
    beat(presence, now + 5 * SECOND, now + 10 * SECOND)

    actions.close_presence(
        connection=presence.connection,
        closing=Closing.LEFT,
        at=now + 17 * SECOND,
        last_beat=Beat(presence.connection, now + 15 * SECOND, count=3, longest_gap_ms=5002),
    )

    interval = PresenceInterval.objects.get()
    assert (interval.during.lower, interval.during.upper) == (now, now + 15 * SECOND)
    assert (interval.heartbeats, interval.closing) == (3, Closing.LEFT)
    assert not OpenPresence.objects.exists()
    assert events(lesson) == ["person.joined", "person.left"]
    [entry] = evidence(lesson)
    assert entry.subject == f"{lesson.subject}/person/{learner.person_id}"
    assert entry.actor_id == learner.pk
    assert entry.facts == {
        "connection": str(presence.connection),
        "started_at": "2026-09-07T01:00:00.000000Z",
        "last_seen_at": "2026-09-07T01:00:15.000000Z",
        "heartbeats": 3,
        "longest_gap_ms": 5002,
        "closing": "left",
    }


def test_who_never_beat_was_not_proven_to_be_there(learner, lesson, now):
    presence = enter(learner, lesson, now)
    actions.close_presence(connection=presence.connection, closing=Closing.LEFT, at=now + HOUR)
    assert not OpenPresence.objects.exists()
    assert not PresenceInterval.objects.exists()
    assert evidence(lesson) == []


def test_closing_twice_closes_once(learner, lesson, now):
    presence = enter(learner, lesson, now)
    beat(presence, now + SECOND)
    assert actions.close_presence(connection=presence.connection, closing=Closing.LEFT, at=now + HOUR)
    assert actions.close_presence(connection=presence.connection, closing=Closing.LEFT, at=now + HOUR) is None
    assert PresenceInterval.objects.count() == 1


def test_the_staff_is_present_in_the_same_way(trainer, assistant, lesson, now):
    for user in (trainer, assistant):
        presence = enter(user, lesson, now)
        beat(presence, now + SECOND)
        actions.close_presence(connection=presence.connection, closing=Closing.LEFT, at=now + HOUR)
    assert set(PresenceInterval.objects.values_list("person_id", flat=True)) == {
        trainer.person_id,
        assistant.person_id,
    }


def test_opening_the_same_connection_again_changes_nothing(learner, lesson, now):
    presence = enter(learner, lesson, now)
    again = actions.open_presence(
        actor=learner, lesson=lesson, connection=presence.connection, at=now + SECOND
    )
    assert again.started_at == now
    assert events(lesson) == ["person.joined"]


# --- heartbeats ---


def test_heartbeats_of_many_are_one_statement(school, lesson, now, django_assert_num_queries):
    here = [enter(user, lesson, now) for user in school.trainees]
    with django_assert_num_queries(1):
        alive = actions.record_heartbeats([Beat(one.connection, now + SECOND, 2, 700) for one in here])
    assert alive == {one.connection for one in here}
    rows = OpenPresence.objects.values_list("last_seen_at", "heartbeats", "longest_gap_ms")
    assert set(rows) == {(now + SECOND, 2, 700)}


def test_a_heartbeat_never_moves_backwards(learner, lesson, now):
    presence = enter(learner, lesson, now)
    beat(presence, now + 10 * SECOND, now + 4 * SECOND)
    presence.refresh_from_db()
    assert (presence.last_seen_at, presence.heartbeats) == (now + 10 * SECOND, 2)


def test_a_heartbeat_of_a_closed_connection_writes_nothing_and_says_so(learner, lesson, now):
    presence = enter(learner, lesson, now)
    beat(presence, now + SECOND)
    actions.close_presence(connection=presence.connection, closing=Closing.LEFT, at=now + SECOND)
    assert actions.record_heartbeats([Beat(presence.connection, now + HOUR)]) == set()
    assert PresenceInterval.objects.get().during.upper == now + SECOND


def test_heartbeats_stay_within_their_page(learner, lesson, now):
    """A heartbeat must not touch an index: 60 a room every two seconds would be the load."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select a.attname from pg_index i"
            " join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)"
            " where i.indrelid = 'live_openpresence'::regclass"
        )
        indexed = {name for (name,) in cursor.fetchall()}
        cursor.execute("select reloptions from pg_class where oid = 'live_openpresence'::regclass")
        assert cursor.fetchone()[0] == ["fillfactor=50"]
    assert indexed.isdisjoint({"last_seen_at", "heartbeats", "longest_gap_ms"})


# --- one human, one clock ---


def test_a_second_device_takes_over_and_the_first_is_closed_at_its_last_heartbeat(learner, lesson, now):
    phone = enter(learner, lesson, now, device="phone")
    beat(phone, now + 30 * SECOND)

    desk = enter(learner, lesson, now + 40 * SECOND, device="desk")

    interval = PresenceInterval.objects.get()
    assert (interval.connection, interval.closing) == (phone.connection, Closing.TAKEN_OVER)
    assert interval.during.upper == now + 30 * SECOND
    open_now = OpenPresence.objects.get()
    assert (open_now.connection, open_now.started_at) == (desk.connection, now + 40 * SECOND)
    assert events(lesson) == ["person.joined", "person.joined"]  # never away: no "left" between
    assert [entry.facts["closing"] for entry in evidence(lesson)] == ["taken_over"]


def test_the_same_device_again_is_a_reconnection(learner, lesson, now):
    first = enter(learner, lesson, now, device="phone")
    beat(first, now + SECOND)
    enter(learner, lesson, now + 9 * SECOND, device="phone")
    assert PresenceInterval.objects.get().closing == Closing.SILENT


def test_one_clock_holds_across_classes(school, learner, lesson, now):
    other_class = school.another_class()
    school.enrol(learner, other_class)
    elsewhere = school.lesson(now, training_class=other_class)
    here = enter(learner, lesson, now)
    beat(here, now + 5 * SECOND)

    enter(learner, elsewhere, now + 6 * SECOND)

    assert events(lesson) == ["person.joined", "person.left"]
    assert events(elsewhere) == ["person.joined"]
    assert OpenPresence.objects.get().lesson == elsewhere
    assert PresenceInterval.objects.get().lesson == lesson


def test_another_machines_clock_that_runs_ahead_never_makes_time_overlap(learner, lesson, now):
    ahead = enter(learner, lesson, now)
    beat(ahead, now + 10 * SECOND)
    behind = enter(learner, lesson, now + 7 * SECOND)
    assert behind.started_at == now + 10 * SECOND
    beat(behind, now + 12 * SECOND)
    actions.close_presence(connection=behind.connection, closing=Closing.LEFT, at=now + HOUR)
    spans = [(i.during.lower, i.during.upper) for i in PresenceInterval.objects.order_by("during")]
    assert spans == [(now, now + 10 * SECOND), (now + 10 * SECOND, now + 12 * SECOND)]


def test_the_database_refuses_the_same_human_twice_at_one_time(learner, lesson, now):
    def stretch(start, end):
        return PresenceInterval(
            person=learner.person,
            lesson=lesson,
            during=(now + start * SECOND, now + end * SECOND),
            heartbeats=1,
            closing=Closing.LEFT,
            connection=uuid.uuid4(),
        )

    stretch(0, 10).save()
    stretch(10, 20).save()  # half open: touching is not overlapping
    with pytest.raises(IntegrityError, match="presence_one_human_one_clock"), transaction.atomic():
        stretch(19, 30).save()


@pytest.mark.parametrize("attack", ["update", "delete"])
def test_the_ledger_of_presence_only_grows(learner, lesson, now, attack):
    presence = enter(learner, lesson, now)
    beat(presence, now + SECOND)
    actions.close_presence(connection=presence.connection, closing=Closing.LEFT, at=now + SECOND)
    rows = PresenceInterval.objects.all()
    change = rows.delete if attack == "delete" else partial(rows.update, heartbeats=9)
    with pytest.raises(DatabaseError, match=r"only grows|permission denied"), transaction.atomic():
        change()
    assert PresenceInterval.objects.get().heartbeats == 1


# --- who may, and when ---


def test_a_stranger_does_not_learn_that_the_room_exists(rival, lesson, now):
    with pytest.raises(Http404):
        enter(rival, lesson, now)
    assert not OpenPresence.objects.exists()


@pytest.mark.parametrize("who", ["manager", "officer"])
def test_who_only_sees_the_class_is_not_in_its_room(cast, lesson, now, who):
    with pytest.raises(Refusal) as refused:
        enter(cast[who], lesson, now)
    assert (refused.value.code, refused.value.status) == ("not_in_class", 403)
    assert not OpenPresence.objects.exists()
    assert events(lesson) == []


def test_a_closed_lesson_takes_nobody_in(school, learner, now):
    closed = school.lesson(now, state=LessonState.CLOSED)
    with pytest.raises(Refusal) as refused:
        enter(learner, closed, now)
    assert refused.value.code == "lesson_closed"


def test_people_may_wait_in_the_room_shortly_before_the_lesson(school, trainer, learner, now):
    planned = school.lesson(now + HOUR, state=LessonState.PLANNED)
    with pytest.raises(Refusal) as refused:
        enter(trainer, planned, now - HOUR)
    assert refused.value.code == "room_not_open_yet"
    assert not OpenPresence.objects.exists()
    enter(trainer, planned, now + HOUR - SECOND)
    enter(learner, planned, now + HOUR + SECOND)
    with pytest.raises(Refusal) as refused:
        enter(learner, planned, planned.ends_at)
    assert refused.value.code == "lesson_missed"


@pytest.mark.parametrize("state", [ClassState.DRAFT, ClassState.SUBMITTED, ClassState.CANCELLED])
def test_a_class_that_is_not_approved_has_no_room(school, trainer, lesson, now, state):
    school.training_class.__class__.objects.filter(pk=school.training_class.pk).update(state=state)
    with pytest.raises(Refusal) as refused:
        enter(trainer, lesson, now)
    assert (refused.value.code, refused.value.rule) == ("class_not_running", "F9")


# --- a process that died ---


def test_silence_is_closed_at_the_last_heartbeat(school, cast, lesson, now, settings):
    settings.PRESENCE_TIMEOUT_SECONDS = 20
    silent, alive = enter(cast.learner, lesson, now), enter(school.mates[0], lesson, now)
    beat(silent, now + 10 * SECOND)
    beat(alive, now + 30 * SECOND)

    assert actions.close_silent_presences(at=now + 35 * SECOND) == 1

    interval = PresenceInterval.objects.get()
    assert (interval.connection, interval.closing) == (silent.connection, Closing.SILENT)
    assert interval.during.upper == now + 10 * SECOND
    assert OpenPresence.objects.get().connection == alive.connection
    assert evidence(lesson)[0].actor_id is None
    assert actions.close_silent_presences(at=now + 35 * SECOND) == 0


def test_ending_the_lesson_ends_everybodys_presence(school, cast, lesson, now):
    people = [*school.trainees[:2], cast.trainer]
    here = [enter(user, lesson, now) for user in people]
    for number, one in enumerate(here, 1):
        beat(one, now + number * SECOND)

    ended = actions.end_lesson(actor=cast.trainer, lesson=lesson, at=now + HOUR)

    assert ended.state == LessonState.CLOSED
    assert not OpenPresence.objects.exists()
    ends = {i.person_id: i.during.upper for i in PresenceInterval.objects.all()}
    assert ends == {user.person_id: now + number * SECOND for number, user in enumerate(people, 1)}
    assert set(PresenceInterval.objects.values_list("closing", flat=True)) == {Closing.LESSON_CLOSED}
    assert events(lesson)[-1] == "lesson.ended"
    assert len(evidence(lesson)) == 3


# --- races, each on connections of its own ---


@pytest.mark.django_db(transaction=True)
def test_two_devices_at_once_leave_one_clock_running(learner, lesson, now):
    for _round in range(5):
        results = at_once(
            lambda: enter(learner, lesson, now, "phone"), lambda: enter(learner, lesson, now, "desk")
        )
        assert all(isinstance(one, OpenPresence) for one in results), results
        assert OpenPresence.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_takeover_and_a_goodbye_at_once_close_once(learner, lesson, now):
    for number in range(5):
        start = now + number * 60 * SECOND
        phone = enter(learner, lesson, start, "phone")
        beat(phone, start + 5 * SECOND)
        goodbye, taken = at_once(
            lambda: actions.close_presence(
                connection=phone.connection,  # noqa: B023  (run within the round)
                closing=Closing.LEFT,
                at=start + 9 * SECOND,  # noqa: B023
            ),
            lambda: enter(learner, lesson, start + 9 * SECOND, "desk"),  # noqa: B023
        )
        assert isinstance(taken, OpenPresence), taken
        assert not isinstance(goodbye, Exception), goodbye
        assert PresenceInterval.objects.filter(connection=phone.connection).count() == 1
        assert PresenceInterval.objects.get(connection=phone.connection).during.upper == start + 5 * SECOND


@pytest.mark.django_db(transaction=True)
def test_closing_twice_at_once_closes_once(learner, lesson, now):
    for number in range(5):
        start = now + number * 60 * SECOND
        presence = enter(learner, lesson, start)
        beat(presence, start + 5 * SECOND)

        def close(presence=presence, start=start):
            return actions.close_presence(
                connection=presence.connection, closing=Closing.SILENT, at=start + 9 * SECOND
            )

        results = at_once(close, close, lambda: actions.close_silent_presences(at=now + HOUR))
        assert not [one for one in results if isinstance(one, Exception)], results
        assert PresenceInterval.objects.filter(connection=presence.connection).count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_end_of_a_lesson_races_with_heartbeats_goodbyes_and_arrivals(school, cast, now):
    """Nobody waits for each other in a circle, and whatever order wins, each stretch is there once."""
    users = school.trainees
    for number in range(4):
        lesson = school.lesson(now + timedelta(days=number))
        start = lesson.starts_at
        here = [enter(user, lesson, start) for user in users]
        beats = [Beat(one.connection, start + 5 * SECOND) for one in here]
        actions.record_heartbeats(beats)
        results = at_once(
            lambda: actions.end_lesson(actor=cast.trainer, lesson=lesson, at=start + HOUR),  # noqa: B023
            lambda: actions.record_heartbeats(list(reversed(beats))),  # noqa: B023
            lambda: actions.close_presence(
                connection=here[1].connection,  # noqa: B023
                closing=Closing.LEFT,
                at=start + HOUR,  # noqa: B023
            ),
            lambda: enter(cast.trainer, lesson, start + 6 * SECOND),  # noqa: B023
        )
        unexpected = [
            one
            for one in results
            if isinstance(one, Exception) and not (isinstance(one, Refusal) and one.code == "lesson_closed")
        ]
        assert not unexpected, unexpected
        assert not OpenPresence.objects.filter(lesson=lesson, person__in=[u.person for u in users]).exists()
        spans = PresenceInterval.objects.filter(lesson=lesson, person__in=[u.person for u in users])
        assert [span.during.upper for span in spans] == [start + 5 * SECOND] * 3


def test_whose_access_ends_is_out_of_the_room_at_the_last_heartbeat(
    learner, manager, lesson, now, django_capture_on_commit_callbacks
):
    learner.set_password("a-long-phrase-of-mine")
    learner.save()
    presence = enter(learner, lesson, now)
    beat(presence, now + 5 * SECOND)
    with django_capture_on_commit_callbacks(execute=True):
        reset_access(user=learner, actor=manager, at=now + 60 * SECOND)
    assert not OpenPresence.objects.exists()
    assert actions.record_heartbeats([Beat(presence.connection, now + 61 * SECOND)]) == set()
    assert PresenceInterval.objects.get().during.upper == now + 5 * SECOND
