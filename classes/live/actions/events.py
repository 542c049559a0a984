"""A room's numbered events: the lock that numbers them, and the one way to announce one."""

import datetime
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.models import User
from classes.live import broadcast
from classes.live.models import Room, RoomEvent
from classes.live.protocol import CLOSING_EVENTS, Event, encode
from classes.models import Lesson


def lock_rooms(*lesson_ids: int) -> None:
    """Lock rooms until the transaction ends, in the order of their ids; make those that are missing."""
    wanted = sorted(set(lesson_ids))
    rooms = Room.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")
    if len(rooms) < len(wanted):
        Room.objects.bulk_create([Room(lesson_id=pk) for pk in wanted], ignore_conflicts=True)
        len(rooms.all())


def announce(
    *,
    lesson: Lesson,
    type: str,
    data: Mapping[str, Any],
    actor: User | None,
    at: datetime.datetime,
    key: UUID | None = None,
    salt: bytes | None = None,
) -> int:
    """Number an event of a room, keep it, and send it to everybody there once the transaction commits.

    Returns its number. Works inside the caller's transaction and holds the room's row until that ends:
    call it after taking every other row lock and before `audit.record`. `type` is one of protocol.Event;
    `data` is plain JSON that everybody in the room may see. `key` and `salt` are those of RoomEvent.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "announce inside the transaction that makes the event true"
        )
    with connection.cursor() as cursor:
        # One statement takes the lock and the number, whether or not the room was there.
        cursor.execute(
            "INSERT INTO live_room (lesson_id, seq) VALUES (%s, 1)"
            " ON CONFLICT (lesson_id) DO UPDATE SET seq = live_room.seq + 1 RETURNING seq",
            [lesson.pk],
        )
        seq: int = cursor.fetchone()[0]
    event = RoomEvent.objects.create(
        room_id=lesson.pk, seq=seq, type=Event(type), data=dict(data), actor=actor, at=at, key=key, salt=salt
    )
    transaction.on_commit(lambda: _publish(event), robust=True)
    return seq


def _publish(event: RoomEvent) -> None:
    """Send an event to its room; a client that misses it sees the gap in the numbers and asks for it."""
    broadcast.to_room(event.room_id, encode(**event.message), close=CLOSING_EVENTS.get(event.type))


def person_subject(lesson: Lesson, person_id: int) -> str:
    """The name in the evidence log of what one person did in one lesson."""
    return f"{lesson.subject}/person/{person_id}"
