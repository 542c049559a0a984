"""The reading side of the rooms: one hub per web process, one Redis subscription, a queue and a writer per
socket.

A message comes in once, is split once, and goes as the same text into every member's queue, so a room
costs a queue operation per member. A member that reads too slowly fills its own queue and is dropped;
nobody waits for it.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID
from weakref import WeakKeyDictionary

import redis.asyncio
from django.conf import settings
from redis.exceptions import RedisError

from classes.live.broadcast import KEEP_OPEN, room_line, socket_line
from classes.live.protocol import CloseCode, FromServer, encode

QUEUE_LENGTH = 256
PATIENCE = 5.0  # seconds that a dropped member has to take its close frame
RESUBSCRIBE_AFTER = 1.0  # seconds
LISTEN = 30.0  # seconds without a message after which the connection is checked

logger = logging.getLogger(__name__)


class Member:
    """One socket in one room.

    `send` and `close` speak to the socket, `drop` ends the conversation where the socket does not take
    even that.
    """

    def __init__(
        self,
        *,
        lesson_id: int,
        connection: UUID,
        send: Callable[[str], Awaitable[None]],
        close: Callable[[int], Awaitable[None]],
        dropped: Callable[[], None],
    ) -> None:
        self.lesson_id = lesson_id
        self.connection = connection
        self._send = send
        self._close = close
        self._dropped = dropped
        self._queue: asyncio.Queue[tuple[str, int]] = asyncio.Queue(QUEUE_LENGTH)
        self._writer: asyncio.Task[None] | None = None
        self._dropping: asyncio.Task[None] | None = None
        self.last_code: int | None = None

    def start(self) -> None:
        """Begin to write what has come in; until then it waits in the queue."""
        self._writer = asyncio.create_task(self._write())

    def put(self, text: str, close: int = KEEP_OPEN) -> None:
        """Queue a message, as the last one if `close` is a code; a full queue means the member is dropped."""
        if self.last_code is not None:
            return
        try:
            self._queue.put_nowait((text, close))
        except asyncio.QueueFull:
            self.drop(CloseCode.TOO_SLOW)
        else:
            self.last_code = close or None

    def drop(self, code: CloseCode) -> None:
        """End the conversation now, with whatever is still queued thrown away."""
        if self._dropping is None:
            self.last_code = code
            self._dropping = asyncio.create_task(self._drop(code))

    async def _drop(self, code: CloseCode) -> None:
        if self._writer:
            self._writer.cancel()
        with suppress(Exception):
            # A stalled socket takes no close frame either.
            await asyncio.wait_for(self._close(code), PATIENCE)
        self._dropped()

    async def _write(self) -> None:
        while True:
            text, close = await self._queue.get()
            await self._send(text)
            if close:
                await self._close(close)
                self._dropped()
                return

    async def stop(self) -> None:
        """Leave no task behind."""
        tasks = [
            task for task in (self._writer, self._dropping) if task and task is not asyncio.current_task()
        ]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Hub:
    """All members of this process, by room and by connection."""

    def __init__(self) -> None:
        self._rooms: defaultdict[str, set[Member]] = defaultdict(set)
        self._sockets: dict[str, Member] = {}
        self._listener: asyncio.Task[None] | None = None
        self._subscribed = asyncio.Event()

    @classmethod
    def here(cls) -> "Hub":
        """The hub of the running event loop."""
        return _hubs.setdefault(asyncio.get_running_loop(), cls())

    async def join(self, member: Member) -> None:
        """Deliver to this member from now on; returns once the subscription stands."""
        self._rooms[room_line(member.lesson_id)].add(member)
        self._sockets[socket_line(member.connection)] = member
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen())
        await self._subscribed.wait()

    async def leave(self, member: Member) -> None:
        """Deliver no more to this member; the last one to leave ends the subscription."""
        line = room_line(member.lesson_id)
        self._rooms[line].discard(member)
        if not self._rooms[line]:
            del self._rooms[line]
        self._sockets.pop(socket_line(member.connection), None)
        if not self._sockets and self._listener:
            listener, self._listener = self._listener, None
            self._subscribed.clear()
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)

    def deliver(self, line: str, data: bytes) -> None:
        """Hand one message from the line to whom it concerns in this process."""
        members = self._rooms.get(line) or ([self._sockets[line]] if line in self._sockets else [])
        if members:
            code, _space, text = data.decode().partition(" ")
            for member in tuple(members):
                member.put(text, int(code))

    async def _listen(self) -> None:
        """Keep one subscription; after a break, tell everybody to ask for what they missed."""
        broken = False
        while True:
            name = f"{settings.REDIS_PREFIX}-rooms"  # as CLIENT LIST shows it
            client = redis.asyncio.Redis.from_url(settings.REDIS_URL, client_name=name)
            try:
                async with client.pubsub() as pubsub:
                    await pubsub.psubscribe(f"{settings.REDIS_PREFIX}:live:*")
                    while True:
                        message = await pubsub.get_message(timeout=LISTEN)
                        if message is None:
                            continue
                        if message["type"] == "psubscribe":
                            self._subscribed.set()
                            if broken:
                                self._resync()
                        elif message["type"] == "pmessage":
                            self.deliver(message["channel"].decode(), message["data"])
            except (RedisError, OSError) as error:
                broken = True
                logger.warning("the rooms' line to Redis broke (%s), subscribing again", type(error).__name__)
                await asyncio.sleep(RESUBSCRIBE_AFTER)
            finally:
                await client.aclose()

    def _resync(self) -> None:
        text = encode(FromServer.RESYNC, None, {})
        for member in tuple(self._sockets.values()):
            member.put(text)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()
