"""Load Henan's regions by GB/T 2260 code (Q1): the province, its 18 prefecture-level units, their counties."""

import json
from pathlib import Path

from django.db import migrations


def load(apps, schema_editor):
    Region = apps.get_model("accounts", "Region")
    rows = json.loads((Path(__file__).parent.parent / "regions.json").read_text(encoding="utf-8"))
    # Sorted by level, so that parents come first.
    Region.objects.using(schema_editor.connection.alias).bulk_create(
        Region(code=row["code"], name=row["name"], level=row["level"], parent_id=row["parent"]) for row in rows
    )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(load, migrations.RunPython.noop, elidable=False)]
