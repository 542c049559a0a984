"""The operator's pages of accounts: found, given a code, reset, suspended, restored, ended."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import offices
from accounts.models import User
from accounts.permissions import require_role
from accounts.slips import slip_page
from accounts.states import Role

PAGE_SIZE = 50


@login_required
@require_safe
def accounts(request: HttpRequest) -> HttpResponse:
    """Accounts that hold an office, by part of a name and by role."""
    require_role(request.user, Role.OPERATOR)
    search = request.GET.get("search", "").strip()[:80]
    role = request.GET.get("role", "")
    role = role if role in offices.OFFICE_ROLES else ""
    found = offices.accounts(search=search, role=role)
    return render(
        request,
        "accounts/accounts.html",
        {
            "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
            "search": search,
            "role": role,
            "roles": [(one.value, one.label) for one in offices.OFFICE_ROLES],
            "now": timezone.now(),
        },
    )


@login_required
@require_safe
def account(request: HttpRequest, pk: int) -> HttpResponse:
    """One account: what it may act as, whether it can sign in, and what may be done about that."""
    found = offices.access_account(_user(request), pk)
    return render(
        request,
        "accounts/account.html",
        {
            "account": found,
            "memberships": found.active_memberships,
            "office_roles": [role.value for role in offices.OFFICE_ROLES],
            "now": timezone.now(),
        },
    )


@login_required
@never_cache
@require_POST
def activation(request: HttpRequest, pk: int) -> HttpResponse:
    """A new code for an account without a password, shown this once."""
    user = _user(request)
    found = offices.access_account(user, pk)
    issued = offices.issue_code(user=found, actor=user, at=timezone.now())
    return slip_page(request, issued, **_way_back(found))


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def reset(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask first; then end what the account is signed in with, and show the code for a new password."""
    user = _user(request)
    found = offices.access_account(user, pk)
    if request.method == "POST":
        issued = offices.reset(user=found, actor=user, at=timezone.now())
        return slip_page(request, issued, **_way_back(found))
    context = {"who": found, "id_number": found.person.id_number_masked if found.person else ""}
    return render(request, "accounts/reset.html", {**context, **_way_back(found)})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def suspend(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask first; then let nobody in by this account."""
    return _confirmed(request, pk, offices.suspend, "accounts/suspend.html", _("账号已停用。"))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask first; then let this account in again."""
    return _confirmed(request, pk, offices.restore, "accounts/restore.html", _("账号已恢复。"))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask first; then take an office away."""
    user = _user(request)
    membership = offices.access_office(user, pk)
    holder = membership.user
    if request.method == "POST":
        offices.end_office(membership=membership, actor=user, at=timezone.now())
        messages.success(
            request,
            _("%(name)s 不再是%(role)s。") % {"name": holder, "role": membership.get_role_display()},
        )
        return redirect("accounts:account", holder.pk)
    return render(
        request,
        "accounts/end_office.html",
        {"membership": membership, "account": holder, **_way_back(holder)},
    )


def _confirmed(
    request: HttpRequest, pk: int, act: Callable[..., None], template: str, said: str
) -> HttpResponse:
    user = _user(request)
    found = offices.access_account(user, pk)
    if request.method == "POST":
        at: datetime = timezone.now()
        act(user=found, actor=user, at=at)
        messages.success(request, said)
        return redirect("accounts:account", pk)
    return render(request, template, {"account": found, **_way_back(found)})


def _way_back(account: User) -> dict[str, Any]:
    return {"back_url": reverse("accounts:account", args=[account.pk]), "back_label": str(account)}


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # every view here asks for a signed-in person
    return request.user
