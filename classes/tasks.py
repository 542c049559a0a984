"""Background work of this app."""

import datetime

from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from classes.models import Filing
from exchange.states import PackageState

# A package that nobody took, or whose worker died, is taken up again after so long.
UNTAKEN = datetime.timedelta(minutes=1)
ABANDONED = datetime.timedelta(minutes=15)


@shared_task
def write_filing_package(filing_id: int) -> None:
    """Write the package of a filing; repeating it changes nothing."""
    from classes.actions import write_package  # inline: actions schedule this task

    filing = Filing.objects.select_related("package", "training_class__institution__region").get(pk=filing_id)
    write_package(filing=filing, at=timezone.now())


@shared_task
def write_waiting_packages() -> None:
    """Take up what the queue lost or a worker left half done."""
    now = timezone.now()
    due = Q(package__state=PackageState.WAITING, package__requested_at__lt=now - UNTAKEN) | Q(
        package__state=PackageState.WRITING, package__began_at__lt=now - ABANDONED
    )
    for pk in Filing.objects.filter(due).order_by("pk").values_list("pk", flat=True)[:100]:
        write_filing_package.delay(pk)
