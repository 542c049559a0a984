"""Filed classes book their people; those filed before do so now, each as far as nobody else has come first."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.db import migrations, models

BOOK = """
INSERT INTO classes_booking (lesson_id, person_id, during)
SELECT lesson.id, people.person_id, tstzrange(lesson.starts_at, lesson.ends_at)
FROM classes_lesson lesson
JOIN classes_trainingclass class ON class.id = lesson.training_class_id
JOIN LATERAL (
    SELECT class.lecturer_id AS person_id WHERE class.lecturer_id IS NOT NULL
    UNION SELECT class.assistant_id WHERE class.assistant_id IS NOT NULL
    UNION SELECT enrolment.person_id FROM classes_enrolment enrolment
    WHERE enrolment.training_class_id = class.id AND enrolment.state = 'active'
) people ON true
WHERE class.state IN ('submitted', 'approved', 'running', 'finished')
  AND lesson.kind IN ('live', 'tutoring', 'quality', 'exam', 'offline')
ORDER BY class.id, lesson.starts_at, people.person_id
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_activation"),
        ("classes", "0004_package_of_a_filing"),
    ]

    operations = [
        migrations.CreateModel(
            name="Booking",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("during", django.contrib.postgres.fields.ranges.DateTimeRangeField()),
                (
                    "lesson",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="bookings",
                        to="classes.lesson",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.person",
                    ),
                ),
            ],
            options={
                "verbose_name": "占用的时间",
                "constraints": [
                    django.contrib.postgres.constraints.ExclusionConstraint(
                        expressions=[("person", "="), ("during", "&&")], name="person_booked_once_at_a_time"
                    )
                ],
            },
        ),
        migrations.RunSQL(BOOK, migrations.RunSQL.noop),
    ]
