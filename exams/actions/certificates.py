"""Concluding a class: attendance judged, and a certificate for everybody who passed both (M11, M12, Q4)."""

import datetime
import hashlib
from collections.abc import Sequence

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils.translation import gettext_noop

import audit
from accounts.background import after_commit
from accounts.models import User
from accounts.permissions import roles_of
from accounts.reconciliation import require_roles_on_record
from accounts.states import Role
from attendance.actions.verdicts import conclude_attendance
from audit.actions import legal_day
from audit.reconciliation import require_borne_out
from classes.actions import finish_class
from classes.models import TrainingClass
from classes.permissions import can_decide, require_manage
from classes.states import ClassState, EnrolmentState
from exams import tasks
from exams.actions.attempts import close_due_attempts
from exams.actions.moves import move
from exams.certificates.document import draw
from exams.models import Attempt, Certificate, CertificateCounter, certificate_path
from exams.queries import Completion, completions_of
from exams.states import AttemptState, CertificateState
from policy.refusals import Refusal

MOST_OF_A_REASON = 500  # characters


def conclude_class(*, actor: User, training_class: TrainingClass, at: datetime.datetime) -> list[Certificate]:
    """End a class: freeze every trainee's verdict and issue the certificates, all or nothing.

    Asked again for a concluded class it returns the certificates that are there. The worker draws PDFs.

    Raises Refusal `not_the_manager` (403), Http404 for a stranger, `attempts_running`,
    `evidence_differs`, and what
    `finish_class` and `conclude_attendance` raise.
    """
    require_manage(actor, training_class)
    # In transactions of their own: a sitting's locks come before the class's chain, which is held below.
    close_due_attempts(at=at, training_class=training_class)
    with transaction.atomic():
        training_class = TrainingClass.objects.select_for_update().get(pk=training_class.pk)
        if _is_concluded(training_class):
            return list(Certificate.objects.filter(enrolment__training_class=training_class))
        sitting = Attempt.objects.filter(
            exam__training_class=training_class, state=AttemptState.RUNNING
        ).count()
        if sitting:
            # A sitting that cannot be marked is told of by what differs, not by waiting.
            require_borne_out(training_class.subject, rule="M9")
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
        certificates = _issue(training_class, completions, actor, at)
        audit.record(
            "class.concluded",
            actor_id=actor.pk,
            subject=training_class.subject,
            facts={"enrolled": len(completions), "completed": len(certificates)},
            at=at,
        )
        for certificate in certificates:
            after_commit(tasks.print_certificate, certificate.pk)
    return certificates


def _is_concluded(training_class: TrainingClass) -> bool:
    """Whether everybody has their verdict. A class may be finished (by its staff) before it is concluded."""
    waiting = training_class.enrolments.filter(state=EnrolmentState.ACTIVE, verdict__isnull=True)
    return training_class.state == ClassState.FINISHED and not waiting.exists()


def _issue(
    training_class: TrainingClass, completions: Sequence[Completion], actor: User, at: datetime.datetime
) -> list[Certificate]:
    """A certificate, with its number and entry of evidence, for everybody who passed both; by name."""
    prefix = f"{training_class.institution.region_id[:4]}{legal_day(at).year}"
    earned = [
        (one.enrolment, one.verdict, one.attempt)
        for one in completions
        if one.passed and one.verdict is not None and one.attempt is not None
    ]
    certificates = Certificate.objects.bulk_create(
        Certificate(
            enrolment=enrolment,
            number=number,
            verdict=verdict,
            attempt=attempt,
            issued_on=legal_day(at),
            issued_at=at,
            issued_by=actor,
        )
        for (enrolment, verdict, attempt), number in zip(
            earned, _next_numbers(prefix, len(earned)), strict=True
        )
    )
    audit.record_many(
        audit.Record(
            kind="certificate.issued",
            actor_id=actor.pk,
            subject=certificate.enrolment.subject,
            facts={
                "certificate": certificate.pk,
                "number": certificate.number,
                "issued_on": certificate.issued_on,
                "verdict_entry": certificate.verdict.evidence_seq,
                "attempt": certificate.attempt.pk,
                "points": certificate.attempt.points,
                "total": certificate.attempt.exam.total_points,
            },
            at=at,
        )
        for certificate in certificates
    )
    return certificates


def _next_numbers(prefix: str, count: int) -> list[str]:
    """Take the next numbers of a region and year: 豫创证 4101 2026 000318 is 41012026000318."""
    if not count:
        return []
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
        name = certificate_path(certificate, f"{certificate.number}.pdf")
        default_storage.delete(name)  # what a worker left that died before it could commit
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

    Raises Refusal `officer_required` (403), `reason_required` (400), `personal_data_in_evidence` (400).
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
                found=roles_of(actor),
                required=Role.OFFICER,
                rule="M12",
                next_step=gettext_noop("请联系当地人社部门。"),
                status=403,
            )
        require_roles_on_record(actor, rule="M12")
        reason = reason.strip()
        if not 0 < len(reason) <= MOST_OF_A_REASON:
            raise Refusal(
                "reason_required",
                gettext_noop("撤销证书要写明理由，%(most)s 字以内。"),
                found=len(reason),
                required=f"1–{MOST_OF_A_REASON}",
                rule="M12",
                params={"most": MOST_OF_A_REASON},
                next_step=gettext_noop("请写清楚为什么撤销，公众查验时会看到。"),
                status=400,
            )
        if certificate.state == CertificateState.REVOKED:
            return certificate
        move(certificate, "revoke")
        certificate.revoked_at, certificate.revocation_reason = at, reason
        certificate.save(update_fields=["state", "revoked_at", "revocation_reason"])
        audit.record(
            "certificate.revoked",
            actor_id=actor.pk,
            subject=certificate.enrolment.subject,
            facts={"certificate": certificate.pk, "number": certificate.number, "reason": reason},
            at=at,
        )
    return certificate
