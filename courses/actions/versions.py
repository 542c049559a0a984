"""Drafting a version, setting its outline, publishing and retiring it (A2)."""

import datetime
from collections.abc import Sequence
from decimal import Decimal

from django.db import transaction

import audit
from accounts.models import User
from courses import permissions
from courses.actions.moves import move
from courses.models import Course, CourseVersion, Material, OutlineUnit, SlidePage
from courses.outlines import UnitDraft, judge_units, outline_digest, units_of
from courses.states import MaterialState
from policy.messages import gettext_noop
from policy.refusals import Refusal

LONGEST_NOTES = 500


def draft_version(*, course: Course, actor: User, at: datetime.datetime) -> CourseVersion:
    """Start the next version as a copy of the last one; a draft that is there already is returned.

    Raises Refusal `not_the_editor` (403).
    """
    with transaction.atomic():
        course = Course.objects.select_for_update(of=("self",)).get(pk=course.pk)
        permissions.require_edit(actor, course)
        last = course.versions.order_by("-number").first()
        if last is not None and last.is_draft:
            return last
        return write_draft(course, copied=last, notes="", actor=actor, at=at)


def set_outline(
    *,
    version: CourseVersion,
    units: Sequence[UnitDraft],
    notes: str,
    actor: User | None,
    at: datetime.datetime,
) -> CourseVersion:
    """Replace the outline and the notes of a draft; the same again changes nothing.

    Raises Refusal `not_the_editor` (403), `version_published`, `outline_too_long`, `outline_title_missing`,
    `outline_hours_out_of_range`, `version_notes_too_long` (400). `actor` is None for the shipped catalogue.
    """
    with transaction.atomic():
        version = lock_version(version, actor)
        permissions.require_draft(version)
        judge_units(units)
        if len(notes) > LONGEST_NOTES:
            raise Refusal(
                "version_notes_too_long",
                gettext_noop("改了什么，最多写 %(most)s 个字。"),
                found=len(notes),
                required=LONGEST_NOTES,
                params={"most": LONGEST_NOTES},
                next_step=gettext_noop("请写短一些。"),
                status=400,
            )
        if version.notes != notes.strip():
            version.notes = notes.strip()
            version.save(update_fields=["notes"])
        if list(units) == units_of(version):
            return version
        version.outline.all().delete()
        OutlineUnit.objects.bulk_create(
            OutlineUnit(
                version=version,
                position=position,
                kind=unit.kind,
                hours=unit.hours,
                title=unit.title.strip(),
            )
            for position, unit in enumerate(units, start=1)
        )
        audit.record(
            "course.outline_set",
            actor_id=actor.pk if actor else None,
            subject=version.subject,
            facts={
                "version": version.pk,
                "number": version.number,
                "units": len(units),
                "total": _total(units),
                "outline": outline_digest(units),
            },
            at=at,
        )
    return version


def publish_version(*, version: CourseVersion, actor: User | None, at: datetime.datetime) -> CourseVersion:
    """Publish a draft for good: from now on new classes take it, and nothing in it changes.

    A version that is published already is returned as it is. Raises Refusal `not_the_editor` (403),
    `outline_empty`, `materials_not_ready`, `move_refused` (retired).
    """
    with transaction.atomic():
        version = lock_version(version, actor)
        if version.state == "published":
            return version
        units = units_of(version)
        if not units:
            raise Refusal(
                "outline_empty",
                gettext_noop("大纲还是空的，不能发布。"),
                found=0,
                required=1,
                rule="A2",
                next_step=gettext_noop("请先把每个课时教什么写进大纲。"),
            )
        materials = list(version.materials.select_for_update())
        unready = [one for one in materials if one.state != MaterialState.READY]
        if unready:
            raise Refusal(
                "materials_not_ready",
                gettext_noop("“%(title)s”%(state)s，还不能发布。"),
                found=len(unready),
                required=0,
                rule="A2",
                params={"title": unready[0].title, "state": unready[0].get_state_display()},
                next_step=gettext_noop("请等它处理好，或把它移出这一版。"),
            )
        move(version, "publish")
        version.published_at, version.published_by = at, actor
        version.outline_digest = outline_digest(units)
        version.save(update_fields=["state", "published_at", "published_by", "outline_digest"])
        audit.record(
            "course.version_published",
            actor_id=actor.pk if actor else None,
            subject=version.subject,
            facts={
                "version": version.pk,
                "number": version.number,
                "total": _total(units),
                "outline": version.outline_digest,
                "materials": [one.sha256 for one in materials],
            },
            at=at,
        )
    return version


def retire_version(*, version: CourseVersion, actor: User, at: datetime.datetime) -> CourseVersion:
    """Take a published version out of use: no new class takes it, classes that have it keep it.

    Raises Refusal `not_the_editor` (403), `move_refused` (a draft).
    """
    with transaction.atomic():
        version = lock_version(version, actor)
        if version.state == "retired":
            return version
        move(version, "retire")
        version.save(update_fields=["state"])
        audit.record(
            "course.version_retired",
            actor_id=actor.pk,
            subject=version.subject,
            facts={"version": version.pk, "number": version.number},
            at=at,
        )
    return version


def lock_version(version: CourseVersion, actor: User | None) -> CourseVersion:
    """Lock course and version for somebody who edits it, in this order; None is the platform itself."""
    course = Course.objects.select_for_update(of=("self",)).get(pk=version.course_id)
    if actor is not None:
        permissions.require_edit(actor, course)
    locked = CourseVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
    locked.course = course
    return locked


def write_draft(
    course: Course,
    *,
    copied: CourseVersion | None,
    notes: str,
    actor: User | None,
    at: datetime.datetime,
) -> CourseVersion:
    """Write the next draft, with outline and materials of `copied`; the caller holds the course.

    A copied material shares its file with the version it came from: files of published versions stay.
    """
    version = CourseVersion.objects.create(
        course=course, number=copied.number + 1 if copied else 1, notes=notes, created_at=at
    )
    if copied:
        OutlineUnit.objects.bulk_create(
            OutlineUnit(
                version=version, position=unit.position, kind=unit.kind, hours=unit.hours, title=unit.title
            )
            for unit in copied.outline.all()
        )
        for material in copied.materials.prefetch_related("slide_pages"):
            pages = list(material.slide_pages.all())
            material.pk, material.version = None, version
            material._state.adding = True
            material.save(force_insert=True)
            SlidePage.objects.bulk_create(
                SlidePage(
                    material=material,
                    number=page.number,
                    file=page.file.name,
                    width=page.width,
                    height=page.height,
                    text=page.text,
                )
                for page in pages
            )
    audit.record(
        "course.version_drafted",
        actor_id=actor.pk if actor else None,
        subject=version.subject,
        facts={
            "version": version.pk,
            "number": version.number,
            "copied_from": copied.pk if copied else None,
        },
        at=at,
    )
    return version


def is_shared(material: Material) -> bool:
    """Whether another version's material has the same file."""
    return Material.objects.filter(file=material.file.name).exclude(pk=material.pk).exists()


def _total(units: Sequence[UnitDraft]) -> Decimal:
    return sum((unit.hours for unit in units), Decimal(0))
