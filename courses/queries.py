"""Reads of the catalogue."""

from django.db.models import DecimalField, QuerySet, Sum, Value
from django.db.models.functions import Coalesce

from courses.models import Course


def catalogue() -> QuerySet[Course]:
    """All courses in the order they were entered, with the lesson hours of their outlines as `hours`."""
    total = Sum("outline__hours")
    return Course.objects.annotate(
        hours=Coalesce(total, Value(0), output_field=DecimalField(max_digits=7, decimal_places=2))
    ).order_by("pk")
