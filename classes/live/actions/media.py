"""Media legs: who sends a picture, who receives one, and what happens to a leg when its socket ends.

Janus is asked outside of transactions; a leg that could not be written down is closed again.
"""

import datetime
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_noop

import audit
from accounts.background import after_commit
from accounts.models import User
from classes.live import tasks
from classes.live.actions.events import announce, lock_rooms, person_subject
from classes.live.media import janus
from classes.live.media.janus import JanusError, JanusUnreachable, Leg
from classes.live.models import MediaPeer, OpenPresence
from classes.live.permissions import require_member
from classes.live.protocol import Event
from classes.live.states import PeerKind
from classes.models import Lesson
from classes.permissions import require_teach
from classes.states import LessonState
from policy.refusals import Refusal


def publish(
    *, actor: User, lesson: Lesson, connection: UUID, offer: str, at: datetime.datetime
) -> tuple[MediaPeer, str]:
    """Let the lecturer or the assistant send a picture; return the leg and Janus's answer to the offer.

    Their earlier leg is closed first. The room hears of the feed when media has arrived
    (`confirm_published`).

    Raises Refusal `not_the_staff` (403), `not_in_room`, `lesson_closed`, `media_unavailable` (503),
    `offer_refused` (400).
    """
    require_teach(actor, lesson.training_class)
    me = require_member(actor, lesson)
    _require_socket(me.person_id, lesson, connection)
    feed = f"{me.role}-{me.person_id}"
    with transaction.atomic():
        lock_rooms(lesson.pk)
        earlier = MediaPeer.objects.filter(
            room_id=lesson.pk, feed=feed, kind=PeerKind.PUBLISH, closed_at__isnull=True
        )
        sessions = _close(list(earlier), lesson=lesson, actor=actor, at=at)
    with _leg_for(me.person_id, sessions) as leg:
        janus.ensure_room(lesson.pk, record=lesson.state == LessonState.OPEN)
        answer = janus.publish(leg, lesson.pk, feed=feed, name=str(actor), offer=offer)
        peer = _write_down(leg, me.person_id, lesson, connection, PeerKind.PUBLISH, feed, at)
    return peer, answer.sdp


def publish_by_whip(
    *, actor: User, lesson: Lesson, offer: str, at: datetime.datetime
) -> tuple[MediaPeer, str]:
    """Let a program such as OBS send the picture of a lecturer or assistant who is in the room.

    The leg lives as long as the socket of their page, whose heartbeats keep it alive. Raises as `publish`.
    """
    require_teach(actor, lesson.training_class)
    presence = OpenPresence.objects.filter(person_id=actor.person_id or 0, lesson=lesson).first()
    if presence is None:
        raise _not_in_room()
    return publish(actor=actor, lesson=lesson, connection=presence.connection, offer=offer, at=at)


def confirm_published(*, actor: User, lesson: Lesson, peer_id: UUID, at: datetime.datetime) -> MediaPeer:
    """Announce a feed once Janus receives it; before that nobody could watch it. Again changes nothing.

    Raises Refusal `peer_gone`, `media_not_ready`, `media_unavailable` (503).
    """
    peer = _own_peer(actor, lesson, peer_id, PeerKind.PUBLISH)
    with _refusing():
        if not _announce_if_sending(peer, lesson=lesson, actor=actor, at=at):
            raise Refusal(
                "media_not_ready",
                gettext_noop("画面还没有传到平台。"),
                found=False,
                required=True,
                next_step=gettext_noop("请等一两秒，会自动再试。"),
            )
    return peer


def _announce_if_sending(
    peer: MediaPeer, *, lesson: Lesson, actor: User | None, at: datetime.datetime
) -> bool:
    """Whether Janus receives this leg's media; the first time it does, the room and the evidence are told."""
    if peer.feed not in janus.publishing(lesson.pk):
        return False
    lesson.refresh_from_db(fields=["state"])
    if lesson.state == LessonState.OPEN:
        # The lesson may have opened while this room was being made.
        janus.record_room(lesson.pk, record=True)
    with transaction.atomic():
        lock_rooms(lesson.pk)
        peer.refresh_from_db(fields=["connected_at", "closed_at"])
        if peer.connected_at or peer.closed_at:
            return True
        peer.connected_at = at
        peer.save(update_fields=["connected_at"])
        data = {"feed": peer.feed, "person": peer.person_id, "name": peer.person.name}
        announce(lesson=lesson, type=Event.MEDIA_FEED, data=data, actor=actor, at=at)
        audit.record(
            "media.published",
            actor_id=actor.pk if actor else None,
            subject=person_subject(lesson, peer.person_id),
            facts={"feed": peer.feed},
            at=at,
        )
    return True


def watch(
    *, actor: User, lesson: Lesson, connection: UUID, feed: str, at: datetime.datetime
) -> tuple[MediaPeer, str]:
    """Let a person of the room receive a feed; return the leg and Janus's offer, to be answered with
    `start_watching`.

    Raises Refusal `not_in_class` (403), `not_in_room`, `feed_not_ready`, `media_unavailable` (503).
    """
    me = require_member(actor, lesson)
    _require_socket(me.person_id, lesson, connection)
    with transaction.atomic():
        lock_rooms(lesson.pk)
        earlier = MediaPeer.objects.filter(
            connection=connection, feed=feed, kind=PeerKind.WATCH, closed_at__isnull=True
        )
        sessions = _close(list(earlier), lesson=lesson, actor=actor, at=at)
    with _leg_for(me.person_id, sessions) as leg:
        offer = janus.subscribe(leg, lesson.pk, feed=feed)
        peer = _write_down(leg, me.person_id, lesson, connection, PeerKind.WATCH, feed, at)
    return peer, offer.sdp


def start_watching(
    *, actor: User, lesson: Lesson, peer_id: UUID, answer: str, at: datetime.datetime
) -> MediaPeer:
    """Begin to send a viewer what they answered to.

    Raises Refusal `peer_gone`, `offer_refused` (400), `media_unavailable` (503).
    """
    peer = _own_peer(actor, lesson, peer_id, PeerKind.WATCH)
    with _refusing():
        janus.start(Leg(peer.session, peer.handle), answer)
    peer.connected_at = at
    peer.save(update_fields=["connected_at"])
    return peer


def receive(*, actor: User, lesson: Lesson, peer_id: UUID, mid: str, send: bool) -> None:
    """Have one stream of a watched feed sent or not: a trainee who saves data takes the sound alone.

    Raises Refusal `peer_gone`, `offer_refused` (400), `media_unavailable` (503).
    """
    peer = _own_peer(actor, lesson, peer_id, PeerKind.WATCH)
    with _refusing():
        janus.configure(Leg(peer.session, peer.handle), mid=mid, send=send)


def leave_media(*, actor: User, lesson: Lesson, peer_id: UUID, at: datetime.datetime) -> None:
    """Stop sending or receiving. A leg that is closed stays closed. Raises Refusal `peer_gone` for
    another's leg.
    """
    with transaction.atomic():
        lock_rooms(lesson.pk)
        me = require_member(actor, lesson)
        peer = MediaPeer.objects.filter(pk=peer_id, room_id=lesson.pk, person_id=me.person_id).first()
        if peer is None:
            raise _peer_gone()
        sessions = _close([peer] if peer.closed_at is None else [], lesson=lesson, actor=actor, at=at)
        _end_after_commit(sessions)


def close_peers(
    *, connections: Iterable[UUID], lesson: Lesson, actor: User | None, at: datetime.datetime
) -> None:
    """Close the legs of sockets that end. The caller holds the room, as everybody does who closes a leg."""
    peers = list(MediaPeer.objects.filter(connection__in=list(connections), closed_at__isnull=True))
    if peers:
        _end_after_commit(_close(peers, lesson=lesson, actor=actor, at=at))


def lose_peer(*, peer_id: UUID, at: datetime.datetime) -> None:
    """Close a leg that Janus no longer knows, so that the room stops waiting for its picture."""
    with transaction.atomic():
        peer = MediaPeer.objects.select_related("room__lesson").filter(pk=peer_id).first()
        if peer is None:
            return
        lock_rooms(peer.room_id)
        peer.refresh_from_db(fields=["closed_at"])
        if peer.closed_at is None:
            _close([peer], lesson=peer.room.lesson, actor=None, at=at)


def keep_peers_alive(*, connections: Iterable[UUID], at: datetime.datetime) -> None:
    """Give Janus a sign of life for the legs of these sockets, whose heartbeats are one."""
    for peer in MediaPeer.objects.filter(connection__in=list(connections), closed_at__isnull=True):
        try:
            janus.keep_alive(peer.session)
        except JanusError as error:
            if error.code == janus.NO_SUCH_SESSION:
                lose_peer(peer_id=peer.pk, at=at)
        except JanusUnreachable:
            return  # all of them: a Janus that comes back has forgotten its sessions, and then says so


def announce_senders(*, connections: Iterable[UUID], at: datetime.datetime) -> None:
    """Announce the feeds of these sockets that have begun to arrive without anybody saying so (WHIP)."""
    peers = MediaPeer.objects.filter(
        connection__in=list(connections),
        kind=PeerKind.PUBLISH,
        connected_at__isnull=True,
        closed_at__isnull=True,
    ).select_related("room__lesson__training_class", "person__user")
    for peer in peers:
        try:
            _announce_if_sending(peer, lesson=peer.room.lesson, actor=peer.person.user, at=at)
        except (JanusError, JanusUnreachable):
            return  # asked again in a moment


def _write_down(
    leg: Leg,
    person_id: int,
    lesson: Lesson,
    connection: UUID,
    kind: PeerKind,
    feed: str,
    at: datetime.datetime,
) -> MediaPeer:
    with transaction.atomic():
        # While this row is held the presence cannot close, so closing it will find the leg.
        _require_socket(person_id, lesson, connection, lock=True)
        return MediaPeer.objects.create(
            id=uuid.uuid4(),
            room_id=lesson.pk,
            person_id=person_id,
            connection=connection,
            kind=kind,
            feed=feed,
            session=leg.session,
            handle=leg.handle,
            opened_at=at,
        )


def _require_socket(person_id: int, lesson: Lesson, connection: UUID, *, lock: bool = False) -> None:
    """Raises Refusal `not_in_room` unless this socket is the person's presence in this room."""
    presences = OpenPresence.objects.filter(person_id=person_id, lesson=lesson, connection=connection)
    if lock:
        presences = presences.select_for_update()
    if not presences.exists():
        raise _not_in_room()


def _not_in_room() -> Refusal:
    return Refusal(
        "not_in_room",
        gettext_noop("您现在不在这个课堂里。"),
        found=False,
        required=True,
        next_step=gettext_noop("请在浏览器里进入课堂，再打开画面。"),
    )


def _own_peer(actor: User, lesson: Lesson, peer_id: UUID, kind: PeerKind) -> MediaPeer:
    me = require_member(actor, lesson)
    peer = MediaPeer.objects.filter(
        pk=peer_id, room_id=lesson.pk, person_id=me.person_id, kind=kind, closed_at__isnull=True
    ).first()
    if peer is None:
        raise _peer_gone()
    return peer


def _peer_gone() -> Refusal:
    return Refusal(
        "peer_gone",
        gettext_noop("这一路画面已经断开。"),
        found=False,
        required=True,
        next_step=gettext_noop("请重新打开画面。"),
    )


def _close(peers: list[MediaPeer], *, lesson: Lesson, actor: User | None, at: datetime.datetime) -> list[int]:
    """Close legs, tell the room which feeds are gone, return the Janus sessions to end."""
    for peer in peers:
        peer.closed_at = at
        peer.save(update_fields=["closed_at"])
        if peer.kind == PeerKind.PUBLISH and peer.connected_at and lesson.state != LessonState.CLOSED:
            data = {"feed": peer.feed, "person": peer.person_id}
            announce(lesson=lesson, type=Event.MEDIA_GONE, data=data, actor=actor, at=at)
    return [peer.session for peer in peers]


def _end_after_commit(sessions: list[int]) -> None:
    if sessions:
        after_commit(tasks.end_media_sessions, sessions)


@contextmanager
def _leg_for(person_id: int, replaced: list[int]) -> Iterator[Leg]:
    """End the legs that this one replaces, open it, and close it again if what follows fails.

    A publisher who was refused would otherwise stay in the room as a ghost.
    """
    with _refusing():
        for session in replaced:
            janus.close_leg(session)
        leg = janus.open_leg(f"person-{person_id}")
        try:
            yield leg
        except BaseException:
            janus.close_leg(leg.session)
            raise


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn what Janus says into a Refusal."""
    try:
        yield
    except JanusUnreachable:
        raise Refusal(
            "media_unavailable",
            gettext_noop("现在没有直播画面，其他功能照常使用。"),
            found=False,
            required=True,
            next_step=gettext_noop("请稍后再打开画面；还是不行，请联系平台运营人员。"),
            status=503,
        ) from None
    except JanusError as error:
        if error.code in (janus.NO_SUCH_FEED, janus.NO_SUCH_ROOM):
            raise Refusal(
                "feed_not_ready",
                gettext_noop("这一路画面还没有准备好。"),
                found=False,
                required=True,
                next_step=gettext_noop("请等一两秒，会自动再试。"),
            ) from None
        raise Refusal(
            "offer_refused",
            gettext_noop("这台设备的画面没有接上。"),
            found=error.code,
            required=True,
            next_step=gettext_noop("请刷新页面再试，或换一个浏览器。"),
            status=400,
        ) from None
