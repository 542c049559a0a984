"""The roster's page: who is in, the template, the import and what was wrong with it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.refusals import rendered
from classes import actions, permissions, queries
from classes.api import xlsx_response
from classes.forms import RosterForm
from classes.models import TrainingClass
from classes.rosters import HEADERS, marked_workbook, template_workbook
from classes.states import EDITABLE_STATES
from policy.refusals import Refusal


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def roster(request: HttpRequest, pk: int) -> HttpResponse:
    """The roster; POST imports a file, all of it or nothing."""
    user = _user(request)
    training_class = permissions.access_class(user, pk)
    if not permissions.sees_roster(user, training_class):
        permissions.require_manage(user, training_class)
    if request.method != "POST":
        return _page(request, training_class, form=RosterForm())
    permissions.require_manage(user, training_class)
    form = RosterForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, training_class, form=form, status=400)
    upload = form.cleaned_data["file"]
    try:
        result = actions.import_roster(
            training_class=training_class, content=upload.read(), actor=user, at=timezone.now()
        )
    except Refusal as refusal:
        return _page(
            request,
            training_class,
            form=RosterForm(),
            refusal=rendered(refusal),
            faults=list(refusal.details.get("rejected", ())),  # type: ignore[call-overload]
            filename=upload.name,
            size=upload.size,
            status=refusal.status,
        )
    messages.success(
        request,
        ngettext("导入了 %(count)s 名学员。", "导入了 %(count)s 名学员。", result.accepted)
        % {"count": result.accepted},
    )
    return redirect("classes:roster", pk)


def _page(
    request: HttpRequest, training_class: TrainingClass, *, status: int = 200, **context: Any
) -> HttpResponse:
    manages = permissions.can_manage(_user(request), training_class)
    faults = [fault.render(gettext) for fault in context.pop("faults", [])]
    return render(
        request,
        "classes/roster.html",
        {
            "training_class": training_class,
            "roster": list(queries.roster_of(training_class)),
            "manages": manages,
            "editable": manages and training_class.state in EDITABLE_STATES,
            "headers": HEADERS,
            "faults": faults,
            "wrong_rows": len({fault["row"] for fault in faults if fault["row"]}),
            **context,
        },
        status=status,
    )


@login_required
@require_safe
def template(request: HttpRequest, pk: int) -> HttpResponse:
    """The empty roster to fill in."""
    permissions.access_class(_user(request), pk)
    return xlsx_response(template_workbook(), "roster-template.xlsx")


@login_required
@require_POST
def marked(request: HttpRequest, pk: int) -> HttpResponse:
    """The file that was sent, with every faulty cell red and a note in it; nothing is stored."""
    user = _user(request)
    training_class = permissions.access_class(user, pk)
    permissions.require_manage(user, training_class)
    form = RosterForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, training_class, form=form, status=400)
    content = form.cleaned_data["file"].read()
    try:
        result = actions.import_roster(
            training_class=training_class, content=content, actor=user, at=timezone.now(), dry_run=True
        )
    except Refusal as refusal:
        return _page(
            request, training_class, form=RosterForm(), refusal=rendered(refusal), status=refusal.status
        )
    return xlsx_response(marked_workbook(content, result.rejected, gettext), "roster-marked.xlsx")


@login_required
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one trainee off the roster."""
    user = _user(request)
    enrolment = permissions.access_enrolment(user, pk)
    actions.remove_trainee(enrolment=enrolment, actor=user, at=timezone.now())
    messages.success(request, _("已移出 %(name)s。") % {"name": enrolment.person.name})
    return redirect("classes:roster", enrolment.training_class_id)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # every view here asks for a signed-in person
    return request.user
