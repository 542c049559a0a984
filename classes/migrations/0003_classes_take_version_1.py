"""Classes that are there take version 1 of their course: it is what the course was when they were made."""

from django.db import migrations
from django.db.models import OuterRef, Subquery


def fill(apps, schema_editor):
    classes, versions = (
        apps.get_model(*name).objects.using(schema_editor.connection.alias)
        for name in (("classes", "TrainingClass"), ("courses", "CourseVersion"))
    )
    first = versions.filter(course=OuterRef("course_id"), number=1).exclude(state="draft")
    classes.filter(course_version=None).update(course_version=Subquery(first.values("pk")[:1]))


class Migration(migrations.Migration):
    dependencies = [("classes", "0002_course_version")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
