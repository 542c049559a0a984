"""Pages of the registers: lecturers, institutions, measures, the platform."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Institution, Person, User
from accounts.permissions import require_role
from accounts.refusals import rendered
from accounts.registers import actions, permissions, queries
from accounts.registers.forms import (
    ConditionPaperForm,
    DecisionForm,
    DisqualificationForm,
    EndForm,
    InstitutionOrderForm,
    PaperForm,
    QualificationForm,
    QualificationPaperForm,
    ReportForm,
    show_refusal,
)
from accounts.registers.models import Measure, Qualification
from accounts.registers.states import REQUIRED_DOCUMENTS, QualificationState
from accounts.states import Role
from policy.citations import citation_of
from policy.classes import PlatformField
from policy.refusals import Refusal

PAGE_SIZE = 50
STANDINGS = (
    ("waiting", gettext_lazy("等待确认")),
    ("qualified", gettext_lazy("资格已确认")),
    ("missing", gettext_lazy("没有确认的资格")),
    ("disqualified", gettext_lazy("取消资格")),
)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login_required stands before every view that asks
    return request.user


def _search(request: HttpRequest) -> str:
    return request.GET.get("q", "").strip().replace("\x00", "")[:40]


def _page(request: HttpRequest, rows: QuerySet[Any]) -> Any:
    return Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))


def _tried(request: HttpRequest, form: forms.Form, act: Callable[[], object], said: str) -> int:
    """Do what a valid form asks for, and return 302 when done; else the status to show the form with."""
    if not form.is_valid():
        return 400
    try:
        act()
    except Refusal as refusal:
        show_refusal(form, refusal)
        return refusal.status
    messages.success(request, said)
    return 302


# --- lecturers ---


@login_required
@require_safe
def lecturers(request: HttpRequest) -> HttpResponse:
    """The lecturers one may look up, with how they stand today."""
    user = permissions.require_register(_user(request))
    institutions = permissions.institutions_visible_to(user)
    search, standing = _search(request), request.GET.get("standing", "")
    standing = standing if standing in dict(STANDINGS) else ""
    page = _page(
        request,
        queries.search_lecturers(permissions.lecturers_of(institutions), search=search, standing=standing),
    )
    return render(
        request,
        "registers/lecturers.html",
        {
            "page": page,
            "rows": queries.lecturer_rows(list(page), institutions, on=timezone.localdate()),
            "search": search,
            "standing": standing,
            "standings": STANDINGS,
            "manages": user.has_role(Role.MANAGER),
        },
    )


@login_required
@require_safe
def lecturer(request: HttpRequest, pk: int) -> HttpResponse:
    """One lecturer: qualifications with their papers, measures, and what the norm finds today."""
    user = _user(request)
    person = permissions.access_lecturer(user, pk)
    own = user.person_id == person.pk
    qualifications = Qualification.objects.filter(person=person).select_related("institution")
    if not own:
        qualifications = qualifications.filter(
            institution__in=permissions.institutions_visible_to(user).order_by()
        )
    held = list(qualifications)
    seen = {one.institution_id for one in held}
    institution = _managed(user)
    today = timezone.localdate()
    findings = queries.without_others_figures(queries.judge_lecturer_today(person.pk, today), person.pk, seen)
    return render(
        request,
        "registers/lecturer.html",
        {
            "person": person,
            "qualifications": held,
            "measures": _measures(Measure.objects.filter(person=person)),
            "findings": [finding.render(gettext) for finding in findings],
            "passed": all(finding.passed for finding in findings),
            "qualified": any(one.code == "lecturer_route" and one.passed for one in findings),
            "today": today,
            "enters": institution is not None
            and not any(
                one.institution_id == institution.pk and one.state != QualificationState.CONFIRMED
                for one in held
            ),
            "orders": permissions.office_over_lecturer(user, person) is not None,
            "listed": permissions.sees_registers(user),
        },
    )


def _managed(user: User) -> Institution | None:
    return next((held.institution for held in user.active_memberships if held.role == Role.MANAGER), None)


def _measures(found: QuerySet[Measure]) -> list[Measure]:
    return list(found.select_related("bureau", "ordered_by__person", "ended_by__person"))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest, pk: int) -> HttpResponse:
    """A manager begins the qualification of one of the institution's lecturers."""
    user = _user(request)
    person, institution = permissions.access_lecturer(user, pk), _managed(user)
    if institution is None:
        raise Http404
    return _qualification_form(request, person, institution, None)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct a qualification that is not with the office."""
    row = permissions.access_qualification(request.user, pk)
    if not permissions.manages(request.user, row.institution_id):
        raise Http404
    return _qualification_form(request, row.person, row.institution, row)


def _qualification_form(
    request: HttpRequest, person: Person, institution: Institution, row: Qualification | None
) -> HttpResponse:
    form = QualificationForm(request.POST if request.method == "POST" else None, qualification=row)
    status, done = 200, row
    if request.method == "POST":
        status = 400
        if form.is_valid():
            given: dict[str, Any] = {
                "details": form.details,
                "actor": _user(request),
                "at": timezone.now(),
            }
            try:
                done = (
                    actions.change_qualification(qualification=row, **given)
                    if row
                    else actions.enter_qualification(person=person, institution=institution, **given)
                )
            except Refusal as refusal:
                show_refusal(form, refusal)
                status = refusal.status
            else:
                messages.success(request, _("已保存，请接着传材料。"))
                return redirect("registers:qualification", done.pk)
    return render(
        request,
        "registers/qualification_form.html",
        {"form": form, "person": person, "institution": institution, "qualification": row},
        status=status,
    )


@login_required
@never_cache
@require_safe
def qualification(request: HttpRequest, pk: int) -> HttpResponse:
    """One qualification with its papers; the institution completes it, the office decides."""
    return _qualification_page(request, permissions.access_qualification(request.user, pk))


def _qualification_page(
    request: HttpRequest,
    row: Qualification,
    *,
    paper: forms.Form | None = None,
    decision: forms.Form | None = None,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    user = _user(request)
    papers = list(row.documents.select_related("file"))
    held = {one.kind for one in papers if one.retired_at is None}
    manages = permissions.manages(user, row.institution_id)
    return render(
        request,
        "registers/qualification.html",
        {
            "qualification": row,
            "documents": papers,
            "missing": [kind.label for kind in REQUIRED_DOCUMENTS[row.route] if kind not in held],
            "manages": manages,
            "changes": manages and row.is_open,
            "decides": row.state == QualificationState.SUBMITTED
            and permissions.office_over_institution(user, row.institution) is not None,
            "paper": paper or QualificationPaperForm(),
            "decision": decision or DecisionForm(),
            "refusal": rendered(refusal) if refusal else None,
            "listed": permissions.sees_registers(user),
        },
        status=status,
    )


@login_required
@require_POST
def add_paper(request: HttpRequest, pk: int) -> HttpResponse:
    """Add a document to a qualification."""
    row = permissions.access_qualification(request.user, pk)
    permissions.require_manages(_user(request), row.institution_id)
    form = QualificationPaperForm(request.POST, request.FILES)
    status = _tried(
        request,
        form,
        lambda: actions.add_to_qualification(
            qualification=row,
            kind=form.cleaned_data["kind"],
            paper=form.paper,
            actor=_user(request),
            at=timezone.now(),
        ),
        _("材料已登记。"),
    )
    if status == 302:
        return redirect("registers:qualification", pk)
    return _qualification_page(request, row, paper=form, status=status)


@login_required
@require_POST
def submit(request: HttpRequest, pk: int) -> HttpResponse:
    row = permissions.access_qualification(request.user, pk)
    try:
        actions.submit_qualification(qualification=row, actor=_user(request), at=timezone.now())
    except Refusal as refusal:
        return _qualification_page(request, row, refusal=refusal, status=refusal.status)
    messages.success(request, _("已提交，等经办人员确认。"))
    return redirect("registers:qualification", pk)


@login_required
@require_POST
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    row = permissions.access_qualification(request.user, pk)
    try:
        actions.withdraw_qualification(qualification=row, actor=_user(request), at=timezone.now())
    except Refusal as refusal:
        return _qualification_page(request, row, refusal=refusal, status=refusal.status)
    messages.success(request, _("已撤回，可以修改。"))
    return redirect("registers:qualification", pk)


@login_required
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """An office confirms or returns a qualification."""
    row = permissions.access_qualification(request.user, pk)
    permissions.require_office(permissions.office_over_institution(request.user, row.institution), rule="T1")
    form = DecisionForm(request.POST)
    confirmed = request.POST.get("confirmed") == "yes"
    status = _tried(
        request,
        form,
        lambda: actions.decide_qualification(
            qualification=row,
            confirmed=confirmed,
            reason="" if confirmed else form.cleaned_data["reason"],
            actor=_user(request),
            at=timezone.now(),
        ),
        _("资格已确认。") if confirmed else _("已退回，机构会看到理由。"),
    )
    if status == 302:
        return redirect("registers:qualification", pk)
    return _qualification_page(request, row, decision=form, status=status)


@login_required
@never_cache
@require_safe
def picture(request: HttpRequest, pk: int) -> HttpResponse:
    """The picture of a document, to who may see it; the look is recorded."""
    document = permissions.access_document(request.user, pk)
    data = actions.open_picture(document=document, actor=_user(request), at=timezone.now())
    return HttpResponse(data, content_type="image/jpeg", headers={"Content-Disposition": "inline"})


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that a document no longer counts, after one has read what that means."""
    document = permissions.access_document(request.user, pk)
    permissions.require_keeper(_user(request), document)
    if document.qualification_id:
        back = reverse("registers:qualification", args=[document.qualification_id])
    elif document.institution_id:
        back = reverse("registers:institution", args=[document.institution_id])
    else:
        back = reverse("registers:platform")
    refusal, status = None, 200
    if request.method == "POST":
        try:
            actions.retire_document(document=document, actor=_user(request), at=timezone.now())
        except Refusal as refused:
            refusal, status = rendered(refused), refused.status
        else:
            messages.success(request, _("这份材料已作废，记录还在。"))
            return redirect(back)
    context = {"document": document, "back_url": back, "refusal": refusal}
    return render(request, "registers/retire.html", context, status=status)


# --- measures ---


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def disqualify(request: HttpRequest, pk: int) -> HttpResponse:
    """An office cancels a lecturer's qualification."""
    user = _user(request)
    person = permissions.access_lecturer(user, pk)
    if permissions.office_over_lecturer(user, person) is None:
        raise Http404
    form = DisqualificationForm(
        request.POST if request.method == "POST" else None, initial={"since": timezone.localdate()}
    )
    return _order(
        request,
        form,
        lambda: actions.disqualify_lecturer(person=person, order=form.order, actor=user, at=timezone.now()),
        title=_("取消讲师资格"),
        against=person.name,
        back=reverse("registers:lecturer", args=[pk]),
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def order(request: HttpRequest, pk: int) -> HttpResponse:
    """An office orders an institution to correct itself, or strikes it off."""
    user = _user(request)
    institution = permissions.access_institution(user, pk)
    if permissions.office_over_institution(user, institution) is None:
        raise Http404
    return _institution_order(
        request, institution, institution.name, reverse("registers:institution", args=[pk])
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def order_platform(request: HttpRequest) -> HttpResponse:
    """A provincial office does the same to the platform."""
    if permissions.office_over_platform(request.user) is None:
        raise Http404
    return _institution_order(request, None, _("本平台"), reverse("registers:platform"))


def _institution_order(
    request: HttpRequest, institution: Institution | None, against: str, back: str
) -> HttpResponse:
    form = InstitutionOrderForm(
        request.POST if request.method == "POST" else None, initial={"since": timezone.localdate()}
    )
    return _order(
        request,
        form,
        lambda: actions.order_institution(
            institution=institution, order=form.order, actor=_user(request), at=timezone.now()
        ),
        title=_("登记管理措施"),
        against=against,
        back=back,
    )


def _order(
    request: HttpRequest,
    form: forms.Form,
    act: Callable[[], Measure],
    *,
    title: str,
    against: str,
    back: str,
) -> HttpResponse:
    status = 200
    if request.method == "POST":
        status = _tried(request, form, act, _("已登记，按生效日期起作用。"))
        if status == 302:
            return redirect(back)
    return render(
        request,
        "registers/measure_form.html",
        {"form": form, "title": title, "against": against, "back_url": back},
        status=status,
    )


@login_required
@require_safe
def measure(request: HttpRequest, pk: int) -> HttpResponse:
    """One measure, and its lifting."""
    return _measure_page(request, permissions.access_measure(request.user, pk), EndForm())


def _measure_page(request: HttpRequest, row: Measure, form: forms.Form, status: int = 200) -> HttpResponse:
    user = _user(request)
    sees = permissions.sees_registers(user)
    back = (
        reverse("registers:lecturer", args=[row.person_id])
        if row.person_id
        else reverse("registers:institution", args=[row.institution_id])
        if row.institution_id
        else reverse("registers:platform")
    )
    return render(
        request,
        "registers/measure.html",
        {
            "measure": row,
            "form": form,
            "ends": row.ended_on is None and permissions.office_over(user, row) is not None,
            "in_force": row.is_in_force(timezone.localdate()),
            "owner_url": back if sees or row.person_id == user.person_id else "",
        },
        status=status,
    )


@login_required
@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """An office lifts a measure."""
    row = permissions.access_measure(request.user, pk)
    permissions.require_office(permissions.office_over(request.user, row), rule=row.row)
    form = EndForm(request.POST)
    status = _tried(
        request,
        form,
        lambda: actions.end_measure(
            measure=row, reason=form.cleaned_data["reason"], actor=_user(request), at=timezone.now()
        ),
        _("已解除，今天起不再起作用。"),
    )
    return redirect("registers:measure", pk) if status == 302 else _measure_page(request, row, form, status)


@require_safe
def announcements(request: HttpRequest) -> HttpResponse:
    """Disqualified lecturers announced across the province, for everybody (L7)."""
    context = {"page": _page(request, queries.announced()), "citation": citation_of("L7")}
    return render(request, "registers/announcements.html", context)


# --- institutions ---


@login_required
@require_safe
def institutions(request: HttpRequest) -> HttpResponse:
    """The institutions one may look up, with their designation and measures today."""
    user = permissions.require_register(_user(request))
    search = _search(request)
    page = _page(
        request,
        queries.search_institutions(permissions.institutions_visible_to(user), search=search),
    )
    return render(
        request,
        "registers/institutions.html",
        {
            "page": page,
            "rows": queries.institution_rows(list(page), on=timezone.localdate()),
            "search": search,
        },
    )


@login_required
@require_safe
def institution(request: HttpRequest, pk: int) -> HttpResponse:
    """One institution: designation with its documents, measures."""
    return _institution_page(request, permissions.access_institution(request.user, pk), PaperForm())


def _institution_page(
    request: HttpRequest, row: Institution, form: forms.Form, status: int = 200
) -> HttpResponse:
    user = _user(request)
    orders = permissions.office_over_institution(user, row) is not None
    return render(
        request,
        "registers/institution.html",
        {
            "institution": row,
            "today": timezone.localdate(),
            "is_designated": row.is_designated_on(timezone.localdate()),
            "documents": list(row.documents.select_related("file")),
            "measures": _measures(Measure.objects.filter(institution=row)),
            "orders": orders,
            "adds": orders or user.has_role(Role.OPERATOR),
            "paper": form,
        },
        status=status,
    )


@login_required
@require_POST
def add_designation(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a designation document on file."""
    row, user = permissions.access_institution(request.user, pk), _user(request)
    if not user.has_role(Role.OPERATOR):
        permissions.require_office(permissions.office_over_institution(user, row), rule="I1")
    form = PaperForm(request.POST, request.FILES)
    status = _tried(
        request,
        form,
        lambda: actions.add_to_institution(institution=row, paper=form.paper, actor=user, at=timezone.now()),
        _("材料已登记。"),
    )
    return (
        redirect("registers:institution", pk)
        if status == 302
        else _institution_page(request, row, form, status)
    )


# --- the platform ---


@require_safe
def platform(request: HttpRequest) -> HttpResponse:
    """The platform's five facts and nine conditions, for everybody (N2, P0-P5)."""
    return _platform_page(request, ConditionPaperForm())


def _platform_page(request: HttpRequest, form: forms.Form, status: int = 200) -> HttpResponse:
    user = request.user if isinstance(request.user, User) else None
    operates = user is not None and user.has_role(Role.OPERATOR)
    whole, conditions = queries.platform_conditions(timezone.localdate())
    report = queries.current_report()
    measures = Measure.objects.filter(person__isnull=True, institution__isnull=True)
    return render(
        request,
        "registers/platform.html",
        {
            "report": report,
            "fields": [
                (_(field.label), getattr(report, field.value) if report else "") for field in PlatformField
            ],
            "complete": queries.report_finding(report).passed,
            "whole": whole,
            "today": timezone.localdate(),
            "said": whole.render(gettext)["message"],
            "conditions": conditions,
            "measures": _measures(measures),
            "operates": operates,
            # Figures and pictures are for those who supervise, and for who runs it.
            "figures": operates or (user is not None and user.has_role(Role.OFFICER, Role.REGULATOR)),
            "opens": operates or bool(permissions.offices_of(request.user)),
            "orders": permissions.office_over_platform(request.user) is not None,
            "paper": form,
        },
        status=status,
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """The operator enters the five facts."""
    user = require_role(request.user, Role.OPERATOR)
    form = ReportForm(request.POST if request.method == "POST" else None, report=queries.current_report())
    status = 200
    if request.method == "POST":
        status = _tried(
            request,
            form,
            lambda: actions.save_report(fields=form.given, actor=user, at=timezone.now()),
            _("已保存，以前的版本留着。"),
        )
        if status == 302:
            return redirect("registers:platform")
    return render(request, "registers/platform_report.html", {"form": form}, status=status)


@login_required
@require_POST
def add_condition(request: HttpRequest) -> HttpResponse:
    """The operator puts the evidence of a condition on file."""
    user = require_role(request.user, Role.OPERATOR)
    form = ConditionPaperForm(request.POST, request.FILES)
    status = _tried(
        request,
        form,
        lambda: actions.add_to_platform(
            row=form.cleaned_data["row"], paper=form.paper, actor=user, at=timezone.now()
        ),
        _("材料已登记。"),
    )
    return redirect("registers:platform") if status == 302 else _platform_page(request, form, status)
