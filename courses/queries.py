"""Reads of the catalogue."""

from collections.abc import Sequence

from django.db.models import DecimalField, Exists, IntegerField, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from accounts.models import Institution
from courses.models import Course, CourseVersion, OutlineUnit
from courses.states import Origin, VersionState
from policy.terms import COURSE_TYPES

OTHER_TYPES = "other"


def _newest(**conditions: str) -> QuerySet[CourseVersion]:
    return CourseVersion.objects.filter(course=OuterRef("pk"), **conditions).order_by("-number")


def catalogue() -> QuerySet[Course]:
    """All published courses in the order they were entered.

    Each with `version` (the number of its newest published version) and `hours` (the lesson hours of that
    version's outline).
    """
    newest = _newest(state=VersionState.PUBLISHED)
    return with_hours(Course.objects.filter(Exists(newest)))


def with_hours(courses: QuerySet[Course]) -> QuerySet[Course]:
    """Add `version` and `hours` of each course's newest published version; hours are 0 without one."""
    newest = _newest(state=VersionState.PUBLISHED)
    total = (
        OutlineUnit.objects.filter(version=OuterRef("version_pk"))
        .order_by()
        .values("version")
        .annotate(total=Sum("hours"))
        .values("total")
    )
    decimal = DecimalField(max_digits=7, decimal_places=2)
    return (
        courses.select_related("converted_from", "institution")
        .annotate(
            version_pk=Subquery(newest.values("pk")[:1]),
            version=Subquery(newest.values("number")[:1], output_field=IntegerField()),
        )
        .annotate(hours=Coalesce(Subquery(total, output_field=decimal), Value(0), output_field=decimal))
        .order_by("pk")
    )


def filtered(
    courses: QuerySet[Course], *, course_type: str = "", origin: str = "", search: str = ""
) -> QuerySet[Course]:
    """Courses of a type (GYB, SYB, or `other` for neither), an origin, with a part of the name.

    What is no type or origin at all filters nothing.
    """
    if course_type == OTHER_TYPES:
        courses = courses.exclude(course_type__in=list(COURSE_TYPES))
    elif course_type in COURSE_TYPES:
        courses = courses.filter(course_type=course_type)
    if origin in Origin.values:
        courses = courses.filter(origin=origin)
    search = search.replace("\0", "").strip()[:80]
    return courses.filter(name__icontains=search) if search else courses


def newest_published(course: Course) -> CourseVersion | None:
    """The version a new class takes."""
    return course.versions.filter(state=VersionState.PUBLISHED).order_by("-number").first()


def open_to(institution: Institution) -> QuerySet[Course]:
    """Courses that an institution may make a class of: published, the platform's or its own."""
    newest = _newest(state=VersionState.PUBLISHED)
    own = Course.objects.filter(institution=institution)
    return (Course.objects.filter(institution__isnull=True) | own).filter(Exists(newest)).order_by("pk")


def versions_of(course: Course, *, drafts: bool) -> Sequence[CourseVersion]:
    """The versions, the newest first; drafts only for those who edit."""
    versions = course.versions.order_by("-number")
    return list(versions if drafts else versions.exclude(state=VersionState.DRAFT))
