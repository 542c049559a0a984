"""The package of a filing for the province: asked for, written by the worker, handed out (F8, P21)."""

import datetime
import io

from django.db import transaction

import audit
from accounts import vault
from accounts.models import User
from classes import permissions
from classes.actions.classes import lock_class
from classes.models import Filing
from classes.packages import FILING, filing_rows, not_ready, reference_of, rows_total
from exchange import actions as exchange
from exchange.gateway import gateway
from exchange.models import Package
from exchange.states import PackageState
from policy.refusals import Refusal

CONTEXT = b"filing.package"


def request_package(*, filing: Filing, at: datetime.datetime) -> None:
    """Ask for the package of what was just filed, inside the caller's transaction."""
    filing.package = exchange.request_package(
        kind=FILING.name,
        subject=filing.subject,
        reference=reference_of(filing),
        rows_total=rows_total(filing),
        at=at,
    )
    filing.save(update_fields=["package"])
    _schedule(filing)


def write_package(*, filing: Filing, at: datetime.datetime) -> Filing:
    """Write the package of a filing, once; called by the worker, safe to repeat (F8).

    The province needs ID numbers in full, so the file is sealed at rest; the package's SHA-256 is that of the
    plain file. Content that is not fit to be sent leaves the package failed, with the reason.
    """
    package = filing.package
    if package is None or exchange.begin_package(package_id=package.pk, at=at) is None:
        return filing
    content = io.BytesIO()
    try:
        manifest = gateway().write_package(
            FILING,
            filing_rows(filing),
            content,
            reference=package.reference,
            made_at=filing.submitted_at,
            progress=lambda done: exchange.note_progress(package_id=package.pk, rows_done=done),
        )
    except Refusal as refusal:
        exchange.fail_package(package_id=package.pk, refusal=refusal, at=at)
        return _with_package(filing)
    except Exception:
        exchange.fail_package(package_id=package.pk, refusal=None, at=at)
        raise
    with transaction.atomic():
        lock_class(filing.training_class_id)
        written = exchange.finish_package(
            package_id=package.pk,
            sealed=vault.seal(content.getvalue(), context=CONTEXT),
            manifest=manifest,
            suffix=gateway().suffix,
            at=at,
        )
        if written is not None:
            audit.record(
                "filing.package_written",
                actor_id=None,
                subject=filing.subject,
                facts={"filing": filing.pk, "package": written.sha256},
                at=at,
            )
    return _with_package(filing)


def read_package(*, filing: Filing, actor: User, at: datetime.datetime) -> bytes:
    """Open the package for its manager or the deciding office, and record who did.

    Raises Refusal `package_not_ready` while the worker has not written it, `not_the_manager` (403).
    """
    with transaction.atomic():
        package = _package_for(filing, actor)
        if package.state != PackageState.WRITTEN:
            raise not_ready(package)
        with package.file.open("rb") as stored:
            content = vault.unseal(stored.read(), context=CONTEXT)
        audit.record(
            "filing.package_downloaded",
            actor_id=actor.pk,
            subject=filing.subject,
            facts={"filing": filing.pk, "package": package.sha256},
            at=at,
        )
    return content


def retry_package(*, filing: Filing, actor: User) -> Filing:
    """Have a package that failed written again; one under way stays as it is.

    Raises Refusal `move_refused` (it is written), `not_the_manager` (403).
    """
    with transaction.atomic():
        exchange.retry_package(package=_package_for(filing, actor))
        _schedule(filing)
    return _with_package(filing)


def _package_for(filing: Filing, actor: User) -> Package:
    """The filing's package, for who may have it."""
    training_class = lock_class(filing.training_class_id)
    if not permissions.can_decide(actor, training_class):
        permissions.require_manage(actor, training_class)
    package = _with_package(filing).package
    if package is None:
        raise not_ready(None)
    return package


def _schedule(filing: Filing) -> None:
    from classes.tasks import write_filing_package  # inline: the task calls back into this module

    transaction.on_commit(lambda: write_filing_package.delay(filing.pk))


def _with_package(filing: Filing) -> Filing:
    return Filing.objects.select_related("package", "training_class__institution__region").get(pk=filing.pk)
