"""What runs in workers: judging pictures, and deleting what must go."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from identity import actions
from identity.models import FaceCheck
from identity.states import CheckState

LEFT_LYING = timedelta(seconds=30)


@shared_task
def judge_check(check_id: int) -> None:
    """Judge one check. Safe to repeat."""
    actions.judge_check(check_id=check_id, at=timezone.now())


@shared_task
def judge_waiting() -> None:
    """Every half minute: judge what a lost message or a killed worker left waiting."""
    before = timezone.now() - LEFT_LYING
    for pk in FaceCheck.objects.filter(state=CheckState.PENDING, at__lt=before).values_list("pk", flat=True):
        judge_check.delay(pk)


@shared_task
def destroy_expired() -> None:
    """Every hour: destroy templates and pictures whose time is over."""
    now = timezone.now()
    actions.expire_pictures(at=now)
    actions.destroy_expired_templates(at=now)
