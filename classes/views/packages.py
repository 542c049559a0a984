"""The package for the provincial system: its progress, the file, its manifest, another attempt."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from classes import actions, permissions, queries
from classes.api import xlsx_response
from classes.models import Filing
from classes.packages import manifest_of


@login_required
@require_safe
def package(request: HttpRequest, pk: int) -> HttpResponse:
    """The file; every download is recorded."""
    user, filing = _filing(request, pk)
    content = actions.read_package(filing=filing, actor=user, at=timezone.now())
    return xlsx_response(content, f"filing-{filing.pk}.xlsx")


@login_required
@require_safe
def state(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the package is, as the part of the page that shows it."""
    user, filing = _filing(request, pk)
    return render(
        request,
        "classes/_package.html",
        {"filing": filing, "training_class": filing.training_class, "may_retry": _may_have(user, filing)},
    )


@login_required
@require_safe
def manifest(request: HttpRequest, pk: int) -> HttpResponse:
    """The manifest file: SHA-256 of the package and of each of its sheets. Holds nobody's data."""
    _user, filing = _filing(request, pk)
    answer = JsonResponse(manifest_of(filing), json_dumps_params={"ensure_ascii": False, "indent": 2})
    answer["Content-Disposition"] = f'attachment; filename="filing-{filing.pk}.manifest.json"'
    return answer


@login_required
@require_POST
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a package that failed written again."""
    user, filing = _filing(request, pk)
    actions.retry_package(filing=filing, actor=user)
    return redirect("classes:filing", pk)


def _filing(request: HttpRequest, pk: int) -> tuple[User, Filing]:
    assert isinstance(request.user, User)  # every view here asks for a signed-in person
    training_class = permissions.access_class(request.user, pk)
    if not permissions.sees_filing(request.user, training_class):
        permissions.require_manage(request.user, training_class)
    filing = queries.live_filing(training_class)
    if filing is None:
        raise Http404
    return request.user, filing


def _may_have(user: User, filing: Filing) -> bool:
    training_class = filing.training_class
    return permissions.can_manage(user, training_class) or permissions.can_decide(user, training_class)
