"""The package of a filing becomes a job of the exchange, with states and progress."""

import django.db.models.deletion
from django.db import migrations, models


def carry_over(apps, schema_editor):
    """Packages that were written before stay as they are, in the format they were written in."""
    database = schema_editor.connection.alias
    filings = apps.get_model("classes", "Filing").objects.using(database)
    packages = apps.get_model("exchange", "Package").objects.using(database)
    for filing in filings.exclude(package_sha256=""):
        filing.package = packages.create(
            kind="filing",
            subject=f"class/{filing.training_class_id}/filing/{filing.pk}",
            reference=f"BA-{filing.pk:08d}",
            state="written",
            requested_at=filing.submitted_at,
            began_at=filing.decided_at,
            ended_at=filing.decided_at or filing.submitted_at,
            attempts=1,
            file=filing.package_file.name,
            sha256=filing.package_sha256,
            manifest={"format": "yuchuang-filing-1", "file": {"sha256": filing.package_sha256}},
        )
        filing.save(using=database, update_fields=["package"])


class Migration(migrations.Migration):
    dependencies = [
        ("exchange", "0001_packages_and_receipts"),
        ("classes", "0003_classes_take_version_1"),
    ]

    operations = [
        migrations.RenameField("filing", "package", "package_file"),
        migrations.AddField(
            "filing",
            "package",
            models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="filing",
                to="exchange.package",
                verbose_name="材料包",
            ),
        ),
        migrations.RunPython(carry_over, migrations.RunPython.noop),
        # Rows were touched: their deferred constraints are checked before the table changes again.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RemoveField("filing", "package_file"),
        migrations.RemoveField("filing", "package_sha256"),
    ]
