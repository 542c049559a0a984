"""One subscription per process, one queue per member: nobody waits for a slow one. On a real Redis."""

import asyncio
import uuid
from contextlib import asynccontextmanager

import pytest
import redis.asyncio
from django.conf import settings

from classes.live import broadcast, hub
from classes.live.broadcast import room_line
from classes.live.hub import QUEUE_LENGTH, Hub, Member
from classes.live.protocol import CloseCode, encode

WITHIN = 10.0  # seconds: for what must happen; nothing here is measured


class Ear:
    """The other end of a member: what was sent to it, and what it was closed with."""

    def __init__(self, lesson_id: int, *, stalled: bool = False) -> None:
        self.heard: list[str] = []
        self.codes: list[int] = []
        self.changed = asyncio.Event()
        self.is_dropped = asyncio.Event()
        self.stalled = stalled
        self.member = Member(
            lesson_id=lesson_id,
            connection=uuid.uuid4(),
            send=self.send,
            close=self.close,
            dropped=self.is_dropped.set,
        )

    async def send(self, text: str) -> None:
        if self.stalled:
            await asyncio.Event().wait()
        self.heard.append(text)
        self.changed.set()

    async def close(self, code: int) -> None:
        if self.stalled:
            await asyncio.Event().wait()
        self.codes.append(code)
        self.changed.set()

    async def until(self, done) -> None:
        async with asyncio.timeout(WITHIN):
            while not done():
                await self.changed.wait()
                self.changed.clear()


@asynccontextmanager
async def listening(*ears: Ear):
    for ear in ears:
        await Hub.here().join(ear.member)
        ear.member.start()
    try:
        yield
    finally:
        for ear in ears:
            await Hub.here().leave(ear.member)
            await ear.member.stop()


def publish(lesson_id: int, text: str) -> None:
    broadcast.to_room(lesson_id, text)


@asynccontextmanager
async def lines_to_redis():
    """The subscriptions of this run's hubs, and a client to speak of them."""
    client = redis.asyncio.Redis.from_url(settings.REDIS_URL)
    rows = await client.client_list(_type="pubsub")
    yield client, [row for row in rows if row["name"] == f"{settings.REDIS_PREFIX}-rooms"]
    await client.aclose()


async def subscriptions() -> int:
    async with lines_to_redis() as (_client, rows):
        return len(rows)


async def test_a_message_reaches_everybody_in_the_room_and_nobody_else():
    here, there, elsewhere = Ear(1), Ear(1), Ear(2)
    async with listening(here, there, elsewhere):
        publish(1, encode("message.posted", 7, {"text": "在呢"}))
        publish(2, "other")
        for ear in (here, there):
            await ear.until(lambda ear=ear: ear.heard)
        await elsewhere.until(lambda: elsewhere.heard)
    assert here.heard == there.heard == ['{"type":"message.posted","id":7,"data":{"text":"在呢"}}']
    assert elsewhere.heard == ["other"]


async def test_everybody_gets_the_very_same_text():
    """Encoded once: members share one object, whatever their number."""
    ears = [Ear(1) for _ in range(5)]
    async with listening(*ears):
        Hub.here().deliver(room_line(1), b'0 {"a":1}')
        for ear in ears:
            await ear.until(lambda ear=ear: ear.heard)
    assert len({id(ear.heard[0]) for ear in ears}) == 1


async def test_a_process_has_one_subscription_however_many_rooms():
    before = await subscriptions()
    ears = [Ear(number) for number in range(20)]
    async with listening(*ears):
        assert await subscriptions() == before + 1
    assert await subscriptions() == before


async def test_a_stalled_reader_is_dropped_and_the_others_get_everything(monkeypatch):
    monkeypatch.setattr(hub, "PATIENCE", 0.05)
    quick, stalled = Ear(1), Ear(1, stalled=True)
    async with listening(quick, stalled):
        for number in range(3 * QUEUE_LENGTH):
            publish(1, str(number))
            if number % 64 == 0:
                await asyncio.sleep(0)  # as between any two messages of a network
        await quick.until(lambda: len(quick.heard) == 3 * QUEUE_LENGTH)
        async with asyncio.timeout(WITHIN):
            await stalled.is_dropped.wait()
    assert quick.heard == [str(number) for number in range(3 * QUEUE_LENGTH)]
    assert not quick.is_dropped.is_set()
    assert stalled.member.last_code == CloseCode.TOO_SLOW
    assert stalled.heard == []


async def test_a_slow_member_that_still_listens_hears_why():
    ear = Ear(1)
    await Hub.here().join(ear.member)  # not started: nothing is taken from its queue
    for number in range(QUEUE_LENGTH + 1):
        ear.member.put(str(number))
    async with asyncio.timeout(WITHIN):
        await ear.is_dropped.wait()
    await Hub.here().leave(ear.member)
    assert ear.codes == [CloseCode.TOO_SLOW]
    assert ear.heard == []


async def test_a_last_message_to_one_socket_closes_that_socket():
    one, other = Ear(1), Ear(1)
    async with listening(one, other):
        broadcast.to_socket(one.member.connection, "bye", close=CloseCode.TAKEN_OVER)
        await one.until(lambda: one.codes)
        publish(1, "after")
        await other.until(lambda: other.heard)
    assert (one.heard, one.codes) == (["bye"], [CloseCode.TAKEN_OVER])
    assert (other.heard, other.codes) == (["after"], [])


async def test_the_end_of_a_lesson_closes_every_socket_of_its_room():
    ears = [Ear(1), Ear(1)]
    async with listening(*ears):
        broadcast.to_room(1, "ended", close=CloseCode.LESSON_CLOSED)
        for ear in ears:
            await ear.until(lambda ear=ear: ear.codes)
    assert [(ear.heard, ear.codes) for ear in ears] == [(["ended"], [4011])] * 2


@pytest.mark.parametrize("kill", ["one", "twice"])
async def test_a_broken_line_is_made_again_and_everybody_told_to_catch_up(monkeypatch, kill):
    monkeypatch.setattr(hub, "RESUBSCRIBE_AFTER", 0.01)
    ear = Ear(1)
    async with listening(ear):
        for n in range(1, 3 if kill == "twice" else 2):
            async with lines_to_redis() as (client, [line]):
                await client.client_kill_filter(_id=line["id"])
            await ear.until(lambda n=n: len(ear.heard) == n)
        publish(1, "on")
        await ear.until(lambda: "on" in ear.heard)
    assert ear.heard[:-1] == [encode("room.resync", None, {})] * (2 if kill == "twice" else 1)
