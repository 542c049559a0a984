"""The live room's rows: its numbered events, who was present when, media peers and recordings."""

from __future__ import annotations

from typing import ClassVar

from accounts.models import Person, User
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from classes.models import Lesson


class Room(models.Model):
    """The live room of one lesson. `seq` numbers its events without gaps; whoever holds the row's lock takes the next."""

    lesson = models.OneToOneField(Lesson, models.PROTECT, primary_key=True, related_name="room")
    seq = models.BigIntegerField(default=0)
    # Janus side; a room is created there when first needed and again whenever Janus forgot it.
    janus_secret = models.CharField(max_length=64, blank=True)
    janus_pin = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = _("直播课堂")

    def __str__(self) -> str:
        return f"room of lesson {self.lesson_id}"


class RoomEvent(models.Model):
    """What happened in a room, in order: a client that lost its connection asks for what came after its last number."""

    room = models.ForeignKey(Room, models.PROTECT, related_name="events")
    seq = models.BigIntegerField()
    type = models.CharField(max_length=40)
    data = models.JSONField()
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["room_id", "seq"]
        constraints = [models.UniqueConstraint(fields=["room", "seq"], name="room_event_number_once")]

    def __str__(self) -> str:
        return f"{self.room_id}#{self.seq} {self.type}"


class OpenPresence(models.Model):
    """Who is in a room right now: one row per human, whatever tabs, devices, classes or institutions (one human, one clock).

    `last_seen_at` is the server's time of the last heartbeat that answered its nonce; web processes write it in batches.
    """

    person = models.OneToOneField(Person, models.PROTECT, primary_key=True, related_name="open_presence")
    lesson = models.ForeignKey(Lesson, models.PROTECT, related_name="open_presences")
    connection = models.UUIDField(unique=True)
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    heartbeats = models.PositiveIntegerField(default=0)
    user_agent_digest = models.CharField(max_length=16, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="open_presence_seen_after_start", condition=Q(last_seen_at__gte=F("started_at"))
            )
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.lesson_id}"


class Closing(models.TextChoices):
    LEFT = "left", _("离开课堂")
    SILENT = "silent", _("断线")
    TAKEN_OVER = "taken_over", _("换了设备")
    LESSON_CLOSED = "lesson_closed", _("课次结束")


class PresenceInterval(models.Model):
    """A stretch of proven presence [start, last heartbeat); the ledger from which time is credited (M6).

    The exclusion constraint holds one human to one clock across classes, institutions, tabs and devices.
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
        ]

    def __str__(self) -> str:
        return f"{self.person_id} in {self.lesson_id} {self.during}"


class MediaPeer(models.Model):
    """One browser's leg to Janus: publishing or watching. The heartbeat doubles as its keepalive."""

    class Kind(models.TextChoices):
        PUBLISH = "publish", _("上麦")
        WATCH = "watch", _("观看")

    id = models.UUIDField(primary_key=True)
    room = models.ForeignKey(Room, models.PROTECT, related_name="peers")
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    feed = models.CharField(max_length=40)
    session = models.BigIntegerField()
    handle = models.BigIntegerField()
    opened_at = models.DateTimeField()
    connected_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["room"], condition=Q(closed_at__isnull=True), name="media_peer_open")]

    def __str__(self) -> str:
        return f"{self.kind} {self.feed}"


class Recording(models.Model):
    """One playable segment of a publisher's picture and sound, made from Janus's raw files after the lesson."""

    lesson = models.ForeignKey(Lesson, models.PROTECT, related_name="recordings")
    feed = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    file = models.CharField(max_length=200)  # below settings.DATA_DIR
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["lesson_id", "started_at"]
        verbose_name = _("录像")
        constraints = [
            models.UniqueConstraint(fields=["lesson", "feed", "started_at"], name="recording_segment_once")
        ]

    def __str__(self) -> str:
        return f"{self.lesson_id} {self.feed} {self.started_at:%H:%M:%S}"
