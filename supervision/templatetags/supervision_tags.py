"""Sentences and figures of the supervision pages."""

from django import template
from django.utils.translation import gettext as _

from attendance.credit import floor_seconds
from classes.live.models import RoomEvent
from classes.live.protocol import Event

register = template.Library()


@register.filter
def whole_seconds(microseconds: int) -> int:
    """Whole seconds, cut, of an exact number of microseconds."""
    return floor_seconds(microseconds)


@register.filter
def event_sentence(event: RoomEvent) -> str:
    """What one event of a room says to somebody who reads it later."""
    sentences = {
        Event.LESSON_STARTED: _("开始上课"),
        Event.LESSON_ENDED: _("下课"),
        Event.PERSON_JOINED: _("进入课堂"),
        Event.PERSON_LEFT: _("离开课堂或断线"),
        Event.MESSAGE_POSTED: _("说：%(text)s"),
        Event.HAND_RAISED: _("举手"),
        Event.HAND_LOWERED: _("放下手"),
        Event.MEDIA_FEED: _("画面和声音接通"),
        Event.MEDIA_GONE: _("画面和声音断开"),
        Event.RECORDING_MADE: _("生成录像"),
        Event.CHECK_OPENED: _("发起点名或随机答题"),
        Event.CHECK_ANSWERED: _("应答"),
        Event.CHECK_CLOSED: _("点名或随机答题截止"),
        Event.SIGNED_IN: _("签到"),
        Event.SIGNED_OUT: _("签退"),
    }
    sentence = sentences.get(Event(event.type)) if event.type in set(Event) else None
    return (sentence or event.type) % {"text": event.data.get("text", "")}
