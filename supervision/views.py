"""The supervision house: read-only pages over everything that was submitted (Q1–Q3, P18, P19, M13–M18)."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.editions import edition
from accounts.models import User
from accounts.registers.permissions import lecturers_of
from accounts.registers.queries import (
    institution_rows,
    lecturer_rows,
    search_institutions,
    search_lecturers,
)
from attendance.models import Check
from attendance.queries import credit_of_class
from audit.models import Entry, Root
from audit.queries import entries_of_chain
from audit.reconciliation import differences
from classes.live.models import PresenceInterval, Recording, RoomEvent
from classes.live.queries import judge_live
from classes.models import TrainingClass
from classes.states import ClassState
from exams.queries import completions_of
from policy.terms import HourKind
from subsidies.queries import evidence_of, trace_of
from subsidies.reconciliation import differing_claims
from supervision import permissions, queries
from supervision.permissions import ALIAS, supervised

PAGE = 50


def _page(request: HttpRequest, rows: Any) -> Any:
    return Paginator(rows, PAGE).get_page(request.GET.get("page"))


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _class(request: HttpRequest, pk: int) -> TrainingClass:
    """The class, remembered as the subject of this look."""
    training_class = permissions.access_class(_user(request), pk)
    request.look_subject = training_class.subject  # type: ignore[attr-defined]
    return training_class


@supervised
def home(request: HttpRequest) -> HttpResponse:
    """Figures of the region and its classes, with search and state."""
    bureau = permissions.bureau_of(_user(request))
    search, state = request.GET.get("q", "").strip()[:80], request.GET.get("state", "")
    state = state if state in ClassState.values else ""
    return render(
        request,
        "supervision/home.html",
        {
            "bureau": bureau,
            "figures": queries.figures_of(bureau),
            "page": _page(request, queries.class_table(bureau, search=search, state=state)),
            "search": search,
            "state": state,
            "states": [choice for choice in ClassState.choices if choice[0] != ClassState.DRAFT],
            "now": timezone.now(),
        },
    )


@supervised
def lecturers(request: HttpRequest) -> HttpResponse:
    """The region's lecturers: qualification, measures, and what the norm finds today (Q2, M14)."""
    institutions = permissions.institutions_supervised_by(permissions.bureau_of(_user(request)))
    search = request.GET.get("q", "").strip().replace("\x00", "")[:40]
    page = _page(request, search_lecturers(lecturers_of(institutions), search=search))
    rows = lecturer_rows(list(page), institutions, on=timezone.localdate())
    return render(request, "supervision/lecturers.html", {"page": page, "rows": rows, "search": search})


@supervised
def institutions(request: HttpRequest) -> HttpResponse:
    """The region's institutions: designation and every measure that still holds (Q8, Q9)."""
    found = permissions.institutions_supervised_by(permissions.bureau_of(_user(request)))
    search = request.GET.get("q", "").strip().replace("\x00", "")[:40]
    page = _page(request, search_institutions(found, search=search))
    rows = institution_rows(list(page), on=timezone.localdate(), using=ALIAS)
    return render(request, "supervision/institutions.html", {"page": page, "rows": rows, "search": search})


@supervised
def class_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A class: who, when, what was filed and decided (M13, M14)."""
    training_class = _class(request, pk)
    return render(
        request,
        "supervision/class_detail.html",
        {
            "class": training_class,
            "tab": "overview",
            "lessons": training_class.lessons.all(),
            "enrolments": training_class.enrolments.select_related("person"),
            "filings": training_class.filings.select_related("submitted_by__person", "decided_by__person"),
        },
    )


@supervised
def class_attendance(request: HttpRequest, pk: int) -> HttpResponse:
    """Every trainee's seconds by kind, computed now over the read-only login (M15)."""
    training_class = _class(request, pk)
    return render(
        request,
        "supervision/class_attendance.html",
        {
            "class": training_class,
            "tab": "attendance",
            "rows": credit_of_class(training_class, using=ALIAS),
            "differences": differences(training_class.subject, using=ALIAS),
        },
    )


@supervised
def class_results(request: HttpRequest, pk: int) -> HttpResponse:
    """Exam results and certificates (M16, M17, Q3)."""
    training_class = _class(request, pk)
    return render(
        request,
        "supervision/class_results.html",
        {
            "class": training_class,
            "tab": "results",
            "rows": completions_of(training_class, using=ALIAS),
            "differences": differences(training_class.subject, using=ALIAS),
            "exam_is_over": training_class.state == ClassState.FINISHED
            or not training_class.lessons.filter(kind=HourKind.EXAM, ends_at__gt=timezone.now()).exists(),
        },
    )


@supervised
def lesson(request: HttpRequest, pk: int, lesson_pk: int) -> HttpResponse:
    """What happened in one lesson: presence, checks and interaction, event by event (M18)."""
    training_class = _class(request, pk)
    found = training_class.lessons.filter(pk=lesson_pk).first()
    if found is None:
        raise Http404
    held_live = found.kind == HourKind.LIVE and found.closed_at is not None
    return render(
        request,
        "supervision/lesson.html",
        {
            "live": judge_live(found, edition(training_class.edition), using=ALIAS) if held_live else None,
            "class": training_class,
            "tab": "overview",
            "lesson": found,
            "intervals": PresenceInterval.objects.using(ALIAS).filter(lesson=found).select_related("person"),
            "checks": Check.objects.using(ALIAS)
            .filter(lesson=found)
            .prefetch_related("targets__answer", "targets__enrolment__person"),
            "events": _page(
                request,
                RoomEvent.objects.using(ALIAS).filter(room__lesson=found).select_related("actor__person"),
            ),
            "recordings": Recording.objects.using(ALIAS).filter(lesson=found),
        },
    )


@supervised
def class_evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """The class's chain of evidence, entry by entry, with the newest signed root."""
    training_class = _class(request, pk)
    chain: Any = entries_of_chain(training_class.subject)
    return render(
        request,
        "supervision/class_evidence.html",
        {
            "class": training_class,
            "tab": "evidence",
            "page": _page(request, chain.using(ALIAS)),
            "root": Root.objects.using(ALIAS).order_by("-number").first(),
            "count": Entry.objects.using(ALIAS).filter(chain=training_class.subject).count(),
        },
    )


@supervised
def claims(request: HttpRequest) -> HttpResponse:
    """Claims of the region."""
    bureau = permissions.bureau_of(_user(request))
    page = _page(request, permissions.claims_supervised_by(bureau))
    return render(
        request,
        "supervision/claims.html",
        {"bureau": bureau, "page": page, "differing": differing_claims(list(page), using=ALIAS)},
    )


@supervised
def claim_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """A claim and its lines, each of which opens."""
    claim = permissions.access_claim(_user(request), pk)
    request.look_subject = claim.training_class.subject  # type: ignore[attr-defined]
    return render(
        request,
        "supervision/claim.html",
        {
            "claim": claim,
            "lines": claim.lines.select_related("enrolment__person", "verdict", "certificate__attempt__exam"),
            "differences": differences(claim.training_class.subject, using=ALIAS),
        },
    )


@supervised
def claim_line(request: HttpRequest, pk: int, n: int) -> HttpResponse:
    """From a yuan to a second, for the regulator: the same trace the institution sees."""
    claim = permissions.access_claim(_user(request), pk)
    request.look_subject = claim.training_class.subject  # type: ignore[attr-defined]
    line = (
        claim.lines.select_related(
            "claim__training_class__course", "enrolment__person", "verdict", "certificate__attempt__exam"
        )
        .filter(n=n)
        .first()
    )
    if line is None:
        raise Http404
    trace = trace_of(line, using=ALIAS)
    chosen = trace.choose(request.GET.get("lesson"), request.GET.get("interval"))
    return render(
        request,
        "supervision/claim_line.html",
        {
            "claim": claim,
            "line": line,
            "trace": trace,
            "chosen": chosen,
            "evidence": evidence_of(line, chosen, using=ALIAS) if chosen else None,
        },
    )
