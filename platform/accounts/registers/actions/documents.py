"""Documents: added with their picture, looked at, retired. Never deleted."""

import datetime
import hashlib
from dataclasses import dataclass

from django.db import transaction

import audit
from accounts import pictures
from accounts.models import Institution, User
from accounts.permissions import require_role
from accounts.registers import permissions
from accounts.registers.models import Document, DocumentFile, DocumentKey, Qualification
from accounts.registers.states import OPEN_STATES, DocumentKind
from accounts.states import Role
from policy.classes import PLATFORM_CONDITIONS
from policy.dates import require_on_paper
from policy.messages import gettext_noop
from policy.refusals import Refusal

CONDITION_ROWS = tuple(row for condition in PLATFORM_CONDITIONS for row in condition.rows)


@dataclass(frozen=True, kw_only=True, slots=True)
class Paper:
    """A document as it was handed in; `picture` is whatever bytes were uploaded."""

    name: str
    picture: bytes
    number: str = ""
    valid_from: datetime.date | None = None
    valid_until: datetime.date | None = None


def add_to_qualification(
    *, qualification: Qualification, kind: str, paper: Paper, actor: User, at: datetime.datetime
) -> Document:
    """Add a document to a qualification that is not with the office (T1, T2).

    Raises Refusal `qualification_not_open`, `document_kind`, `document_missing`, `document_dates_reversed`,
    those of `pictures.clean` (422), `not_the_manager` (403).
    """
    permissions.require_manages(actor, qualification.institution_id)
    if kind not in DocumentKind.values or kind in (DocumentKind.DESIGNATION, DocumentKind.CONDITION):
        raise _wrong_kind(kind)
    picture = _judge(paper, rule="T1")
    with transaction.atomic():
        row = Qualification.objects.select_for_update().get(pk=qualification.pk)
        _require_open(row)
        return _keep(Document(qualification=row, kind=DocumentKind(kind)), paper, picture, actor=actor, at=at)


def add_to_institution(
    *, institution: Institution, paper: Paper, actor: User, at: datetime.datetime
) -> Document:
    """Put a designation document on file: by the office that designates, or by the operator (I1).

    Raises as `add_to_qualification`, and `not_the_office` (403).
    """
    if not actor.has_role(Role.OPERATOR):
        permissions.access_institution(actor, institution.pk)
        permissions.require_office(permissions.office_over_institution(actor, institution), rule="I1")
    picture = _judge(paper, rule="I1")
    with transaction.atomic():
        document = Document(institution=institution, kind=DocumentKind.DESIGNATION)
        return _keep(document, paper, picture, actor=actor, at=at)


def add_to_platform(*, row: str, paper: Paper, actor: User, at: datetime.datetime) -> Document:
    """Put the evidence of one condition of the platform on file; the operator's step (P1-P26).

    Raises as `add_to_qualification`, `role_required` (403), and `document_kind` for no row of a condition.
    """
    require_role(actor, Role.OPERATOR)
    if row not in CONDITION_ROWS:
        raise _wrong_kind(row)
    picture = _judge(paper, rule=row)
    with transaction.atomic():
        document = Document(condition=row, kind=DocumentKind.CONDITION)
        return _keep(document, paper, picture, actor=actor, at=at)


def retire_document(*, document: Document, actor: User, at: datetime.datetime) -> Document:
    """Say that a document no longer counts; it stays on record. Retiring it again changes nothing.

    By who added its kind. Raises Refusal `qualification_not_open` once an office has it, `not_the_manager`,
    `not_the_office`, `role_required` (403).
    """
    document = permissions.access_document(actor, document.pk)
    permissions.require_keeper(actor, document)
    with transaction.atomic():
        if document.qualification_id is not None:
            _require_open(Qualification.objects.select_for_update().get(pk=document.qualification_id))
        document = Document.objects.select_for_update(of=("self",)).get(pk=document.pk)
        if document.retired_at is not None:
            return document
        document.retired_at, document.retired_by = at, actor
        document.save(update_fields=["retired_at", "retired_by"])
        audit.record(
            "register.document_retired",
            actor_id=actor.pk,
            subject=document.subject,
            facts={"document": document.pk},
            at=at,
        )
    return document


def open_picture(*, document: Document, actor: User, at: datetime.datetime) -> bytes:
    """Return a document's picture as JPEG to who may see it; the look is on record. Http404 for strangers."""
    document = permissions.access_document(actor, document.pk)
    file = DocumentFile.objects.select_related("key").get(document=document)
    data = pictures.open_sealed(bytes(file.ciphertext), bytes(file.key.sealed), context=_context(document.pk))
    with transaction.atomic():
        audit.record(
            "register.document_seen",
            actor_id=actor.pk,
            subject=document.subject,
            facts={"document": document.pk},
            at=at,
        )
    return data


def _judge(paper: Paper, *, rule: str) -> bytes:
    """Judge a document and decode its picture, which takes a while: before the transaction."""
    if not 0 < len(paper.name.strip()) <= 60 or len(paper.number.strip()) > 60:
        raise Refusal(
            "document_missing",
            gettext_noop("请写明是哪种材料，名称和编号都在 60 个字以内。"),
            found=len(paper.name.strip()),
            required="1–60",
            rule=rule,
            next_step=gettext_noop("请写上材料名称，例如讲师培训合格证。"),
            status=400,
        )
    require_on_paper(paper.valid_from, name=gettext_noop("有效期起"), field="valid_from", rule=rule)
    require_on_paper(paper.valid_until, name=gettext_noop("有效期止"), field="valid_until", rule=rule)
    if paper.valid_from and paper.valid_until and paper.valid_until < paper.valid_from:
        raise Refusal(
            "document_dates_reversed",
            gettext_noop("有效期的止日早于起日。"),
            found=paper.valid_until,
            required=paper.valid_from,
            rule=rule,
            next_step=gettext_noop("请对照材料改有效期。"),
            status=400,
        )
    return pictures.clean(paper.picture, rule=rule)


def _keep(
    document: Document, paper: Paper, picture: bytes, *, actor: User, at: datetime.datetime
) -> Document:
    document.name, document.number = paper.name.strip(), paper.number.strip()
    document.valid_from, document.valid_until = paper.valid_from, paper.valid_until
    document.added_at, document.added_by = at, actor
    document.save()
    ciphertext, sealed_key = pictures.seal(picture, context=_context(document.pk))
    digest = hashlib.sha256(ciphertext).hexdigest()
    file = DocumentFile.objects.create(document=document, ciphertext=ciphertext, sha256=digest)
    DocumentKey.objects.create(file=file, sealed=sealed_key)
    audit.record(
        "register.document_added",
        actor_id=actor.pk,
        subject=document.subject,
        facts={
            "document": document.pk,
            "kind": document.kind,
            "condition": document.condition,
            "valid_from": document.valid_from,
            "valid_until": document.valid_until,
            "picture": digest,
        },
        at=at,
    )
    return document


def _require_open(qualification: Qualification) -> None:
    if qualification.is_open:
        return
    raise Refusal(
        "qualification_not_open",
        gettext_noop("讲师资格%(state)s，材料不能再改。"),
        found=qualification.state,
        required=[str(state) for state in OPEN_STATES],
        rule="T1",
        params={"state": qualification.get_state_display()},
        next_step=gettext_noop("还没有确认的，可以先撤回再改。"),
    )


def _wrong_kind(kind: str) -> Refusal:
    return Refusal(
        "document_kind",
        gettext_noop("没有这种材料。"),
        found=kind[:20],
        required=True,
        rule="T1",
        next_step=gettext_noop("请从列出的种类里选一种。"),
        status=400,
    )


def _context(document_id: int) -> bytes:
    return f"registers.document:{document_id}".encode()
