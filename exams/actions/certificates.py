"""Concluding a class: attendance judged, and a certificate for everybody who passed both (M11, M12, Q4)."""

import datetime
import hashlib

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext_noop

import audit
from accounts.background import after_commit
from accounts.models import User
from attendance.actions.verdicts import conclude_attendance
from audit.actions import legal_day
from classes.actions import finish_class
from classes.models import TrainingClass
from classes.permissions import can_decide, can_manage
from classes.states import ClassState
from exams import tasks
from exams.actions.attempts import close_due_attempts
from exams.certificates.document import draw
from exams.models import Attempt, Certificate, CertificateCounter
from exams.queries import completions_of
from exams.states import CERTIFICATE_MOVES, AttemptState
from policy.refusals import Refusal


def conclude_class(*, actor: User, training_class: TrainingClass, at: datetime.datetime) -> list[Certificate]:
    """End a class: freeze every trainee's verdict and issue the certificates, all or nothing.

    Asked again for a concluded class it returns the certificates that are there. The worker draws PDFs.

    Raises Refusal `manager_required` (403), `attempts_running`, and what `finish_class` and
    `conclude_attendance` raise.
    """
    close_due_attempts(at=at)
    with transaction.atomic():
        training_class = TrainingClass.objects.select_for_update().get(pk=training_class.pk)
        if not can_manage(actor, training_class):
            raise Refusal(
                "manager_required",
                gettext_noop("结班由培训机构的管理员来办。"),
                rule="F15",
                next_step=gettext_noop("请联系本机构管理员。"),
                status=403,
            )
        existing = list(Certificate.objects.filter(enrolment__training_class=training_class))
        if training_class.state == ClassState.FINISHED:
            return existing
        sitting = Attempt.objects.filter(
            exam__training_class=training_class, state=AttemptState.RUNNING
        ).count()
        if sitting:
            raise Refusal(
                "attempts_running",
                gettext_noop("还有 %(sitting)s 人在答卷，交卷后才能结班。"),
                found=sitting,
                required=0,
                rule="M9",
                params={"sitting": sitting},
                next_step=gettext_noop("请等答卷时间结束；到时会自动交卷。"),
            )
        training_class = finish_class(actor=actor, training_class=training_class, at=at)
        conclude_attendance(actor=actor, training_class=training_class, at=at)
        completions = completions_of(training_class)
        passed = [completion for completion in completions if completion.passed]
        prefix = f"{training_class.institution.region_id[:4]}{legal_day(at).year}"
        numbers = _next_numbers(prefix, len(passed))
        certificates = []
        for completion, number in zip(passed, numbers, strict=True):
            assert completion.verdict is not None
            assert completion.attempt is not None
            certificate = Certificate.objects.create(
                enrolment=completion.enrolment,
                number=number,
                verdict=completion.verdict,
                attempt=completion.attempt,
                issued_on=legal_day(at),
                issued_at=at,
                issued_by=actor,
            )
            certificates.append(certificate)
            audit.record(
                "certificate.issued",
                actor_id=actor.pk,
                subject=completion.enrolment.subject,
                facts={
                    "certificate": certificate.pk,
                    "number": number,
                    "issued_on": certificate.issued_on,
                    "verdict_entry": completion.verdict.evidence_seq,
                    "attempt": completion.attempt.pk,
                    "points": completion.attempt.points,
                    "total": completion.attempt.exam.total_points,
                },
                at=at,
            )
            after_commit(tasks.print_certificate, certificate.pk)
        audit.record(
            "class.concluded",
            actor_id=actor.pk,
            subject=training_class.subject,
            facts={"enrolled": len(completions), "completed": len(passed)},
            at=at,
        )
    return certificates


def _next_numbers(prefix: str, count: int) -> list[str]:
    """Take the next numbers of a region and year: 豫创证 4101 2026 000318 is 41012026000318."""
    counter, _created = CertificateCounter.objects.select_for_update().get_or_create(prefix=prefix)
    first = counter.last + 1
    counter.last += count
    counter.save(update_fields=["last"])
    return [f"{prefix}{n:06d}" for n in range(first, first + count)]


def print_pdf(*, certificate_id: int, at: datetime.datetime) -> Certificate:
    """Draw the certificate's PDF and put its digest on record; a certificate that has one keeps it."""
    with transaction.atomic():
        certificate = (
            Certificate.objects.select_for_update(of=("self",))
            .select_related(
                "enrolment__person",
                "enrolment__training_class__course",
                "enrolment__training_class__institution",
            )
            .get(pk=certificate_id)
        )
        if certificate.pdf:
            return certificate
        content = draw(certificate)
        certificate.pdf_sha256 = hashlib.sha256(content).hexdigest()
        certificate.pdf.save(f"{certificate.number}.pdf", ContentFile(content), save=False)
        certificate.save(update_fields=["pdf", "pdf_sha256"])
        audit.record(
            "certificate.printed",
            actor_id=None,
            subject=certificate.enrolment.subject,
            facts={
                "certificate": certificate.pk,
                "number": certificate.number,
                "pdf": certificate.pdf_sha256,
            },
            at=at,
        )
    return certificate


def revoke_certificate(
    *, actor: User, certificate: Certificate, reason: str, at: datetime.datetime
) -> Certificate:
    """Take a certificate back, with a reason that the public sees; revoking again changes nothing.

    Raises Refusal `officer_required` (403), `reason_required` (400).
    """
    with transaction.atomic():
        certificate = (
            Certificate.objects.select_for_update(of=("self",))
            .select_related("enrolment__training_class__institution")
            .get(pk=certificate.pk)
        )
        if not can_decide(actor, certificate.enrolment.training_class):
            raise Refusal(
                "officer_required",
                gettext_noop("撤销证书由人社部门经办人员来办。"),
                rule="M12",
                next_step=gettext_noop("请联系当地人社部门。"),
                status=403,
            )
        if not reason.strip():
            raise Refusal(
                "reason_required",
                gettext_noop("撤销证书要写明理由。"),
                rule="M12",
                next_step=gettext_noop("请写清楚为什么撤销，公众查验时会看到。"),
                status=400,
            )
        move = CERTIFICATE_MOVES[certificate.state].get("revoke")
        if move is None:
            return certificate
        certificate.state = move
        certificate.revoked_at, certificate.revocation_reason = at, reason.strip()
        certificate.save(update_fields=["state", "revoked_at", "revocation_reason"])
        audit.record(
            "certificate.revoked",
            actor_id=actor.pk,
            subject=certificate.enrolment.subject,
            facts={"certificate": certificate.pk, "number": certificate.number, "reason": reason.strip()},
            at=at,
        )
    return certificate
