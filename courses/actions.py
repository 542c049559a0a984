"""Writes about the catalogue."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from django.db import transaction

from courses.models import Course, OutlineUnit

CATALOGUE = Path(__file__).with_name("catalogue.yaml")


def load_catalogue() -> int:
    """Enter the courses that every platform starts with, or bring them up to date; returns how many
    (H1, H2).

    Courses are found by name; those that are not in the file stay as they are. Repeating it changes
    nothing.
    """
    entries: list[dict[str, Any]] = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    with transaction.atomic():
        for entry in entries:
            outline = entry.pop("outline")
            course, _created = Course.objects.update_or_create(name=entry.pop("name"), defaults=entry)
            _write_outline(course, outline)
    return len(entries)


def _write_outline(course: Course, units: list[tuple[str, int, str]]) -> None:
    OutlineUnit.objects.bulk_create(
        (
            OutlineUnit(course=course, position=position, kind=kind, hours=Decimal(hours), title=title)
            for position, (kind, hours, title) in enumerate(units, start=1)
        ),
        update_conflicts=True,
        unique_fields=["course", "position"],
        update_fields=["kind", "hours", "title"],
    )
    course.outline.filter(position__gt=len(units)).delete()
