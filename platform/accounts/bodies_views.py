"""The operator's pages of training institutions and bureaus."""

from collections.abc import Callable
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
from django.views.decorators.http import require_http_methods, require_safe

from accounts import bodies, offices
from accounts.forms import BureauForm, InstitutionForm, OfficeForm, show_refusal
from accounts.models import Bureau, Institution, Region, User
from accounts.permissions import require_role
from accounts.slips import slip_page
from accounts.states import Department, RegionLevel, Role
from audit.actions import legal_day
from policy.refusals import Refusal

PAGE_SIZE = 50


@login_required
@require_safe
def institutions(request: HttpRequest) -> HttpResponse:
    """Every institution, by part of name or code, and by city."""
    require_role(request.user, Role.OPERATOR)
    search = request.GET.get("search", "").strip()[:80]
    cities = list(Region.objects.filter(level=RegionLevel.CITY))
    city = next((one for one in cities if one.code == request.GET.get("city")), None)
    found = bodies.institutions(search=search, region=city)
    return render(
        request,
        "accounts/institutions.html",
        {
            "page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")),
            "search": search,
            "cities": cities,
            "city": city,
            "today": legal_day(timezone.now()),
        },
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def institution_create(request: HttpRequest) -> HttpResponse:
    """Register an institution."""
    user = require_role(request.user, Role.OPERATOR)
    form = InstitutionForm(request.POST or None)

    def save() -> HttpResponse:
        made = bodies.enter_institution(
            actor=user, credit_code=form.cleaned_data["credit_code"], details=form.details, at=timezone.now()
        )
        messages.success(request, _("登记好了。下一步：给它开一个机构管理员账号。"))
        return redirect("accounts:institution", made.pk)

    return _form_page(request, form, save, "accounts/institution_form.html")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def institution_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep an institution's entry true."""
    user = _user(request)
    institution = bodies.access_institution(user, pk)
    form = InstitutionForm(request.POST or None, institution=institution)

    def save() -> HttpResponse:
        bodies.change_institution(
            institution=institution, actor=user, details=form.details, at=timezone.now()
        )
        messages.success(request, _("机构信息已保存。"))
        return redirect("accounts:institution", pk)

    return _form_page(request, form, save, "accounts/institution_form.html", institution=institution)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def institution(request: HttpRequest, pk: int) -> HttpResponse:
    """One institution and its managers; POST opens an account and shows its code once."""
    found = bodies.access_institution(_user(request), pk)
    return _body_page(request, found, "accounts/institution.html", reverse("accounts:institution", args=[pk]))


@login_required
@require_safe
def bureaus(request: HttpRequest) -> HttpResponse:
    """Every bureau, by part of its name."""
    require_role(request.user, Role.OPERATOR)
    search = request.GET.get("search", "").strip()[:80]
    found = bodies.bureaus(search=search)
    return render(
        request,
        "accounts/bureaus.html",
        {"page": Paginator(found, PAGE_SIZE).get_page(request.GET.get("page")), "search": search},
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def bureau_create(request: HttpRequest) -> HttpResponse:
    """Register a bureau."""
    user = require_role(request.user, Role.OPERATOR)
    form = BureauForm(request.POST or None)

    def save() -> HttpResponse:
        made = bodies.enter_bureau(
            actor=user,
            name=form.cleaned_data["name"],
            department=Department(form.cleaned_data["department"]),
            region=form.cleaned_data["region"],
            at=timezone.now(),
        )
        messages.success(request, _("登记好了。下一步：给它的人开账号。"))
        return redirect("accounts:bureau", made.pk)

    return _form_page(request, form, save, "accounts/bureau_form.html")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def bureau_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a bureau its new name."""
    user = _user(request)
    bureau = bodies.access_bureau(user, pk)
    form = BureauForm(request.POST or None, bureau=bureau)

    def save() -> HttpResponse:
        bodies.rename_bureau(bureau=bureau, actor=user, name=form.cleaned_data["name"], at=timezone.now())
        messages.success(request, _("新名称已保存。"))
        return redirect("accounts:bureau", pk)

    return _form_page(request, form, save, "accounts/bureau_form.html", bureau=bureau)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def bureau(request: HttpRequest, pk: int) -> HttpResponse:
    """One bureau and who holds an office there; POST opens an account and shows its code once."""
    found = bodies.access_bureau(_user(request), pk)
    return _body_page(request, found, "accounts/bureau.html", reverse("accounts:bureau", args=[pk]))


def _form_page(
    request: HttpRequest,
    form: InstitutionForm | BureauForm,
    save: Callable[[], HttpResponse],
    template: str,
    **context: Any,
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            return save()
        except Refusal as refusal:
            show_refusal(form, refusal)
    return render(request, template, {"form": form, **context}, status=400 if form.errors else 200)


def _body_page(request: HttpRequest, body: Institution | Bureau, template: str, address: str) -> HttpResponse:
    form = OfficeForm(request.POST or None, body=body)
    if request.method == "POST" and form.is_valid():
        try:
            _membership, issued = offices.open_office(
                actor=_user(request),
                body=body,
                role=Role(form.cleaned_data["role"]),
                username=form.cleaned_data["username"],
                name=form.cleaned_data["name"],
                at=timezone.now(),
            )
        except Refusal as refusal:
            show_refusal(form, refusal)
        else:
            return slip_page(request, issued, back_url=address, back_label=body.name)
    now = timezone.now()
    return render(
        request,
        template,
        {
            "body": body,
            "holders": list(offices.holders_of(body)),
            "form": form,
            "now": now,
            "today": legal_day(now),
        },
        status=400 if form.errors else 200,
    )


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # every view here asks for a signed-in person
    return request.user
