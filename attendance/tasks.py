"""What beat does for attendance: close checks and watches whose time is over, catch up on judged faces."""

from celery import shared_task
from django.utils import timezone

from attendance.actions import close_due_checks, close_silent_watches, settle_sign_in
from attendance.queries import unsettled_sign_ins


@shared_task(name="attendance.close_due_checks")
def close_checks() -> int:
    """Close every check that is due; returns how many."""
    return len(close_due_checks(at=timezone.now()))


@shared_task(name="attendance.settle_sign_ins")
def settle_sign_ins() -> int:
    """Settle sign-ins whose face was judged but whose worker died before telling; returns how many."""
    waiting = list(unsettled_sign_ins())
    for sign_in in waiting:
        settle_sign_in(sign_in=sign_in, at=timezone.now())
    return len(waiting)


@shared_task(name="attendance.close_silent_watches")
def close_watches() -> int:
    """End what nobody watches any more; returns how many."""
    return close_silent_watches(at=timezone.now())
