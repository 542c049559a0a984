"""The live room's background work: thin, repeatable, by id."""

from celery import shared_task
from django.utils import timezone


@shared_task(name="live.close_silent_presences")
def close_silent_presences() -> None:
    """Every few seconds: close whoever's process died (beat schedule)."""
    from classes.live import actions  # actions schedule tasks, so tasks import them late

    actions.close_silent_presences(at=timezone.now())


@shared_task(name="live.set_recording")
def set_recording(lesson_id: int) -> None:
    """Record while the lesson is open, stop when it is not; then have the recordings made."""
