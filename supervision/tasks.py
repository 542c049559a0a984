"""Enter looks into the evidence log: the web writes rows, the worker chains them."""

from celery import shared_task
from django.utils import timezone


@shared_task
def chain_looks() -> int:
    from supervision.looks import chain_new_looks

    return chain_new_looks(at=timezone.now())
