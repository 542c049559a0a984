"""Receipts of the province: uploaded by an officer, previewed, applied whole or not at all (F8, F9, P21)."""

import datetime
import hashlib
from collections import Counter

from django.db import transaction
from django.http import Http404

import audit
from accounts import vault
from accounts.models import Bureau, User
from accounts.reconciliation import require_roles_on_record
from classes import permissions
from classes.actions.classes import lock_class
from classes.actions.filing import decide_filing
from classes.models import Filing
from classes.packages import FILING_RECEIPT
from classes.queries import offices_of
from classes.receipts import blocks, day_of, decision_of, receipt_rows, reconcile
from exchange import actions as exchange
from exchange.gateway import ReadPackage, ReadRow, gateway
from exchange.models import Receipt
from exchange.states import Outcome, ReceiptState
from policy.messages import gettext_noop
from policy.refusals import Refusal

CONTEXT = b"exchange.receipt"


def upload_receipt(*, content: bytes, filename: str, actor: User, at: datetime.datetime) -> Receipt:
    """Keep a receipt and reconcile it with what was filed; nothing is decided yet.

    The same file again is the same receipt, whatever its state. Raises Refusal `not_an_office` (403),
    the file's own refusals (400, 413; see `exchange.xlsx.cells` and `classes.receipts.receipt_rows`).
    """
    office = permissions.require_office(actor)
    require_roles_on_record(actor, rule="F8")
    rows = receipt_rows(_opened(content))
    digest = hashlib.sha256(content).hexdigest()
    with transaction.atomic():
        receipt, is_new = exchange.keep_receipt(
            kind=FILING_RECEIPT.name,
            office_id=office.pk,
            filename=filename,
            sha256=digest,
            size=len(content),
            sealed=vault.seal(content, context=CONTEXT),
            suffix=gateway().suffix,
            actor_id=actor.pk,
            at=at,
        )
        if receipt.state == ReceiptState.PREVIEWED:
            judged = [row for row, _filing in reconcile(rows, office=office, at=at)]
            exchange.keep_rows(receipt=receipt, rows=judged)
        if is_new:
            audit.record(
                "receipt.uploaded",
                actor_id=actor.pk,
                subject=receipt.subject,
                facts={"receipt": receipt.pk, "office": office.pk, "file": digest, "rows": len(rows)},
                at=at,
            )
    return receipt


def _opened(content: bytes) -> ReadPackage:
    """A receipt's rows. What cannot be opened is got anew from where it came: nobody fills in a receipt."""
    try:
        return gateway().read_receipt(FILING_RECEIPT, content)
    except Refusal as refusal:
        raise Refusal(
            refusal.code,
            refusal.message,
            found=refusal.found,
            required=refusal.required,
            rule="F8",
            params=refusal.params,
            next_step=gettext_noop("请核对是不是省系统给的回执；打不开的，请向省系统重新取一份 .xlsx 文件。"),
            status=refusal.status,
            details=refusal.details,
        ) from refusal


def apply_receipt(*, receipt: Receipt, actor: User, at: datetime.datetime) -> Receipt:
    """Make every decision of a receipt, in one transaction: all of them or none.

    Rows are judged again under the locks, so what changed since the preview is seen. An applied receipt stays
    as it is. Raises Refusal `receipt_not_sound` (409; the preview then shows what stands in the way),
    `move_refused` (discarded), `not_an_office` (403); Http404 for another office's.
    """
    with transaction.atomic():
        receipt, office = _locked(receipt, actor)
        if receipt.state == ReceiptState.APPLIED:
            return receipt
        rows = _rows_of(receipt)
        filings = [filing for _row, filing in reconcile(rows, office=office, at=at) if filing]
        for training_class_id in sorted({filing.training_class_id for filing in filings}):
            lock_class(training_class_id)
        judged = reconcile(rows, office=office, at=at)  # now that nobody can move them
        in_the_way = sum(blocks(row) for row, _filing in judged)
        if receipt.state == ReceiptState.PREVIEWED:
            exchange.keep_rows(receipt=receipt, rows=[row for row, _filing in judged])
        if not in_the_way:
            _decide(receipt, judged, actor=actor, at=at)
    if in_the_way:
        raise Refusal(
            "receipt_not_sound",
            gettext_noop("回执里有 %(count)s 行不能办理，整份都没有办理。"),
            found=in_the_way,
            required=0,
            rule="F8",
            params={"count": in_the_way},
            next_step=gettext_noop("请按核对结果与省系统核对，取得改好的回执再上传。"),
        )
    return receipt


def discard_receipt(*, receipt: Receipt, actor: User, at: datetime.datetime) -> Receipt:
    """Put a receipt aside that will not be applied; raises Refusal `move_refused` once it is applied."""
    with transaction.atomic():
        receipt, _office = _locked(receipt, actor)
        if receipt.state == ReceiptState.DISCARDED:
            return receipt
        exchange.mark_discarded(receipt=receipt)
        audit.record(
            "receipt.discarded",
            actor_id=actor.pk,
            subject=receipt.subject,
            facts={"receipt": receipt.pk},
            at=at,
        )
    return receipt


def read_receipt_file(*, receipt: Receipt, actor: User) -> bytes:
    """The file as it was uploaded, for its own office."""
    if receipt.office_id not in offices_of(actor):
        raise Http404
    return _content(receipt)


def _decide(
    receipt: Receipt,
    judged: list[tuple[exchange.Judged, Filing | None]],
    *,
    actor: User,
    at: datetime.datetime,
) -> None:
    count: Counter[bool] = Counter()
    for row, filing in judged:
        if row.outcome != Outcome.ACCEPTED or filing is None:
            continue
        approved, reason, number = decision_of(row.values)
        decide_filing(
            filing=filing,
            approved=approved,
            reason=reason,
            number=number if approved else "",
            actor=actor,
            at=at,
            receipt=receipt,
            decided_on=day_of(row.values),
        )
        count[approved] += 1
    exchange.mark_applied(receipt=receipt, actor_id=actor.pk, at=at)
    audit.record(
        "receipt.applied",
        actor_id=actor.pk,
        subject=receipt.subject,
        facts={
            "receipt": receipt.pk,
            "file": receipt.sha256,
            "approved": count[True],
            "returned": count[False],
        },
        at=at,
    )


def _locked(receipt: Receipt, actor: User) -> tuple[Receipt, Bureau]:
    """The receipt, locked, and its office; raises `not_an_office`, and Http404 for another office's."""
    permissions.require_office(actor)
    require_roles_on_record(actor, rule="F8")
    office = offices_of(actor).get(receipt.office_id)
    if office is None:
        raise Http404
    return Receipt.objects.select_for_update().get(pk=receipt.pk), office


def _rows_of(receipt: Receipt) -> list[ReadRow]:
    return list(receipt_rows(_opened(_content(receipt))))


def _content(receipt: Receipt) -> bytes:
    with receipt.file.open("rb") as stored:
        return vault.unseal(stored.read(), context=CONTEXT)
