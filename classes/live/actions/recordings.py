"""Recording while a lesson is open, and what is made of it afterwards."""

import datetime
import hashlib
import logging
import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.core.files import File
from django.db import transaction

import audit
from classes.live.actions.events import announce
from classes.live.media import janus, recordings
from classes.live.media.recordings import Segment
from classes.live.models import Recording
from classes.live.protocol import Event
from classes.models import Lesson
from classes.states import LessonState

SETTLE_SECONDS = 10.0  # for Janus to finish files of a room that was just destroyed

logger = logging.getLogger(__name__)


def set_recording(*, lesson: Lesson) -> None:
    """Record while the lesson is open; once it is closed, stop and empty its room in Janus."""
    if not janus.is_available():
        return
    if lesson.state == LessonState.OPEN:
        janus.record_room(lesson.pk, record=True)
    elif lesson.state == LessonState.CLOSED:
        janus.record_room(lesson.pk, record=False)
        janus.destroy_room(lesson.pk)


def make_recordings(*, lesson: Lesson, at: datetime.datetime) -> list[Recording]:
    """Make every raw segment of a closed lesson playable, with its evidence; return all of the lesson's
    recordings.

    May run again at any time: a segment that has its recording is passed over, and raw files go once it
    is there.
    """
    folder = settings.JANUS_RECORDINGS_DIR / janus.room_name(lesson.pk)
    _wait_until_written(folder)
    for segment in recordings.segments(folder):
        made = Recording.objects.filter(lesson=lesson, feed=segment.feed, started_at=segment.started_at)
        if not made.exists():
            try:
                _make(lesson, segment, at)
            except subprocess.SubprocessError as error:
                # One broken file must not cost the lesson its other recordings; the raw files stay.
                logger.error("lesson %s: %s was not converted: %s", lesson.pk, segment.filename, error)
                continue
        for stream in segment.streams:
            stream.path.unlink(missing_ok=True)
    return list(Recording.objects.filter(lesson=lesson))


def _wait_until_written(folder: Path) -> None:
    """Give Janus a moment to close its files; what it never closed, because it died, is used as it is."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while not recordings.are_written(folder) and time.monotonic() < deadline:
        time.sleep(0.1)


def _make(lesson: Lesson, segment: Segment, at: datetime.datetime) -> None:
    with TemporaryDirectory() as scratch:
        playable = Path(scratch) / segment.filename
        recordings.convert(segment, playable)
        recording = Recording(
            lesson=lesson,
            feed=segment.feed,
            started_at=segment.started_at,
            duration_ms=recordings.duration_ms(playable),
            size=playable.stat().st_size,
        )
        with playable.open("rb") as content:
            recording.sha256 = hashlib.file_digest(content, "sha256").hexdigest()
            content.seek(0)
            recording.file.save(playable.name, File(content), save=False)
    try:
        _write_down(recording, at)
    except BaseException:
        recording.file.delete(save=False)
        raise


def _write_down(recording: Recording, at: datetime.datetime) -> None:
    lesson, duration_ms = recording.lesson, recording.duration_ms
    with transaction.atomic():
        recording.save(force_insert=True)
        data = {"recording": recording.pk, "feed": recording.feed, "duration_ms": duration_ms}
        announce(lesson=lesson, type=Event.RECORDING_MADE, data=data, actor=None, at=at)
        audit.record(
            "recording.made",
            actor_id=None,
            subject=lesson.subject,
            facts={
                "feed": recording.feed,
                "started_at": recording.started_at,
                "duration_ms": duration_ms,
                "size": recording.size,
                "file": recording.sha256,
            },
            at=at,
        )
