"""Campaigns, offline events with their posters, and registrations entered by the staff (F2, I4)."""

import segno
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from classes.recruitment import actions, privacy, queries
from classes.recruitment.forms import (
    FIELD_OF_REFUSAL,
    CampaignForm,
    EventForm,
    RegistrationForm,
    show_refusal,
)
from classes.recruitment.permissions import access_campaign, access_event, require_institution
from classes.recruitment.states import CampaignState
from policy.refusals import Refusal

PAGE_SIZE = 50


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login_required stands before every view here
    return request.user


@login_required
@require_safe
def campaigns(request: HttpRequest) -> HttpResponse:
    """The institution's campaigns with how many registered."""
    institution = require_institution(request.user)
    page = Paginator(queries.campaigns_of(institution), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "recruitment/campaigns.html", {"page": page, "institution": institution})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """A new campaign, open at once."""
    institution = require_institution(request.user)
    form = CampaignForm(request.POST if request.method == "POST" else None, institution=institution)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            campaign = actions.create_campaign(details=form.details, actor=_user(request), at=timezone.now())
        except Refusal as refusal:
            show_refusal(form, refusal, FIELD_OF_REFUSAL.get(refusal.code))
            status = refusal.status
        else:
            messages.success(request, _("招生项目已发布，推介页面上能看到了。"))
            return redirect("recruitment:campaign", campaign.pk)
    elif request.method == "POST":
        status = 400
    return render(
        request, "recruitment/campaign_form.html", {"form": form, "institution": institution}, status=status
    )


@login_required
@require_safe
def campaign(request: HttpRequest, pk: int) -> HttpResponse:
    """One campaign: what it says, its offline events, and its public address."""
    found = access_campaign(request.user, pk)
    address = request.build_absolute_uri(reverse("recruitment:register", args=[found.pk]))
    return render(
        request,
        "recruitment/campaign.html",
        {
            "campaign": found,
            "events": [
                (event, event.registrations.count()) for event in found.events.order_by("-held_on", "-pk")
            ],
            "received": found.registrations.count(),
            "address": address,
            "qr": _qr(address),
        },
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what a campaign says."""
    found = access_campaign(request.user, pk)
    form = CampaignForm(
        request.POST if request.method == "POST" else None, institution=found.institution, campaign=found
    )
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            actions.update_campaign(
                campaign=found, details=form.details, actor=_user(request), at=timezone.now()
            )
        except Refusal as refusal:
            show_refusal(form, refusal, FIELD_OF_REFUSAL.get(refusal.code))
            status = refusal.status
        else:
            messages.success(request, _("已保存。"))
            return redirect("recruitment:campaign", pk)
    elif request.method == "POST":
        status = 400
    return render(
        request,
        "recruitment/campaign_form.html",
        {"form": form, "campaign": found, "institution": found.institution},
        status=status,
    )


@login_required
@require_POST
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a campaign, or open it again (`verb`)."""
    found = access_campaign(request.user, pk)
    step = actions.reopen_campaign if request.POST.get("verb") == "reopen" else actions.close_campaign
    step(campaign=found, actor=_user(request), at=timezone.now())
    messages.success(
        request,
        _("已恢复报名。") if step is actions.reopen_campaign else _("已停止报名，已经报名的不受影响。"),
    )
    return redirect("recruitment:campaign", pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create_event(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter an offline event; its code and poster follow."""
    found = access_campaign(request.user, pk)
    form = EventForm(
        request.POST if request.method == "POST" else None,
        initial={"recruiter": str(request.user), "venue": found.institution.address},
    )
    if request.method == "POST" and form.is_valid():
        try:
            event = actions.create_event(
                campaign=found, actor=_user(request), at=timezone.now(), **form.cleaned_data
            )
        except Refusal as refusal:
            show_refusal(form, refusal)
        else:
            return redirect("recruitment:event_poster", event.pk)
    return render(
        request,
        "recruitment/event_form.html",
        {"form": form, "campaign": found},
        status=400 if form.errors else 200,
    )


@login_required
@require_safe
def poster(request: HttpRequest, pk: int) -> HttpResponse:
    """An offline event's sheet for printing: QR, code to type, and what it is about."""
    event = access_event(request.user, pk)
    address = request.build_absolute_uri(reverse("recruitment:event", args=[event.code]))
    return render(
        request,
        "recruitment/poster.html",
        {
            "event": event,
            "campaign": event.campaign,
            "address": address,
            "entry": request.build_absolute_uri(reverse("recruitment:entry")),
            "qr": _qr(address),
            "received": event.registrations.count(),
        },
    )


@sensitive_post_parameters("name", "id_number", "phone")
@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest, pk: int) -> HttpResponse:
    """The registration form filled in by the staff for somebody who came along (source 机构代填)."""
    found = access_campaign(request.user, pk)
    text = privacy.current_text(timezone.localdate())
    form = RegistrationForm(
        request.POST if request.method == "POST" else None,
        request.FILES if request.method == "POST" else None,
        by_staff=True,
        initial={"privacy_version": text.version},
    )
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            registration = actions.register(
                campaign=found,
                application=form.application,
                document=form.document_as(form.cleaned_data["category"]),
                event=None,
                key=form.cleaned_data["key"],
                actor=_user(request),
                at=timezone.now(),
            )
        except Refusal as refusal:
            show_refusal(form, refusal, FIELD_OF_REFUSAL.get(refusal.code))
            status = refusal.status
        else:
            messages.success(
                request, _("已登记，报名号 %(number)s。") % {"number": registration.spoken_number}
            )
            return redirect("recruitment:registration", registration.pk)
    elif request.method == "POST":
        status = 400
    return render(
        request,
        "recruitment/register.html",
        {
            "campaign": found,
            "open": found.state == CampaignState.OPEN,
            "form": form,
            "by_staff": True,
            "text": text,
            "sections": text.filled(found.institution),
        },
        status=status,
    )


def _qr(address: str) -> str:
    """A QR code of an address as an SVG data URI."""
    return str(segno.make(address, error="m").svg_data_uri(scale=6, border=2, dark="#1d2430"))
