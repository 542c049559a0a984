"""What is in the catalogue becomes version 1 of each course, published; a text naming an original becomes an entry."""

import hashlib

import rfc8785
from django.db import migrations
from django.utils import timezone


def digest(units):
    """As courses.outlines.outline_digest at the time of this migration."""
    lines = [
        {"kind": unit.kind, "hours": f"{unit.hours.normalize():f}", "title": unit.title} for unit in units
    ]
    return hashlib.sha256(rfc8785.dumps(lines)).hexdigest()


def fill(apps, schema_editor):
    courses, versions, filed, originals = (
        apps.get_model("courses", name).objects.using(schema_editor.connection.alias)
        for name in ("Course", "CourseVersion", "OutlineUnit", "OriginalCourse")
    )
    now = timezone.now()
    for course in courses.order_by("pk"):
        if course.original and course.origin == "converted":
            course.converted_from = originals.get_or_create(name=course.original)[0]
            course.save(update_fields=["converted_from"])
        units = list(filed.filter(course=course).order_by("position"))
        whole = {"state": "published", "published_at": now, "outline_digest": digest(units)} if units else {}
        version = versions.create(course=course, number=1, created_at=now, **whole)
        filed.filter(course=course).update(version=version)


def empty(apps, schema_editor):
    """Back to one outline a course: that of version 1; later versions are lost."""
    courses, versions, filed = (
        apps.get_model("courses", name).objects.using(schema_editor.connection.alias)
        for name in ("Course", "CourseVersion", "OutlineUnit")
    )
    filed.exclude(version__number=1).delete()
    for version in versions.filter(number=1):
        filed.filter(version=version).update(course_id=version.course_id, version=None)
    for course in courses.exclude(converted_from=None).select_related("converted_from"):
        course.original, course.converted_from = course.converted_from.name, None
        course.save(update_fields=["original", "converted_from"])
    versions.all().delete()


class Migration(migrations.Migration):
    dependencies = [("courses", "0002_versions_and_originals")]
    operations = [migrations.RunPython(fill, empty)]
