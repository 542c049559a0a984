"""Attacks on the tables from inside: by the application, by raw SQL, by their owner with triggers awake."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction

from audit.actions import seal_now
from audit.models import Entry, Root, Span
from tests.audit.conftest import AT, Note, as_owner

TABLES = ["audit_entry", "audit_root", "audit_span"]


@pytest.fixture
def contents(note: Note) -> Callable[[], list[list[tuple[Any, ...]]]]:
    """Rows in every table; call it to read them all."""
    note("class/12", 1)
    note("class/12", 2)
    seal_now(at=AT)
    note("class/12", 3)
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")  # a pending check would refuse TRUNCATE before we do

    def contents() -> list[list[tuple[Any, ...]]]:
        with connection.cursor() as cursor:
            found = []
            for table in TABLES:
                cursor.execute(f"select * from {table} order by id")
                found.append(cursor.fetchall())
            return found

    return contents


@pytest.mark.parametrize(
    "attack",
    [
        lambda: Entry.objects.filter(seq=1).update(actor_id=8),
        lambda: Entry.objects.filter(seq=99).update(actor_id=8),
        lambda: Entry.objects.filter(seq=3).delete(),
        lambda: Entry.objects.all().delete(),
        lambda: Entry.objects.order_by("seq")[2].save(),
        lambda: Entry.objects.order_by("seq")[2].delete(),
        lambda: Entry.objects.bulk_update([Entry.objects.order_by("seq")[2]], ["facts"]),
        lambda: Root.objects.update(entries=1),
        lambda: Root.objects.all()._raw_delete("default"),
        lambda: Span.objects.update(last_seq=3),
        lambda: Span.objects.all().delete(),
    ],
)
def test_the_orm_cannot_change_or_delete(contents, attack):
    before = contents()
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        attack()
    assert contents() == before


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "sql",
    [
        "update {table} set id = id",
        "update {table} set id = id where false",
        "delete from {table}",
        "truncate {table} cascade",
        "alter table {table} disable trigger all",
        "drop trigger {table}_only_grows on {table}",
        "drop table {table} cascade",
        "set local session_replication_role = replica; delete from {table}",
    ],
)
def test_the_application_login_cannot_change_anything_by_sql(contents, table: str, sql: str):
    before = contents()
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.format(table=table))
    assert contents() == before


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "sql",
    [
        "update {table} set id = id",
        "update {table} set id = id where false",
        "delete from {table}",
        "delete from {table} where false",
        "truncate {table} cascade",
        "insert into {table} select * from {table} on conflict (id) do update set id = excluded.id",
        "merge into {table} t using {table} s on t.id = s.id when matched then delete",
    ],
)
def test_triggers_refuse_even_the_owner(contents, table: str, sql: str):
    before = contents()
    with (
        as_owner(triggers=True) as run,
        pytest.raises(IntegrityError, match=r"only grows|continues with|next root|sealed up to"),
        transaction.atomic(),
    ):
        run(sql.format(table=table))
    assert contents() == before


COPY = (
    "insert into audit_entry (chain, seq, prev_hash, hash, kind, actor_id, subject, facts, at, recorded_at)"
    " select {chain}, {seq}, {prev}, md5('a') || md5('b'), kind, 7, {subject}, facts, at, {recorded_at}"
    " from audit_entry order by seq desc limit 1"
)
FITTING = {
    "chain": "chain",
    "seq": "seq + 1",
    "prev": "hash",
    "subject": "subject",
    "recorded_at": "clock_timestamp()",
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seq": "seq"}, "continues with number 4"),
        ({"seq": "seq + 2"}, "continues with number 4"),
        ({"seq": "1", "prev": "repeat('0', 64)"}, "continues with number 4"),
        ({"prev": "prev_hash"}, "continues with number 4"),
        ({"chain": "'class/13'", "seq": "1", "prev": "repeat('0', 64)"}, "does not belong to chain class/13"),
        ({"recorded_at": "now() - interval '1 second'"}, "the database's clock"),
        ({"recorded_at": "now() + interval '1 hour'"}, "the database's clock"),
    ],
)
def test_raw_sql_cannot_slip_in_an_entry_that_does_not_continue(
    contents, change: dict[str, Any], message: str
):
    before = contents()
    with pytest.raises(IntegrityError, match=message), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(COPY.format(**(FITTING | change)))
    assert contents() == before
    with connection.cursor() as cursor:  # the statement itself is sound
        cursor.execute(COPY.format(**FITTING))
    assert contents() != before


def test_a_temporary_table_does_not_stand_in_for_the_log(contents):
    with connection.cursor() as cursor:
        cursor.execute("create temporary table audit_entry (like audit_entry) on commit drop")
        with pytest.raises(DatabaseError, match="continues with number 4"), transaction.atomic():
            cursor.execute(
                COPY.format(**FITTING).replace("audit_entry", "public.audit_entry").replace("seq + 1", "9")
            )


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            'insert into audit_root select (jsonb_populate_record(r, \'{"id": 99, "closes_day": true}\')).*'
            " from audit_root r",
            "next root is number 2",
        ),
        (
            'insert into audit_span select (jsonb_populate_record(s, \'{"id": 99, "position": 1}\')).*'
            " from audit_span s",
            "class/12 is sealed up to 2",
        ),
        (
            "insert into audit_span select (jsonb_populate_record(s,"
            ' \'{"id": 99, "position": 1, "first_seq": 3, "last_seq": 9}\')).* from audit_span s',
            "class/12 is sealed up to 2",
        ),
    ],
)
def test_raw_sql_cannot_slip_in_a_root_or_a_span(contents, sql: str, message: str):
    before = contents()
    with pytest.raises(IntegrityError, match=message), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert contents() == before
