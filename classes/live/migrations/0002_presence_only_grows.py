"""The ledger of presence refuses changes; the small table of open presence leaves room for heartbeats in
its pages.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("live", "0001_rooms_and_presence"), ("audit", "0002_append_only")]

    operations = [
        migrations.RunSQL(
            "CREATE TRIGGER live_presenceinterval_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE"
            " ON live_presenceinterval FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()",
            "DROP TRIGGER live_presenceinterval_only_grows ON live_presenceinterval",
        ),
        migrations.RunSQL(
            # A heartbeat writes a new version of its row: with room beside it no index has to be touched (HOT).
            "ALTER TABLE live_openpresence SET (fillfactor = 50)",
            "ALTER TABLE live_openpresence RESET (fillfactor)",
        ),
    ]
