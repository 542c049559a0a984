"""Claims, the trace from a yuan to a second, and the public notices."""

from collections.abc import Callable
from typing import Any

import segno
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import editions
from accounts.models import User
from audit.models import Span
from audit.reconciliation import differences
from classes.permissions import access_class, can_decide, can_manage
from classes.states import EnrolmentState
from policy.citations import citation_of
from policy.refusals import Refusal
from subsidies import queries, tasks, throttle
from subsidies.actions import claims as claim_actions
from subsidies.actions import exports, objections
from subsidies.downloads import XLSX, ZIP, file_response
from subsidies.forms import AnswerForm, DecisionForm, ObjectionForm, ReturnForm
from subsidies.models import Claim, ClaimLine
from subsidies.permissions import (
    access_claim,
    access_notice,
    access_objection,
    classes_to_claim,
    may_object,
    require_manager,
    require_may_object,
    require_officer,
)
from subsidies.reconciliation import differing_claims
from subsidies.states import CLAIM_MOVES, ClaimState, ObjectionState

PAGE = 50
page_with_form = require_http_methods(["GET", "HEAD", "POST"])


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _page(request: HttpRequest, rows: Any) -> Page[Any]:
    return Paginator(rows, PAGE).get_page(request.GET.get("page"))


def _search(request: HttpRequest) -> str:
    return request.GET.get("q", "").replace("\x00", "").strip()[:80]


# --- claims ---


@require_safe
@login_required
def claim_list(request: HttpRequest) -> HttpResponse:
    """Claims of one's institution, or the queue of one's region; for managers, what could be claimed next."""
    user, search = _user(request), _search(request)
    state = request.GET.get("state", "")
    state = state if state in ClaimState.values else ""
    page = _page(request, queries.claim_list(user, search=search, state=state))
    return render(
        request,
        "subsidies/list.html",
        {
            "page": page,
            "differing": differing_claims(list(page)),
            "to_claim": classes_to_claim(user)[:PAGE],
            "search": search,
            "state": state,
            "states": ClaimState.choices,
            "now": timezone.now(),
        },
    )


@require_POST
@login_required
def draw_up(request: HttpRequest, class_pk: int) -> HttpResponse:
    """Draw up the claim of a finished class; a second time leads to the one that is there, and once
    that is decided it is refused.
    """
    user = _user(request)
    training_class = access_class(user, class_pk)
    now = timezone.now()
    drawn = claim_actions.draw_up_claim(actor=user, training_class=training_class, at=now)
    if drawn.created_at == now:
        messages.success(request, _("拟制好了。请逐行核对，再提交给人社部门。"))
    else:
        messages.info(request, _("这个班的补贴申请早已拟制，就是这一份。"))
    return redirect("subsidies:claim", pk=drawn.pk)


@require_safe
@login_required
def claim(request: HttpRequest, pk: int) -> HttpResponse:
    """A claim: its figures, its lines, what was done about it, and what can be done now."""
    user = _user(request)
    found = access_claim(user, pk)
    return render(request, "subsidies/claim.html", _claim_context(user, found))


def _claim_context(user: User, found: Claim) -> dict[str, Any]:
    lines = list(queries.lines_of(found))
    now, notice = timezone.now(), getattr(found, "notice", None)
    span = Span.objects.filter(chain=found.training_class.subject).select_related("root").last()
    objected = list(queries.objections_of(notice)) if notice else []
    return _claim_facts(found) | {
        "lines": lines,
        "history": queries.history_of(found),
        "downloads": queries.history_of(found, downloads=True),
        "notice": notice,
        "notice_over": notice is not None and queries.is_over(notice, now),
        "objections": objected,
        "open_objections": sum(one.state == ObjectionState.OPEN for one in objected),
        "to_answer": next((one for one in objected if one.state == ObjectionState.OPEN), None),
        "manages": can_manage(user, found.training_class),
        "decides": can_decide(user, found.training_class),
        "verbs": CLAIM_MOVES[found.state],
        "differences": differences(found.training_class.subject),
        "root": span.root if span else None,
        "qr": _qr(settings.PUBLIC_URL + reverse("subsidies:claim", args=[found.pk])),
        "trace_cite": citation_of("F17"),
        "now": now,
    }


def _qr(address: str) -> SafeString:
    """The page's own address, for who holds the paper."""
    return mark_safe(segno.make(address, error="m").svg_inline(scale=3))  # noqa: S308  (made here)


def _step(
    request: HttpRequest,
    found: Claim,
    verbs: tuple[str, ...],
    *,
    template: str,
    act: Callable[[dict[str, Any]], object],
    done: str,
    form_class: type[forms.Form] = forms.Form,
    **context: Any,
) -> HttpResponse:
    """One irreversible step: a page that repeats object, number and consequence, then the act."""
    posted = request.method == "POST"
    if not posted and not any(verb in CLAIM_MOVES[found.state] for verb in verbs):
        return redirect("subsidies:claim", pk=found.pk)
    form = form_class(request.POST if posted else None)
    status, refusal = 200, None
    if posted and form.is_valid():
        try:
            act(form.cleaned_data)
        except Refusal as refused:
            refusal, status = refused, refused.status
        else:
            messages.success(request, done)
            return redirect("subsidies:claim", pk=found.pk)
    elif posted:
        status = 400
    context |= {
        "claim": found,
        "form": form,
        "refusal": refusal,
        "differences": differences(found.training_class.subject),
        "now": timezone.now(),
    }
    return render(request, f"subsidies/{template}.html", context, status=status)


@page_with_form
@login_required
def redraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Compute the lines again."""
    user = _user(request)
    found = access_claim(user, pk)
    require_manager(user, found.training_class)
    return _step(
        request,
        found,
        ("redraw",),
        template="redraw",
        act=lambda data: claim_actions.redraw_claim(actor=user, claim=found, at=timezone.now()),
        done=_("重新拟制好了，请逐行核对。"),
    )


@page_with_form
@login_required
def submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand the claim to the bureau."""
    user = _user(request)
    found = access_claim(user, pk)
    require_manager(user, found.training_class)
    return _step(
        request,
        found,
        ("submit",),
        template="submit",
        act=lambda data: claim_actions.submit_claim(actor=user, claim=found, at=timezone.now()),
        done=_("已提交。经办人员受理后会公示，结果在这一页。"),
    )


@page_with_form
@login_required
def send_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the claim with a reason."""
    user = _user(request)
    found = access_claim(user, pk)
    require_officer(user, found)
    return _step(
        request,
        found,
        ("return",),
        template="return",
        form_class=ReturnForm,
        act=lambda data: claim_actions.return_claim(
            actor=user, claim=found, reason=data["reason"], at=timezone.now()
        ),
        done=_("已退回补正，机构会看到理由。"),
    )


@page_with_form
@login_required
def announce(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept the claim and open its public notice."""
    user = _user(request)
    found = access_claim(user, pk)
    require_officer(user, found)
    return _step(
        request,
        found,
        ("notice",),
        template="announce",
        act=lambda data: claim_actions.open_notice(actor=user, claim=found, at=timezone.now()),
        done=_("已受理，公示页已经公开。"),
        lines=queries.lines_of(found),
        days=editions.edition(found.edition).whole("public_notice_days"),
    )


@page_with_form
@login_required
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide the claim after its notice."""
    user = _user(request)
    found = access_claim(user, pk)
    require_officer(user, found)
    notice = getattr(found, "notice", None)
    lines = list(queries.lines_of(found))
    held = claim_actions.held_lines(found, lines) if notice else set()
    over = notice is not None and queries.is_over(notice, timezone.now())
    waiting = notice.objections.filter(state=ObjectionState.OPEN).count() if notice else 0
    return _step(
        request,
        found,
        ("approve", "reject"),
        template="decide",
        form_class=DecisionForm,
        act=lambda data: claim_actions.decide_claim(
            actor=user,
            claim=found,
            approved=data["approved"],
            reason=data["reason"],
            at=timezone.now(),
        ),
        done=_("已核定，机构会看到结果。"),
        notice=notice,
        over=over,
        waiting=waiting,
        blocked=not over or waiting > 0,
        held=sorted(held),
        payable=sum(line.amount for line in lines if line.n not in held),
        heads=len(lines) - len(held),
    )


@page_with_form
@login_required
def answer(request: HttpRequest, pk: int, objection_pk: int) -> HttpResponse:
    """Read an objection and answer it in public."""
    user = _user(request)
    found = access_claim(user, pk)
    objection = access_objection(user, found, objection_pk)
    form = AnswerForm(request.POST or None)
    status, refusal = (400 if form.errors else 200), None
    if request.method == "POST" and form.is_valid():
        try:
            objections.answer_objection(
                actor=user,
                objection=objection,
                upheld=form.cleaned_data["upheld"],
                answer=form.cleaned_data["answer"],
                at=timezone.now(),
            )
        except Refusal as refused:
            refusal, status = refused, refused.status
        else:
            messages.success(request, _("已答复，公示页上能看到。"))
            return redirect("subsidies:claim", pk=found.pk)
    return render(
        request,
        "subsidies/answer.html",
        {
            "claim": found,
            "objection": objection,
            "contact": objections.contact_of(objection),
            "form": form,
            "refusal": refusal,
        },
        status=status,
    )


@require_safe
@login_required
def trace(request: HttpRequest, pk: int, n: int) -> HttpResponse:
    """One line opened down to its seconds; `?lesson=` and `?interval=` address every rung."""
    user = _user(request)
    found = access_claim(user, pk)
    lines = list(queries.lines_of(found))
    line = _line(found, lines, n)
    traced = queries.trace_of(line)
    chosen = traced.choose(request.GET.get("lesson"), request.GET.get("interval"))
    at = lines.index(line)
    return render(
        request,
        "subsidies/trace.html",
        _claim_facts(found)
        | {
            "lines": lines,
            "line": line,
            "before": lines[at - 1] if at else None,
            "after": lines[at + 1] if at + 1 < len(lines) else None,
            "trace": traced,
            "chosen": chosen,
            "picked": chosen.picked if chosen else None,
            "evidence": queries.evidence_of(line, chosen) if chosen else None,
            "url_base": request.path,
        },
    )


def _claim_facts(found: Claim) -> dict[str, Any]:
    enrolled = found.training_class.enrolments.filter(state=EnrolmentState.ACTIVE).count()
    notice = getattr(found, "notice", None)
    return {
        "claim": found,
        "enrolled": enrolled,
        "left_out": max(0, enrolled - found.effective_trainees),
        "objection_count": notice.objections.count() if notice else None,
        "edition": editions.edition(found.edition),
    }


def _line(found: Claim, lines: list[ClaimLine], n: int) -> ClaimLine:
    line = next((line for line in lines if line.n == n), None)
    if line is None:
        raise Http404
    line.claim = found
    line.enrolment.training_class = found.training_class
    return line


@require_safe
@login_required
def export(request: HttpRequest, pk: int) -> HttpResponse:
    """The claim's table for the offices; whoever takes it is on record."""
    user = _user(request)
    found = access_claim(user, pk)
    try:
        content = exports.take_export(actor=user, claim=found, at=timezone.now())
    except Refusal as refused:
        if refused.code == "export_pending":  # a worker that was away may have lost it
            tasks.export_claim.delay(found.pk)
        raise
    return file_response(content, XLSX, f"{found.number}.xlsx")


@require_safe
@login_required
def dossier(request: HttpRequest, pk: int) -> HttpResponse:
    """The proof of a claim, to be checked without this platform."""
    user = _user(request)
    found = access_claim(user, pk)
    content = exports.make_dossier(actor=user, claim=found, at=timezone.now())
    return file_response(content, ZIP, f"{found.number}-dossier.zip")


# --- public notices ---


@require_safe
def notice_list(request: HttpRequest) -> HttpResponse:
    """Every public notice, for everybody."""
    search = _search(request)
    page = _page(request, queries.notice_list(search=search))
    return render(
        request,
        "subsidies/notices.html",
        {
            "page": page,
            "differing": differing_claims([notice.claim for notice in page]),
            "search": search,
            "now": timezone.now(),
        },
    )


@page_with_form
def notice(request: HttpRequest, pk: int) -> HttpResponse:
    """One public notice: masked names, amounts, days; objecting, and the answers given."""
    found = access_notice(pk)
    now = timezone.now()
    lines = list(queries.lines_of(found.claim))
    if request.method == "POST":
        require_may_object(request.user)
    form = ObjectionForm(found, lines, request.POST or None)
    status, refusal = (400 if form.errors else 200), None
    if request.method == "POST" and form.is_valid():
        try:
            with throttle.calm(request.META.get("REMOTE_ADDR", ""), found.pk):
                objections.lodge_objection(
                    notice=found,
                    line_number=form.cleaned_data["line"],
                    text=form.cleaned_data["text"],
                    contact=form.cleaned_data["contact"],
                    at=now,
                )
        except Refusal as refused:
            refusal, status = refused, refused.status
        else:
            return redirect("subsidies:received", pk=found.pk)
    return render(
        request,
        "subsidies/notice.html",
        {
            "notice": found,
            "claim": found.claim,
            "lines": lines,
            "objections": queries.objections_of(found),
            "cite_notice": citation_of("Q5"),
            "takes_objections": queries.takes_objections(found, now),
            "may_object": may_object(request.user),
            "form": form,
            "refusal": refusal,
            "differing": queries.differing(found.claim),
            "now": now,
        },
        status=status,
    )


@require_safe
def received(request: HttpRequest, pk: int) -> HttpResponse:
    """After an objection: what happens next."""
    found = access_notice(pk)
    return render(request, "subsidies/received.html", {"notice": found, "claim": found.claim})
