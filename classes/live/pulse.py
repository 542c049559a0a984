"""The heartbeats of one web process: kept in memory, written in one statement every few seconds.

A member whose presence was closed elsewhere, or that fell silent, is dropped; its consumer then closes
what is open.
"""

import asyncio
import datetime
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import redis.asyncio
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone
from redis.exceptions import RedisError

from classes.live.actions import announce_senders, keep_peers_alive, record_heartbeats
from classes.live.actions.presence import FLUSH_SECONDS
from classes.live.hub import Member
from classes.live.media import janus
from classes.live.protocol import CloseCode
from classes.live.queries import room_numbers
from classes.live.unwritten import Beat, keep

KEEPALIVE_TURNS = 10  # of FLUSH_SECONDS; Janus ends a session after a minute without a sign of life

logger = logging.getLogger(__name__)


@dataclass
class Heart:
    """What is known of one connection; `alive_at` is the event loop's clock."""

    member: Member
    alive_at: float
    seen_at: datetime.datetime
    count: int = 0
    longest_gap_ms: int = 0
    is_pending: bool = False

    def beat(self, at: datetime.datetime, now: float) -> None:
        self.longest_gap_ms = max(self.longest_gap_ms, round((now - self.alive_at) * 1000))
        self.alive_at, self.seen_at = now, max(at, self.seen_at)
        self.count += 1
        self.is_pending = True

    @property
    def last_beat(self) -> Beat:
        return Beat(self.member.connection, self.seen_at, self.count, self.longest_gap_ms)

    def take(self) -> Beat | None:
        """What is to be written, if anything; it is then no longer pending."""
        pending, self.is_pending = self.is_pending, False
        return self.last_beat if pending else None


class Pulse:
    """All hearts of this process."""

    def __init__(self) -> None:
        self._hearts: dict[UUID, Heart] = {}
        self._numbers: dict[int, int] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._writing = asyncio.Lock()
        self._client = redis.asyncio.Redis.from_url(settings.REDIS_URL)

    @classmethod
    def here(cls) -> "Pulse":
        """The pulse of the running event loop."""
        return _pulses.setdefault(asyncio.get_running_loop(), cls())

    def add(self, member: Member, at: datetime.datetime) -> None:
        """Listen for a member's heart from now on."""
        now = asyncio.get_running_loop().time()
        self._hearts[member.connection] = Heart(member, alive_at=now, seen_at=at)
        if not self._tasks:
            jobs = [self._write_heartbeats(), *([self._tend_media()] if janus.is_available() else [])]
            self._tasks = [asyncio.create_task(job) for job in jobs]

    async def beat(self, connection: UUID, at: datetime.datetime) -> None:
        """Count a heartbeat that answered its nonce, and let the other processes know of it."""
        heart = self._hearts[connection]
        heart.beat(at, asyncio.get_running_loop().time())
        try:
            await keep(self._client, heart.last_beat)
        except (RedisError, OSError) as error:
            logger.warning("a heartbeat could not be shared (%s)", type(error).__name__)

    def last_number(self, lesson_id: int) -> int | None:
        """The number of a room's last event, as of the last writing: a client that has less missed
        something.
        """
        return self._numbers.get(lesson_id)

    async def remove(self, connection: UUID) -> Beat | None:
        """Listen no more; return what has not been written yet. A writing that is under way is waited for."""
        async with self._writing:
            heart = self._hearts.pop(connection, None)
        if not self._hearts:
            tasks, self._tasks = self._tasks, []
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._client.aclose()  # it connects again when it is next asked
        return heart.take() if heart else None

    async def flush(self) -> None:
        """Write what is pending, in one statement; drop who is silent and who was closed elsewhere."""
        now = asyncio.get_running_loop().time()
        for heart in tuple(self._hearts.values()):
            if now - heart.alive_at > settings.PRESENCE_TIMEOUT_SECONDS:
                heart.member.drop(CloseCode.SILENT)
        async with self._writing:
            pending = {beat.connection: beat for heart in self._hearts.values() if (beat := heart.take())}
            rooms = {heart.member.lesson_id for heart in self._hearts.values()}
            try:
                alive, self._numbers = await _in_thread(_write)(list(pending.values()), rooms)
            except (DatabaseError, OSError) as error:
                logger.warning("heartbeats could not be written (%s), trying again", type(error).__name__)
                for connection in pending:
                    self._hearts[connection].is_pending = True
                return
            for connection in pending.keys() - alive:
                self._hearts[connection].member.drop(CloseCode.PRESENCE_LOST)

    async def tend_media(self, *, keep_alive: bool) -> None:
        """Pass the heartbeats on to Janus, and tell rooms of pictures that have begun to arrive."""
        connections, at = list(self._hearts), timezone.now()
        await _in_thread(announce_senders)(connections=connections, at=at)
        if keep_alive:
            await _in_thread(keep_peers_alive)(connections=connections, at=at)

    async def _write_heartbeats(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            try:
                await self.flush()
            except Exception:
                logger.exception("heartbeats were not written")  # and the next writing must still come

    async def _tend_media(self) -> None:
        """Apart from the heartbeats: a Janus that does not answer must not hold them up."""
        for turn in count(1):
            await asyncio.sleep(FLUSH_SECONDS)
            try:
                await self.tend_media(keep_alive=turn % KEEPALIVE_TURNS == 0)
            except Exception:
                logger.exception("media legs were not tended")


def _write(beats: list[Beat], rooms: set[int]) -> tuple[set[UUID], dict[int, int]]:
    return record_heartbeats(beats), room_numbers(rooms)


def _in_thread(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    return database_sync_to_async(function, thread_sensitive=False)


_pulses: WeakKeyDictionary[asyncio.AbstractEventLoop, Pulse] = WeakKeyDictionary()
