"""What the beat runs: close days, sign in between, verify."""

import structlog
from celery import shared_task
from django.utils import timezone

from audit import actions
from audit.reconciliation import differences
from audit.verification import verify_all

log = structlog.get_logger(__name__)


@shared_task
def seal_yesterday() -> None:
    """Close every legal day that is over (after midnight in Henan; catches up after a pause)."""
    actions.seal_due(at=timezone.now())


@shared_task
def seal_now() -> None:
    """Sign what was recorded since the last root: only what is unsigned could be rewritten unseen."""
    actions.seal_now(at=timezone.now())


@shared_task
def verify_evidence() -> None:
    """Verify everything, hold all rows against it, and put the outcome on record where regulators read it."""
    found = verify_all()
    if not found.passed:
        log.critical(
            "evidence_is_not_what_it_was", faults=[f"{fault.place} {fault.code}" for fault in found.faults]
        )
    differ = differences()
    if differ:
        log.critical("rows_are_not_what_was_recorded", rows=[one.row for one in differ])
    actions.record_verification(found, differ, at=timezone.now())
