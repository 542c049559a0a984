"""Videos on demand: what the server times, what of it counts, where the clock stops (H14, M6, reading 6)."""

import datetime
import uuid
from dataclasses import dataclass
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.db.utils import DatabaseError
from django.http import Http404
from django.urls import reverse

from accounts.models import User
from attendance import actions, queries
from attendance.actions import Beat
from attendance.actions.verdicts import conclude_attendance
from attendance.models import OpenWatch, WatchedStretch
from attendance.tasks import close_watches
from audit.models import Entry
from classes.live.models import OpenPresence, PresenceInterval
from classes.models import Lesson
from courses.actions.versions import publish_version, set_outline, write_draft
from courses.models import Material
from courses.outlines import UnitDraft
from policy.refusals import Refusal
from policy.terms import CreditKind, HourKind
from tests.attendance.conftest import Room, clock
from tests.cast import client_of
from tests.courses.shelf import material
from tests.on_record import change_on_record, finish_on_record

HOUR = 2700  # seconds in a 课时 of the demo edition
VIDEO = 600_000  # milliseconds
OPENS = clock("08:00")


@dataclass
class Player:
    """A browser that plays one video; `at` is the server's clock."""

    room: Room
    video: Material
    user: User
    at: datetime.datetime
    watch: OpenWatch | None = None

    def opens(self, position: int = 0) -> "Player":
        self.watch = actions.open_watch(
            training_class=self.room.training_class,
            material=self.video,
            position_ms=position,
            actor=self.user,
            at=self.at,
        )
        return self

    def beats(self, position: int, *, after: float = 5, playing: bool = True) -> "Player":
        """One heartbeat `after` seconds, at this place of the video."""
        assert self.watch is not None
        self.at += datetime.timedelta(seconds=after)
        beat = Beat(self.watch.seq + 1, self.watch.nonce, position, playing)
        self.watch = actions.beat_watch(
            connection=self.watch.connection, beat=beat, actor=self.user, at=self.at
        )
        return self

    def plays(self, seconds: int, *, speed: float = 1, since: int | None = None) -> "Player":
        """Heartbeats every five seconds for so long."""
        assert self.watch is not None
        place = self.watch.to_ms if since is None else since
        for _ in range(seconds // 5):
            place += round(5000 * speed)
            self.beats(place)
        return self

    def leaves(self) -> "Player":
        assert self.watch is not None
        actions.end_watch(connection=self.watch.connection, actor=self.user, at=self.at)
        return self


@pytest.fixture
def video(room: Room, now: datetime.datetime) -> Material:
    """A video of ten minutes in the version of a mixed class with one on-demand 课时."""
    course = room.training_class.course
    version = write_draft(course, copied=None, notes="", actor=None, at=now)
    made = material(version, "video", now, duration_ms=VIDEO)
    units = [UnitDraft(kind=HourKind.ON_DEMAND, hours=Decimal(1), title="点播")]
    set_outline(version=version, units=units, notes="", actor=None, at=now)
    publish_version(version=version, actor=None, at=now)
    change_on_record(room.training_class, course_version=version, mode="mixed")
    return made


@pytest.fixture
def lesson(room: Room) -> Lesson:
    return room.lesson(OPENS, clock("08:45"), hours="1", kind="on_demand", state="planned")


@pytest.fixture
def player(room: Room, video: Material, lesson: Lesson) -> Player:
    return Player(room, video, room.cast.learner, clock("20:00"))


def credited(room: Room) -> Decimal:
    """Seconds of on-demand time, exact."""
    return Decimal(queries.credit_of(room.learner).by_kind[CreditKind.ON_DEMAND]) / 1_000_000


def code_of(error: pytest.ExceptionInfo[Refusal]) -> tuple[str, int]:
    return error.value.code, error.value.status


# --- what counts ---


def test_a_minute_watched_is_a_minute_counted_before_and_after_the_stretch_is_closed(player, room):
    player.opens().plays(60)
    assert credited(room) == 60
    player.leaves()
    assert credited(room) == 60
    stretch = WatchedStretch.objects.get()
    assert (stretch.from_ms, stretch.to_ms, stretch.heartbeats, stretch.closing) == (0, 60_000, 12, "left")
    assert stretch.during.upper - stretch.during.lower == datetime.timedelta(seconds=60)
    entry = Entry.objects.get(kind="attendance.watched")
    assert entry.subject == room.learner.subject
    assert (entry.facts["from_ms"], entry.facts["to_ms"]) == (0, 60_000)


def test_opening_alone_proves_nothing(player, room):
    player.opens()
    player.at += datetime.timedelta(seconds=19)
    player.leaves()
    assert credited(room) == 0
    assert not WatchedStretch.objects.exists()


def test_double_speed_counts_the_time_it_took(player, room):
    player.opens().plays(60, speed=2).leaves()
    assert WatchedStretch.objects.get().to_ms == 120_000
    assert credited(room) == 60


def test_half_speed_counts_the_content(player, room):
    player.opens().plays(60, speed=0.5).leaves()
    assert credited(room) == 30


def test_watching_again_adds_nothing_and_a_part_only_what_is_new(player, room):
    player.opens().plays(60).leaves()
    player.opens().plays(60).leaves()
    assert credited(room) == 60
    player.opens(30_000).plays(60).leaves()
    assert credited(room) == 90


def test_what_was_skipped_at_double_speed_is_not_made_up_by_time(player, room):
    """Twice the same minute at double speed: 60 s for 120 s of content, then nothing new."""
    player.opens().plays(60, speed=2).leaves()
    player.opens().plays(60, speed=2).leaves()
    assert credited(room) == 60


@pytest.mark.parametrize(("jump", "closing"), [(21_000, None), (21_001, "seeked")])
def test_a_seek_forward_begins_a_new_stretch(player, room, jump, closing):
    """Five seconds allow 4 × 5,000 ms and a second for the way; one millisecond more is a jump."""
    player.opens().beats(jump).leaves()
    stretches = list(WatchedStretch.objects.values_list("closing", flat=True))
    assert stretches == ([] if closing else ["left"])
    assert credited(room) == (0 if closing else 5)


def test_a_seek_back_and_forth_keeps_what_was_watched(player, room):
    player.opens().plays(20)
    player.beats(300_000).plays(20, since=300_000)
    player.beats(10_000).plays(20, since=10_000).leaves()
    assert list(WatchedStretch.objects.values_list("from_ms", "to_ms", "closing")) == [
        (0, 20_000, "seeked"),
        (300_000, 320_000, "seeked"),
        (10_000, 30_000, "left"),
    ]
    assert credited(room) == 20 + 20 + 10


def test_a_pause_stops_the_clock_and_playing_on_starts_it(player, room):
    player.opens().plays(20).beats(22_000, after=2, playing=False)
    for _ in range(10):
        player.beats(22_000, playing=False)
    assert credited(room) == 22
    player.plays(10, since=22_000).leaves()
    assert credited(room) == 32


def test_a_player_that_stands_still_is_paused_whatever_it_says(player, room):
    player.opens().plays(20)
    for _ in range(10):
        player.beats(20_000, playing=True)
    player.leaves()
    assert credited(room) == 20


@pytest.mark.parametrize(("silence", "seconds"), [(20, 40), (20.001, 20)])
def test_a_missing_heartbeat_leaves_the_time_unproven(player, room, silence, seconds):
    """The timeout is 20 s: until then the stretch goes on, a millisecond later it ended at the last one."""
    player.opens().plays(20).beats(40_000, after=silence).leaves()
    assert credited(room) == seconds


def test_beat_closes_what_fell_silent_at_its_last_heartbeat(player, room):
    player.opens().plays(20)
    assert actions.close_silent_watches(at=player.at + datetime.timedelta(seconds=20)) == 0
    assert actions.close_silent_watches(at=player.at + datetime.timedelta(seconds=21)) == 1
    assert WatchedStretch.objects.get().closing == "silent"
    assert credited(room) == 20
    with pytest.raises(Refusal) as error:
        player.beats(25_000)
    assert code_of(error) == ("watch_ended", 409)
    assert close_watches() == 0


def test_the_end_of_the_video_is_the_end(player, room):
    player.opens(595_000).beats(600_000).beats(700_000).leaves()
    assert credited(room) == 5


# --- caps ---


def test_no_more_than_the_filed_hours(player, room, video, now):
    """The on-demand lesson is 2,700 s; what goes beyond is not counted, and nothing is rounded."""
    WatchedStretch.objects.create(
        person_id=room.learner.person_id,
        enrolment=room.learner,
        material=video,
        during=(clock("18:00"), clock("19:00")),
        from_ms=0,
        to_ms=(HOUR + 1) * 1000,
        heartbeats=1,
        closing="left",
        connection=uuid.uuid4(),
    )
    assert credited(room) == HOUR


def test_two_lessons_are_filled_in_the_order_of_the_timetable(player, room):
    second = room.lesson(clock("10:00"), clock("10:45"), hours="1", kind="on_demand", state="planned")
    WatchedStretch.objects.create(
        person_id=room.learner.person_id,
        enrolment=room.learner,
        material=player.video,
        during=(clock("18:00"), clock("19:00")),
        from_ms=0,
        to_ms=(HOUR + 100) * 1000,
        heartbeats=1,
        closing="left",
        connection=uuid.uuid4(),
    )
    by_lesson = {one.lesson_id: one.microseconds for one in queries.credit_of(room.learner).lessons}
    assert by_lesson[second.pk] == 100 * 1_000_000
    assert sum(by_lesson.values()) == (HOUR + 100) * 1_000_000


# --- one human, one clock ---


def test_a_second_tab_takes_over_and_the_first_hears_it(player, room):
    player.opens().plays(20)
    first = player.watch
    other = Player(room, player.video, player.user, player.at).opens(20_000)
    assert WatchedStretch.objects.get().closing == "taken_over"
    player.watch = first
    with pytest.raises(Refusal) as error:
        player.beats(25_000)
    assert error.value.code == "watch_ended"
    other.plays(20).leaves()
    assert credited(room) == 40


def test_two_tabs_at_once_never_count_double(player, room):
    """Each tab takes the clock from the other again and again: only proven, unshared seconds count."""
    tabs = [player, Player(room, player.video, player.user, player.at)]
    for turn in range(4):
        tab = tabs[turn % 2]
        tab.at = tabs[(turn + 1) % 2].at
        tab.opens(turn * 5000).plays(5)
    tabs[1].leaves()
    assert credited(room) == 20
    whole = tabs[1].at - clock("20:00")
    assert credited(room) <= Decimal(whole.total_seconds())


def test_the_database_refuses_the_same_second_twice(player, room):
    player.opens().plays(20).leaves()
    stretch = WatchedStretch.objects.get()
    with pytest.raises(IntegrityError, match="watched_one_human_one_clock"), transaction.atomic():
        WatchedStretch.objects.create(
            person_id=stretch.person_id,
            enrolment=room.learner,
            material=stretch.material,
            during=(stretch.during.lower, stretch.during.lower + datetime.timedelta(seconds=1)),
            from_ms=0,
            to_ms=1000,
            heartbeats=1,
            closing="left",
            connection=uuid.uuid4(),
        )


def test_the_ledger_only_grows(player):
    player.opens().plays(20).leaves()
    for attack in (
        lambda: WatchedStretch.objects.update(to_ms=600_000),
        lambda: WatchedStretch.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            attack()


def test_who_is_in_a_live_room_does_not_watch(player, room):
    live = room.lesson("19:00", "22:00", state="open")
    player.opens().plays(20)
    room.enters(room.learner, live, player.at, player.at)
    with pytest.raises(Refusal) as error:
        player.beats(25_000)
    assert code_of(error) == ("in_live_room", 409)
    assert (WatchedStretch.objects.get().closing, OpenWatch.objects.count()) == ("in_live_room", 0)
    assert credited(room) == 20
    with pytest.raises(Refusal) as error:
        player.opens()
    assert error.value.code == "in_live_room"


def test_a_visit_to_a_live_room_between_two_heartbeats_breaks_the_stretch(player, room):
    live = room.lesson("19:00", "22:00", state="open")
    player.opens().plays(20)
    second = datetime.timedelta(seconds=1)
    room.seen(room.learner, live, (player.at + second, player.at + 2 * second))
    player.beats(25_000).plays(5).leaves()
    assert credited(room) == 25
    assert PresenceInterval.objects.count() == 1
    assert OpenPresence.objects.count() == 0


def test_time_that_presence_has_already_is_taken_off(player, room):
    """Should two machines' clocks ever let both ledgers hold a second, it counts as presence alone."""
    live = room.lesson("19:00", "22:00", state="open")
    player.opens().plays(20).leaves()
    room.seen(room.learner, live, (clock("20:00"), clock("20:00:05")))
    assert credited(room) == 15


# --- the protocol ---


def test_a_heartbeat_sent_twice_counts_once_and_a_wrong_one_not_at_all(player, room):
    player.opens().beats(5000)
    watch = player.watch
    assert watch is not None
    again = Beat(watch.seq, watch.answered, 9_000, playing=True)
    same = actions.beat_watch(connection=watch.connection, beat=again, actor=player.user, at=player.at)
    assert (same.seq, same.nonce, same.to_ms) == (watch.seq, watch.nonce, 5000)
    for wrong in (
        Beat(watch.seq + 1, uuid.uuid4(), 10_000, playing=True),
        Beat(watch.seq + 2, watch.nonce, 10_000, playing=True),
    ):
        with pytest.raises(Refusal) as error:
            actions.beat_watch(connection=watch.connection, beat=wrong, actor=player.user, at=player.at)
        assert code_of(error) == ("heartbeat_out_of_order", 409)
    assert credited(room) == 5


def test_somebody_elses_watch_is_nothing(player, room, cast):
    player.opens().plays(10)
    watch = player.watch
    assert watch is not None
    beat = Beat(watch.seq + 1, watch.nonce, 15_000, playing=True)
    with pytest.raises(Refusal) as error:
        actions.beat_watch(connection=watch.connection, beat=beat, actor=cast.trainer, at=player.at)
    assert error.value.code == "watch_ended"
    actions.end_watch(connection=watch.connection, actor=cast.trainer, at=player.at)
    assert OpenWatch.objects.count() == 1


# --- who and when ---


def test_a_full_live_class_earns_nothing_by_watching(player, room):
    room.training_class.mode = "full_live"
    room.training_class.save()
    with pytest.raises(Refusal) as error:
        player.opens()
    assert (error.value.code, error.value.rule) == ("not_mixed", "H9")
    assert not OpenWatch.objects.exists()


@pytest.mark.parametrize(("moment", "opens"), [("07:59:59.999999", False), ("08:00", True)])
def test_watching_counts_from_the_first_on_demand_lesson(player, moment, opens):
    player.at = clock(moment)
    if opens:
        player.opens()
        return
    with pytest.raises(Refusal) as error:
        player.opens()
    assert error.value.code == "on_demand_not_open"


def test_without_on_demand_hours_nothing_counts(player, lesson):
    lesson.delete()
    with pytest.raises(Refusal) as error:
        player.opens()
    assert error.value.code == "no_on_demand_hours"


def test_a_video_of_another_version_is_not_the_classes(player, room):
    room.training_class.course_version = None
    room.training_class.save()
    with pytest.raises(Refusal) as error:
        player.opens()
    assert error.value.code == "not_a_video_of_the_class"


def test_only_its_trainees_are_timed(player, cast):
    player.user = cast.trainer
    with pytest.raises(Refusal) as error:
        player.opens()
    assert code_of(error) == ("trainee_required", 403)
    player.user = cast.rival
    with pytest.raises(Http404):
        player.opens()
    assert not OpenWatch.objects.exists()


def test_the_end_of_the_class_ends_the_watch_and_the_verdict_has_its_time(player, room):
    player.opens().plays(20)
    training_class = room.training_class
    finish_on_record(training_class, player.at)
    training_class.refresh_from_db()
    with pytest.raises(Refusal) as error:
        player.beats(25_000)
    assert error.value.code == "class_not_running"
    assert WatchedStretch.objects.get().closing == "class_over"
    [verdict] = conclude_attendance(training_class=training_class, actor=room.cast.manager, at=player.at)
    assert verdict.by_kind["on_demand"] == 20 * 1_000_000


# --- where it is seen ---


def test_the_trace_shows_each_stretch_with_what_counted(player, room, lesson):
    player.opens().plays(60).leaves()
    player.opens().plays(60, speed=2).leaves()
    [traced] = queries.trace(room.learner)
    assert traced.subject == room.learner.subject
    assert [(one.from_ms, one.to_ms, one.microseconds) for one in traced.viewings] == [
        (0, 60_000, 60_000_000),
        (0, 120_000, 60_000_000),
    ]
    assert traced.microseconds == 120_000_000
    page = client_of(player.user).get(reverse("attendance:trace", args=[room.learner.pk, lesson.pk]))
    assert "看过的视频" in page.content.decode()
    assert "第一讲" in page.content.decode()


def test_the_pages_show_the_video_and_how_much_was_seen(player, room, video):
    player.opens().plays(60).leaves()
    client = client_of(player.user)
    materials = client.get(reverse("attendance:materials", args=[room.training_class.pk]))
    assert "看过 10.00" in materials.content.decode()
    watch = client.get(reverse("attendance:watch", args=[room.training_class.pk, video.pk]))
    assert "data-watch-state" in watch.content.decode()
    meter = client.get(reverse("attendance:meter", args=[room.training_class.pk]))
    assert "看点播视频" in meter.content.decode()
    staff = client_of(room.cast.trainer).get(
        reverse("attendance:watch", args=[room.training_class.pk, video.pk])
    )
    assert "data-watch-state" not in staff.content.decode()
    table = client_of(room.cast.manager).get(reverse("attendance:class", args=[room.training_class.pk]))
    assert "点播" in table.content.decode()


def test_the_api_opens_beats_and_ends(player, room, video, time_machine):
    time_machine.move_to(clock("20:00"), tick=False)
    client = client_of(player.user)
    url = f"/api/v1/classes/{room.training_class.pk}/watches/"
    opened = client.post(url, {"material": video.pk}, content_type="application/json")
    assert opened.status_code == 201
    body = opened.json()
    time_machine.shift(5)
    beat = {"seq": body["seq"] + 1, "nonce": body["nonce"], "position_ms": 5000, "playing": True}
    answered = client.post(f"/api/v1/watches/{body['watch']}/beat/", beat, content_type="application/json")
    assert (answered.status_code, answered.json()["seq"]) == (200, 1)
    assert answered.json()["nonce"] != body["nonce"]
    assert client.post(f"/api/v1/watches/{body['watch']}/end/").status_code == 204
    assert credited(room) == 5
    refused = client.post(f"/api/v1/watches/{body['watch']}/beat/", beat, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (409, "watch_ended")
