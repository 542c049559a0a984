"""Filing: the institution's page, the office's queue and review (LOOK, mockup h), the decision."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.permissions import require_role
from accounts.refusals import rendered
from accounts.states import Role
from classes import actions, permissions, queries
from classes.actions.filing import digest_of_class, snapshot_of
from classes.forms import ChangeForm, DecisionForm
from classes.models import Filing, TrainingClass
from classes.remedies import ROSTER_STEP, remedy
from classes.reviews import (
    Difference,
    ReviewLine,
    current_findings,
    differences,
    full_subsidy,
    review_lines,
)
from classes.states import CHANGES, EDITABLE_STATES, ClassState, FilingState
from classes.timetables import drafts_of, hours_by_kind
from policy.refusals import Refusal
from policy.terms import TraineeCategory

PAGE_SIZE = 50


@login_required
@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """Filings for the office to decide, who waits longest first; decided ones by choice."""
    user = require_role(request.user, Role.OFFICER, Role.OPERATOR)
    state = request.GET.get("state", FilingState.SUBMITTED)
    filings = queries.filings_decided_by(user).exclude(state=FilingState.WITHDRAWN)
    if state in FilingState.values:
        filings = filings.filter(state=state)
    order = "submitted_at" if state == FilingState.SUBMITTED else "-submitted_at"
    page = Paginator(filings.order_by(order, "pk"), PAGE_SIZE).get_page(request.GET.get("page"))
    states = [FilingState.SUBMITTED, FilingState.RETURNED, FilingState.APPROVED]
    return render(
        request,
        "classes/filings.html",
        {
            "page": page,
            "state": state,
            "states": states,
            "now": timezone.now(),
            "brings_receipts": bool(queries.offices_of(user)),
        },
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Where the filing of a class stands: submit, wait, correct, or decide.

    A submission takes two steps (POST): the first repeats what is filed, the second (`confirmed`) files it.
    What could not be filed anyway is told at the first.
    """
    user = _user(request)
    training_class = permissions.access_class(user, pk)
    if request.method == "POST" or not permissions.sees_filing(user, training_class):
        permissions.require_manage(user, training_class)
    refusal, status = None, 200
    if request.method == "POST":
        context = _context(user, training_class, None)
        reasons = _reasons(request, context["failing"])
        unmet = [line for line in context["failing"] if line.code not in reasons]
        if "confirmed" not in request.POST and context["editable"] and not unmet:
            asked = [(line, reasons[line.code]) for line in context["failing"]]
            context |= _numbers(training_class) | {"asked": asked, "shown": digest_of_class(training_class)}
            return render(request, "classes/submission.html", context)
        try:
            actions.submit_filing(
                training_class=training_class,
                exceptions=reasons,
                actor=user,
                at=timezone.now(),
                shown=request.POST.get("shown"),
            )
        except Refusal as refused:
            refusal, status = rendered(refused), refused.status
        else:
            messages.success(request, _("已提交。经办人员会在这里答复。"))
            return redirect("classes:filing", pk)
    return render(request, "classes/filing.html", _context(user, training_class, refusal), status=status)


@login_required
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a decision in two steps: the first repeats it, the second (`confirmed`) makes it."""
    user = _user(request)
    filing = permissions.access_filing(user, pk)
    permissions.require_decide(user, filing.training_class)
    form = DecisionForm(request.POST, exceptions=filing.exceptions)
    if not form.is_valid():
        context = _context(user, filing.training_class, None) | {"decision": form}
        return render(request, "classes/filing.html", context, status=400)
    if "confirmed" not in request.POST:
        return render(request, "classes/decision.html", {"form": form, "filing": filing})
    actions.decide_filing(
        filing=filing,
        approved=form.approved,
        reason=form.cleaned_data["reason"],
        number=form.cleaned_data["number"],
        accepted=form.accepted,
        actor=user,
        at=timezone.now(),
    )
    messages.success(request, _("已同意备案。") if form.approved else _("已退回补正。"))
    return redirect("classes:filing", filing.training_class_id)


@login_required
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a submission back before it is decided."""
    user = _user(request)
    filing = permissions.access_filing(user, pk)
    actions.withdraw_filing(filing=filing, actor=user, at=timezone.now())
    messages.success(request, _("已撤回。改好后可以重新提交，提前的工作日从重新提交那天算起。"))
    return redirect("classes:filing", filing.training_class_id)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Give up an approval because what was filed has to change: what that means, and why it is done."""
    user = _user(request)
    filing = permissions.access_filing(user, pk)
    permissions.require_manage(user, filing.training_class)
    form = ChangeForm(request.POST or None)
    context = {"form": form, "filing": filing, "training_class": filing.training_class}
    if request.method != "POST" or not form.is_valid():
        return render(
            request, "classes/change.html", context, status=400 if request.method == "POST" else 200
        )
    try:
        actions.supersede_filing(
            filing=filing, reason=form.cleaned_data["reason"], actor=user, at=timezone.now()
        )
    except Refusal as refused:
        context["refusal"] = rendered(refused)
        return render(request, "classes/change.html", context, status=refused.status)
    messages.success(request, _("现在可以改了。改好要重新提交，备案通过以前不能上课。"))
    return redirect("classes:filing", filing.training_class_id)


def _reasons(request: HttpRequest, failing: Iterable[ReviewLine]) -> dict[str, str]:
    """The reasons that were written for exceptions, by code, where a finding lets be excepted from it."""
    given = {
        line.code: request.POST.get(f"exception_{line.code}", "").strip()
        for line in failing
        if line.finding["waivable"]
    }
    return {code: reason for code, reason in given.items() if reason}


def _context(user: User, training_class: TrainingClass, refusal: dict[str, Any] | None) -> dict[str, Any]:
    filing: Filing | None = (
        training_class.filings.exclude(state=FilingState.WITHDRAWN).select_related("package").first()
    )
    editable = training_class.state in EDITABLE_STATES
    before = queries.filings_before(filing).first() if filing else None
    findings, of_today = current_findings(training_class, filing, today=timezone.localdate())
    last = filing if of_today else before
    lines = review_lines(findings, last, filing.exceptions if filing is not None and not editable else ())
    if editable:
        lines = [
            replace(line, remedy=remedy(user, training_class, line.code)) if line.blocks else line
            for line in lines
        ]
    decides, manages = (
        permissions.can_decide(user, training_class),
        permissions.can_manage(user, training_class),
    )
    snapshot = filing.snapshot if filing is not None and not editable else None
    return {
        "training_class": training_class,
        "filing": filing,
        "before": before,
        "editable": editable,
        "failing": [line for line in lines if line.blocks and line.exception is None],
        "open_step": ROSTER_STEP
        if any(line.code == "roster_filled" and line.blocks for line in lines)
        else 0,
        "waivable": all(line.finding["waivable"] for line in lines if line.blocks and line.exception is None),
        "excepted": [line for line in lines if line.exception is not None],
        "noted": [line for line in lines if line.is_noted],
        "pressing": [line for line in lines if not line.is_in_order],
        "passed": [line for line in lines if line.is_in_order],
        "differences": _differences(training_class, filing, before, editable=editable),
        "changes": CHANGES[ClassState(training_class.state)],
        "all_changes": [(ClassState(state).label, change.label, state) for state, change in CHANGES.items()],
        "snapshot": snapshot,
        "lecturer": snapshot["staff"]["lecturer"] if snapshot else None,
        "lessons": list(training_class.lessons.all()) if snapshot else [],
        "roster": [
            row | {"category": gettext(TraineeCategory(row["category"]).label)} for row in snapshot["roster"]
        ]
        if snapshot
        else [],
        "unopened": queries.before_approval(training_class) if filing else [],
        "round": queries.filings_before(filing).count() + 1 if filing else 1,
        "subsidy": full_subsidy(filing) if filing else None,
        "manages": manages,
        "has_package": manages or decides,
        "decides": decides,
        "decision": DecisionForm(exceptions=filing.exceptions if filing else ()) if decides else None,
        "history": queries.history_of(training_class),
        "downloads": queries.history_of(training_class, downloads=True),
        "refusal": refusal,
    }


def _differences(
    training_class: TrainingClass, filing: Filing | None, before: Filing | None, *, editable: bool
) -> list[Difference]:
    """What this submission changed against the last one; while it is corrected, what would be changed."""
    if filing is None:
        return []
    if editable:
        return differences(filing.snapshot, snapshot_of(training_class))
    return differences(before.snapshot, filing.snapshot) if before else []


def _numbers(training_class: TrainingClass) -> dict[str, Any]:
    """How much is about to be filed."""
    drafts = drafts_of(training_class.lessons.all())
    return {
        "trainees": queries.roster_of(training_class).count(),
        "units": len(drafts),
        "total": sum(hours_by_kind(drafts).values(), Decimal(0)),
    }


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # every view here asks for a signed-in person
    return request.user
