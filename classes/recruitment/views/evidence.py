"""Category evidence of a class and its photos, and the office's look at recruitment (S6, I5)."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.editions import edition as find_edition
from accounts.models import User
from classes.permissions import can_manage
from classes.queries import roster_of
from classes.recruitment import actions, queries
from classes.recruitment.findings import judge_trainee
from classes.recruitment.forms import FIELD_OF_REFUSAL, LateDocumentForm, ReasonForm, show_refusal
from classes.recruitment.permissions import (
    access_class_evidence,
    access_class_signals,
    access_evidence,
    manages,
)
from classes.recruitment.signals import signals_of
from policy.refusals import Refusal


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login_required stands before every view here
    return request.user


@login_required
@never_cache
@require_safe
def class_evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """Every trainee of a class with the documents for their category, and what the norm says of them (S6)."""
    training_class = access_class_evidence(request.user, pk)
    edition = find_edition(training_class.edition)
    documents = queries.evidence_of_class(training_class)
    rows = []
    for enrolment in roster_of(training_class):
        held = documents.get(bytes(enrolment.person.id_number_index), [])
        finding = judge_trainee(edition, enrolment, held, training_class.starts_on)
        rows.append((enrolment, held, finding, finding.render(gettext)))
    return render(
        request,
        "recruitment/class_evidence.html",
        {
            "training_class": training_class,
            "rows": rows,
            "complete": sum(finding.outcome == "passed" for _one, _held, finding, _said in rows),
            "manages": can_manage(request.user, training_class),
        },
    )


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def hand_in(request: HttpRequest, pk: int, enrolment: int) -> HttpResponse:
    """Enter a document for a trainee who came by the roster, without a registration."""
    training_class = access_class_evidence(request.user, pk)
    if not can_manage(request.user, training_class):
        raise Http404
    found = roster_of(training_class).filter(pk=enrolment).first()
    if found is None:
        raise Http404
    form = LateDocumentForm(
        request.POST if request.method == "POST" else None,
        request.FILES if request.method == "POST" else None,
        initial={"category": found.category},
    )
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            document = form.document_as(form.cleaned_data["category"])
            assert document is not None  # its name is required here
            actions.hand_in(
                institution=training_class.institution,
                index=bytes(found.person.id_number_index),
                document=document,
                registration=None,
                actor=_user(request),
                at=timezone.now(),
            )
        except Refusal as refusal:
            show_refusal(form, refusal, FIELD_OF_REFUSAL.get(refusal.code))
            status = refusal.status
        else:
            messages.success(request, _("材料已登记，请核对。"))
            return redirect("recruitment:class_evidence", pk)
    elif request.method == "POST":
        status = 400
    return render(
        request,
        "recruitment/document.html",
        {"form": form, "name": found.person.name, "training_class": training_class},
        status=status,
    )


@login_required
@never_cache
@require_safe
def document(request: HttpRequest, pk: int) -> HttpResponse:
    """One document with its photo, and the manager's check."""
    evidence = access_evidence(request.user, pk)
    return _document_page(request, pk, ReasonForm(initial={"reason": evidence.reason}))


def _document_page(request: HttpRequest, pk: int, form: ReasonForm, status: int = 200) -> HttpResponse:
    evidence = access_evidence(request.user, pk)
    return render(
        request,
        "recruitment/evidence.html",
        {
            "evidence": evidence,
            "manages": manages(request.user, evidence.institution_id),
            "form": form,
            "has_picture": hasattr(evidence, "picture"),
        },
        status=status,
    )


@login_required
@require_POST
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept or refuse a document; a manager's step."""
    evidence = access_evidence(request.user, pk)
    form = ReasonForm(request.POST)
    accepted = request.POST.get("accepted") == "yes"
    if form.is_valid():
        try:
            actions.check_evidence(
                evidence=evidence,
                accepted=accepted,
                reason=form.cleaned_data["reason"],
                actor=_user(request),
                at=timezone.now(),
            )
        except Refusal as refusal:
            show_refusal(form, refusal, FIELD_OF_REFUSAL.get(refusal.code))
            return _document_page(request, pk, form, refusal.status)
        messages.success(request, _("已核对，材料相符。") if accepted else _("已记下不予采用，请学员补交。"))
        return redirect("recruitment:evidence", pk)
    return _document_page(request, pk, form, 400)


@login_required
@never_cache
@require_safe
def picture(request: HttpRequest, pk: int) -> HttpResponse:
    """The photo of a document, to who may see it; the look is recorded."""
    evidence = access_evidence(request.user, pk)
    data = actions.open_picture(evidence=evidence, actor=_user(request), at=timezone.now())
    return HttpResponse(data, content_type="image/jpeg", headers={"Content-Disposition": "inline"})


@login_required
@never_cache
@require_safe
def signals(request: HttpRequest, pk: int) -> HttpResponse:
    """What the office should know about who recruited a class (I5); nothing here decides anything."""
    training_class = access_class_signals(request.user, pk)
    found = signals_of(training_class, roster_of(training_class).count())
    return render(
        request,
        "recruitment/signals.html",
        {
            "training_class": training_class,
            "signals": found,
            "finding": found.finding.render(gettext),
        },
    )
