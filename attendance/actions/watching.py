"""Watching videos on demand: server-timed, one human on one clock, only in mixed classes (H14, M6).

A player opens a watch and sends a heartbeat every few seconds with the place it has reached. The server times
it: a stretch grows from heartbeat to heartbeat as long as the place moves on, and goes to the ledger when the
player pauses, jumps, falls silent or leaves. What a stretch is worth is computed from the ledger
(`attendance.credit`). The person's row is the lock of their clock, as in the live room.
"""

import datetime
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_noop

import audit
from accounts.models import Person, User
from attendance.models import OpenWatch, WatchedStretch
from attendance.permissions import require_trainee
from attendance.states import WatchClosing
from classes.live.models import OpenPresence, PresenceInterval
from classes.models import TrainingClass
from classes.states import ClassState
from courses.models import Material
from courses.states import MaterialKind, MaterialState
from policy.refusals import Refusal
from policy.terms import HourKind, Mode

FASTEST = 4  # times; what moves on faster has jumped
SLACK_MS = 1000  # what a heartbeat's way may take
RUNNING = (ClassState.APPROVED, ClassState.RUNNING)


@dataclass(frozen=True, slots=True)
class Beat:
    """One heartbeat of a player: which, in answer to what, where it is and whether it plays."""

    seq: int
    nonce: uuid.UUID
    position_ms: int
    playing: bool


def open_watch(
    *,
    training_class: TrainingClass,
    material: Material,
    position_ms: int,
    actor: User,
    at: datetime.datetime,
) -> OpenWatch:
    """Start this human's clock on a video; a watch elsewhere (another tab, another class) ends there.

    Raises Http404 for a stranger, and Refusal `trainee_required` (403), `not_a_video_of_the_class`,
    `not_mixed`, `no_on_demand_hours`, `class_not_running`, `on_demand_not_open`, `in_live_room`.
    """
    enrolment = require_trainee(actor, training_class)
    with transaction.atomic():
        Person.objects.select_for_update(no_key=True).get(pk=enrolment.person_id)
        judge_watchable(training_class, material, at)
        if OpenPresence.objects.filter(person=enrolment.person_id).exists():
            raise _in_live_room()
        earlier = OpenWatch.objects.select_for_update().filter(person=enrolment.person_id).first()
        if earlier is not None:
            _store(earlier, WatchClosing.TAKEN_OVER, actor, at)
            earlier.delete()
        place = min(position_ms, material.duration_ms or 0)
        return OpenWatch.objects.create(
            person_id=enrolment.person_id,
            enrolment=enrolment,
            material=material,
            connection=uuid.uuid4(),
            started_at=at,
            last_seen_at=at,
            from_ms=place,
            to_ms=place,
            nonce=uuid.uuid4(),
        )


def beat_watch(*, connection: uuid.UUID, beat: Beat, actor: User, at: datetime.datetime) -> OpenWatch:
    """Take a heartbeat: the stretch grows to here, or ends where it was last proven and a new one begins.

    The last heartbeat sent again, because its answer was lost, changes nothing. Raises Refusal `watch_ended`
    (another page took over, or it fell silent), `heartbeat_out_of_order`, `in_live_room` and
    `class_not_running`; the latter two also end the watch, and what was proven is kept.
    """
    with transaction.atomic():
        watch, refusal = _beat(connection, beat, actor, at)
    if refusal is not None:
        raise refusal
    return watch


def end_watch(*, connection: uuid.UUID, actor: User, at: datetime.datetime) -> None:
    """Stop the clock because the player left; one that has ended already is passed over."""
    with transaction.atomic():
        if actor.person_id is None:
            return
        Person.objects.select_for_update(no_key=True).get(pk=actor.person_id)
        watch = _watch(connection, actor)
        if watch is not None:
            _store(watch, WatchClosing.LEFT, actor, at)
            watch.delete()


def close_silent_watches(*, at: datetime.datetime) -> int:
    """End watches that fell silent for longer than the timeout, each at its last heartbeat."""
    since = at - datetime.timedelta(seconds=settings.PRESENCE_TIMEOUT_SECONDS)
    closed = 0
    silent = OpenWatch.objects.filter(last_seen_at__lt=since)
    for person_id in silent.order_by("person_id").values_list("person_id", flat=True):
        with transaction.atomic():
            Person.objects.select_for_update(no_key=True).get(pk=person_id)
            watch = silent.select_for_update(of=("self",)).filter(person_id=person_id).first()
            if watch is not None:
                _store(watch, WatchClosing.SILENT, None, at)
                watch.delete()
                closed += 1
    return closed


def close_watches(*, training_class: TrainingClass, at: datetime.datetime) -> int:
    """End what is still watched of a class that is over, each at its last heartbeat, with its evidence."""
    with transaction.atomic():
        # Everybody first: the log is locked with the first entry, and after that nobody waits for a person.
        watching = Person.objects.filter(open_watch__enrolment__training_class=training_class)
        list(watching.select_for_update(no_key=True, of=("self",)).order_by("pk").values_list("pk"))
        open_ones = (
            OpenWatch.objects.select_for_update(of=("self",))
            .select_related("enrolment__training_class", "material")
            .filter(enrolment__training_class=training_class)
        )
        watches = list(open_ones.order_by("person_id"))
        for watch in watches:
            _store(watch, WatchClosing.CLASS_OVER, None, at)
            watch.delete()
    return len(watches)


def judge_watchable(training_class: TrainingClass, material: Material, at: datetime.datetime) -> None:
    """Raise unless watching this video earns time in this class now; codes as in `open_watch`."""
    if (
        material.version_id != training_class.course_version_id
        or material.kind != MaterialKind.VIDEO
        or material.state != MaterialState.READY
    ):
        raise Refusal(
            "not_a_video_of_the_class",
            gettext_noop("这不是本班课程版本里的视频。"),
            found=False,
            required=True,
            rule="A2",
            next_step=gettext_noop("请从班级的“课件和视频”打开。"),
        )
    if training_class.mode != Mode.MIXED:
        raise Refusal(
            "not_mixed",
            gettext_noop("全程直播班没有点播学时，看视频不计时间。"),
            found=training_class.mode,
            required=Mode.MIXED.value,
            rule="H9",
            next_step=gettext_noop("视频可以照看，学时请上直播课。"),
        )
    lessons = training_class.lessons.filter(kind=HourKind.ON_DEMAND).order_by("starts_at")
    first = lessons.first()
    if first is None:
        raise Refusal(
            "no_on_demand_hours",
            gettext_noop("这个班的课表没有点播课时，看视频不计时间。"),
            found=0,
            required=1,
            rule="H14",
            next_step=gettext_noop("视频可以照看，学时请按课表上课。"),
        )
    if training_class.state not in RUNNING:
        raise _not_running(training_class)
    if at < first.starts_at:
        raise Refusal(
            "on_demand_not_open",
            gettext_noop("点播课从 %(opens)s 开始计时，现在看不计学时。"),
            found=at,
            required=first.starts_at,
            rule="F9",
            params={"opens": date_format(timezone.localtime(first.starts_at), "DATETIME_FORMAT")},
            next_step=gettext_noop("请到时间再来看。"),
        )


def _beat(
    connection: uuid.UUID, beat: Beat, actor: User, at: datetime.datetime
) -> tuple[OpenWatch, Refusal | None]:
    if actor.person_id is not None:
        Person.objects.select_for_update(no_key=True).get(pk=actor.person_id)
    watch = _watch(connection, actor)
    if watch is None:
        raise Refusal(
            "watch_ended",
            gettext_noop("这里的播放已经停止计时：您在别的页面打开了视频，或很久没有信号。"),
            found=False,
            required=True,
            rule="M6",
            next_step=gettext_noop("请点“接着看”，从这里重新开始。"),
        )
    if (beat.seq, beat.nonce) == (watch.seq, watch.answered):
        return watch, None
    if (beat.seq, beat.nonce) != (watch.seq + 1, watch.nonce):
        raise Refusal(
            "heartbeat_out_of_order",
            gettext_noop("这次信号和上一次接不上，没有计入。"),
            found=beat.seq,
            required=watch.seq + 1,
            rule="M6",
            next_step=gettext_noop("请点“接着看”，从这里重新开始。"),
        )
    at = max(at, watch.last_seen_at)  # another machine's clock may run ahead of ours
    if OpenPresence.objects.filter(person=watch.person_id).exists():
        _store(watch, WatchClosing.IN_LIVE_ROOM, actor, at)
        watch.delete()
        return watch, _in_live_room()
    training_class = watch.enrolment.training_class
    if training_class.state not in RUNNING:
        _store(watch, WatchClosing.CLASS_OVER, actor, at)
        watch.delete()
        return watch, _not_running(training_class)
    _advance(watch, beat, actor, at)
    watch.seq, watch.answered, watch.nonce = beat.seq, beat.nonce, uuid.uuid4()
    watch.save()
    return watch, None


def _advance(watch: OpenWatch, beat: Beat, actor: User, at: datetime.datetime) -> None:
    """Let the stretch grow to this heartbeat, or end it and begin anew here."""
    gap = at - watch.last_seen_at
    gap_ms = gap // datetime.timedelta(milliseconds=1)
    place = min(beat.position_ms, watch.material.duration_ms or 0)
    closing: WatchClosing | None = None
    if gap > datetime.timedelta(seconds=settings.PRESENCE_TIMEOUT_SECONDS) or _was_elsewhere(watch, at):
        closing = WatchClosing.SILENT
    elif place == watch.to_ms:
        closing = WatchClosing.PAUSED
    elif not watch.to_ms < place <= watch.to_ms + FASTEST * gap_ms + SLACK_MS:
        closing = WatchClosing.SEEKED
    else:
        watch.last_seen_at, watch.to_ms = at, place
        watch.heartbeats += 1
        watch.longest_gap_ms = max(watch.longest_gap_ms, gap_ms)
        closing = None if beat.playing else WatchClosing.PAUSED
    if closing is not None:
        _store(watch, closing, actor, at)
        watch.started_at = watch.last_seen_at = at
        watch.from_ms = watch.to_ms = place
        watch.heartbeats = watch.longest_gap_ms = 0


def _was_elsewhere(watch: OpenWatch, at: datetime.datetime) -> bool:
    """Whether the person was in a live room since the last heartbeat, and has left it again."""
    return PresenceInterval.objects.filter(
        person=watch.person_id, during__overlap=DateTimeTZRange(watch.last_seen_at, at, "[]")
    ).exists()


def _store(
    watch: OpenWatch, closing: WatchClosing, actor: User | None, at: datetime.datetime
) -> WatchedStretch | None:
    """Move the stretch under way to the ledger with its evidence; nothing that was not proven is kept.

    The caller holds the person. Time that a live room has already is cut off: one human has one clock.
    """
    since = _free_since(watch)
    if watch.last_seen_at <= since or watch.to_ms <= watch.from_ms:
        return None
    stretch = WatchedStretch.objects.create(
        person_id=watch.person_id,
        enrolment_id=watch.enrolment_id,
        material_id=watch.material_id,
        during=DateTimeTZRange(since, watch.last_seen_at),
        from_ms=watch.from_ms,
        to_ms=watch.to_ms,
        heartbeats=watch.heartbeats,
        closing=closing,
        connection=watch.connection,
    )
    audit.record(
        "attendance.watched",
        actor_id=actor.pk if actor else None,
        subject=watch.enrolment.subject,
        facts={
            "material": watch.material_id,
            "connection": str(watch.connection),
            "started_at": since,
            "last_seen_at": watch.last_seen_at,
            "from_ms": watch.from_ms,
            "to_ms": watch.to_ms,
            "heartbeats": watch.heartbeats,
            "longest_gap_ms": watch.longest_gap_ms,
            "closing": closing,
        },
        at=at,
    )
    return stretch


def _free_since(watch: OpenWatch) -> datetime.datetime:
    """The start of the stretch, or the end of what this human's clock holds already where that is later."""
    ends = [watch.started_at]
    for ledger in (PresenceInterval, WatchedStretch):
        held = ledger.objects.filter(
            person=watch.person_id, during__overlap=DateTimeTZRange(watch.started_at, watch.last_seen_at)
        )
        ends += held.annotate(end=Upper("during")).values_list("end", flat=True)
    return max(ends)


def _watch(connection: uuid.UUID, actor: User) -> OpenWatch | None:
    return (
        OpenWatch.objects.select_for_update(of=("self",))
        .select_related("enrolment__training_class", "material")
        .filter(connection=connection, person=actor.person_id)
        .first()
    )


def _in_live_room() -> Refusal:
    return Refusal(
        "in_live_room",
        gettext_noop("您正在直播课堂里。同一时间只算一处，点播先停下。"),
        found=True,
        required=False,
        rule="M6",
        next_step=gettext_noop("请下了直播课再接着看。"),
    )


def _not_running(training_class: TrainingClass) -> Refusal:
    return Refusal(
        "class_not_running",
        gettext_noop("班级%(state)s，看视频不计学时。"),
        found=ClassState(training_class.state),
        required=list(RUNNING),
        rule="F9",
        params={"state": training_class.get_state_display()},
        next_step=gettext_noop("备案通过以后、结班以前看才计学时。"),
    )
