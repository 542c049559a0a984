"""The roster's page: who is in, the template, and the import in two steps: look first, then import."""

import base64
from collections.abc import Sequence
from typing import Any

import segno
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.refusals import rendered
from classes import actions, permissions, previews, queries
from classes.api import XLSX, xlsx_response
from classes.forms import RosterForm
from classes.models import TrainingClass
from classes.previews import Preview
from classes.rosters import HEADERS, faults_workbook, marked_workbook, template_workbook
from classes.states import EDITABLE_STATES, EnrolmentState
from exchange.xlsx.tables import table_file
from policy.refusals import Refusal

PAGE_SIZE = 50


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def roster(request: HttpRequest, pk: int) -> HttpResponse:
    """The roster; POST reads a file and leads to its preview, or says why it cannot be opened."""
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
    content = upload.read()
    try:
        _dry_run(user, training_class, content)
    except Refusal as refusal:
        return _refused(request, training_class, refusal, upload.name, upload.size)
    token = previews.keep(training_class=training_class, actor=user, filename=upload.name, content=content)
    return redirect("classes:roster_preview", pk, token)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def preview(request: HttpRequest, pk: int, token: str) -> HttpResponse:
    """What a file holds and what would come of it; POST imports it, all of it or nothing."""
    user, training_class, kept = _kept(request, pk, token)
    if kept is None:
        return _gone(request, pk)
    try:
        if request.method != "POST":
            result = _dry_run(user, training_class, kept.content)
            return _preview_page(request, training_class, kept, result)
        result = actions.import_roster(
            training_class=training_class, content=kept.content, actor=user, at=timezone.now()
        )
    except Refusal as refusal:
        if refusal.code == "roster_rejected":  # what it found is on the preview itself
            result = _dry_run(user, training_class, kept.content)
            return _preview_page(request, training_class, kept, result, status=refusal.status)
        return _refused(request, training_class, refusal, kept.filename, len(kept.content))
    previews.forget(token)
    messages.success(
        request,
        ngettext("导入了 %(count)s 名学员。", "导入了 %(count)s 名学员。", result.accepted)
        % {"count": result.accepted},
    )
    return redirect("classes:roster", pk)


@login_required
@require_safe
def faults(request: HttpRequest, pk: int, token: str) -> HttpResponse:
    """The list of everything that is wrong with the file."""
    user, training_class, kept = _kept(request, pk, token)
    if kept is None:
        return _gone(request, pk)
    result = _dry_run(user, training_class, kept.content)
    return xlsx_response(faults_workbook(result.rejected, gettext), "roster-faults.xlsx")


@login_required
@require_safe
def marked(request: HttpRequest, pk: int, token: str) -> HttpResponse:
    """The file itself, with every faulty cell red and a note in it."""
    user, training_class, kept = _kept(request, pk, token)
    if kept is None:
        return _gone(request, pk)
    result = _dry_run(user, training_class, kept.content)
    try:
        content = marked_workbook(kept.content, result.rejected, gettext)
    except Refusal as refusal:
        return _preview_page(request, training_class, kept, result, refusal=refusal, status=refusal.status)
    return xlsx_response(content, "roster-marked.xlsx")


@login_required
@require_safe
def template(request: HttpRequest, pk: int) -> HttpResponse:
    """The empty roster to fill in."""
    permissions.access_class(_user(request), pk)
    return xlsx_response(template_workbook(), "roster-template.xlsx")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask whether to take one trainee off the roster; then (POST) do it."""
    user = _user(request)
    enrolment = permissions.access_enrolment(user, pk)
    if request.method != "POST":
        permissions.require_manage(user, enrolment.training_class)
        permissions.require_editable(enrolment.training_class)
        if enrolment.state != EnrolmentState.ACTIVE:
            return redirect("classes:roster", enrolment.training_class_id)
        context = {"enrolment": enrolment, "training_class": enrolment.training_class}
        return render(request, "classes/remove_trainee.html", context)
    actions.remove_trainee(enrolment=enrolment, actor=user, at=timezone.now())
    messages.success(request, _("已移出 %(name)s。") % {"name": enrolment.person.name})
    return redirect("classes:roster", enrolment.training_class_id)


@login_required
@never_cache
@require_POST
def activation_sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """The printable slips of everybody who has no password yet: new codes, shown this once."""
    user = _user(request)
    training_class = permissions.access_class(user, pk)
    slips = actions.issue_codes(training_class=training_class, actor=user, at=timezone.now())
    return _slips_page(request, training_class, slips)


@login_required
@never_cache
@require_POST
def activation(request: HttpRequest, pk: int) -> HttpResponse:
    """One trainee's slip with a new code; the one before is void."""
    user = _user(request)
    enrolment = permissions.access_enrolment(user, pk)
    if enrolment.state != EnrolmentState.ACTIVE or not hasattr(enrolment.person, "user"):
        raise Http404
    slips = actions.issue_codes(
        training_class=enrolment.training_class, actor=user, at=timezone.now(), enrolment=enrolment
    )
    return _slips_page(request, enrolment.training_class, slips)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def reset(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask first; then end what a trainee was signed in with, and show the slip for a new password."""
    user = _user(request)
    enrolment = permissions.access_enrolment(user, pk)
    training_class = enrolment.training_class
    if enrolment.state != EnrolmentState.ACTIVE or not hasattr(enrolment.person, "user"):
        raise Http404
    permissions.require_manage(user, training_class)
    permissions.require_trainee_account(enrolment.person.user, training_class)
    if request.method == "POST":
        slip = actions.reset_password(enrolment=enrolment, actor=user, at=timezone.now())
        return _slips_page(request, training_class, [slip])
    return render(
        request,
        "accounts/reset.html",
        {
            "who": enrolment.person,
            "id_number": enrolment.person.id_number_masked,
            "back_url": reverse("classes:roster", args=[training_class.pk]),
            "back_label": gettext("花名册"),
        },
    )


def _slips_page(
    request: HttpRequest, training_class: TrainingClass, slips: Sequence[actions.Slip]
) -> HttpResponse:
    """The slips, and the same as a table inside the page: codes are kept nowhere for a second request."""
    entry = request.build_absolute_uri(reverse("accounts:activate"))
    table = table_file(
        gettext("激活码"),
        [gettext("姓名"), gettext("身份证号"), gettext("用户名"), gettext("激活码"), gettext("有效期至")],
        [
            (
                slip.enrolment.person.name,
                slip.enrolment.person.id_number_masked,
                slip.issued.user.username,
                slip.issued.code,
                f"{timezone.localtime(slip.issued.valid_until):%Y-%m-%d %H:%M}",
            )
            for slip in slips
        ],
    )
    return render(
        request,
        "classes/activation.html",
        {
            "training_class": training_class,
            "slips": [(slip, _qr(f"{entry}?user={slip.issued.user.username}")) for slip in slips],
            "entry": entry,
            "workbook": f"data:{XLSX};base64,{base64.b64encode(table).decode()}",
            "back_url": reverse("classes:roster", args=[training_class.pk]),
        },
    )


def _qr(address: str) -> str:
    return str(segno.make(address, error="m").svg_data_uri(scale=3, border=2, dark="#1d2430"))


def _dry_run(user: User, training_class: TrainingClass, content: bytes) -> actions.RosterImport:
    return actions.import_roster(
        training_class=training_class, content=content, actor=user, at=timezone.now(), dry_run=True
    )


def _kept(request: HttpRequest, pk: int, token: str) -> tuple[User, TrainingClass, Preview | None]:
    user = _user(request)
    training_class = permissions.access_class(user, pk)
    permissions.require_manage(user, training_class)
    return user, training_class, previews.find(training_class=training_class, actor=user, token=token)


def _gone(request: HttpRequest, pk: int) -> HttpResponse:
    messages.info(request, _("预览已过期，请重新上传。上传的表最多留 30 分钟。"))
    return redirect("classes:roster", pk)


def _page(
    request: HttpRequest, training_class: TrainingClass, *, status: int = 200, **context: Any
) -> HttpResponse:
    manages = permissions.can_manage(_user(request), training_class)
    roster = list(queries.roster_of(training_class).select_related("person__user__activation"))
    people = [one.person_id for one in roster]
    of_others = permissions.accounts_of_others(training_class, people) if manages else set()
    return render(
        request,
        "classes/roster.html",
        {
            "training_class": training_class,
            "roster": roster,
            "manages": manages,
            "of_others": of_others,
            "to_activate": sum(
                hasattr(one.person, "user") and not one.person.user.has_usable_password()
                for one in roster
                if one.person_id not in of_others
            ),
            "now": timezone.now(),
            "editable": manages and training_class.state in EDITABLE_STATES,
            "headers": HEADERS,
            **context,
        },
        status=status,
    )


def _refused(
    request: HttpRequest, training_class: TrainingClass, refusal: Refusal, filename: str, size: int
) -> HttpResponse:
    return _page(
        request,
        training_class,
        form=RosterForm(),
        refusal=rendered(refusal),
        filename=filename,
        size=size,
        status=refusal.status,
    )


def _preview_page(
    request: HttpRequest,
    training_class: TrainingClass,
    kept: Preview,
    result: actions.RosterImport,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    wrong = Paginator(result.rejected, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(
        request,
        "classes/roster_preview.html",
        {
            "training_class": training_class,
            "preview": kept,
            "size": len(kept.content),
            "result": result,
            "sound": not result.rejected,
            "page": wrong
            if result.rejected
            else Paginator(result.rows, PAGE_SIZE).get_page(request.GET.get("page")),
            "faults": [fault.render(gettext) for fault in wrong],
            "wrong_rows": result.wrong_rows,
            "refusal": rendered(refusal) if refusal else None,
            "form": RosterForm(),
        },
        status=status,
    )


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # every view here asks for a signed-in person
    return request.user
