"""Background work of this app."""

from celery import shared_task
from django.utils import timezone

from classes.models import Filing


@shared_task
def write_filing_package(filing_id: int) -> None:
    """Write the package of an approved filing; repeating it changes nothing."""
    from classes.actions import write_package  # inline: actions schedule this task

    write_package(filing=Filing.objects.get(pk=filing_id), at=timezone.now())
