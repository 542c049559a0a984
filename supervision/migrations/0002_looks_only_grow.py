"""A look that was recorded stays recorded."""

from django.db import migrations

TABLES = ("supervision_look", "supervision_chainedlook")


class Migration(migrations.Migration):
    dependencies = [("supervision", "0001_looks"), ("audit", "0002_append_only")]

    operations = [
        migrations.RunSQL(
            f"CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE"
            f" ON {table} FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()",
            f"DROP TRIGGER {table}_only_grows ON {table}",
        )
        for table in TABLES
    ]
