"""The writing side of the room's hub: one Redis message reaches every web process, and there every socket of
a room.

A message on the line is `<close code> <text>`; 0 keeps the socket open. `hub.py` reads the line.
"""

from functools import cache
from uuid import UUID

import redis
from django.conf import settings

from classes.live.protocol import CloseCode

KEEP_OPEN = 0


def room_line(lesson_id: int) -> str:
    """The Redis channel of everybody in a room."""
    return f"{settings.REDIS_PREFIX}:live:room:{lesson_id}"


def socket_line(connection: UUID) -> str:
    """The Redis channel of one socket."""
    return f"{settings.REDIS_PREFIX}:live:socket:{connection}"


@cache
def shared_client() -> redis.Redis:
    """The process's own client; its connections may be used from any thread."""
    return redis.Redis.from_url(settings.REDIS_URL)


def to_room(lesson_id: int, text: str, *, close: CloseCode | None = None) -> None:
    """Send a message to everybody in a room, as their last one if `close` says why. Call it after commit."""
    shared_client().publish(room_line(lesson_id), f"{KEEP_OPEN if close is None else close.value} {text}")


def to_socket(connection: UUID, text: str, *, close: CloseCode) -> None:
    """Send a last message to one socket and close it, whichever process holds it. Call it after commit."""
    shared_client().publish(socket_line(connection), f"{close.value} {text}")
