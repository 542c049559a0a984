"""The institution's desk: inbox, registration, screening, assignment, waiting list (F4-F6, P8)."""

from collections import defaultdict
from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Institution, User
from accounts.refusals import rendered
from accounts.slips import slip_page
from classes.actions import free_places
from classes.models import CATEGORIES, TrainingClass
from classes.permissions import access_class, require_manage
from classes.recruitment import actions, queries, questionnaires
from classes.recruitment.forms import (
    FIELD_OF_REFUSAL,
    AssignForm,
    LateDocumentForm,
    NoteForm,
    QuestionnaireForm,
    ReasonForm,
    RejudgeForm,
    show_refusal,
)
from classes.recruitment.models import Registration
from classes.recruitment.permissions import access_registration, require_institution
from classes.recruitment.queries import InboxFilter
from classes.recruitment.standing import next_for_office
from classes.recruitment.states import REGISTRATION_MOVES, RegistrationState, Source
from classes.recruitment.views.own import document_page
from courses.models import Course
from policy.refusals import Refusal
from policy.words import whole_number

PAGE_SIZE = 50
FILTERS = ("state", "course", "campaign", "category", "source", "search")


def _manager(request: HttpRequest) -> tuple[User, Institution]:
    assert isinstance(request.user, User)  # login_required stands before every view here
    return request.user, require_institution(request.user)


@login_required
@never_cache
@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """Registrations with filters, search, pages, and several assigned at once."""
    _user, institution = _manager(request)
    wanted = InboxFilter(**{name: request.GET.get(name, "")[:40] for name in FILTERS})
    page = Paginator(queries.inbox(institution, wanted), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = list(page)
    by_type: dict[str, list[bytes]] = defaultdict(list)
    for row in rows:
        by_type[row.course.course_type].append(bytes(row.id_number_index))
    elsewhere = {
        (course_type, index)
        for course_type, indexes in by_type.items()
        for index in queries.known_elsewhere(indexes, institution_id=institution.pk, course_type=course_type)
    }
    counts = queries.inbox_counts(institution)
    return render(
        request,
        "recruitment/inbox.html",
        {
            "page": page,
            "rows": [
                (
                    row,
                    queries.latest_screening(row),
                    (row.course.course_type, bytes(row.id_number_index)) in elsewhere,
                )
                for row in rows
            ],
            "wanted": wanted,
            "filtered": any(getattr(wanted, name) for name in FILTERS),
            "chips": _chips(wanted),
            "states": [(state, counts.get(state.value, 0)) for state in RegistrationState],
            "categories": CATEGORIES,
            "sources": Source.choices,
            "courses": Course.objects.filter(registrations__institution=institution).distinct(),
            "assign": AssignForm(institution=institution),
            "total": sum(counts.values()),
        },
    )


def _chips(wanted: InboxFilter) -> list[tuple[str, str]]:
    """(what is filtered, the address without it) for every active filter."""
    active = {name: getattr(wanted, name) for name in FILTERS if getattr(wanted, name)}
    labels = {
        **{("state", state.value): str(state.label) for state in RegistrationState},
        **{("category", code): str(label) for code, label in CATEGORIES},
        **{("source", source.value): str(source.label) for source in Source},
    }
    course = whole_number(wanted.course)
    if course is not None:
        names = Course.objects.filter(pk=course).values_list("name", flat=True)
        labels["course", wanted.course] = names.first() or wanted.course
    found = []
    for name, value in active.items():
        label = labels.get((name, value), value)
        rest = urlencode({key: each for key, each in active.items() if key != name})
        found.append((label, f"?{rest}"))
    return found


@login_required
@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """Assign the ticked registrations to one class; who no longer fits goes onto the waiting list."""
    user, institution = _manager(request)
    form = AssignForm(request.POST, institution=institution)
    picked = [pk for pk in map(whole_number, request.POST.getlist("picked")) if pk is not None][:PAGE_SIZE]
    registrations = list(
        queries.registrations_with_all().filter(institution=institution, pk__in=picked).order_by("pk")
    )
    if not registrations or not form.is_valid():
        messages.error(request, _("请先勾选学员，再选一个班。"))
        return redirect("recruitment:inbox")
    placement = actions.assign_many(
        registrations=registrations,
        training_class=form.cleaned_data["training_class"],
        actor=user,
        at=timezone.now(),
    )
    _report(request, placement)
    return redirect("recruitment:inbox")


def _report(request: HttpRequest, placement: actions.Placement) -> None:
    """Say what became of everybody, by name where somebody was left out."""
    if placement.assigned:
        count = len(placement.assigned)
        messages.success(
            request, ngettext("已分班 %(count)s 人。", "已分班 %(count)s 人。", count) % {"count": count}
        )
    if placement.waiting:
        count = len(placement.waiting)
        messages.warning(
            request,
            ngettext("名额满了，%(count)s 人进候补名单。", "名额满了，%(count)s 人进候补名单。", count)
            % {"count": count},
        )
    for registration, refusal in placement.refused:
        body = rendered(refusal)
        messages.error(
            request,
            _("%(name)s没有分班：%(why)s")
            % {"name": registration.name, "why": body["message"] + body["details"]["next"]},
        )


@login_required
@never_cache
@require_safe
def registration(request: HttpRequest, pk: int) -> HttpResponse:
    """One registration with everything the institution decides about it."""
    return _registration_page(request, access_registration(request.user, pk))


def _registration_page(
    request: HttpRequest, found: Registration, *, status: int = 200, **context: object
) -> HttpResponse:
    screening = queries.latest_screening(found)
    fitting = found.fitting_course
    index = bytes(found.id_number_index)
    elsewhere = queries.known_elsewhere(
        [index], institution_id=found.institution_id, course_type=found.course.course_type
    )
    verbs = set(REGISTRATION_MOVES[found.state])
    account = found.person.user if found.person is not None and hasattr(found.person, "user") else None
    return render(
        request,
        "recruitment/registration.html",
        {
            "registration": found,
            "phone": found.open_phone(),
            "next": next_for_office(found),
            "screening": screening,
            "questionnaire": _asked(screening.questionnaire, screening.answers) if screening else [],
            "documents": list(queries.evidence_of(found.institution_id, index)),
            "notes": found.notes.select_related("written_by__person"),
            "doubles": list(queries.duplicates_here(found)),
            "elsewhere": bool(elsewhere),
            "verbs": verbs,
            "account": account,
            "can_rejudge": found.state in (RegistrationState.SCREENED, RegistrationState.WAITING),
            "assign": AssignForm(
                institution=found.institution, course_type=fitting.course_type if fitting else "?"
            ),
            "reject": ReasonForm(),
            "note": NoteForm(),
            "rejudge": RejudgeForm(registration=found),
            **context,
        },
        status=status,
    )


def _asked(version: str, answers: dict[str, str]) -> list[tuple[str, str, int]]:
    """(question, answer, points) of an answered questionnaire, as it was asked."""
    found = []
    for question in questionnaires.questionnaire(version).questions:
        option = question.option(answers[question.id])
        assert option is not None  # judged when it was answered
        found.append((question.text, option.text, option.points))
    return found


@login_required
@require_POST
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Assign, let wait, turn down, take up again, or take off the roster (`verb`)."""
    user, institution = _manager(request)
    found = access_registration(user, pk)
    verb = request.POST.get("verb", "")
    at = timezone.now()
    if verb == "assign":
        form = AssignForm(request.POST, institution=institution)
        if not form.is_valid():
            return _registration_page(request, found, assign=form, status=400)
        return _attempt(
            request,
            found,
            lambda: actions.assign(
                registration=found,
                training_class=form.cleaned_data["training_class"],
                actor=user,
                at=at,
            ),
            _("已分班。"),
        )
    if verb == "reject":
        reason = ReasonForm(request.POST)
        if not reason.is_valid():
            return _registration_page(request, found, reject=reason, status=400)
        try:
            actions.reject(registration=found, reason=reason.cleaned_data["reason"], actor=user, at=at)
        except Refusal as refusal:
            show_refusal(reason, refusal, FIELD_OF_REFUSAL.get(refusal.code))
            return _registration_page(request, found, reject=reason, status=refusal.status)
        messages.success(request, _("已答复：不录取，学员能看到理由。"))
        return redirect("recruitment:registration", pk)
    steps: dict[str, tuple[Callable[..., Registration], str]] = {
        "wait": (actions.put_on_waiting_list, _("已放入候补名单。")),
        "reopen": (actions.reopen, _("已重新受理，请先筛选。")),
        "release": (actions.release, _("已移出花名册，可以另行分班。")),
    }
    if verb not in steps:
        return redirect("recruitment:registration", pk)
    step, said = steps[verb]
    return _attempt(request, found, lambda: step(registration=found, actor=user, at=at), said)


def _attempt(
    request: HttpRequest, found: Registration, step: Callable[[], Registration], said: str
) -> HttpResponse:
    try:
        step()
    except Refusal as refusal:
        return _registration_page(request, found, refusal=rendered(refusal), status=refusal.status)
    messages.success(request, said)
    return redirect("recruitment:registration", found.pk)


@login_required
@require_POST
def note(request: HttpRequest, pk: int) -> HttpResponse:
    """Write a remark about a registration."""
    user, _institution = _manager(request)
    found = access_registration(user, pk)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _registration_page(request, found, note=form, status=400)
    actions.add_note(registration=found, text=form.cleaned_data["text"], actor=user, at=timezone.now())
    messages.success(request, _("备注已保存。"))
    return redirect("recruitment:registration", pk)


@login_required
@require_POST
def rejudge(request: HttpRequest, pk: int) -> HttpResponse:
    """Judge otherwise than the questionnaire, with a reason."""
    user, _institution = _manager(request)
    found = access_registration(user, pk)
    form = RejudgeForm(request.POST, registration=found)
    if not form.is_valid():
        return _registration_page(request, found, rejudge=form, status=400)
    try:
        actions.rejudge(registration=found, actor=user, at=timezone.now(), **form.cleaned_data)
    except Refusal as refusal:
        show_refusal(form, refusal, FIELD_OF_REFUSAL.get(refusal.code))
        return _registration_page(request, found, rejudge=form, status=refusal.status)
    messages.success(request, _("已改判，理由已留痕。"))
    return redirect("recruitment:registration", pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def screening(request: HttpRequest, pk: int) -> HttpResponse:
    """The questionnaire asked by the staff, in person or over the phone."""
    user, _institution = _manager(request)
    found = access_registration(user, pk)
    questions = questionnaires.for_course(found.course.course_type)
    before = queries.latest_screening(found)
    form = QuestionnaireForm(
        request.POST if request.method == "POST" else None,
        questionnaire=questions,
        initial=before.answers if before else None,
    )
    if "screen" not in REGISTRATION_MOVES[found.state] and request.method != "POST":
        return redirect("recruitment:registration", pk)
    if request.method == "POST" and form.is_valid():
        actions.answer_questionnaire(
            registration=found, answers=form.cleaned_data, actor=user, at=timezone.now()
        )
        messages.success(request, _("筛选结果已保存。"))
        return redirect("recruitment:registration", pk)
    return render(
        request,
        "recruitment/questionnaire.html",
        {"form": form, "questionnaire": questions, "registration": found, "by_staff": True},
        status=400 if form.errors else 200,
    )


@login_required
@never_cache
@require_POST
def activation(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the code with which an assigned trainee sets a password; it is on record that it was shown."""
    user, _institution = _manager(request)
    found = access_registration(user, pk)
    try:
        issued = actions.issue_code(registration=found, actor=user, at=timezone.now())
    except Refusal as refusal:
        return _registration_page(request, found, refusal=rendered(refusal), status=refusal.status)
    back_url = reverse("recruitment:registration", args=[found.pk])
    return slip_page(request, issued, back_url=back_url, back_label=found.name)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def hand_in(request: HttpRequest, pk: int) -> HttpResponse:
    """Enter a document that the applicant brought along."""
    user, _institution = _manager(request)
    found = access_registration(user, pk)
    form = LateDocumentForm(
        request.POST if request.method == "POST" else None,
        request.FILES if request.method == "POST" else None,
        initial={"category": found.category},
    )
    return document_page(request, form, found, found.name, "recruitment:registration", pk)


@login_required
@never_cache
@require_safe
def waiting(request: HttpRequest) -> HttpResponse:
    """The waiting lists of the institution, one per course type, beside the classes with free places (P8)."""
    _user, institution = _manager(request)
    types = (
        Registration.objects.filter(institution=institution, state=RegistrationState.WAITING)
        .order_by()
        .values_list("fitting_course__course_type", flat=True)
        .distinct()
    )
    lists = []
    for course_type in sorted(set(types)):
        course = Course.objects.filter(course_type=course_type).order_by("pk")[0]
        lists.append(
            (
                course.type_name,
                list(queries.waiting_list(institution.pk, course_type)),
                [(each, _free(each)) for each in queries.classes_to_fill(institution.pk, course_type)],
            )
        )
    return render(request, "recruitment/waiting.html", {"lists": lists})


def _free(training_class: TrainingClass) -> int | None:
    """The free places, or None where the edition sets no cap for this course type."""
    try:
        return free_places(training_class)
    except Refusal:
        return None


@login_required
@require_POST
def promote(request: HttpRequest, pk: int) -> HttpResponse:
    """Fill a class's free places from the waiting list, who waits longest first."""
    user, _institution = _manager(request)
    training_class = access_class(user, pk)
    require_manage(user, training_class)
    try:
        placement = actions.promote_waiting(training_class=training_class, actor=user, at=timezone.now())
    except Refusal as refusal:
        body = rendered(refusal)
        messages.error(request, body["message"] + body["details"]["next"])
    else:
        _report(request, placement)
    return redirect("recruitment:waiting")
