"""What recruitment does by itself at night."""

from celery import shared_task
from django.utils import timezone

from classes.recruitment import actions


@shared_task(name="recruitment.destroy_stale_pictures")
def destroy_stale_pictures() -> int:
    """Destroy photos of registrations that were turned down long ago; returns how many."""
    return actions.destroy_stale_pictures(at=timezone.now())
