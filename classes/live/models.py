"""The live room's rows: its numbered events, who was present when, media peers and recordings."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Person, User
from classes.live.states import Closing, PeerKind
from classes.models import Lesson


class Room(models.Model):
    """The live room of one lesson. `seq` numbers its events without gaps: whoever holds the row's lock takes
    the next.
    """

    lesson = models.OneToOneField(Lesson, models.PROTECT, primary_key=True, related_name="room")
    seq = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("直播课堂")

    def __str__(self) -> str:
        return f"room of lesson {self.lesson_id}"


class RoomEvent(models.Model):
    """What happened in a room, in order: a client that lost its connection asks for what came after its last
    number.
    """

    room = models.ForeignKey(Room, models.PROTECT, related_name="events")
    seq = models.BigIntegerField()
    type = models.CharField(max_length=40)
    data = models.JSONField()
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    # The client's own id of what it posted: a retry finds the first event instead of making a second.
    key = models.UUIDField(null=True)
    # Opens the commitment to a message's text in the evidence log.
    salt = models.BinaryField(null=True, editable=False)

    class Meta:
        ordering = ["room_id", "seq"]
        indexes = [models.Index(fields=["room", "type", "-seq"], name="room_event_by_type")]
        constraints = [
            models.UniqueConstraint(fields=["room", "seq"], name="room_event_number_once"),
            models.UniqueConstraint(
                fields=["room", "actor", "key"], condition=Q(key__isnull=False), name="room_event_posted_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.room_id}#{self.seq} {self.type}"

    @property
    def message(self) -> dict[str, Any]:
        """The event as clients get it, on the socket and from `events/?after=` alike."""
        return {"type": self.type, "id": self.seq, "data": {"at": self.at.isoformat(), **self.data}}


class RaisedHand(models.Model):
    """A hand that is up now; the events tell of those that were."""

    room = models.ForeignKey(Room, models.PROTECT, related_name="hands")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    raised_at = models.DateTimeField()

    class Meta:
        ordering = ["room_id", "raised_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["room", "person"], name="hand_raised_once")]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.room_id}"


class OpenPresence(models.Model):
    """Who is in a room right now: one row per human, whatever tabs, devices, classes or institutions (one
    human, one clock).

    `last_seen_at` is the server's time of the last heartbeat that answered its nonce; web processes write
    it in batches. No index names a column that a heartbeat changes, so these updates stay within their
    page (HOT).
    """

    person = models.OneToOneField(Person, models.PROTECT, primary_key=True, related_name="open_presence")
    lesson = models.ForeignKey(Lesson, models.PROTECT, related_name="open_presences")
    connection = models.UUIDField(unique=True)
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    heartbeats = models.PositiveIntegerField(default=0)
    longest_gap_ms = models.PositiveIntegerField(default=0)
    # What the browser calls itself between page loads: only tells a reconnection from a second device.
    device = models.CharField(max_length=36, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="open_presence_seen_after_start", condition=Q(last_seen_at__gte=F("started_at"))
            )
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.lesson_id}"


class PresenceInterval(models.Model):
    """A stretch of proven presence [start, last heartbeat); the ledger from which time is credited (M6).

    The exclusion constraint holds one human to one clock across classes, institutions, tabs and devices. A
    trigger refuses changes: the ledger only grows.
    """

    append_only: ClassVar[bool] = True

    person = models.ForeignKey(Person, models.PROTECT, related_name="presence_intervals")
    lesson = models.ForeignKey(Lesson, models.PROTECT, related_name="presence_intervals")
    during = DateTimeRangeField()
    heartbeats = models.PositiveIntegerField()
    closing = models.CharField(max_length=16, choices=Closing.choices)
    connection = models.UUIDField(unique=True)

    class Meta:
        ordering = ["lesson_id", "person_id", "during"]
        indexes = [models.Index(fields=["lesson", "person"], name="presence_by_lesson_person")]
        constraints = [
            ExclusionConstraint(
                name="presence_one_human_one_clock",
                expressions=[("person", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
            ),
            models.CheckConstraint(name="presence_not_empty", condition=Q(during__isempty=False)),
            models.CheckConstraint(
                name="presence_has_both_ends",
                condition=Q(during__startswith__isnull=False, during__endswith__isnull=False),
            ),
            models.CheckConstraint(name="presence_closing_known", condition=Q(closing__in=Closing.values)),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.lesson_id} {self.during}"


class MediaPeer(models.Model):
    """One browser's leg to Janus, sending or receiving. It lives as long as the socket of its
    `connection`.
    """

    id = models.UUIDField(primary_key=True)
    room = models.ForeignKey(Room, models.PROTECT, related_name="peers")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    connection = models.UUIDField()
    kind = models.CharField(max_length=8, choices=PeerKind.choices)
    feed = models.CharField(max_length=40)
    session = models.BigIntegerField()
    handle = models.BigIntegerField()
    opened_at = models.DateTimeField()
    connected_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["connection"], condition=Q(closed_at__isnull=True), name="media_peer_open_of_socket"
            )
        ]
        constraints = [
            models.CheckConstraint(name="media_peer_kind_known", condition=Q(kind__in=PeerKind.values)),
            models.UniqueConstraint(
                fields=["room", "feed"],
                condition=Q(kind=PeerKind.PUBLISH, closed_at__isnull=True),
                name="media_feed_published_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.feed}"


def recording_path(recording: Recording, filename: str) -> str:
    return f"recordings/lesson-{recording.lesson_id}/{filename}"


class Recording(models.Model):
    """One playable segment of a publisher's picture and sound, made from Janus's raw files after the
    lesson.
    """

    lesson = models.ForeignKey(Lesson, models.PROTECT, related_name="recordings")
    feed = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    file = models.FileField(upload_to=recording_path, max_length=200)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["lesson_id", "started_at", "feed"]
        verbose_name = _("录像")
        constraints = [
            models.UniqueConstraint(fields=["lesson", "feed", "started_at"], name="recording_segment_once")
        ]

    def __str__(self) -> str:
        return f"{self.lesson_id} {self.feed} {self.started_at:%H:%M:%S}"
