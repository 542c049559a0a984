"""What a room looks like: its snapshot at one number, what came after, who is in it, its recordings."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypedDict

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from accounts.models import Person, User
from classes.live.models import (
    MediaPeer,
    OpenPresence,
    PresenceInterval,
    RaisedHand,
    Recording,
    Room,
    RoomEvent,
)
from classes.live.permissions import room_role
from classes.live.protocol import Event
from classes.live.registry import snapshot_parts
from classes.live.states import PeerKind, RoomRole
from classes.models import Enrolment, Lesson
from classes.permissions import can_teach
from classes.states import EnrolmentState
from policy.editions import Edition
from policy.findings import Finding
from policy.lessons import judge_live_session

MESSAGES_SHOWN = 200
EVENTS_AT_ONCE = 500


class PersonHere(TypedDict):
    """One person of the class, in the room or not."""

    person: int
    name: str
    role: str
    online: bool


def room_numbers(lesson_ids: Iterable[int]) -> dict[int, int]:
    """The number of the last event of each room."""
    return dict(Room.objects.filter(pk__in=lesson_ids).values_list("pk", "seq"))


def snapshot(lesson: Lesson, user: User) -> dict[str, Any]:
    """The room as this person sees it, all of it at `seq`: apply the events after that number to it.

    The room's row is share-locked while it is read, so no event is numbered meanwhile and each that was
    is visible.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT seq FROM live_room WHERE lesson_id = %s FOR SHARE", [lesson.pk])
            row = cursor.fetchone()
        lesson = Lesson.objects.select_related("training_class__institution").get(pk=lesson.pk)
        return {
            "seq": row[0] if row else 0,
            "lesson": _lesson(lesson),
            "me": _me(lesson, user),
            "people": people(lesson),
            "hands": hands(lesson),
            "messages": [event.message["data"] for event in last_messages(lesson)],
            "slides": [],
            "polls": [],
            "media": media(lesson),
            **{name: part(lesson, user) for name, part in snapshot_parts().items()},
        }


def _lesson(lesson: Lesson) -> dict[str, Any]:
    training_class = lesson.training_class
    return {
        "id": lesson.pk,
        "title": lesson.title,
        "kind": lesson.kind,
        "state": lesson.state,
        "starts_at": lesson.starts_at.isoformat(),
        "ends_at": lesson.ends_at.isoformat(),
        "opened_at": lesson.opened_at.isoformat() if lesson.opened_at else None,
        "class": {"id": training_class.pk, "name": training_class.name},
        "institution": training_class.institution.name,
    }


def _me(lesson: Lesson, user: User) -> dict[str, Any]:
    role = room_role(user, lesson)
    return {
        "person": user.person_id,
        "name": str(user),
        "role": role.value if role else None,
        "leads": can_teach(user, lesson.training_class),
    }


def media(lesson: Lesson) -> dict[str, Any]:
    """Whether there are live pictures, and who sends one now."""
    feeds = MediaPeer.objects.filter(
        room_id=lesson.pk, kind=PeerKind.PUBLISH, connected_at__isnull=False, closed_at__isnull=True
    ).select_related("person")
    return {
        "available": bool(settings.JANUS_HTTP_URL),
        "feeds": [{"feed": p.feed, "person": p.person_id, "name": p.person.name} for p in feeds],
        "ice_servers": settings.ICE_SERVERS,
    }


def people(lesson: Lesson) -> list[PersonHere]:
    """Lecturer, assistant and active trainees by name, each with whether they are in the room now."""
    here = set(OpenPresence.objects.filter(lesson=lesson).values_list("person_id", flat=True))
    training_class = lesson.training_class
    staff = [
        (person, role)
        for person, role in (
            (training_class.lecturer, RoomRole.LECTURER),
            (training_class.assistant, RoomRole.ASSISTANT),
        )
        if person
    ]
    roster = Enrolment.objects.filter(
        training_class=training_class, state=EnrolmentState.ACTIVE
    ).select_related("person")
    everybody: list[tuple[Person, RoomRole]] = [*staff, *((e.person, RoomRole.TRAINEE) for e in roster)]
    return [
        PersonHere(person=person.pk, name=person.name, role=role.value, online=person.pk in here)
        for person, role in everybody
    ]


def hands(lesson: Lesson) -> list[dict[str, Any]]:
    """The hands that are up, the longest first."""
    return [
        {"person": hand.person_id, "name": hand.person.name, "raised_at": hand.raised_at.isoformat()}
        for hand in RaisedHand.objects.filter(room_id=lesson.pk).select_related("person")
    ]


def last_messages(lesson: Lesson) -> list[RoomEvent]:
    """The last messages of a room, oldest first."""
    events = RoomEvent.objects.filter(room_id=lesson.pk, type=Event.MESSAGE_POSTED)
    return list(events.order_by("-seq")[:MESSAGES_SHOWN])[::-1]


def events_after(lesson: Lesson, seq: int) -> list[RoomEvent]:
    """What happened in a room after a number, in order, at most EVENTS_AT_ONCE."""
    return list(RoomEvent.objects.filter(room_id=lesson.pk, seq__gt=seq).order_by("seq")[:EVENTS_AT_ONCE])


def interaction(lesson: Lesson) -> QuerySet[RoomEvent]:
    """All that happened in a room, in order: messages, hands, checks, comings and goings (M18)."""
    return RoomEvent.objects.filter(room_id=lesson.pk).select_related("actor__person").order_by("seq")


# Taking part, as against being there: what a lecturer or a trainee does in a lesson (A1).
TAKING_PART = (Event.MESSAGE_POSTED, Event.HAND_RAISED, Event.CHECK_OPENED, Event.CHECK_ANSWERED)


def judge_live(lesson: Lesson, edition: Edition, using: str = "default") -> Finding:
    """Whether a lesson that was held counts as live (A1): its lecturer and trainees there, taking part."""
    training_class = lesson.training_class
    trainees = Enrolment.objects.using(using).filter(training_class=training_class).order_by()
    intervals = PresenceInterval.objects.using(using).filter(lesson=lesson)
    given = intervals.filter(person=training_class.lecturer_id).values_list("during", flat=True)
    seconds = sum(((during.upper - during.lower).total_seconds() for during in given), 0.0)
    return judge_live_session(
        edition,
        lecturer_seconds=Fraction(seconds),
        trainees=intervals.filter(person__in=trainees.values("person")).values("person").distinct().count(),
        interactions=RoomEvent.objects.using(using).filter(room__lesson=lesson, type__in=TAKING_PART).count(),
    )


def present_at(lesson: Lesson, moment: datetime.datetime) -> QuerySet[Person]:
    """Who is proven to have been in the room at a moment."""
    return Person.objects.filter(
        presence_intervals__lesson=lesson, presence_intervals__during__contains=moment
    ).distinct()


def recordings(lesson: Lesson) -> QuerySet[Recording]:
    """What was recorded of a lesson, oldest first."""
    return Recording.objects.filter(lesson=lesson).order_by("started_at", "feed")


@dataclass(frozen=True)
class Segment:
    """One recording as the replay lists it."""

    pk: int
    started_at: datetime.datetime
    length: datetime.timedelta
    speaker: str
    sha256: str


def segments(lesson: Lesson) -> list[Segment]:
    """The recordings of a lesson with whom they show, oldest first."""
    peers = MediaPeer.objects.filter(room_id=lesson.pk, kind=PeerKind.PUBLISH)
    speakers = dict(peers.values_list("feed", "person__name"))
    return [
        Segment(
            pk=one.pk,
            started_at=one.started_at,
            length=datetime.timedelta(milliseconds=one.duration_ms),
            speaker=speakers.get(one.feed, one.feed),
            sha256=one.sha256,
        )
        for one in recordings(lesson)
    ]
