"""The catalogue's pages; everybody may read them (F3)."""

from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from courses.queries import catalogue
from policy.terms import COURSE_TYPES, HOMEWORK_AND_EXAM, QUALITY_AND_TUTORING, HourKind


def course_list(request: HttpRequest) -> HttpResponse:
    """All courses by type."""
    return render(request, "courses/list.html", {"courses": list(catalogue()), "types": COURSE_TYPES})


def course_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One course with its outline, one square per lesson hour."""
    course = get_object_or_404(catalogue(), pk=pk)
    outline = list(course.outline.all())
    return render(
        request,
        "courses/detail.html",
        {
            "course": course,
            "outline": outline,
            "types": COURSE_TYPES,
            "live": _sum(outline, (HourKind.LIVE,)),
            "work": _sum(outline, HOMEWORK_AND_EXAM),
            "care": _sum(outline, QUALITY_AND_TUTORING),
        },
    )


def _sum(outline: list, kinds: tuple[HourKind, ...]) -> Decimal:  # type: ignore[type-arg]
    return sum((unit.hours for unit in outline if unit.kind in kinds), Decimal(0))
