"""Consent, enrolment and withdrawal for a trainee; the look at a check in doubt for the class's staff."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from accounts.refusals import rendered
from identity import actions, consent_texts, queries, uploads
from identity.faces import get_engine
from identity.forms import ConsentForm, ReviewForm
from identity.permissions import access_check_to_review, own_person
from identity.states import CheckState, ConsentPurpose
from identity.wording import words_of
from policy.refusals import Refusal


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def consent(request: HttpRequest) -> HttpResponse:
    """The text, and the two equal ways: consenting, or signing in by code."""
    user, person = own_person(request.user)
    text = consent_texts.current_text(ConsentPurpose.FACE, on=timezone.localdate())
    form = ConsentForm(request.POST if request.method == "POST" else None, initial={"version": text.version})
    if request.method == "POST" and form.is_valid():
        try:
            actions.give_consent(
                person=person, actor=user, at=timezone.now(), text_version=form.cleaned_data["version"]
            )
        except Refusal as refusal:
            body = rendered(refusal)
            form.add_error(None, body["message"] + body["details"]["next"])
        else:
            return redirect(_with_next("identity:face", request))
    processor = consent_texts.processor()
    return render(
        request,
        "identity/consent.html",
        {
            "form": form,
            "text": text,
            "sections": text.filled(processor),
            "sha256": text.sha256(processor),
            "given": queries.open_consent(person),
            "next": _next(request),
            "onward": _next(request) or resolve_url("start"),
        },
        status=400 if form.errors else 200,
    )


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def face(request: HttpRequest) -> HttpResponse:
    """Enrol one's face with the camera; where there is none, with a picture that the phone takes."""
    user, person = own_person(request.user)
    given = queries.open_consent(person)
    if given is None:
        return redirect(_with_next("identity:consent", request))
    if request.method == "POST":
        frames = uploads.read_frames(request.FILES.getlist(uploads.FIELD))
        actions.request_enrolment(person=person, frames=frames, actor=user, at=timezone.now())
        return redirect(_with_next("identity:face", request))
    last = queries.last_enrolment(person)
    return render(
        request,
        "identity/enrol.html",
        {
            "given": given,
            "template": queries.live_template(person, get_engine().engine_id, at=timezone.now()),
            "last": last,
            "last_words": words_of(last) if last else None,
            "next": _next(request),
            "onward": _next(request) or resolve_url("start"),
        },
    )


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest) -> HttpResponse:
    """Say once more what withdrawing does, then do it."""
    user, person = own_person(request.user)
    if request.method == "POST":
        actions.withdraw_consent(person=person, actor=user, at=timezone.now())
        messages.success(request, _("已撤回同意，人脸特征已经销毁。以后用验证码签到，学时一样算。"))
        return redirect("identity:consent")
    given = queries.open_consent(person)
    if given is None:
        return redirect("identity:consent")
    return render(
        request,
        "identity/withdraw.html",
        {
            "given": given,
            "template": queries.live_template(person, get_engine().engine_id, at=timezone.now()),
        },
    )


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """A check in doubt: the one picture, the name, and a person's word."""
    check = access_check_to_review(request.user, pk)
    form = ReviewForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        assert isinstance(request.user, User)
        actions.review_face_check(
            check=check,
            reviewer=request.user,
            same_person=form.cleaned_data["same_person"],
            at=timezone.now(),
        )
        return redirect("identity:review", pk=pk)
    return render(
        request,
        "identity/review.html",
        {
            "check": check,
            "form": form,
            "open": check.state == CheckState.GREY,
            "anew": queries.enrolled_anew(check.person),
        },
        status=400 if form.errors else 200,
    )


@login_required
@never_cache
@require_safe
def picture(request: HttpRequest, pk: int) -> HttpResponse:
    """The picture of a check in doubt, to whoever may decide it; the look is recorded."""
    check = access_check_to_review(request.user, pk)
    assert isinstance(request.user, User)
    data = actions.open_picture(check=check, reviewer=request.user, at=timezone.now())
    kind = "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"
    return HttpResponse(data, content_type=kind, headers={"Content-Disposition": "inline"})


def _next(request: HttpRequest) -> str:
    """Where the person came from and wants to return to, if that is a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if ours else ""


def _with_next(name: str, request: HttpRequest) -> str:
    onward = _next(request)
    return reverse(name) + (f"?{urlencode({'next': onward})}" if onward else "")
