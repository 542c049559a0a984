"""The province's receipts: upload, report, and applying in two steps. For officers alone."""

import io

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.refusals import rendered
from classes import actions, permissions
from classes.api import xlsx_response
from classes.forms import ReceiptForm
from classes.packages import FILING_RECEIPT
from classes.queries import receipt_summary, receipts_of
from classes.receipts import ReportLine, reconciliation_file
from exchange.gateway import gateway
from exchange.models import Receipt
from exchange.states import Outcome, ReceiptState
from policy.refusals import Refusal

PAGE_SIZE = 50


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def receipts(request: HttpRequest) -> HttpResponse:
    """The office's receipts, the newest first; POST uploads one and leads to its report."""
    user = _user(request)
    permissions.require_office(user)
    form, refusal, status = ReceiptForm(), None, 200
    if request.method == "POST":
        form = ReceiptForm(request.POST, request.FILES)
        if form.is_valid():
            upload = form.cleaned_data["file"]
            try:
                receipt = actions.upload_receipt(
                    content=upload.read(), filename=upload.name, actor=user, at=timezone.now()
                )
            except Refusal as refused:
                refusal, status, form = rendered(refused), refused.status, ReceiptForm()
            else:
                return redirect("classes:receipt", receipt.pk)
        else:
            status = 400
    page = Paginator(receipts_of(user).annotate(lines=Count("rows")), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    context = {"page": page, "form": form, "refusal": refusal}
    return render(request, "classes/receipts.html", context, status=status)


@login_required
@require_safe
def receipt(request: HttpRequest, pk: int) -> HttpResponse:
    """The reconciliation report: what each row is, why, and what to do about it."""
    found = permissions.access_receipt(request.user, pk)
    return _report(request, found)


@login_required
@require_POST
def apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Apply in two steps: the first repeats what would be decided, the second (`confirmed`) decides it."""
    user = _user(request)
    found = permissions.access_receipt(user, pk)
    if "confirmed" not in request.POST:
        summary = receipt_summary(found)
        return render(request, "classes/receipt_apply.html", {"receipt": found, "summary": summary})
    try:
        actions.apply_receipt(receipt=found, actor=user, at=timezone.now())
    except Refusal as refusal:
        found.refresh_from_db()
        return _report(request, found, refusal)
    messages.success(request, _("已按回执全部办理。"))
    return redirect("classes:receipt", pk)


@login_required
@require_POST
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a receipt aside; the same file may be uploaded again."""
    user = _user(request)
    actions.discard_receipt(receipt=permissions.access_receipt(user, pk), actor=user, at=timezone.now())
    messages.success(request, _("回执已作废，没有办理任何一行。"))
    return redirect("classes:receipts")


@login_required
@require_safe
def file(request: HttpRequest, pk: int) -> HttpResponse:
    """The file as it was uploaded."""
    user = _user(request)
    found = permissions.access_receipt(user, pk)
    return xlsx_response(actions.read_receipt_file(receipt=found, actor=user), f"receipt-{found.pk}.xlsx")


@login_required
@require_safe
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """The report as a file, to be sent to who has to mend the receipt."""
    found = permissions.access_receipt(request.user, pk)
    return xlsx_response(reconciliation_file(found), f"receipt-{found.pk}-report.xlsx")


@login_required
@require_safe
def form(request: HttpRequest) -> HttpResponse:
    """The empty form of a receipt, with its data dictionary."""
    permissions.require_office(_user(request))
    stream = io.BytesIO()
    gateway().write_form(FILING_RECEIPT, stream)
    return xlsx_response(stream.getvalue(), "receipt-form.xlsx")


def _report(request: HttpRequest, found: Receipt, refusal: Refusal | None = None) -> HttpResponse:
    outcome = request.GET.get("outcome", "")
    rows = found.rows.all()
    if outcome in Outcome.values:
        rows = rows.filter(outcome=outcome)
    summary = receipt_summary(found)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "receipt": found,
        "summary": summary,
        "page": page,
        "lines": [ReportLine(row) for row in page],
        "outcome": outcome,
        "open": found.state == ReceiptState.PREVIEWED,
        "uploaded_by": User.objects.filter(pk=found.uploaded_by_id).first(),
        "applied_by": User.objects.filter(pk=found.applied_by_id).first() if found.applied_by_id else None,
        "refusal": rendered(refusal) if refusal else None,
    }
    return render(request, "classes/receipt.html", context, status=refusal.status if refusal else 200)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # every view here asks for a signed-in person
    return request.user
