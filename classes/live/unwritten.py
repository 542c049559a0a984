"""Accepted heartbeats that the table may not have yet, where every process can read them.

A process keeps its members' heartbeats in memory and writes them every two seconds (`pulse`). Whoever stops
a clock from elsewhere (the lesson ends, another device takes over) reads here what was accepted since, so
that an accepted heartbeat always counts. PostgreSQL stays the truth: a value lives until it is written.
"""

import datetime
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import redis.asyncio
from django.conf import settings

from classes.live.broadcast import shared_client

KEPT_SECONDS = 120  # far longer than a writing that has to be tried again


@dataclass(frozen=True)
class Beat:
    """What one process knows of one connection: its last heartbeat, how many there were in all, and the
    longest wait between two.
    """

    connection: UUID
    seen_at: datetime.datetime
    count: int = 1
    longest_gap_ms: int = 0


def _key(connection: UUID) -> str:
    return f"{settings.REDIS_PREFIX}:beat:{connection}"


async def keep(client: redis.asyncio.Redis, beat: Beat) -> None:
    """Put an accepted heartbeat where others can read it; one command."""
    told = f"{beat.seen_at.isoformat()} {beat.count} {beat.longest_gap_ms}"
    await client.set(_key(beat.connection), told, ex=KEPT_SECONDS)


def last_beats(connections: Collection[UUID]) -> list[Beat]:
    """The last accepted heartbeat of each of these connections that had one of late; one command."""
    asked = list(connections)
    if not asked:
        return []
    beats = []
    for connection, told in zip(asked, shared_client().mget([_key(one) for one in asked]), strict=True):
        if isinstance(told, bytes):
            seen_at, count, gap = told.decode().split(" ")
            beats.append(Beat(connection, datetime.datetime.fromisoformat(seen_at), int(count), int(gap)))
    return beats
