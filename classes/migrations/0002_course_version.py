import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("classes", "0001_initial"),
        ("courses", "0004_outlines_belong_to_versions"),
    ]

    operations = [
        migrations.AddField(
            "trainingclass",
            "course_version",
            models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="classes", to="courses.courseversion", verbose_name="课程版本"),
        ),
    ]
