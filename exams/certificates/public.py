"""What the public may learn of a certificate from its number: what is printed on it, names masked."""

import datetime
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from django.db.models import Sum

from audit.models import Root
from audit.queries import entries_about, entry_of_number, span_over
from audit.reconciliation import differences_about
from exams.certificates.document import readable_number
from exams.models import Certificate
from exams.states import CertificateState
from policy.messages import gettext_noop
from policy.refusals import Refusal

DIFFERS = "differs"
DIGITS = 14  # region, year, running number


@dataclass(frozen=True, slots=True)
class PublicCertificate:
    """A certificate as anybody may see it."""

    number: str
    state: str
    name: str
    id_number: str
    course: str
    mode: str
    hours: Decimal
    starts_on: datetime.date
    ends_on: datetime.date
    institution: str
    share: Fraction
    score: Fraction
    issued_on: datetime.date
    pdf_sha256: str
    root: Root | None  # the signed root that covers the printing of the file, once there is one
    revoked_at: datetime.datetime | None
    revocation_reason: str
    edition: str
    differing: tuple[str, ...]  # what of it the log does not bear out, by name

    @property
    def standing(self) -> str:
        """`valid` or `revoked`, and `differs` where the log does not bear the certificate out."""
        return DIFFERS if self.differing else self.state

    @property
    def is_valid(self) -> bool:
        return self.standing == CertificateState.VALID

    @property
    def readable_number(self) -> str:
        return readable_number(self.number)


def typed_number(text: str) -> str:
    """The digits of a number as people type it, with any words, spaces and full-width digits."""
    return re.sub(r"[^0-9]", "", unicodedata.normalize("NFKC", text[:60]))


def masked_name(name: str) -> str:
    """王小满 → 王*满, 李明 → 李*: enough to compare with the paper in one's hand."""
    return name[:1] + "*" * max(1, len(name) - 2) + (name[-1:] if len(name) > 2 else "")


def public_certificate(number: str) -> PublicCertificate | None:
    """Find a certificate by its number, however typed; None for one that was never given out.

    Where the number was changed past the log, the log still leads to the certificate. Raises Refusal
    `certificate_differs` where the log tells of one that is no longer there.
    """
    digits = typed_number(number)
    if len(digits) != DIGITS:
        return None
    certificates = Certificate.objects.select_related(
        "enrolment__person",
        "enrolment__training_class__course",
        "enrolment__training_class__institution",
        "verdict",
        "attempt__exam",
    )
    certificate = certificates.filter(number=digits).first()
    if certificate is None:
        issued = entry_of_number("certificate.issued", digits)
        if issued is None:
            return None
        certificate = certificates.filter(pk=issued.facts["certificate"]).first()
        if certificate is None:
            raise Refusal(
                "certificate_differs",
                gettext_noop("留痕里发过这张合格证，现在数据库里没有，不能确认它有效。"),
                found=False,
                required=True,
                rule="M12",
                next_step=gettext_noop("请联系平台运营核对留痕。"),
            )
    training_class = certificate.enrolment.training_class
    person = certificate.enrolment.person
    return PublicCertificate(
        number=digits,
        state=certificate.state,
        name=masked_name(person.name),
        id_number=person.id_number_masked,
        course=training_class.course.course_type,
        mode=training_class.mode,
        hours=training_class.lessons.aggregate(hours=Sum("hours"))["hours"] or Decimal(0),
        starts_on=training_class.starts_on,
        ends_on=training_class.ends_on,
        institution=training_class.institution.name,
        share=certificate.verdict.share,
        score=certificate.attempt.hundredths,
        issued_on=certificate.issued_on,
        pdf_sha256=certificate.pdf_sha256,
        root=_root_over(certificate),
        revoked_at=certificate.revoked_at,
        revocation_reason=certificate.revocation_reason,
        edition=training_class.edition,
        differing=tuple(
            dict.fromkeys(
                str(found.what)
                for found in differences_about(training_class.subject, certificate.enrolment_id)
            )
        ),
    )


def _root_over(certificate: Certificate) -> Root | None:
    printed = (
        entries_about(certificate.enrolment.subject)
        .filter(kind="certificate.printed", facts__certificate=certificate.pk)
        .last()
    )
    span = span_over(printed) if printed else None
    return span.root if span else None
