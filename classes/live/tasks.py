"""The live room's background work: thin, repeatable, by id."""

import logging

from celery import shared_task
from django.utils import timezone

from classes.live.media import janus
from classes.live.media.janus import JanusError, JanusUnreachable
from classes.models import Lesson

logger = logging.getLogger(__name__)


@shared_task(name="live.close_silent_presences")
def close_silent_presences() -> None:
    """Close the presences whose web process died; beat calls it every few seconds."""
    from classes.live import actions  # actions schedule tasks, so tasks import them late

    actions.close_silent_presences(at=timezone.now())


@shared_task(name="live.end_overdue_lessons")
def end_overdue_lessons() -> None:
    """End what nobody ended; beat calls it every minute."""
    from classes.live import actions

    actions.end_overdue_lessons(at=timezone.now())


@shared_task(name="live.set_recording")
def set_recording(lesson_id: int) -> None:
    """Record while the lesson is open, stop when it is not, and then have the recordings made."""
    from classes.live import actions

    lesson = Lesson.objects.get(pk=lesson_id)
    try:
        actions.set_recording(lesson=lesson)
    except (JanusUnreachable, JanusError) as error:
        logger.warning("lesson %s: recording was not switched: %s", lesson_id, error)
    if lesson.closed_at:
        make_recordings.delay(lesson_id)


@shared_task(name="live.make_recordings")
def make_recordings(lesson_id: int) -> None:
    """Make what was recorded of a closed lesson playable."""
    from classes.live import actions

    actions.make_recordings(lesson=Lesson.objects.get(pk=lesson_id), at=timezone.now())


@shared_task(name="live.end_media_sessions")
def end_media_sessions(sessions: list[int]) -> None:
    """End Janus sessions whose sockets are gone; those that are missed end by themselves within a minute."""
    for session in sessions:
        try:
            janus.close_leg(session)
        except (JanusUnreachable, JanusError) as error:
            logger.warning("a media session was not ended: %s", error)
