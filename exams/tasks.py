"""Work of the exams floor in the worker. Actions schedule these tasks, so actions are imported late."""

from celery import shared_task
from django.utils import timezone


@shared_task
def print_certificate(certificate_id: int) -> None:
    from exams.actions.certificates import print_pdf

    print_pdf(certificate_id=certificate_id, at=timezone.now())


@shared_task
def print_waiting_certificates() -> None:
    """Draw what was issued while the queue was away, or by a worker that died."""
    from exams.actions.certificates import print_pdf
    from exams.queries import certificates_to_print

    for certificate_id in certificates_to_print()[:100]:
        print_pdf(certificate_id=certificate_id, at=timezone.now())


@shared_task
def hand_in_due_attempts() -> None:
    from exams.actions.attempts import close_due_attempts

    close_due_attempts(at=timezone.now())
