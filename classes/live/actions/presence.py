"""Presence: who is in a room, proven by heartbeats, one human on one clock.

A socket opens a presence; its process writes the last heartbeats of all its members in one statement every
few seconds; closing moves the stretch [start, last heartbeat) to the ledger. The person's row is the lock
of their clock.
"""

import datetime
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_noop

import audit
from accounts.models import Person, User
from classes.actions.lessons import opens_at
from classes.live import broadcast
from classes.live.actions.events import announce, lock_rooms, person_subject
from classes.live.actions.media import close_peers
from classes.live.models import OpenPresence, PresenceInterval
from classes.live.permissions import require_member
from classes.live.protocol import CloseCode, Event, FromServer, encode
from classes.live.refusals import lesson_closed
from classes.live.states import Closing
from classes.live.unwritten import Beat, last_beats
from classes.models import Lesson
from classes.states import ClassState, LessonState
from policy.refusals import Refusal

FLUSH_SECONDS = 2  # how often a process writes its members' last heartbeats


def open_presence(
    *, actor: User, lesson: Lesson, connection: UUID, at: datetime.datetime, device: str = ""
) -> OpenPresence:
    """Start this human's clock in a room, and stop it wherever else it runs, there at its last heartbeat.

    `device` is what the browser calls itself; it only tells a reconnection from a second device. The
    socket that loses the clock is told `presence.taken_over` and closed. The same connection again changes
    nothing.

    Raises Refusal `not_in_class` (403), `class_not_running`, `lesson_closed`, `room_not_open_yet`,
    `lesson_missed`, `edition_unset`.
    """
    with transaction.atomic():
        lesson = Lesson.objects.select_for_update(no_key=True).get(pk=lesson.pk)
        me = require_member(actor, lesson)
        _judge_door(lesson, at)
        person = Person.objects.select_for_update(no_key=True).get(pk=me.person_id)
        earlier = OpenPresence.objects.select_for_update().filter(person=person).first()
        if earlier and earlier.connection == connection:
            return earlier
        lock_rooms(lesson.pk, *([earlier.lesson_id] if earlier else []))
        evidence = []
        if earlier:
            record_heartbeats(last_beats([earlier.connection]))
            earlier.refresh_from_db()
            same_device = bool(device) and earlier.device == device
            closing = Closing.SILENT if same_device else Closing.TAKEN_OVER
            moves_on = earlier.lesson_id != lesson.pk
            evidence = _close(
                [earlier], lesson=earlier.lesson, closing=closing, actor=actor, at=at, announced=moves_on
            )
            transaction.on_commit(lambda: _tell_taken_over(earlier.connection), robust=True)
        opened = OpenPresence.objects.create(
            person=person,
            lesson=lesson,
            connection=connection,
            started_at=(started_at := _not_before_last(person, at)),
            last_seen_at=started_at,
            device=device,
        )
        data = {"person": person.pk, "name": person.name, "role": me.role.value}
        announce(lesson=lesson, type=Event.PERSON_JOINED, data=data, actor=actor, at=at)
        audit.record_many(evidence)
    return opened


def _judge_door(lesson: Lesson, at: datetime.datetime) -> None:
    if lesson.state == LessonState.CLOSED:
        raise lesson_closed(lesson.state)
    if lesson.training_class.state not in (ClassState.APPROVED, ClassState.RUNNING):
        raise Refusal(
            "class_not_running",
            gettext_noop("这个班还不能上课。"),
            found=ClassState(lesson.training_class.state),
            required=ClassState.APPROVED,
            rule="F9",
            next_step=gettext_noop("开班备案通过以后才能上课，请联系培训机构。"),
        )
    if lesson.state == LessonState.PLANNED:
        _judge_waiting(lesson, at)


def _judge_waiting(lesson: Lesson, at: datetime.datetime) -> None:
    """Before the lesson is opened people may wait in its room, from when it may be opened until it would
    end.
    """
    doors = opens_at(lesson)
    if at < doors:
        raise Refusal(
            "room_not_open_yet",
            gettext_noop("课堂还没有开门，%(doors)s 起可以进。"),
            found=at,
            required=doors,
            rule="L2",
            params={"doors": date_format(timezone.localtime(doors), "DATETIME_FORMAT")},
            next_step=gettext_noop("请到时间再进。"),
        )
    if at >= lesson.ends_at:
        raise Refusal(
            "lesson_missed",
            gettext_noop("这节课的时间已经过了，没有开课。"),
            found=at,
            required=lesson.ends_at,
            rule="M6",
            next_step=gettext_noop("请联系助教，问清改到什么时候上。"),
        )


def _not_before_last(person: Person, at: datetime.datetime) -> datetime.datetime:
    """The moment itself, or the end of this human's last stretch where another machine's clock runs ahead of
    ours.
    """
    last = (
        PresenceInterval.objects.filter(person=person, during__endswith__gt=at)
        .annotate(end=Upper("during"))
        .order_by("-end")
        .values_list("end", flat=True)
        .first()
    )
    return last or at


def _tell_taken_over(connection: UUID) -> None:
    broadcast.to_socket(connection, encode(FromServer.TAKEN_OVER, None, {}), close=CloseCode.TAKEN_OVER)


def record_heartbeats(beats: Sequence[Beat]) -> set[UUID]:
    """Write the last heartbeats of many connections in one statement; return those whose presence is still
    open.

    Rows are locked in the order of the persons, as closing does, so the two never wait for each other in a
    circle. A heartbeat never moves backwards, and one written twice counts once.
    """
    if not beats:
        return set()
    with database.cursor() as cursor:
        cursor.execute(
            """
            WITH beat AS (
                SELECT * FROM unnest(%s::uuid[], %s::timestamptz[], %s::int[], %s::int[])
                    AS b(connection, seen_at, count, gap)
            ), held AS (
                SELECT p.person_id FROM live_openpresence p JOIN beat USING (connection)
                ORDER BY p.person_id FOR NO KEY UPDATE OF p
            )
            UPDATE live_openpresence p
            SET last_seen_at = greatest(p.last_seen_at, beat.seen_at),
                heartbeats = greatest(p.heartbeats, beat.count),
                longest_gap_ms = greatest(p.longest_gap_ms, beat.gap)
            FROM beat, held
            WHERE p.connection = beat.connection AND p.person_id = held.person_id
            RETURNING p.connection
            """,
            [
                [beat.connection for beat in beats],
                [beat.seen_at for beat in beats],
                [beat.count for beat in beats],
                [beat.longest_gap_ms for beat in beats],
            ],
        )
        return {connection for (connection,) in cursor.fetchall()}


def close_presence(
    *, connection: UUID, closing: Closing, at: datetime.datetime, last_beat: Beat | None = None
) -> PresenceInterval | None:
    """Stop the clock of one connection at its last heartbeat; None where it has none any more, or never beat.

    `last_beat` is what the connection's process has not written yet, where it is that which closes.
    """
    with transaction.atomic():
        person_id = (
            OpenPresence.objects.filter(connection=connection).values_list("person_id", flat=True).first()
        )
        if person_id is None:
            return None
        Person.objects.select_for_update(no_key=True).get(pk=person_id)
        record_heartbeats([last_beat] if last_beat else last_beats([connection]))
        found = OpenPresence.objects.select_for_update().filter(connection=connection).first()
        if found is None:
            return None
        lock_rooms(found.lesson_id)
        actor = User.objects.filter(person_id=person_id).first() if closing == Closing.LEFT else None
        audit.record_many(_close([found], lesson=found.lesson, closing=closing, actor=actor, at=at))
    return PresenceInterval.objects.filter(connection=connection).first()


def end_presence(sender: Any, *, user: User, at: datetime.datetime, **signal: Any) -> None:
    """Stop the clock of whoever may no longer be signed in (`accounts.signals.access_ended`), after commit.

    The process that holds the socket drops it at its next writing; it cannot come back without signing in.
    """
    for connection in OpenPresence.objects.filter(person=user.person_id).values_list("connection", flat=True):
        transaction.on_commit(
            partial(close_presence, connection=connection, closing=Closing.SILENT, at=at), robust=True
        )


def close_silent_presences(*, at: datetime.datetime) -> int:
    """Close whoever was silent for longer than the timeout, each at the last heartbeat; return how many.

    This is for connections whose process died: a living process closes its silent members itself, a little
    earlier.
    """
    silent_since = at - timedelta(seconds=settings.PRESENCE_TIMEOUT_SECONDS + 2 * FLUSH_SECONDS)
    closed = 0
    for person_id in OpenPresence.objects.filter(last_seen_at__lt=silent_since).values_list(
        "person_id", flat=True
    ):
        with transaction.atomic():
            Person.objects.select_for_update(no_key=True).get(pk=person_id)
            record_heartbeats(
                last_beats(OpenPresence.objects.filter(person=person_id).values_list("connection", flat=True))
            )
            found = (
                OpenPresence.objects.select_for_update()
                .filter(person_id=person_id, last_seen_at__lt=silent_since)
                .first()
            )
            if found:
                lock_rooms(found.lesson_id)
                evidence = _close([found], lesson=found.lesson, closing=Closing.SILENT, actor=None, at=at)
                audit.record_many(evidence)
                closed += 1
    return closed


def close_everybody(*, lesson: Lesson, actor: User | None, at: datetime.datetime) -> list[audit.Record]:
    """Stop the clocks of everybody in a room because the lesson ends; return the evidence to record.

    The caller holds the lesson's row, so nobody comes in meanwhile, and announces the end to the room.
    """
    list(
        Person.objects.select_for_update(no_key=True, of=("self",))
        .filter(open_presence__lesson=lesson)
        .order_by("pk")
        .values_list("pk")
    )
    here = OpenPresence.objects.filter(lesson=lesson)
    record_heartbeats(last_beats(here.values_list("connection", flat=True)))
    present = list(here.select_for_update().order_by("person_id"))
    lock_rooms(lesson.pk)
    return _close(present, lesson=lesson, closing=Closing.LESSON_CLOSED, actor=actor, at=at, announced=False)


def _close(
    present: Sequence[OpenPresence],
    *,
    lesson: Lesson,
    closing: Closing,
    actor: User | None,
    at: datetime.datetime,
    announced: bool = True,
) -> list[audit.Record]:
    """Move open presences of one lesson to the ledger; return the evidence, to be recorded last.

    The caller holds their persons, their rows and the room. A presence that never beat leaves nothing:
    nobody was proven to be there.
    """
    OpenPresence.objects.filter(pk__in=[row.person_id for row in present]).delete()
    close_peers(connections=[row.connection for row in present], lesson=lesson, actor=actor, at=at)
    if announced:
        for row in present:
            data = {"person": row.person_id, "closing": closing.value}
            announce(lesson=lesson, type=Event.PERSON_LEFT, data=data, actor=actor, at=at)
    proven = [row for row in present if row.last_seen_at > row.started_at]
    PresenceInterval.objects.bulk_create(
        PresenceInterval(
            person_id=row.person_id,
            lesson=lesson,
            during=DateTimeTZRange(row.started_at, row.last_seen_at),
            heartbeats=row.heartbeats,
            closing=closing,
            connection=row.connection,
        )
        for row in proven
    )
    return [
        audit.Record(
            kind="presence.closed",
            actor_id=actor.pk if actor else None,
            subject=person_subject(lesson, row.person_id),
            facts={
                "connection": str(row.connection),
                "started_at": row.started_at,
                "last_seen_at": row.last_seen_at,
                "heartbeats": row.heartbeats,
                "longest_gap_ms": row.longest_gap_ms,
                "closing": closing,
            },
            at=at,
        )
        for row in proven
    ]
