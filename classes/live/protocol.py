"""The wire of a room's socket: every message is `{"type", "id", "data"}`. docs/live-protocol.md tells it as a
dialogue.

Room events carry their number as `id`; a reply carries the `id` that it answers; other messages carry
null.
"""

import json
from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Any


class FromClient(StrEnum):
    """What a browser may say on the socket. Everything that changes a room is an HTTP post instead."""

    HEARTBEAT = "heartbeat"


class FromServer(StrEnum):
    """What the server says to one socket."""

    HELLO = "hello"
    HEARTBEAT_ACK = "heartbeat.ack"
    ERROR = "error"
    RESYNC = "room.resync"
    TAKEN_OVER = "presence.taken_over"


class Event(StrEnum):
    """What happens in a room: numbered, kept, sent to everybody in it."""

    LESSON_STARTED = "lesson.started"
    LESSON_ENDED = "lesson.ended"
    PERSON_JOINED = "person.joined"
    PERSON_LEFT = "person.left"
    MESSAGE_POSTED = "message.posted"
    HAND_RAISED = "hand.raised"
    HAND_LOWERED = "hand.lowered"
    MEDIA_FEED = "media.feed"
    MEDIA_GONE = "media.gone"
    RECORDING_MADE = "recording.made"
    # Written by attendance, carried by the room.
    CHECK_OPENED = "check.opened"
    CHECK_ANSWERED = "check.answered"
    CHECK_CLOSED = "check.closed"
    SIGNED_IN = "person.signed_in"
    SIGNED_OUT = "person.signed_out"


class CloseCode(IntEnum):
    """Why the server closes a socket."""

    NOT_SIGNED_IN = 4001
    NOT_ALLOWED = 4003
    TOO_SLOW = 4008
    TAKEN_OVER = 4009
    PRESENCE_LOST = 4010
    LESSON_CLOSED = 4011
    SILENT = 4012


# Events after which nobody has anything left to do on the socket.
CLOSING_EVENTS: Mapping[str, CloseCode] = {Event.LESSON_ENDED: CloseCode.LESSON_CLOSED}


class ErrorCode(StrEnum):
    """Why a message from the browser was not accepted; the socket stays open."""

    MALFORMED = "malformed"
    UNKNOWN_TYPE = "unknown_type"
    WRONG_NONCE = "heartbeat_wrong_nonce"
    OLD_NUMBER = "heartbeat_old_number"


def encode(type: str, id: int | str | None, data: Mapping[str, Any]) -> str:
    """One message as it goes over the wire, encoded once for everybody."""
    return json.dumps({"type": type, "id": id, "data": data}, ensure_ascii=False, separators=(",", ":"))
