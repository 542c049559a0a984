"""Live pictures on a real Janus: a browser sends its camera, another decodes it, the recording plays."""

import subprocess
import time
import uuid
from datetime import timedelta

import httpx
import pytest
from django.utils import timezone
from playwright.sync_api import expect
from rest_framework.authtoken.models import Token

from audit.models import Entry
from classes.live import actions
from classes.live.media import janus
from classes.live.models import MediaPeer, OpenPresence, Recording, RoomEvent
from classes.states import LessonState
from policy.refusals import Refusal
from tests.browser import CHROMIUM
from tests.cast import client_of
from tests.live import sockets
from tests.live.conftest import HOUR, enter
from tests.live.media import (
    PHONE,
    RunningJanus,
    browsers_at,
    bytes_received,
    frames_decoded,
    missing,
)
from tests.live.sockets import LiveServer

pytestmark = [
    pytest.mark.media,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("janus"),
    pytest.mark.skipif(bool(missing()), reason=missing()),
    pytest.mark.skipif(not CHROMIUM, reason="not installed: chromium"),
]


@pytest.fixture
def now():
    """Media run by the server's clock; the lesson began a minute ago."""
    return timezone.now().replace(microsecond=0) - timedelta(minutes=1)


@pytest.fixture(scope="module")
def media_server(tmp_path_factory):
    running = RunningJanus(tmp_path_factory.mktemp("janus"))
    running.start()
    yield running
    running.kill()


@pytest.fixture
def running_janus(media_server, settings):
    from pathlib import Path

    for name, value in media_server.settings.items():
        setattr(settings, name, Path(value) if name.endswith("_DIR") else value)
    return media_server


@pytest.fixture(scope="module")
def running_server():
    running = LiveServer()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def browsers(chromium, transactional_db, running_janus, running_server, tmp_path):
    with browsers_at(running_server.address, tmp_path, chromium) as opened:
        yield opened
    eventually(lambda: not OpenPresence.objects.exists())


PATIENCE = 60.0  # seconds: browsers on a busy machine; nothing here is measured


def eventually(condition):
    sockets.eventually(condition, PATIENCE)


def grows(count, by):
    """Wait until a count has grown by so many."""
    start, deadline = count(), time.monotonic() + PATIENCE
    while count() < start + by:
        assert time.monotonic() < deadline, f"{count()} after {start}"
        time.sleep(0.2)


def room(lesson):
    return f"/lessons/{lesson.pk}/room/"


@pytest.fixture
def signed_in(monkeypatch):
    """The gate of attendance stands open: this is about pictures."""
    from classes.live import registry

    monkeypatch.setattr(registry, "_gates", [])


def test_a_lesson_with_a_picture(browsers, school, cast, now, signed_in, running_server, tmp_path):
    """Open, publish, watch, save data, end; the recording is as long as the picture was sent, and plays."""
    lesson = school.lesson(now, state=LessonState.PLANNED)
    trainer = browsers.open(cast.trainer, room(lesson))
    trainer.get_by_test_id("start-lesson").click()
    expect(trainer.get_by_test_id("end-lesson")).to_be_visible()
    trainer.get_by_test_id("publish").click()
    expect(trainer.get_by_test_id("mic")).to_be_visible()
    eventually(lambda: MediaPeer.objects.filter(connected_at__isnull=False).exists())
    published_at = timezone.now()

    learner = browsers.open(cast.learner, room(lesson), viewport=PHONE)
    grows(lambda: frames_decoded(learner), 20)
    trainer.screenshot(path=tmp_path / "trainer.png")
    learner.screenshot(path=tmp_path / "learner.png")

    # Audio and slides: the picture stops, the sound goes on.
    learner.get_by_test_id("save-data").click()
    expect(learner.get_by_test_id("save-data")).to_have_attribute("aria-pressed", "true")
    time.sleep(1)
    picture = bytes_received(learner, "video")
    grows(lambda: bytes_received(learner, "audio"), 2000)
    assert bytes_received(learner, "video") - picture < 20_000
    learner.get_by_test_id("save-data").click()
    grows(lambda: frames_decoded(learner), 10)

    feed = f"lecturer-{cast.trainer.person_id}"
    told = RoomEvent.objects.get(type="media.feed")
    assert told.data == {"feed": feed, "person": cast.trainer.person_id, "name": "李明远"}
    [entry] = Entry.objects.filter(kind="media.published")
    assert entry.facts == {"feed": feed}

    trainer.get_by_test_id("end-lesson").click()
    ended_at = timezone.now()
    trainer.get_by_test_id("end-confirm").click()
    expect(learner.get_by_test_id("ended")).to_be_visible()
    eventually(lambda: Recording.objects.exists())
    recording = Recording.objects.get()
    sent = (ended_at - published_at).total_seconds()
    assert abs(recording.duration_ms / 1000 - sent) < 2.5
    assert recording.feed == feed
    assert abs((recording.started_at - published_at).total_seconds()) < 2.5
    [entry] = Entry.objects.filter(kind="recording.made")
    assert (entry.facts["file"], entry.facts["size"]) == (recording.sha256, recording.size)
    probe(recording)

    learner.goto(browsers.url + f"/lessons/{lesson.pk}/replay/")
    video = learner.get_by_test_id("replay")
    # Not wait_for_function: the page's policy forbids eval, and rightly.
    eventually(lambda: video.evaluate("one => one.readyState") >= 2)
    duration = video.evaluate("one => one.duration")
    assert abs(duration - recording.duration_ms / 1000) < 0.5
    # Seeking asks for a range; what plays afterwards is there.
    half = duration / 2
    video.evaluate("(one, to) => { one.currentTime = to; one.muted = true; return one.play(); }", half)
    eventually(lambda: video.evaluate("one => one.currentTime") > half + 0.5)
    assert browsers.troubles == []

    for user, code in ((cast.learner, 206), (cast.manager, 206), (cast.rival, 404), (None, 302)):
        cookies = client_of(user).cookies
        session = {"sessionid": cookies["sessionid"].value} if "sessionid" in cookies else {}
        answer = httpx.get(
            f"{browsers.url}/lessons/{lesson.pk}/recordings/{recording.pk}/",
            headers={"Range": "bytes=0-99"},
            cookies=session,
            trust_env=False,
        )
        assert answer.status_code == code, user


def probe(recording):
    """The file has a picture and a sound, and every frame of it can be decoded."""
    path = recording.file.path
    streams = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0", path],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert sorted(streams) == ["opus", "vp8"]
    decoded = subprocess.run(
        [
            *("ffprobe", "-v", "error", "-count_frames", "-select_streams", "v"),
            *("-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", path),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert decoded.stderr == ""
    assert int(decoded.stdout) > 5 * recording.duration_ms / 1000


def test_a_janus_that_fell_is_used_again(browsers, school, cast, now, signed_in, running_janus):
    """Rooms and sessions are gone; the picture comes back by itself, and what was recorded before is kept."""
    lesson = school.lesson(now)
    trainer = browsers.open(cast.trainer, room(lesson))
    trainer.get_by_test_id("publish").click()
    learner = browsers.open(cast.learner, room(lesson))
    grows(lambda: frames_decoded(learner), 20)
    first = MediaPeer.objects.get(kind="publish")

    running_janus.kill()
    running_janus.start()
    assert janus.publishing(lesson.pk) == set()
    eventually(
        lambda: (
            MediaPeer.objects.filter(kind="publish", closed_at=None, connected_at__isnull=False)
            .exclude(pk=first.pk)
            .exists()
        )
    )
    grows(lambda: frames_decoded(learner), 20)

    client_of(cast.trainer).post(f"/api/v1/lessons/{lesson.pk}/end/")
    eventually(lambda: Recording.objects.count() == 2)
    for recording in Recording.objects.all():
        assert recording.duration_ms > 500
    assert not list((running_janus.folder / "recordings").rglob("*.mjr*"))


WHIP_CLIENT = """async ([url, token]) => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    const peer = new RTCPeerConnection();
    window.whip = peer;
    for (const track of stream.getTracks()) peer.addTransceiver(track, { direction: "sendonly" });
    await peer.setLocalDescription(await peer.createOffer());
    await new Promise((done) => setTimeout(done, 1000));
    const headers = { "Content-Type": "application/sdp", Authorization: `Bearer ${token}` };
    const answer = await fetch(url, { method: "POST", headers, body: peer.localDescription.sdp });
    await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
    return [answer.status, answer.headers.get("Content-Type"), answer.headers.get("Location")];
}"""


def test_obs_sends_the_lecturers_picture_by_whip(browsers, school, cast, now, signed_in):
    """Nobody says that the picture has arrived: the platform sees it and tells the room."""
    lesson = school.lesson(now)
    trainer = browsers.open(cast.trainer, room(lesson))
    eventually(lambda: OpenPresence.objects.exists())
    token = Token.objects.create(user=cast.trainer).key
    status, content_type, location = trainer.evaluate(
        WHIP_CLIENT, [f"/api/v1/lessons/{lesson.pk}/whip/", token]
    )
    peer = MediaPeer.objects.get()
    assert (status, content_type) == (201, "application/sdp")
    assert location == f"/api/v1/lessons/{lesson.pk}/whip/{peer.pk}/"
    learner = browsers.open(cast.learner, room(lesson))
    grows(lambda: frames_decoded(learner), 20)

    answer = httpx.delete(
        browsers.url + location, headers={"Authorization": f"Bearer {token}"}, trust_env=False
    )
    assert answer.status_code == 200
    expect(learner.locator("#stage-words")).to_be_visible()
    peer.refresh_from_db()
    assert peer.closed_at is not None
    assert janus.publishing(lesson.pk) == set()


def test_an_offer_that_janus_refuses_leaves_no_ghost(transactional_db, running_janus, cast, lesson):
    presence = enter(cast.trainer, lesson, lesson.starts_at)
    for offer in ("v=0", "nonsense", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"):
        with pytest.raises(Refusal) as refused:
            actions.publish(
                actor=cast.trainer,
                lesson=lesson,
                connection=presence.connection,
                offer=offer,
                at=lesson.starts_at,
            )
        assert (refused.value.code, refused.value.status) == ("offer_refused", 400)
    assert not MediaPeer.objects.exists()
    assert participants(lesson) == []


def participants(lesson):
    return janus._control("listparticipants", room=janus.room_name(lesson.pk))["participants"]


def test_a_leg_that_janus_forgot_is_closed_and_the_room_told(transactional_db, running_janus, cast, lesson):
    presence = enter(cast.trainer, lesson, lesson.starts_at)
    peer = MediaPeer.objects.create(
        id=uuid.uuid4(),
        room_id=lesson.pk,
        person=cast.trainer.person,
        connection=presence.connection,
        kind="publish",
        feed="lecturer-1",
        session=1,
        handle=2,
        opened_at=lesson.starts_at,
        connected_at=lesson.starts_at,
    )
    actions.keep_peers_alive(connections=[presence.connection], at=lesson.starts_at + HOUR)
    peer.refresh_from_db()
    assert peer.closed_at == lesson.starts_at + HOUR
    assert RoomEvent.objects.latest("seq").type == "media.gone"


def test_nobody_watches_what_is_not_sent(transactional_db, running_janus, cast, lesson):
    presence = enter(cast.learner, lesson, lesson.starts_at)
    for _twice in range(2):  # before the room is there in Janus, and after
        with pytest.raises(Refusal) as refused:
            actions.watch(
                actor=cast.learner,
                lesson=lesson,
                connection=presence.connection,
                feed="lecturer-1",
                at=lesson.starts_at,
            )
        assert refused.value.code == "feed_not_ready"
        janus.ensure_room(lesson.pk, record=False)
    assert not MediaPeer.objects.exists()


def test_recordings_are_made_once_however_often_it_is_tried(browsers, school, cast, now, signed_in):
    lesson = school.lesson(now)
    trainer = browsers.open(cast.trainer, room(lesson))
    trainer.get_by_test_id("publish").click()
    eventually(lambda: MediaPeer.objects.filter(connected_at__isnull=False).exists())
    time.sleep(1)
    client_of(cast.trainer).post(f"/api/v1/lessons/{lesson.pk}/end/")
    eventually(lambda: Recording.objects.exists())
    [before] = Recording.objects.all()
    [after] = actions.make_recordings(lesson=lesson, at=timezone.now() + HOUR)
    assert after.sha256 == before.sha256
    assert Entry.objects.filter(kind="recording.made").count() == 1
    assert RoomEvent.objects.filter(type="recording.made").count() == 1
