"""Jobs and receipts: everything that moves their states. Who may is the business of the app that calls."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.files.base import ContentFile
from django.db import connection, transaction

from exchange.actions.moves import move
from exchange.models import Package, Receipt, ReceiptRow
from exchange.packages import Manifest
from exchange.problems import source_of
from exchange.states import Outcome, PackageState, ReceiptState
from policy.messages import gettext_noop
from policy.refusals import Refusal

# --- packages ---


def request_package(
    *, kind: str, subject: str, reference: str, rows_total: int, at: datetime.datetime
) -> Package:
    """Ask for a package; asking again for the same subject returns the one there is. The caller schedules its
    task on commit.
    """
    package, _created = Package.objects.get_or_create(
        kind=kind,
        subject=subject,
        defaults={"reference": reference, "rows_total": rows_total, "requested_at": at},
    )
    return package


def begin_package(*, package_id: int, at: datetime.datetime) -> Package | None:
    """Take a package in hand, in a transaction of its own so that others see it; None if nothing is to do."""
    with transaction.atomic():
        package = Package.objects.select_for_update().get(pk=package_id)
        if not package.is_under_way:
            return None
        move(package, "begin")
        package.began_at, package.ended_at = at, None
        package.attempts, package.rows_done, package.problem = package.attempts + 1, 0, {}
        package.save(update_fields=["state", "began_at", "ended_at", "attempts", "rows_done", "problem"])
    return package


def note_progress(*, package_id: int, rows_done: int) -> None:
    """Let who waits see how far it is."""
    Package.objects.filter(pk=package_id, state=PackageState.WRITING, rows_total__gte=rows_done).update(
        rows_done=rows_done
    )


def finish_package(
    *, package_id: int, sealed: bytes, manifest: Manifest, suffix: str, at: datetime.datetime
) -> Package | None:
    """Keep the file, inside the caller's transaction; None when another worker was first (with the same
    bytes).
    """
    package = Package.objects.select_for_update().get(pk=package_id)
    if package.state != PackageState.WRITING:
        return None
    move(package, "finish")
    package.sha256, package.size = manifest.file_sha256, manifest.file_bytes
    package.manifest, package.ended_at, package.rows_done = manifest.as_json(), at, package.rows_total
    package.file.save(f"{package.sha256}{suffix}.sealed", ContentFile(sealed), save=False)
    package.save()
    return package


def fail_package(*, package_id: int, refusal: Refusal | None, at: datetime.datetime) -> None:
    """Say why an attempt failed; somebody may try again."""
    with transaction.atomic():
        package = Package.objects.select_for_update().get(pk=package_id)
        if package.state != PackageState.WRITING:
            return
        move(package, "fail")
        package.ended_at = at
        package.problem = source_of(refusal or _broken())
        package.save(update_fields=["state", "ended_at", "problem"])


def _broken() -> Refusal:
    return Refusal(
        "package_broken",
        gettext_noop("生成时出了问题。"),
        found=True,
        required=False,
        rule="F8",
        next_step=gettext_noop("请再试一次；还不行，请联系平台运营。"),
    )


def retry_package(*, package: Package) -> Package:
    """Put a failed package back in the queue, inside the caller's transaction; one under way stays so."""
    package = Package.objects.select_for_update().get(pk=package.pk)
    if package.is_under_way:
        return package
    move(package, "retry")
    package.problem = {}
    package.save(update_fields=["state", "problem"])
    return package


# --- receipts ---


@dataclass(frozen=True, slots=True)
class Judged:
    """One row with what reconciling found. The app that knows the subject judges; this floor keeps it."""

    number: int
    reference: str
    values: Mapping[str, Any]
    outcome: Outcome
    subject: str = ""
    problems: Sequence[Mapping[str, Any]] = ()
    differences: Sequence[Mapping[str, str]] = ()


def keep_receipt(
    *,
    kind: str,
    office_id: int,
    filename: str,
    sha256: str,
    size: int,
    sealed: bytes,
    suffix: str,
    actor_id: int,
    at: datetime.datetime,
) -> tuple[Receipt, bool]:
    """Keep a file that came in, inside the caller's transaction. The same file of the same office is the same
    receipt; a discarded one is opened again. Returns it locked, and whether it is new.
    """
    known = Receipt.objects.select_for_update().filter(office_id=office_id, sha256=sha256).first()
    if known is None:
        _wait_for_others(office_id)
        known = Receipt.objects.select_for_update().filter(office_id=office_id, sha256=sha256).first()
    if known is None:
        receipt = Receipt(
            kind=kind,
            office_id=office_id,
            filename=filename[-200:],
            sha256=sha256,
            size=size,
            uploaded_at=at,
            uploaded_by_id=actor_id,
        )
        receipt.file.save(f"{sha256}{suffix}.sealed", ContentFile(sealed), save=False)
        receipt.save()
        return receipt, True
    if known.state == ReceiptState.DISCARDED:
        move(known, "reopen")
        known.uploaded_at, known.uploaded_by_id = at, actor_id
        known.save(update_fields=["state", "uploaded_at", "uploaded_by_id"])
    return known, False


def _wait_for_others(office_id: int) -> None:
    """One upload of an office at a time, so that the same file sent twice at once is one receipt."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"receipts/{office_id}"])


def keep_rows(*, receipt: Receipt, rows: Sequence[Judged]) -> None:
    """Replace what reconciling found, inside the caller's transaction; not for an applied receipt."""
    if receipt.state != ReceiptState.PREVIEWED:
        raise ValueError("only a previewed receipt is reconciled again")
    receipt.rows.all().delete()
    ReceiptRow.objects.bulk_create(
        [
            ReceiptRow(
                receipt=receipt,
                number=row.number,
                reference=row.reference[:60],
                subject=row.subject,
                values=dict(row.values),
                outcome=row.outcome,
                problems=[dict(problem) for problem in row.problems],
                differences=[dict(difference) for difference in row.differences],
            )
            for row in rows
        ],
        batch_size=1000,
    )


def mark_applied(*, receipt: Receipt, actor_id: int, at: datetime.datetime) -> None:
    """Set a locked receipt to applied."""
    move(receipt, "apply")
    receipt.applied_at, receipt.applied_by_id = at, actor_id
    receipt.save(update_fields=["state", "applied_at", "applied_by_id"])


def mark_discarded(*, receipt: Receipt) -> None:
    """Set a locked receipt to discarded: nothing of it will be applied."""
    move(receipt, "discard")
    receipt.save(update_fields=["state"])
