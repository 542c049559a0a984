"""The courses that every platform starts with (H1, H2)."""

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from django.db import transaction

import audit
from courses.actions.courses import facts_of
from courses.actions.versions import publish_version, set_outline, write_draft
from courses.models import Course, OriginalCourse
from courses.outlines import UnitDraft, units_of
from courses.queries import newest_published
from policy.terms import HourKind

CATALOGUE = Path(__file__).resolve().parent.parent / "catalogue.yaml"


def load_catalogue(*, at: datetime.datetime) -> int:
    """Enter the shipped courses, or bring them up to date; returns how many there are (H1, H2).

    Courses are found by name; those that are not in the file stay as they are. An outline that differs from
    the newest published version becomes the next version: what was published never changes, and what people
    published or are drafting is left to them. Repeating it changes nothing.
    """
    file: dict[str, list[dict[str, Any]]] = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    with transaction.atomic():
        for original in file["originals"]:
            OriginalCourse.objects.update_or_create(name=original.pop("name"), defaults=original)
        for entry in file["courses"]:
            _enter(entry, at)
    return len(file["courses"])


def _enter(entry: dict[str, Any], at: datetime.datetime) -> None:
    units = [
        UnitDraft(kind=HourKind(kind), hours=Decimal(hours), title=title)
        for kind, hours, title in entry.pop("outline")
    ]
    original = entry.pop("original", None)
    entry["converted_from"] = OriginalCourse.objects.get(name=original) if original else None
    course = Course.objects.select_for_update(of=("self",)).filter(name=entry["name"]).first()
    before = facts_of(course) if course else None
    course = course or Course()
    for name, value in entry.items():
        setattr(course, name, value)
    course.save()
    after = facts_of(course)
    if before != after:
        audit.record(
            "course.changed" if before else "course.created",
            actor_id=None,
            subject=course.subject,
            facts=after,
            at=at,
        )
    published = newest_published(course)
    last = course.versions.order_by("-number").first()
    if published is not None:
        people_edit_it = published.published_by_id is not None or (last is not None and last.is_draft)
        if people_edit_it or units_of(published) == units:
            return
    draft = last if last and last.is_draft else write_draft(course, copied=last, notes="", actor=None, at=at)
    set_outline(version=draft, units=units, notes="", actor=None, at=at)
    publish_version(version=draft, actor=None, at=at)
