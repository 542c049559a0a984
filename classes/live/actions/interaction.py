"""What people do with each other in a room: messages and raised hands (P17, M18)."""

import datetime
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_noop

import audit
from accounts.models import User
from classes.live.actions.events import announce, lock_rooms, person_subject
from classes.live.models import OpenPresence, RaisedHand, RoomEvent
from classes.live.permissions import Participant, require_member
from classes.live.protocol import Event
from classes.live.refusals import lesson_closed
from classes.live.states import RoomRole
from classes.models import Lesson
from classes.permissions import require_teach
from classes.states import LessonState
from policy.refusals import Refusal
from policy.words import bare

MESSAGE_LENGTH = 500  # characters
MESSAGES_AT_ONCE = 5  # of one person within MESSAGE_WINDOW
MESSAGE_WINDOW = timedelta(seconds=10)


def post_message(*, actor: User, lesson: Lesson, text: str, key: UUID, at: datetime.datetime) -> RoomEvent:
    """Say something to the room: 1 to 500 characters. `key` is the client's id of it, so a retry says it once
    (P17, M18).

    Evidence holds the length and a salted commitment to the text, the room holds the text. Raises Refusal
    `not_in_class`, `lesson_not_open`, `lesson_closed`, `not_in_room`, `message_empty`, `message_too_long`,
    `messages_too_fast`.
    """
    text = bare(text)
    with transaction.atomic():
        lock_rooms(lesson.pk)
        me = require_member(actor, lesson)
        posted = RoomEvent.objects.filter(room_id=lesson.pk, actor=actor, key=key).first()
        if posted:
            return posted
        _require_in_session(lesson, me)
        _judge_message(actor, lesson, text, at)
        salt = audit.new_salt()
        data = {
            "key": str(key),
            "person": me.person_id,
            "name": str(actor),
            "role": me.role.value,
            "text": text,
        }
        seq = announce(
            lesson=lesson, type=Event.MESSAGE_POSTED, data=data, actor=actor, at=at, key=key, salt=salt
        )
        audit.record(
            "room.message_posted",
            actor_id=actor.pk,
            subject=person_subject(lesson, me.person_id),
            facts={"event": seq, "length": len(text), "text": audit.commit(text, salt=salt)},
            at=at,
        )
        return RoomEvent.objects.get(room_id=lesson.pk, seq=seq)


def _judge_message(actor: User, lesson: Lesson, text: str, at: datetime.datetime) -> None:
    if not text:
        raise Refusal(
            "message_empty",
            gettext_noop("消息是空的。"),
            found=0,
            required=1,
            next_step=gettext_noop("请写几个字再发送。"),
            status=400,
        )
    if len(text) > MESSAGE_LENGTH:
        raise Refusal(
            "message_too_long",
            gettext_noop("一条消息不超过 %(most)s 个字，这一条有 %(length)s 个字。"),
            found=len(text),
            required=MESSAGE_LENGTH,
            params={"most": MESSAGE_LENGTH, "length": len(text)},
            next_step=gettext_noop("请分成几条发送。"),
            status=400,
        )
    recent = RoomEvent.objects.filter(
        room_id=lesson.pk, type=Event.MESSAGE_POSTED, actor=actor, at__gt=at - MESSAGE_WINDOW, at__lte=at
    ).count()
    if recent >= MESSAGES_AT_ONCE:
        raise Refusal(
            "messages_too_fast",
            gettext_noop("%(seconds)s 秒内最多发 %(most)s 条消息。"),
            found=recent + 1,
            required=MESSAGES_AT_ONCE,
            params={"seconds": int(MESSAGE_WINDOW.total_seconds()), "most": MESSAGES_AT_ONCE},
            next_step=gettext_noop("请等几秒再发送，写好的字还在。"),
            status=429,
        )


def raise_hand(*, actor: User, lesson: Lesson, at: datetime.datetime) -> RaisedHand:
    """Put one's hand up; it stays up until it is lowered or the lesson ends. Again changes nothing (P17).

    Raises Refusal `not_in_class`, `lesson_not_open`, `lesson_closed`, `not_in_room`.
    """
    with transaction.atomic():
        lock_rooms(lesson.pk)
        me = require_member(actor, lesson)
        _require_in_session(lesson, me)
        hand, raised = RaisedHand.objects.get_or_create(
            room_id=lesson.pk, person_id=me.person_id, defaults={"raised_at": at}
        )
        if raised:
            data = {"person": me.person_id, "name": str(actor), "raised_at": at.isoformat()}
            announce(lesson=lesson, type=Event.HAND_RAISED, data=data, actor=actor, at=at)
            audit.record(
                "room.hand_raised",
                actor_id=actor.pk,
                subject=person_subject(lesson, me.person_id),
                facts={},
                at=at,
            )
    return hand


def lower_hand(*, actor: User, lesson: Lesson, person_id: int, at: datetime.datetime) -> None:
    """Put a hand down: one's own, or anybody's as lecturer or assistant. A hand that is down stays down.

    Raises Refusal `not_in_class`, `not_the_staff`.
    """
    with transaction.atomic():
        lock_rooms(lesson.pk)
        me = require_member(actor, lesson)
        if person_id != me.person_id:
            require_teach(actor, lesson.training_class)
        lowered, _rows = RaisedHand.objects.filter(room_id=lesson.pk, person_id=person_id).delete()
        if lowered:
            announce(lesson=lesson, type=Event.HAND_LOWERED, data={"person": person_id}, actor=actor, at=at)


def _require_in_session(lesson: Lesson, me: Participant) -> None:
    """The lesson runs, and a trainee sits in it: what is said or raised outside is no part of it (M6, P17).

    In the room is whoever has an open presence there, which ends with the last heartbeat. Who leads the
    lesson may speak without one. The caller holds the room, which opening and closing need. Raises Refusal
    `lesson_not_open`, `lesson_closed`, `not_in_room`.
    """
    state = Lesson.objects.values_list("state", flat=True).get(pk=lesson.pk)
    if state == LessonState.CLOSED:
        raise lesson_closed(state)
    if state != LessonState.OPEN:
        raise Refusal(
            "lesson_not_open",
            gettext_noop("还没有上课，不能发言和举手。"),
            found=LessonState(state),
            required=LessonState.OPEN,
            rule="P17",
            next_step=gettext_noop("请等讲师或助教开始上课。"),
        )
    if me.role != RoomRole.TRAINEE:
        return
    here = OpenPresence.objects.filter(person=me.person_id).values_list("lesson_id", flat=True).first()
    if here != lesson.pk:
        raise Refusal(
            "not_in_room",
            gettext_noop("您现在不在这个课堂里，不能发言和举手。"),
            found=here,
            required=lesson.pk,
            rule="P17",
            next_step=gettext_noop("请先进课堂；断线的话，等重新连上再发。"),
        )
