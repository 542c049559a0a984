"""Janus VideoRoom over loopback HTTP: stateless control through the admin API, sessions through the other.

A browser never speaks to Janus's signalling. It makes JSON calls to this platform, which decides who
may publish; only the media itself goes to Janus's UDP ports (docs/decisions/0006-live-media.md).
"""

import hashlib
import hmac
import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
from django.conf import settings

PLUGIN = "janus.plugin.videoroom"
ANSWER_WITHIN = 10.0  # seconds for an asynchronous answer of the plugin
PUBLISHERS = 6
VIDEO_BITRATE = 600_000
NO_SUCH_SESSION = 458
NO_SUCH_ROOM, ROOM_EXISTS, NO_SUCH_FEED = 426, 427, 428


class JanusError(Exception):
    """Janus refused; `code` is its own number for why."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code


class JanusUnreachable(Exception):
    """Janus is not set up here, or does not answer."""


@dataclass(frozen=True)
class Leg:
    """A Janus session with one VideoRoom handle: one peer connection of one browser."""

    session: int
    handle: int


@dataclass(frozen=True)
class Sdp:
    """A session description: an offer or an answer."""

    type: str
    sdp: str


# The address of the long poll holds the secret, and httpx would log it.
logging.getLogger("httpx").setLevel(logging.WARNING)


@cache
def _http() -> httpx.Client:
    # trust_env off: a proxy variable must never see this traffic.
    return httpx.Client(timeout=ANSWER_WITHIN, trust_env=False)


def is_available() -> bool:
    """Whether this platform has a Janus at all."""
    return bool(settings.JANUS_HTTP_URL)


def room_name(lesson_id: int) -> str:
    return f"lesson-{lesson_id}"


def room_secret(lesson_id: int) -> str:
    """The secret of a lesson's room in Janus, derived so that it need not be kept anywhere."""
    key = settings.JANUS_ROOM_KEY.encode()
    return hmac.new(key, room_name(lesson_id).encode(), hashlib.sha256).hexdigest()


# --- control, without a session ---


def ensure_room(lesson_id: int, *, record: bool) -> None:
    """Make the lesson's room in Janus unless it is there: Janus forgets its rooms when it restarts."""
    try:
        _control(
            "create",
            room=room_name(lesson_id),
            secret=room_secret(lesson_id),
            admin_key=settings.JANUS_ROOM_KEY,
            permanent=False,
            is_private=True,
            publishers=PUBLISHERS,
            bitrate=VIDEO_BITRATE,
            bitrate_cap=True,
            fir_freq=10,
            audiocodec="opus",
            videocodec="vp8,h264",
            record=record,
            rec_dir=str(settings.JANUS_RECORDINGS_DIR / room_name(lesson_id)),
            lock_record=True,
            notify_joining=False,
            require_pvtid=False,
        )
    except JanusError as error:
        if error.code != ROOM_EXISTS:
            raise


def record_room(lesson_id: int, *, record: bool) -> None:
    """Switch recording; a room that Janus does not have records nothing."""
    _on_room(lesson_id, "enable_recording", record=record)


def destroy_room(lesson_id: int) -> None:
    """Send everybody out of the lesson's room in Janus and forget it."""
    _on_room(lesson_id, "destroy", permanent=False)


def publishing(lesson_id: int) -> set[str]:
    """The feeds whose media Janus is receiving now."""
    try:
        answer = _control("listparticipants", room=room_name(lesson_id))
    except JanusError as error:
        if error.code == NO_SUCH_ROOM:
            return set()
        raise
    return {str(one["id"]) for one in answer["participants"] if one.get("publisher")}


def _on_room(lesson_id: int, request: str, **arguments: Any) -> None:
    try:
        _control(request, room=room_name(lesson_id), secret=room_secret(lesson_id), **arguments)
    except JanusError as error:
        if error.code != NO_SUCH_ROOM:
            raise


def _control(request: str, **arguments: Any) -> dict[str, Any]:
    answer = _post(
        settings.JANUS_ADMIN_URL,
        {
            "janus": "message_plugin",
            "admin_secret": settings.JANUS_ADMIN_SECRET,
            "plugin": PLUGIN,
            "request": {"request": request, **arguments},
        },
    )
    response: dict[str, Any] = answer["response"]
    if "error_code" in response:
        raise JanusError(response["error_code"], response.get("error", ""))
    return response


# --- legs ---


def open_leg(owner: str) -> Leg:
    """Open a session with a VideoRoom handle; `owner` names it in Janus's own lists."""
    session = _session({"janus": "create"})["data"]["id"]
    attach = {"janus": "attach", "plugin": PLUGIN, "opaque_id": owner}
    return Leg(session, _session(attach, f"/{session}")["data"]["id"])


def publish(leg: Leg, lesson_id: int, *, feed: str, name: str, offer: str) -> Sdp:
    """Join the room as a publisher with this offer; return Janus's answer."""
    body = {
        "request": "joinandconfigure",
        "ptype": "publisher",
        "room": room_name(lesson_id),
        "id": feed,
        "display": name,
        "bitrate": VIDEO_BITRATE,
    }
    return _described(_message(leg, body, Sdp("offer", offer)))


def subscribe(leg: Leg, lesson_id: int, *, feed: str) -> Sdp:
    """Join the room as a subscriber to one feed; return Janus's offer."""
    body = {
        "request": "join",
        "ptype": "subscriber",
        "room": room_name(lesson_id),
        "streams": [{"feed": feed}],
    }
    return _described(_message(leg, body))


def start(leg: Leg, answer: str) -> None:
    """Begin to send a subscriber what it answered to."""
    _message(leg, {"request": "start"}, Sdp("answer", answer))


def configure(leg: Leg, *, mid: str, send: bool) -> None:
    """Pause or resume one stream of a subscription."""
    _message(leg, {"request": "configure", "streams": [{"mid": mid, "send": send}]})


def keep_alive(session: int) -> None:
    """Janus ends a session after a minute without a sign of life."""
    _session({"janus": "keepalive"}, f"/{session}")


def close_leg(session: int) -> None:
    """End a session with everything in it; one that is gone already is fine."""
    try:
        _session({"janus": "destroy"}, f"/{session}")
    except JanusError as error:
        if error.code != NO_SUCH_SESSION:
            raise


def _described(event: Mapping[str, Any]) -> Sdp:
    return Sdp(event["jsep"]["type"], event["jsep"]["sdp"])


def _message(leg: Leg, body: Mapping[str, Any], sdp: Sdp | None = None) -> dict[str, Any]:
    """Send a message to the plugin and wait for its answer, which comes on the session's long poll."""
    transaction = secrets.token_hex(8)
    message: dict[str, Any] = {"janus": "message", "transaction": transaction, "body": body}
    if sdp:
        message["jsep"] = {"type": sdp.type, "sdp": sdp.sdp}
    _session(message, f"/{leg.session}/{leg.handle}")
    deadline = time.monotonic() + ANSWER_WITHIN
    while time.monotonic() < deadline:
        for event in _events(leg.session):
            if event.get("janus") == "event" and event.get("transaction") == transaction:
                data = event["plugindata"]["data"]
                if "error_code" in data:
                    raise JanusError(data["error_code"], data.get("error", ""))
                return event
    raise JanusUnreachable("no answer")


def _events(session: int) -> list[dict[str, Any]]:
    try:
        response = _http().get(
            f"{settings.JANUS_HTTP_URL}/{session}",
            params={"apisecret": settings.JANUS_API_SECRET, "maxev": "10"},
        )
    except httpx.TimeoutException:
        return []
    except httpx.TransportError as error:
        raise JanusUnreachable(type(error).__name__) from error
    answer = response.json()
    return answer if isinstance(answer, list) else [answer]


def _session(message: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    return _post(settings.JANUS_HTTP_URL + path, {**message, "apisecret": settings.JANUS_API_SECRET})


def _post(url: str, message: dict[str, Any]) -> dict[str, Any]:
    if not is_available():
        raise JanusUnreachable("not set up")
    message.setdefault("transaction", secrets.token_hex(8))
    try:
        answer: dict[str, Any] = _http().post(url, json=message).json()
    except (httpx.TransportError, ValueError) as error:
        raise JanusUnreachable(type(error).__name__) from error
    if answer.get("janus") == "error":
        raise JanusError(answer["error"]["code"], answer["error"].get("reason", ""))
    return answer
