"""What an office wrote stays as it was written."""

from django.db import migrations

TABLE = "subsidies_remark"


class Migration(migrations.Migration):
    dependencies = [("subsidies", "0001_claims_notices_and_objections"), ("audit", "0002_append_only")]

    operations = [
        migrations.RunSQL(
            f"CREATE TRIGGER {TABLE}_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE"
            f" ON {TABLE} FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()",
            f"DROP TRIGGER {TABLE}_only_grows ON {TABLE}",
        )
    ]
