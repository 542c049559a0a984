"""Work of the subsidies floor that runs in the worker. Actions schedule it, so actions are imported late."""

from celery import shared_task
from django.utils import timezone


@shared_task
def export_claim(claim_id: int) -> None:
    from subsidies.actions.exports import write_export

    write_export(claim_id=claim_id, at=timezone.now())
