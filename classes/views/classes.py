"""The list of classes, a class's own page, and the forms for its details."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.editions import all_editions
from accounts.editions import edition as find_edition
from accounts.models import User
from accounts.permissions import require_role
from accounts.refusals import rendered
from accounts.states import Role
from classes import actions, permissions, queries
from classes.actions.lessons import opens_at
from classes.feeds import ROLES as FEED_ROLES
from classes.forms import CancelForm, ClassForm
from classes.models import Lesson, TrainingClass
from classes.states import CLASS_MOVES, EDITABLE_STATES, ClassState, FilingState, LessonState
from classes.timetables import drafts_of, hours_by_kind
from policy.refusals import Refusal

PAGE_SIZE = 50


@login_required
@require_safe
def class_list(request: HttpRequest) -> HttpResponse:
    """The classes one may see, newest first, by state and part of the name."""
    user = _user(request)
    state = request.GET.get("state", "")
    search = request.GET.get("search", "").replace("\0", "").strip()[:80]
    classes = queries.with_counts(queries.classes_visible_to(user))
    if state in ClassState.values:
        classes = classes.filter(state=state)
    if search:
        classes = classes.filter(name__icontains=search)
    page = Paginator(classes.order_by("-starts_on", "-pk"), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(
        request,
        "classes/list.html",
        {
            "page": page,
            "states": ClassState,
            "state": state if state in ClassState.values else "",
            "search": search,
            "manages": permissions.managed_institution(user) is not None,
            "subscribes": user.has_role(*FEED_ROLES),
            "many_institutions": user.has_role(Role.OFFICER, Role.OPERATOR),
            "waiting": _waiting(user),
            "filed_anew": queries.classes_filed_anew(user) if user.has_role(Role.TRAINEE) else [],
        },
    )


def _waiting(user: User) -> int:
    if not user.has_role(Role.OFFICER):
        return 0
    return queries.filings_decided_by(user).filter(state=FilingState.SUBMITTED).count()


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Make a class: the first of the steps towards its filing."""
    user = require_role(request.user, Role.MANAGER)
    institution = permissions.managed_institution(user)
    assert institution is not None  # a manager manages one (accounts)
    initial = {"mode": "full_live", "edition": _usual_edition()}
    form = ClassForm(request.POST or None, institution=institution, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            training_class = actions.create_class(details=form.details, actor=user, at=timezone.now())
        except Refusal as refusal:
            _show(form, refusal)
        else:
            messages.success(request, _("班级建好了。下一步：导入花名册。"))
            return redirect("classes:roster", training_class.pk)
    status = 400 if form.errors else 200
    return render(request, "classes/form.html", {"form": form, "training_class": None}, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the details of a class that is not filed."""
    user = _user(request)
    training_class = permissions.access_class(user, pk)
    permissions.require_manage(user, training_class)
    permissions.require_editable(training_class)
    form = ClassForm.of(training_class)
    if request.method == "POST":
        form = ClassForm(request.POST, institution=training_class.institution, training_class=training_class)
        if form.is_valid():
            try:
                actions.update_class(
                    training_class=training_class, details=form.details, actor=user, at=timezone.now()
                )
            except Refusal as refusal:
                _show(form, refusal)
            else:
                messages.success(request, _("班级信息已保存。"))
                return redirect("classes:detail", pk)
    status = 400 if form.errors else 200
    return render(
        request, "classes/form.html", {"form": form, "training_class": training_class}, status=status
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a class up: a page that repeats what and asks why."""
    user = _user(request)
    training_class = permissions.access_class(user, pk)
    permissions.require_manage(user, training_class)
    form = CancelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.cancel_class(
            training_class=training_class,
            reason=form.cleaned_data["reason"],
            actor=user,
            at=timezone.now(),
        )
        messages.success(request, _("已取消开班。"))
        return redirect("classes:detail", pk)
    return render(request, "classes/cancel.html", {"form": form, "training_class": training_class})


@dataclass(frozen=True, slots=True)
class Step:
    """The one next thing to do on a class's page."""

    label: str
    url_name: str
    pk: int
    icon: str


@login_required
@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A class: where it stands, its people, its timetable, what was done about it."""
    user = _user(request)
    training_class = permissions.access_class(user, pk)
    now = timezone.now()
    lessons = list(training_class.lessons.all())
    manages = permissions.can_manage(user, training_class)
    teaches = permissions.can_teach(user, training_class)
    sees_roster = permissions.sees_roster(user, training_class)
    roster = list(queries.roster_of(training_class)) if sees_roster else []
    hours = hours_by_kind(drafts_of(lessons))
    return render(
        request,
        "classes/detail.html",
        {
            "training_class": training_class,
            "edition": all_editions().get(training_class.edition),
            "lessons": lessons,
            "lesson_hour": _lesson_hour(training_class),
            "roster": roster,
            "trainees": len(roster) if sees_roster else queries.roster_of(training_class).count(),
            "total": sum(hours.values(), Decimal(0)),
            "hours": hours,
            "manages": manages,
            "teaches": teaches,
            "attends": permissions.can_attend(user, training_class),
            "decides": permissions.can_decide(user, training_class),
            "sees_roster": sees_roster,
            "sees_filing": permissions.sees_filing(user, training_class),
            "editable": training_class.state in EDITABLE_STATES,
            "cancellable": "cancel" in CLASS_MOVES[training_class.state],
            "filing": training_class.filings.first(),
            "filing_lead": queries.filing_lead(training_class),
            "history": queries.history_of(training_class) if sees_roster else [],
            "downloads": queries.history_of(training_class, downloads=True) if sees_roster else [],
            "stage": _stage(training_class, has_roster=bool(roster)),
            "step": _step(training_class, lessons, roster, manages=manages, now=now),
            "current": _current_lesson(lessons, now) if training_class.state in _HELD else None,
            "now": now,
        },
    )


_HELD = (ClassState.APPROVED, ClassState.RUNNING)


def _lesson_hour(training_class: TrainingClass) -> datetime.timedelta | None:
    try:
        return datetime.timedelta(seconds=find_edition(training_class.edition).lesson_hour_seconds)
    except Refusal:
        return None


def _stage(training_class: TrainingClass, *, has_roster: bool) -> int:
    """Which of the six stages of 规范 五 the class is in, counted from 1 (F1)."""
    match training_class.state:
        case ClassState.DRAFT:
            return 3 if has_roster else 2
        case ClassState.APPROVED | ClassState.RUNNING:
            return 4
        case ClassState.FINISHED:
            return 5
    return 3


def _step(
    training_class: TrainingClass,
    lessons: Sequence[Lesson],
    roster: Sequence[object],
    *,
    manages: bool,
    now: datetime.datetime,
) -> Step | None:
    if not manages:
        return None
    pk = training_class.pk
    if training_class.state in EDITABLE_STATES:
        if not roster:
            return Step(_("导入花名册"), "classes:roster", pk, "table-import")
        if not lessons:
            return Step(_("排课表"), "classes:timetable", pk, "calendar")
        return Step(_("检查并提交备案"), "classes:filing", pk, "send")
    over = lessons and max(lesson.ends_at for lesson in lessons) <= now
    if training_class.state == ClassState.RUNNING and over:
        return Step(_("办理结班"), "exams:class", pk, "flag")
    return None


def _current_lesson(lessons: Sequence[Lesson], now: datetime.datetime) -> Lesson | None:
    """The lesson that is open, or may be opened or signed in to at this moment."""
    for lesson in lessons:
        if lesson.state == LessonState.CLOSED or not lesson.is_roomed or lesson.ends_at <= now:
            continue
        try:
            return lesson if lesson.state == LessonState.OPEN or opens_at(lesson) <= now else None
        except Refusal:
            return None
    return None


def _usual_edition() -> str:
    """The edition to propose: the one in force that leaves the least open."""
    here = (edition for edition in all_editions().values() if edition.follows_norm)
    editions = sorted(here, key=lambda edition: len(edition.unset()))
    return editions[0].id if editions else ""


def _show(form: ClassForm, refusal: Refusal) -> None:
    body = rendered(refusal)
    field = ClassForm.FIELD_OF_CODE.get(refusal.code) or refusal.field
    form.add_error(field, body["message"] + body["details"]["next"])


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # every view here asks for a signed-in person
    return request.user
