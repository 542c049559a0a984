"""The socket of a room: it pushes what happens and takes heartbeats. Everything that changes a room is an
HTTP post.
"""

import asyncio
import secrets
import uuid
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.http import Http404
from django.utils import timezone, translation

from accounts.models import User
from accounts.refusals import rendered
from classes.live import actions
from classes.live.hub import Hub, Member
from classes.live.models import OpenPresence
from classes.live.permissions import access_room
from classes.live.protocol import CloseCode, ErrorCode, FromClient, FromServer, encode
from classes.live.pulse import Pulse
from classes.live.queries import room_numbers
from classes.live.states import Closing
from classes.live.unwritten import Beat
from policy.refusals import Refusal
from policy.strict_json import parse_json

LONGEST_MESSAGE = 1024  # characters that a browser may send at once
DEVICE_LENGTH = 36
WENT_AWAY = (1000, 1001)  # close codes of a browser that left: closed the page, or went to another


class RoomConsumer(AsyncWebsocketConsumer):
    """One person's socket in one room; docs/live-protocol.md is what it says and hears."""

    channel_layer_alias = None  # type: ignore[assignment]  # the hub carries the rooms' messages

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Converse until either side ends it; then close the presence, whatever ended it."""
        self.connection = uuid.uuid4()
        self.member: Member | None = None
        self.closing = Closing.SILENT
        self.nonce = ""
        self.number = 0
        dropped = asyncio.Event()
        self.drop = dropped.set
        conversation = asyncio.create_task(super().__call__(scope, receive, send))
        given_up = asyncio.create_task(dropped.wait())
        try:
            await asyncio.wait({conversation, given_up}, return_when=asyncio.FIRST_COMPLETED)
            if conversation.done():
                conversation.result()
        finally:
            conversation.cancel()
            given_up.cancel()
            await asyncio.gather(conversation, given_up, return_exceptions=True)
            await asyncio.shield(self._leave())

    async def connect(self) -> None:
        await self.accept()
        user: object = self.scope["user"]
        if not isinstance(user, User):
            await self.close(CloseCode.NOT_SIGNED_IN)
            return
        lesson_id = self.scope["url_route"]["kwargs"]["pk"]
        member = Member(
            lesson_id=lesson_id,
            connection=self.connection,
            send=self._tell,
            close=self.close,
            dropped=self.drop,
        )
        self.member = member
        # Subscribed first, so that no event falls between the number in `hello` and the first one delivered.
        await Hub.here().join(member)
        at = timezone.now()
        try:
            presence, seq = await _in_thread(self._open)(user, lesson_id, at)
        except Http404:
            await self.close(CloseCode.NOT_ALLOWED)
            return
        except Refusal as refusal:
            with translation.override(self._language()):
                await self._tell(encode(FromServer.ERROR, None, rendered(refusal)))
            await self.close(
                CloseCode.LESSON_CLOSED if refusal.code == "lesson_closed" else CloseCode.NOT_ALLOWED
            )
            return
        Pulse.here().add(member, presence.started_at)
        self.nonce = secrets.token_urlsafe(9)
        await self._tell(
            encode(
                FromServer.HELLO,
                None,
                {
                    "connection": str(self.connection),
                    "seq": seq,
                    "nonce": self.nonce,
                    "heartbeat_seconds": settings.HEARTBEAT_SECONDS,
                    "timeout_seconds": settings.PRESENCE_TIMEOUT_SECONDS,
                    "at": at.isoformat(),
                },
            )
        )
        member.start()

    def _open(self, user: User, lesson_id: int, at: Any) -> tuple[OpenPresence, int]:
        lesson = access_room(user, lesson_id)
        presence = actions.open_presence(
            actor=user, lesson=lesson, connection=self.connection, at=at, device=self._device()
        )
        return presence, room_numbers([lesson_id])[lesson_id]

    def _device(self) -> str:
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        named = query.get("device", [""])[0][:DEVICE_LENGTH]
        return "".join(character for character in named if character.isprintable())

    def _language(self) -> str:
        cookie = str(self.scope.get("cookies", {}).get(settings.LANGUAGE_COOKIE_NAME, ""))
        return cookie if cookie in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        at = timezone.now()
        message = _parse(text_data)
        if message is None:
            await self._refuse(None, ErrorCode.MALFORMED)
        elif message["type"] == FromClient.HEARTBEAT:
            await self._beat(message.get("id"), message["data"], at)
        else:
            await self._refuse(message.get("id"), ErrorCode.UNKNOWN_TYPE)

    async def _beat(self, id: Any, data: dict[str, Any], at: Any) -> None:
        """Count a heartbeat that answers the last nonce with a higher number than the last one's."""
        if not self.nonce or data.get("nonce") != self.nonce:
            await self._refuse(id, ErrorCode.WRONG_NONCE)
            return
        number = data.get("seq")
        if not isinstance(number, int) or number <= self.number:
            await self._refuse(id, ErrorCode.OLD_NUMBER)
            return
        assert self.member is not None
        self.number = number
        self.nonce = secrets.token_urlsafe(9)
        await Pulse.here().beat(self.connection, at)
        data = {"nonce": self.nonce, "seq": Pulse.here().last_number(self.member.lesson_id)}
        await self._tell(encode(FromServer.HEARTBEAT_ACK, id, data))

    async def _tell(self, text: str) -> None:
        """Send, unless the browser has gone: `disconnect` hears next how it went."""
        with suppress(OSError):  # what ASGI has a server raise then
            await self.send(text)

    async def _refuse(self, id: Any, code: ErrorCode) -> None:
        id = id if isinstance(id, int | str) else None
        await self._tell(encode(FromServer.ERROR, id, {"code": code}))

    async def disconnect(self, code: int) -> None:
        if code in WENT_AWAY and self.member and self.member.last_code is None:
            self.closing = Closing.LEFT

    async def _leave(self) -> None:
        """Close what this socket opened; whatever another one closed before stays as it is."""
        member = self.member
        if member is None:
            return
        await Hub.here().leave(member)
        await member.stop()
        beat = await Pulse.here().remove(self.connection)
        await _in_thread(self._close)(beat)

    def _close(self, beat: Beat | None) -> None:
        actions.close_presence(
            connection=self.connection, closing=self.closing, at=timezone.now(), last_beat=beat
        )


def _parse(text: str | None) -> dict[str, Any] | None:
    """A message of the protocol's form, or None."""
    if text is None or len(text) > LONGEST_MESSAGE:
        return None
    try:
        message = parse_json(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return None
    return message if isinstance(message.get("data"), dict) else None


def _in_thread(function: Any) -> Any:
    """Run database work in the thread pool; the default would put all sockets of the process into one
    thread.
    """
    return database_sync_to_async(function, thread_sensitive=False)
