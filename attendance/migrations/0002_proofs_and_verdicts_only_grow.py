"""What credit and verdicts rest on refuses changes: who was asked, who answered, what was handed in, the verdict."""

from django.db import migrations

TABLES = ("attendance_checktarget", "attendance_checkanswer", "attendance_unitcredit", "attendance_verdict")


class Migration(migrations.Migration):
    dependencies = [
        ("attendance", "0001_sign_ins_checks_and_verdicts"),
        ("audit", "0002_append_only"),
    ]

    operations = [
        migrations.RunSQL(
            f"CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE"
            f" ON {table} FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()",
            f"DROP TRIGGER {table}_only_grows ON {table}",
        )
        for table in TABLES
    ]
