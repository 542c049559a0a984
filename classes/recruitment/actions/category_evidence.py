"""The evidence of a trainee's category: handed in, checked, looked at, destroyed (S1-S6)."""

import datetime
import hashlib
from dataclasses import dataclass

from django.db import transaction

import audit
from accounts import pictures
from accounts.models import Institution, User
from classes.recruitment.actions.moves import move
from classes.recruitment.models import (
    CategoryEvidence,
    EvidencePicture,
    EvidencePictureKey,
    Registration,
)
from classes.recruitment.permissions import access_evidence, require_manages
from classes.recruitment.privacy import KEEP_REJECTED
from classes.recruitment.states import RegistrationState
from policy.classes import parse_category
from policy.dates import require_on_paper
from policy.messages import gettext_noop
from policy.refusals import Refusal
from policy.terms import TraineeCategory


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A document as it was handed in; `picture` is whatever bytes were uploaded, or None."""

    category: str
    name: str
    valid_from: datetime.date | None = None
    valid_until: datetime.date | None = None
    picture: bytes | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that was judged; `picture` is a bare JPEG."""

    category: TraineeCategory
    name: str
    valid_from: datetime.date | None
    valid_until: datetime.date | None
    picture: bytes | None


def prepare(document: Document) -> Prepared:
    """Judge a document and decode its photo, which takes a while: do it before a transaction.

    Raises Refusal `document_missing`, `date_out_of_range`, `document_dates_reversed`,
    `category_unknown` (400), and those of `pictures.clean` (422).
    """
    category = parse_category(document.category)
    if not 0 < len(document.name.strip()) <= 60:
        raise Refusal(
            "document_missing",
            gettext_noop("请写明是哪种证明材料，60 个字以内。"),
            found=len(document.name.strip()),
            required="1–60",
            rule="S6",
            next_step=gettext_noop("请写上材料名称，例如就业创业证。"),
            status=400,
        )
    require_on_paper(document.valid_from, name=gettext_noop("有效期起"), field="valid_from", rule="S6")
    require_on_paper(document.valid_until, name=gettext_noop("有效期止"), field="valid_until", rule="S6")
    if document.valid_from and document.valid_until and document.valid_until < document.valid_from:
        raise Refusal(
            "document_dates_reversed",
            gettext_noop("有效期的止日早于起日。"),
            found=document.valid_until,
            required=document.valid_from,
            rule="S6",
            next_step=gettext_noop("请对照材料改有效期。"),
            status=400,
        )
    return Prepared(
        category=category,
        name=document.name.strip(),
        valid_from=document.valid_from,
        valid_until=document.valid_until,
        picture=pictures.clean(document.picture) if document.picture is not None else None,
    )


def hand_in(
    *,
    institution: Institution,
    index: bytes,
    document: Document,
    registration: Registration | None,
    actor: User,
    at: datetime.datetime,
) -> CategoryEvidence:
    """Hand in a document later than the registration: by the person themselves or by the institution.

    Raises as `prepare`; Http404 for anybody else.
    """
    own = actor.person is not None and bytes(actor.person.id_number_index) == index
    if not own:
        require_manages(actor, institution.pk)
    prepared = prepare(document)
    with transaction.atomic():
        return keep(
            prepared, institution=institution, index=index, registration=registration, actor=actor, at=at
        )


def keep(
    document: Prepared,
    *,
    institution: Institution,
    index: bytes,
    registration: Registration | None,
    actor: User | None,
    at: datetime.datetime,
) -> CategoryEvidence:
    """Store a prepared document; it waits for the manager's check. The caller has judged who may, and holds
    the transaction.
    """
    evidence = CategoryEvidence.objects.create(
        institution=institution,
        id_number_index=index,
        registration=registration,
        category=document.category,
        document=document.name,
        valid_from=document.valid_from,
        valid_until=document.valid_until,
        handed_in_at=at,
        handed_in_by=actor,
    )
    picture = _keep_picture(evidence, document.picture) if document.picture is not None else None
    audit.record(
        "category_evidence.handed_in",
        actor_id=actor.pk if actor else None,
        subject=evidence.subject,
        facts={
            "evidence": evidence.pk,
            "category": document.category,
            "valid_from": evidence.valid_from,
            "valid_until": evidence.valid_until,
            "picture": picture.sha256 if picture else None,
        },
        at=at,
    )
    return evidence


def check_evidence(
    *, evidence: CategoryEvidence, accepted: bool, reason: str, actor: User, at: datetime.datetime
) -> CategoryEvidence:
    """Say whether a document shows the category; a manager's step, the same answer again changes nothing.

    Raises Refusal `reason_missing` (a refusal needs one), Http404 for strangers.
    """
    require_manages(actor, evidence.institution_id)
    reason = reason.strip()
    if not accepted and not reason:
        raise Refusal(
            "reason_missing",
            gettext_noop("不予采用要写明理由。"),
            found=False,
            required=True,
            rule="S6",
            next_step=gettext_noop("请写上理由再提交。"),
            status=400,
        )
    verb = "accept" if accepted else "refuse"
    with transaction.atomic():
        evidence = CategoryEvidence.objects.select_for_update(of=("self",)).get(pk=evidence.pk)
        if evidence.state == ("accepted" if accepted else "refused"):
            return evidence
        move(evidence, verb)
        evidence.reason = reason
        evidence.checked_at, evidence.checked_by = at, actor
        evidence.save(update_fields=["state", "reason", "checked_at", "checked_by"])
        audit.record(
            "category_evidence.checked",
            actor_id=actor.pk,
            subject=evidence.subject,
            facts={
                "evidence": evidence.pk,
                "state": evidence.state,
                "reason": hashlib.sha256(reason.encode()).hexdigest(),
            },
            at=at,
        )
    return evidence


def open_picture(*, evidence: CategoryEvidence, actor: User, at: datetime.datetime) -> bytes:
    """Return the photo as JPEG to who may see it; the look is on record.

    Raises Refusal `picture_missing` (404), Http404 for strangers.
    """
    evidence = access_evidence(actor, evidence.pk)
    picture = (
        EvidencePicture.objects.select_related("key").filter(evidence=evidence, key__isnull=False).first()
    )
    if picture is None:
        raise Refusal(
            "picture_missing",
            gettext_noop("这份材料没有照片，或者照片已经销毁。"),
            found=False,
            required=True,
            rule="S6",
            next_step=gettext_noop("请学员补交照片，或出示原件。"),
            status=404,
        )
    data = pictures.open_sealed(
        bytes(picture.ciphertext), bytes(picture.key.sealed), context=_context(evidence)
    )
    with transaction.atomic():
        audit.record(
            "category_evidence.seen",
            actor_id=actor.pk,
            subject=evidence.subject,
            facts={"evidence": evidence.pk},
            at=at,
        )
    return data


def destroy_pictures(registration: Registration, *, actor: User | None, at: datetime.datetime) -> int:
    """Destroy the photos that came with a registration; returns how many. Call inside a transaction."""
    destroyed = 0
    for picture in EvidencePicture.objects.filter(evidence__registration=registration).select_related(
        "evidence"
    ):
        audit.record(
            "category_evidence.destroyed",
            actor_id=actor.pk if actor else None,
            subject=picture.evidence.subject,
            facts={"evidence": picture.evidence_id, "picture": picture.sha256},
            at=at,
        )
        picture.delete()  # its key goes with it
        destroyed += 1
    return destroyed


def destroy_stale_pictures(*, at: datetime.datetime) -> int:
    """Destroy the photos of registrations that were turned down long ago; returns how many.

    The privacy notice promises it (`privacy.KEEP_REJECTED`). Each registration in a transaction of its own.
    """
    due = Registration.objects.filter(
        state=RegistrationState.REJECTED,
        decided_at__lte=at - KEEP_REJECTED,
        evidence__picture__isnull=False,
    ).distinct()
    destroyed = 0
    for pk in list(due.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            # It may have been taken up again in the meantime.
            row = Registration.objects.select_for_update(of=("self",)).get(pk=pk)
            if row.state == RegistrationState.REJECTED:
                destroyed += destroy_pictures(row, actor=None, at=at)
    return destroyed


def _keep_picture(evidence: CategoryEvidence, clean: bytes) -> EvidencePicture:
    ciphertext, sealed_key = pictures.seal(clean, context=_context(evidence))
    picture = EvidencePicture.objects.create(
        evidence=evidence, ciphertext=ciphertext, sha256=hashlib.sha256(ciphertext).hexdigest()
    )
    EvidencePictureKey.objects.create(picture=picture, sealed=sealed_key)
    return picture


def _context(evidence: CategoryEvidence) -> bytes:
    return f"recruitment.evidence:{evidence.pk}".encode()
