"""The database itself keeps evidence: only rows that continue what is there, and never a change."""

from django.db import migrations

TABLES = ("audit_entry", "audit_root", "audit_span")

# Functions look up tables in the schema they were made in, so that nobody's temporary table stands in for them.
FUNCTIONS = """
DO $make$
BEGIN
EXECUTE replace($functions$

-- Lock a chain until the transaction ends and return its last entry and the clock. Taking the lock and reading are two
-- statements on purpose: the second one sees what the holder before us committed.
CREATE FUNCTION audit_head(wanted text, OUT seq bigint, OUT hash text, OUT recorded_at timestamptz)
LANGUAGE plpgsql VOLATILE SET search_path = @schema@, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('audit:' || wanted, 0));
    SELECT e.seq, e.hash, greatest(e.recorded_at, now(), clock_timestamp())
        INTO seq, hash, recorded_at
        FROM audit_entry e WHERE e.chain = wanted ORDER BY e.seq DESC LIMIT 1;
    IF NOT FOUND THEN
        seq := 0;
        hash := repeat('0', 64);
        recorded_at := greatest(now(), clock_timestamp());
    END IF;
END
$$;

CREATE FUNCTION audit_entry_continues() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = @schema@, pg_temp AS $$
DECLARE
    last_seq bigint := 0;
    last_hash text := repeat('0', 64);
    earliest timestamptz := now();
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('audit:' || NEW.chain, 0));
    SELECT e.seq, e.hash, greatest(e.recorded_at, now()) INTO last_seq, last_hash, earliest
        FROM audit_entry e WHERE e.chain = NEW.chain ORDER BY e.seq DESC LIMIT 1;
    IF NOT FOUND THEN
        last_seq := 0;
        last_hash := repeat('0', 64);
        earliest := now();
    END IF;
    IF NEW.seq <> last_seq + 1 OR NEW.prev_hash <> last_hash THEN
        RAISE EXCEPTION 'audit_entry: chain % continues with number % after %', NEW.chain, last_seq + 1, last_hash
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.chain <> array_to_string((string_to_array(NEW.subject, '/'))[1:2], '/') THEN
        RAISE EXCEPTION 'audit_entry: subject % does not belong to chain %', NEW.subject, NEW.chain
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.recorded_at NOT BETWEEN earliest AND greatest(earliest, clock_timestamp()) THEN
        RAISE EXCEPTION 'audit_entry: recorded_at is the database''s clock, not %', NEW.recorded_at
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION audit_root_continues() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = @schema@, pg_temp AS $$
DECLARE
    last_number bigint;
    last_hash text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('audit roots', 0));
    SELECT r.number, r.hash INTO last_number, last_hash FROM audit_root r ORDER BY r.number DESC LIMIT 1;
    IF NEW.number <> coalesce(last_number, 0) + 1 OR NEW.prev_hash <> coalesce(last_hash, repeat('0', 64)) THEN
        RAISE EXCEPTION 'audit_root: the next root is number % after %', coalesce(last_number, 0) + 1,
            coalesce(last_hash, repeat('0', 64)) USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION audit_span_continues() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = @schema@, pg_temp AS $$
DECLARE
    sealed bigint;
BEGIN
    SELECT s.last_seq INTO sealed FROM audit_span s WHERE s.chain = NEW.chain ORDER BY s.last_seq DESC LIMIT 1;
    IF NEW.first_seq <> coalesce(sealed, 0) + 1 OR NOT EXISTS (
        SELECT FROM audit_entry e WHERE e.chain = NEW.chain AND e.seq = NEW.last_seq AND e.hash = NEW.head
    ) OR EXISTS (SELECT FROM audit_root r WHERE r.id > NEW.root_id) THEN
        RAISE EXCEPTION 'audit_span: % is sealed up to %, and only by the newest root', NEW.chain, coalesce(sealed, 0)
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% holds evidence and only grows: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END
$$;

$functions$, '@schema@', quote_ident(current_schema()));
END
$make$;
"""

DROP_FUNCTIONS = """
DROP FUNCTION audit_refuse_change(), audit_span_continues(), audit_root_continues(), audit_entry_continues();
DROP FUNCTION audit_head(text);
"""


def triggers(table: str) -> migrations.RunSQL:
    """Per statement, so that a change is refused even where it would meet no row."""
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER {table}_continues BEFORE INSERT ON {table}
            FOR EACH ROW EXECUTE FUNCTION {table}_continues();
        CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
        """,
        f"DROP TRIGGER {table}_only_grows ON {table}; DROP TRIGGER {table}_continues ON {table};",
    )


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_entries_and_roots")]

    operations = [
        migrations.RunSQL(FUNCTIONS, DROP_FUNCTIONS),
        *(triggers(table) for table in TABLES),
    ]
