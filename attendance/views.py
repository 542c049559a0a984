"""Signing in and out, the assistant's desk, a trainee's meter, the class's table, the trace to the second."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.refusals import rendered
from accounts.registers.permissions import lecturers_visible_to
from attendance import actions, drawing, queries
from attendance.actions.sign_in import sign_in_opens_at
from attendance.actions.watching import judge_watchable
from attendance.credit import floor_seconds
from attendance.forms import CodeForm, LossReviewForm
from attendance.losses import case_of, losses_in
from attendance.meter import groups_of, outlook
from attendance.permissions import (
    access_lecturer_losses,
    access_losses,
    access_roomed_lesson,
    access_sign_in,
    access_times_of_class,
    own_enrolment,
    require_trainee,
)
from attendance.queries import LessonTrace, TraineeCredit
from attendance.wording import reason_words, remark_words, sign_in_words
from audit.queries import entries_about
from audit.reconciliation import differences, differences_about
from classes.models import Enrolment, Lesson
from classes.permissions import (
    access_class,
    access_enrolment,
    can_decide,
    can_manage,
    can_teach,
    require_teach,
    sees_roster,
)
from classes.queries import classes_visible_to
from classes.states import EnrolmentState, LessonState
from courses.models import Material
from courses.permissions import can_read_materials
from courses.states import MaterialKind, MaterialState
from identity import uploads
from identity.actions.codes import LIFETIME
from identity.faces import get_engine
from identity.queries import live_template, open_consent
from policy.refusals import Refusal
from policy.terms import Mode
from policy.words import whole_number

LECTURERS_A_PAGE = 20


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest, pk: int) -> HttpResponse:
    """Two equal ways to sign in, and where the last try stands. Staff are led to their desk."""
    user, lesson = _user(request), access_roomed_lesson(request.user, pk)
    if can_teach(user, lesson.training_class):
        return redirect("attendance:desk", pk=pk)
    enrolment = require_trainee(user, lesson.training_class)
    by_code = request.GET.get("way") == "code" or "code" in request.POST
    form = CodeForm(request.POST if by_code and request.method == "POST" else None)
    if request.method == "POST" and not by_code:
        frames = uploads.read_frames(request.FILES.getlist(uploads.FIELD))
        actions.sign_in_by_face(lesson=lesson, frames=frames, actor=user, at=timezone.now())
        return redirect("attendance:sign_in", pk=pk)
    if request.method == "POST" and form.is_valid():
        try:
            actions.sign_in_by_code(
                lesson=lesson, code=form.cleaned_data["code"], actor=user, at=timezone.now()
            )
        except Refusal as refusal:
            body = rendered(refusal)
            form.add_error("code", body["message"] + body["details"]["next"])
        else:
            return redirect("attendance:sign_in", pk=pk)
    last = queries.last_sign_in(lesson, enrolment)
    person = enrolment.person
    consent = open_consent(person)
    return render(
        request,
        "attendance/sign_in.html",
        {
            "lesson": lesson,
            "number": _number(lesson),
            "assistant": lesson.training_class.assistant,
            "opens_at": sign_in_opens_at(lesson),
            "is_open": timezone.now() >= sign_in_opens_at(lesson) and lesson.state != LessonState.CLOSED,
            "is_over": lesson.state == LessonState.CLOSED,
            "sign_in": last,
            "words": sign_in_words(last) if last else None,
            "is_live": bool(last and last.signed_out_at is None and last.state != "refused"),
            "consent": consent,
            "has_face": bool(consent and live_template(person, get_engine().engine_id)),
            "by_code": by_code,
            "form": form,
        },
        status=400 if form.errors else 200,
    )


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_out(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what signing out does, then do it."""
    user, lesson = _user(request), access_roomed_lesson(request.user, pk)
    enrolment = require_trainee(user, lesson.training_class)
    if request.method == "POST":
        actions.sign_out(lesson=lesson, actor=user, at=timezone.now())
        messages.success(request, _("签退好了，这节课的学时已经记下。"))
        return redirect("attendance:meter", pk=lesson.training_class_id)
    return render(
        request,
        "attendance/sign_out.html",
        {
            "lesson": lesson,
            "number": _number(lesson),
            "sign_in": queries.live_sign_in(lesson, enrolment),
            "is_over": lesson.state == LessonState.CLOSED,
        },
    )


# --- the assistant's desk ---


@login_required
@never_cache
@require_safe
def desk(request: HttpRequest, pk: int) -> HttpResponse:
    """Who waits to be confirmed and who has not signed in; the lists renew themselves."""
    lesson = access_roomed_lesson(request.user, pk)
    require_teach(_user(request), lesson.training_class)
    return _desk(request, lesson)


@login_required
@never_cache
@require_POST
def issue_code(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a code for one trainee and show it, this once."""
    lesson = access_roomed_lesson(request.user, pk)
    require_teach(_user(request), lesson.training_class)
    enrolment = get_object_or_404(
        Enrolment.objects.select_related("person"),
        pk=whole_number(request.POST.get("enrolment")),
        training_class=lesson.training_class,
    )
    code = actions.issue_sign_in_code(
        lesson=lesson, enrolment=enrolment, actor=_user(request), at=timezone.now()
    )
    return _desk(request, lesson, issued={"name": enrolment.person.name, "code": code, "lifetime": LIFETIME})


@login_required
@require_POST
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """The assistant saw that it is the person."""
    waiting = access_sign_in(request.user, pk)
    actions.confirm_sign_in(sign_in=waiting, actor=_user(request), at=timezone.now())
    return redirect("attendance:desk", pk=waiting.lesson_id)


@login_required
@require_POST
def refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """The assistant saw that it is not the person, or nobody."""
    waiting = access_sign_in(request.user, pk)
    actions.refuse_sign_in(sign_in=waiting, actor=_user(request), at=timezone.now())
    return redirect("attendance:desk", pk=waiting.lesson_id)


def _desk(request: HttpRequest, lesson: Lesson, issued: dict[str, Any] | None = None) -> HttpResponse:
    is_fragment = getattr(request, "htmx", False) and request.method == "GET"
    return render(
        request,
        "attendance/desk_lists.html" if is_fragment else "attendance/desk.html",
        {
            "lesson": lesson,
            "number": _number(lesson),
            "is_over": lesson.state == LessonState.CLOSED,
            "waiting": queries.waiting_sign_ins(lesson),
            "missing": queries.not_signed_in(lesson),
            "issued": issued,
        },
    )


# --- slides and videos ---


@login_required
@require_safe
def materials(request: HttpRequest, pk: int) -> HttpResponse:
    """The slides and videos of the class's course version; a trainee sees how much of each was watched."""
    user, training_class = _user(request), access_class(request.user, pk)
    enrolment = own_enrolment(user, training_class)
    version = training_class.course_version
    found = list(version.materials.filter(state=MaterialState.READY)) if version else []
    if version is not None and not can_read_materials(user, version):
        raise Http404
    seen = queries.watched_ms(enrolment) if enrolment else {}
    return render(
        request,
        "attendance/materials.html",
        {
            "training_class": training_class,
            "version": version,
            "materials": [(one, _seen_share(one, seen.get(one.pk, 0))) for one in found],
            "enrolment": enrolment,
            "earns": enrolment is not None and queries.on_demand_opens(training_class) is not None,
            "opens_at": queries.on_demand_opens(training_class),
        },
    )


def _seen_share(material: Material, seen_ms: int) -> Fraction | None:
    return (
        Fraction(min(seen_ms, material.duration_ms), material.duration_ms) if material.duration_ms else None
    )


@login_required
@never_cache
@require_safe
def watch(request: HttpRequest, pk: int, material: int) -> HttpResponse:
    """A video of the class's version; in a mixed class a trainee's watching is timed by the server."""
    user, training_class = _user(request), access_class(request.user, pk)
    found = get_object_or_404(
        Material.objects.select_related("version__course"),
        pk=material,
        version=training_class.course_version_id,
        kind=MaterialKind.VIDEO,
        state=MaterialState.READY,
    )
    if not can_read_materials(user, found.version):
        raise Http404
    enrolment = own_enrolment(user, training_class)
    why_not: Refusal | None = None
    try:
        judge_watchable(training_class, found, timezone.now())
    except Refusal as refusal:
        why_not = refusal
    earns = enrolment is not None and why_not is None
    return render(
        request,
        "attendance/watch.html",
        {
            "training_class": training_class,
            "material": found,
            "enrolment": enrolment,
            "earns": earns,
            "why_not": rendered(why_not) if why_not and enrolment else None,
            "data": {
                "open": f"/api/v1/classes/{training_class.pk}/watches/",
                "watches": "/api/v1/watches/",
                "material": found.pk,
                "every": settings.HEARTBEAT_SECONDS,
            },
        },
    )


# --- time ---


@login_required
@require_safe
def my_meter(request: HttpRequest) -> HttpResponse:
    """The meter of the class that one attends now, or attended last."""
    enrolment = (
        Enrolment.objects.filter(
            person__user=_user(request),
            state=EnrolmentState.ACTIVE,
            training_class__in=classes_visible_to(_user(request)).order_by(),
        )
        .order_by("-training_class__starts_on", "-pk")
        .first()
    )
    if enrolment is None:
        return render(request, "attendance/no_meter.html")
    return redirect("attendance:meter", pk=enrolment.training_class_id)


@login_required
@require_safe
def meter(request: HttpRequest, pk: int) -> HttpResponse:
    """A trainee's own time: how much, what is missing and why. Others are led to the class's table."""
    user, training_class = _user(request), access_class(request.user, pk)
    enrolment = own_enrolment(user, training_class)
    if enrolment is None:
        return redirect("attendance:class", pk=pk)
    enrolment.training_class = training_class
    credit, lessons, now = queries.credit_of(enrolment), queries.trace(enrolment), timezone.now()
    lost = [(lesson, piece, reason_words(piece)) for lesson in lessons for piece in lesson.lost]
    return render(
        request,
        "attendance/meter.html",
        {
            "training_class": training_class,
            "enrolment": enrolment,
            "credit": credit,
            "groups": groups_of(credit, lessons),
            "outlook": outlook(credit, lessons, now),
            "lessons": lessons,
            "lost": sorted(lost, key=lambda item: -item[1].microseconds),
            "is_concluded": queries.is_concluded(training_class),
            "computed_at": now,
        },
    )


@login_required
@require_safe
def class_table(request: HttpRequest, pk: int) -> HttpResponse:
    """Everybody's time by kind, share and verdict; each figure leads to what it was made of."""
    training_class = access_times_of_class(request.user, pk)
    credits = queries.credit_of_class(training_class)
    answers_for_it = can_manage(request.user, training_class) or can_decide(request.user, training_class)
    return render(
        request,
        "attendance/class.html",
        {
            "differences": differences(training_class.subject) if answers_for_it else [],
            "training_class": training_class,
            "rows": [_table_row(one) for one in credits],
            "passed": sum(one.passed for one in credits),
            "required": credits[0].decision if credits else None,
            "is_concluded": queries.is_concluded(training_class),
            "is_mixed": training_class.mode == Mode.MIXED,
            "lessons": training_class.lessons.order_by("starts_at", "pk"),
            "computed_at": timezone.now(),
        },
    )


@login_required
@require_safe
def losses(request: HttpRequest) -> HttpResponse:
    """What the classes of the region's lecturers lost, and who opens a case by that (L5)."""
    user = _user(request)
    rows = losses_in(access_losses(user))
    page = Paginator(rows, LECTURERS_A_PAGE).get_page(request.GET.get("page"))
    registered = lecturers_visible_to(user).filter(pk__in=[one.person_id for one in page])
    return render(
        request,
        "attendance/losses.html",
        {
            "page": page,
            "opened": sum(one.is_open for one in rows),
            # A lecturer who left the region has a case here, and their register elsewhere.
            "registered": set(registered.values_list("pk", flat=True)),
        },
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def loss_case(request: HttpRequest, pk: int) -> HttpResponse:
    """One lecturer's figures, and what an office found that looked into them (L5)."""
    user = _user(request)
    person, office = access_lecturer_losses(user, pk)
    status, form = 200, LossReviewForm(request.POST or None)
    if request.method == "POST":
        status = 400
        if form.is_valid():
            given = form.cleaned_data
            try:
                actions.find_teaching_sound(
                    person=person,
                    opened_on=given["opened_on"],
                    ground=given["ground"],
                    actor=user,
                    at=timezone.now(),
                )
            except Refusal as refusal:
                body, status = rendered(refusal), refusal.status
                form.add_error(None, body["message"] + body["details"]["next"])
            else:
                messages.success(request, _("已登记，这件事项办结。"))
                return redirect("attendance:losses")
    case = case_of(person, office)
    if request.method != "POST" and case is not None:
        form = LossReviewForm(initial={"opened_on": case.opened_on})
    return render(
        request,
        "attendance/loss_case.html",
        {"person": person, "one": case, "form": form},
        status=status,
    )


def _table_row(one: TraineeCredit) -> dict[str, Any]:
    by_group = {"live": 0, "work": 0, "care": 0, "on_demand": 0}
    for kind, time in one.by_kind.items():
        group = {"live": "live", "homework": "work", "exam": "work", "on_demand": "on_demand"}.get(
            kind.value, "care"
        )
        by_group[group] += time
    remarks: dict[str, int] = {}
    for remark in one.remarks:
        times = remark.missed_checks if remark.code == "checks_missed" else 1
        remarks[remark.code] = remarks.get(remark.code, 0) + times
    return {
        "credit": one,
        **{group: floor_seconds(time) for group, time in by_group.items()},
        "remarks": [remark_words(code, times) for code, times in remarks.items()],
    }


@login_required
@require_safe
def trainee(request: HttpRequest, pk: int) -> HttpResponse:
    """One trainee's lessons side by side, to the second."""
    enrolment = access_enrolment(request.user, pk)
    credit, lessons = queries.credit_of(enrolment), queries.trace(enrolment)
    return render(
        request,
        "attendance/trainee.html",
        {
            "enrolment": enrolment,
            "training_class": enrolment.training_class,
            "credit": credit,
            "lessons": [(one, one.stretches or drawing.whole(one), _lane_words(one)) for one in lessons],
            "verdict": getattr(enrolment, "verdict", None),
            "differences": differences_about(enrolment.training_class.subject, enrolment.pk),
            "sees_roster": sees_roster(request.user, enrolment.training_class),
        },
    )


def _lane_words(one: LessonTrace) -> str:
    """One lane in a sentence, for those who cannot see it."""
    if one.by_watching:
        return _("点播，看了 %(n)s 段") % {"n": len(one.viewings)}
    if one.by_handing_in:
        return _("已提交") if one.handed_in else _("还没有提交")
    return drawing.said(one.stretches)


@login_required
@require_safe
def lesson_trace(request: HttpRequest, pk: int, lesson: int) -> HttpResponse:
    """One trainee in one lesson: every stretch with its fate and reason, and the evidence behind it."""
    enrolment = access_enrolment(request.user, pk)
    found = next((one for one in queries.trace(enrolment) if one.lesson.pk == lesson), None)
    if found is None:
        raise Http404
    is_own = enrolment.person_id == _user(request).person_id
    return render(
        request,
        "attendance/trace.html",
        {
            "enrolment": enrolment,
            "training_class": enrolment.training_class,
            "traced": found,
            "stretches": [(piece, reason_words(piece, to_self=is_own)) for piece in found.stretches],
            "ticks": drawing.ticks(found.lesson.starts_at, found.lesson.ends_at),
            "marks": drawing.marks(found),
            "said": drawing.said(found.stretches),
            "sum": drawing.sum_of(found),
            "entries": entries_about(found.subject),
            "sees_roster": sees_roster(request.user, enrolment.training_class),
        },
    )


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _number(lesson: Lesson) -> int:
    """Which lesson of the class it is, counted by the timetable."""
    return Lesson.objects.filter(
        training_class=lesson.training_class_id, starts_at__lte=lesson.starts_at
    ).count()
