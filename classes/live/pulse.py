"""The heartbeats of one web process: kept in memory, written in one statement every few seconds.

A member whose presence was closed elsewhere, or that fell silent, is dropped; its consumer then closes
what is open.
"""

import asyncio
import datetime
import logging
from dataclasses import dataclass
from uuid import UUID
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import timezone

from classes.live.actions import Beat, keep_peers_alive, record_heartbeats
from classes.live.actions.presence import FLUSH_SECONDS
from classes.live.hub import Member
from classes.live.protocol import CloseCode
from classes.live.queries import room_numbers

KEEPALIVE_SECONDS = 20

logger = logging.getLogger(__name__)


@dataclass
class Heart:
    """What is known of one connection since the last writing; `alive_at` is the event loop's clock."""

    member: Member
    alive_at: float
    seen_at: datetime.datetime
    count: int = 0
    longest_gap_ms: int = 0

    def beat(self, at: datetime.datetime, now: float) -> None:
        self.longest_gap_ms = max(self.longest_gap_ms, round((now - self.alive_at) * 1000))
        self.alive_at, self.seen_at = now, max(at, self.seen_at)
        self.count += 1

    def take(self) -> Beat | None:
        """What is to be written, if anything; it is then no longer pending."""
        if not self.count:
            return None
        beat = Beat(self.member.connection, self.seen_at, self.count, self.longest_gap_ms)
        self.count = 0
        return beat

    def give_back(self, beat: Beat) -> None:
        """Make pending again what could not be written."""
        self.count += beat.count


class Pulse:
    """All hearts of this process."""

    def __init__(self) -> None:
        self._hearts: dict[UUID, Heart] = {}
        self._numbers: dict[int, int] = {}
        self._writer: asyncio.Task[None] | None = None

    @classmethod
    def here(cls) -> "Pulse":
        """The pulse of the running event loop."""
        return _pulses.setdefault(asyncio.get_running_loop(), cls())

    def add(self, member: Member, at: datetime.datetime) -> None:
        """Listen for a member's heart from now on."""
        now = asyncio.get_running_loop().time()
        self._hearts[member.connection] = Heart(member, alive_at=now, seen_at=at)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())

    def beat(self, connection: UUID, at: datetime.datetime) -> None:
        """Count a heartbeat that answered its nonce."""
        self._hearts[connection].beat(at, asyncio.get_running_loop().time())

    def last_number(self, lesson_id: int) -> int | None:
        """The number of a room's last event, as of the last writing: a client that has less missed
        something.
        """
        return self._numbers.get(lesson_id)

    async def remove(self, connection: UUID) -> Beat | None:
        """Listen no more; return what has not been written yet."""
        heart = self._hearts.pop(connection, None)
        if not self._hearts and self._writer:
            writer, self._writer = self._writer, None
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return heart.take() if heart else None

    async def flush(self) -> None:
        """Write what is pending, in one statement; drop who is silent and who was closed elsewhere."""
        now = asyncio.get_running_loop().time()
        for heart in tuple(self._hearts.values()):
            if now - heart.alive_at > settings.PRESENCE_TIMEOUT_SECONDS:
                heart.member.drop(CloseCode.SILENT)
        pending = {beat.connection: beat for heart in self._hearts.values() if (beat := heart.take())}
        try:
            rooms = {heart.member.lesson_id for heart in self._hearts.values()}
            alive, self._numbers = await database_sync_to_async(_write, thread_sensitive=False)(
                list(pending.values()), rooms
            )
        except (DatabaseError, OSError) as error:
            logger.warning("heartbeats could not be written (%s), trying again", type(error).__name__)
            for connection, beat in pending.items():
                if connection in self._hearts:
                    self._hearts[connection].give_back(beat)
            return
        for connection in pending.keys() - alive:
            if connection in self._hearts:
                self._hearts[connection].member.drop(CloseCode.PRESENCE_LOST)

    async def keep_media_alive(self) -> None:
        """Pass the heartbeats on to Janus, which ends a session after a minute without one."""
        connections = list(self._hearts)
        await database_sync_to_async(keep_peers_alive, thread_sensitive=False)(
            connections=connections, at=timezone.now()
        )

    async def _write(self) -> None:
        media_due = KEEPALIVE_SECONDS
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            media_due -= FLUSH_SECONDS
            try:
                await self.flush()
                if media_due <= 0:
                    media_due = KEEPALIVE_SECONDS
                    await self.keep_media_alive()
            except Exception:
                logger.exception("heartbeats were not written")  # and the next writing must still come


def _write(beats: list[Beat], rooms: set[int]) -> tuple[set[UUID], dict[int, int]]:
    return record_heartbeats(beats), room_numbers(rooms)


_pulses: WeakKeyDictionary[asyncio.AbstractEventLoop, Pulse] = WeakKeyDictionary()
