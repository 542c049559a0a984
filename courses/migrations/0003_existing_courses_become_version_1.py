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
    Course, Version, Unit, Original = (
        apps.get_model("courses", name)
        for name in ("Course", "CourseVersion", "OutlineUnit", "OriginalCourse")
    )
    now = timezone.now()
    for course in Course.objects.order_by("pk"):
        if course.original and course.origin == "converted":
            course.converted_from = Original.objects.get_or_create(name=course.original)[0]
            course.save(update_fields=["converted_from"])
        units = list(Unit.objects.filter(course=course).order_by("position"))
        whole = {"state": "published", "published_at": now, "outline_digest": digest(units)} if units else {}
        version = Version.objects.create(course=course, number=1, created_at=now, **whole)
        Unit.objects.filter(course=course).update(version=version)


def empty(apps, schema_editor):
    """Back to one outline a course: that of version 1; later versions are lost."""
    Course, Version, Unit = (
        apps.get_model("courses", name) for name in ("Course", "CourseVersion", "OutlineUnit")
    )
    Unit.objects.exclude(version__number=1).delete()
    for version in Version.objects.filter(number=1):
        Unit.objects.filter(version=version).update(course_id=version.course_id, version=None)
    for course in Course.objects.exclude(converted_from=None).select_related("converted_from"):
        course.original, course.converted_from = course.converted_from.name, None
        course.save(update_fields=["original", "converted_from"])
    Version.objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("courses", "0002_versions_and_originals")]
    operations = [migrations.RunPython(fill, empty)]
