"""Everything that writes in a live room.

Locks, always in this order: class → lesson → person → open presence → room → evidence chain. Whoever
announces and records evidence in one transaction announces first.
"""

from classes.live.actions.events import announce, lock_rooms
from classes.live.actions.interaction import lower_hand, post_message, raise_hand
from classes.live.actions.lessons import end_lesson, end_overdue_lessons, start_lesson
from classes.live.actions.media import (
    announce_senders,
    confirm_published,
    keep_peers_alive,
    leave_media,
    publish,
    publish_by_whip,
    receive,
    start_watching,
    watch,
)
from classes.live.actions.presence import (
    close_presence,
    close_silent_presences,
    end_presence,
    open_presence,
    record_heartbeats,
)
from classes.live.actions.recordings import make_recordings, set_recording

__all__ = [
    "announce",
    "announce_senders",
    "close_presence",
    "close_silent_presences",
    "confirm_published",
    "end_lesson",
    "end_overdue_lessons",
    "end_presence",
    "keep_peers_alive",
    "leave_media",
    "lock_rooms",
    "lower_hand",
    "make_recordings",
    "open_presence",
    "post_message",
    "publish",
    "publish_by_whip",
    "raise_hand",
    "receive",
    "record_heartbeats",
    "set_recording",
    "start_lesson",
    "start_watching",
    "watch",
]
