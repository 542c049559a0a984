"""The kinds of evidence that the live room records."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from audit.kinds import Commitment, Digest, Kind, register
from classes.live.states import Closing, RoomRole


def _seconds(milliseconds: int) -> str:
    return str(milliseconds // 1000)


def _feed(feed: str) -> str:
    """Whose picture and sound it is, by the start of the feed's name (lecturer-7)."""
    role = feed.partition("-")[0]
    return str(RoomRole(role).label) if role in RoomRole.values else feed


def register_kinds() -> None:
    register(
        Kind(
            "presence.closed",
            sentence=_("在课堂 {started_at} 至 {last_seen_at}，收到信号 {heartbeats} 次"),
            schema={
                "connection": str,
                "started_at": datetime,
                "last_seen_at": datetime,
                "heartbeats": int,
                "longest_gap_ms": int,
                "closing": Closing,
            },
        ),
        Kind(
            "room.message_posted",
            sentence=_("在课堂发言一条，{length} 个字（第 {event} 号）"),
            schema={"event": int, "length": int, "text": Commitment},
        ),
        Kind("room.hand_raised", sentence=_("在课堂举手")),
        Kind(
            "media.published",
            sentence=_("开始发送画面和声音（{feed}）"),
            schema={"feed": str},
            words={"feed": _feed},
        ),
        Kind(
            "recording.made",
            sentence=_("录像 {feed}，{started_at} 起，长 {duration_ms} 秒"),
            schema={"feed": str, "started_at": datetime, "duration_ms": int, "file": Digest, "size": int},
            words={"feed": _feed, "duration_ms": _seconds},
        ),
    )
