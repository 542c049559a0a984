"""The manager's page of lecturers and assistants."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts import staff
from accounts.actions import IssuedCode
from accounts.forms import StaffForm
from accounts.models import User
from accounts.refusals import rendered
from accounts.slips import slip_page
from accounts.states import Role
from policy.refusals import Refusal


@sensitive_post_parameters("name", "id_number", "phone")
@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """Everybody who teaches or assists here; POST adds one and shows the code once."""
    user = _user(request)
    staff.own_institution(user)
    form = StaffForm(request.POST or None)
    if request.method != "POST":
        return _page(request, form)
    if not form.is_valid():
        return _page(request, form, status=400)
    try:
        membership, issued = staff.add_staff(
            actor=user,
            name=form.cleaned_data["name"],
            id_number=form.cleaned_data["id_number"],
            phone=form.cleaned_data["phone"],
            role=Role(form.cleaned_data["role"]),
            at=timezone.now(),
        )
    except Refusal as refusal:
        return _page(request, form, refusal=rendered(refusal), status=refusal.status)
    if issued is not None:
        return _slip(request, issued)
    messages.success(
        request,
        _("%(name)s 已经是%(role)s，用原来的账号登录。")
        % {"name": membership.user, "role": membership.get_role_display()},
    )
    return redirect("accounts:staff")


@login_required
@never_cache
@require_POST
def activation(request: HttpRequest, pk: int) -> HttpResponse:
    """A new code for one of them, shown this once."""
    user = _user(request)
    membership = staff.access_staff(user, pk)
    return _slip(request, staff.issue_code(membership=membership, actor=user, at=timezone.now()))


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def reset(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask first; then end what one of them is signed in with, and show the code for a new password."""
    user = _user(request)
    membership = staff.access_staff(user, pk)
    if request.method == "POST":
        return _slip(request, staff.reset(membership=membership, actor=user, at=timezone.now()))
    person = membership.user.person
    return render(
        request,
        "accounts/reset.html",
        {
            "who": membership.user,
            "id_number": person.id_number_masked if person else "",
            "back_url": reverse("accounts:staff"),
            "back_label": _("讲师和助教"),
        },
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask first, naming the classes that need them; then take the role away from one of them."""
    user = _user(request)
    membership = staff.access_staff(user, pk)
    engagements = staff.engagements_of(membership)
    unasked = bool(engagements) and request.POST.get("confirmed") != "1"
    if request.method != "POST" or unasked:
        context = {"membership": membership, "engagements": engagements}
        return render(
            request, "accounts/end_staff.html", context, status=409 if request.method == "POST" else 200
        )
    staff.end_staff(membership=membership, actor=user, at=timezone.now())
    messages.success(request, _("%(name)s 不再是本机构的人员。") % {"name": membership.user})
    return redirect("accounts:staff")


def _page(request: HttpRequest, form: StaffForm, *, status: int = 200, **context: Any) -> HttpResponse:
    institution = staff.own_institution(_user(request))
    return render(
        request,
        "accounts/staff.html",
        {
            "institution": institution,
            "staff": list(staff.staff_of(institution)),
            "of_others": staff.accounts_of_others(institution),
            "form": form,
            "now": timezone.now(),
            **context,
        },
        status=status,
    )


def _slip(request: HttpRequest, issued: IssuedCode) -> HttpResponse:
    return slip_page(request, issued, back_url=reverse("accounts:staff"), back_label=_("讲师和助教"))


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # every view here asks for a signed-in person
    return request.user
