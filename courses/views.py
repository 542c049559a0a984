"""The catalogue's pages; everybody may read them (F3)."""

from collections.abc import Iterable
from decimal import Decimal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from courses.models import OutlineUnit
from courses.queries import catalogue
from policy.terms import COURSE_TYPES, HOMEWORK_AND_EXAM, QUALITY_AND_TUTORING, HourKind


@require_safe
def course_list(request: HttpRequest) -> HttpResponse:
    """All courses, in the order they were entered."""
    return render(request, "courses/list.html", {"courses": list(catalogue())})


@require_safe
def course_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One course with its outline, one square per lesson hour."""
    course = get_object_or_404(catalogue(), pk=pk)
    outline = list(course.outline.all())
    live = _sum(outline, [HourKind.LIVE])
    work = _sum(outline, HOMEWORK_AND_EXAM)
    care = _sum(outline, QUALITY_AND_TUTORING)
    return render(
        request,
        "courses/detail.html",
        {
            "course": course,
            "outline": outline,
            "is_known_type": course.course_type in COURSE_TYPES,
            "live": live,
            "work": work,
            "care": care,
            "groups": [("live", live), ("work", work), ("care", care)],
        },
    )


def _sum(outline: Iterable[OutlineUnit], kinds: Iterable[HourKind]) -> Decimal:
    wanted = [kind.value for kind in kinds]
    return sum((unit.hours for unit in outline if unit.kind in wanted), Decimal(0))
