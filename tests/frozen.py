"""Rows that many tests begin with, made once through the actions and then put back in one statement.

The cast alone takes some 220 queries to enter, and nearly every test wants it.
"""

from collections.abc import Callable
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction

from config.grants import APP

SEED = "seed"  # copies of the rows that migrations wrote


def keep_seed() -> None:
    """Copy each table that migrations filled, so a flush can put those rows back. Call as the owner."""
    with connection.cursor() as cursor:
        cursor.execute(f"drop schema if exists {SEED} cascade")
        cursor.execute(f"create schema {SEED}")
        for table in _filled_tables(cursor):
            cursor.execute(f'create table {SEED}."{table}" as table "{table}"')


def empty_tables(cursor: Any) -> None:
    """Delete all rows but the list of migrations. Call as the owner, with triggers asleep."""
    for table in _filled_tables(cursor):
        if table != "django_migrations":
            cursor.execute(f'delete from "{table}"')


def put_back(cursor: Any, schema: str) -> None:
    """Insert the rows that are kept in this schema. Call as the owner, with triggers asleep."""
    cursor.execute(_insertions(cursor, schema))


class Frozen:
    """What `build` adds to a database in which only migrations have written, or only they and `base`."""

    def __init__(self, name: str, build: Callable[[], object], *, base: "Frozen | None" = None) -> None:
        """Build, keep copies in a schema of this name, and leave the database as it was."""
        self._name = name
        schemas = [SEED, base._name] if base else [SEED]
        with transaction.atomic(), connection.cursor() as cursor:
            if base:
                base.thaw()
            build()
            connection.run_on_commit.clear()  # tasks would write past the copies
            cursor.execute("set local role none")
            cursor.execute(f"drop schema if exists {name} cascade")
            cursor.execute(f"create schema {name}")
            cursor.execute(
                "select table_schema, table_name from information_schema.tables where table_schema = any(%s)",
                [schemas],
            )
            known = set(cursor.fetchall())
            for table in _filled_tables(cursor):
                but = [f'except table {schema}."{table}"' for schema in schemas if (schema, table) in known]
                cursor.execute(f'create table {name}."{table}" as table public."{table}" {" ".join(but)}')
            self._thawing = (
                "set local role none; set local session_replication_role = replica;"
                f"{_insertions(cursor, name)};"
                f"set local session_replication_role = origin; set local role {APP}"
            )
            cursor.execute(f"set local role {APP}")
        # New rows go on counting behind the kept ones, so the sequences stay where they are.
        call_command(
            "flush", verbosity=0, interactive=False, reset_sequences=False, inhibit_post_migrate=True
        )

    def thaw(self) -> None:
        """Put the rows into the database of the test at hand, triggers asleep: they have passed them once."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(self._thawing)


def _filled_tables(cursor: Any) -> list[str]:
    tables = connection.introspection.table_names(cursor)
    cursor.execute(
        " union all ".join(f"select '{table}' where exists (select from \"{table}\")" for table in tables)
    )
    return [table for (table,) in cursor.fetchall()]


def _insertions(cursor: Any, schema: str) -> str:
    """One statement for each table of the schema but the list of migrations."""
    cursor.execute(
        "select table_name, string_agg(quote_ident(c.column_name), ', ')"
        " from information_schema.columns c join information_schema.tables t using (table_name)"
        " where c.table_schema = 'public' and t.table_schema = %s and c.is_generated = 'NEVER'"
        " and table_name <> 'django_migrations' group by 1",
        [schema],
    )
    return ";".join(
        f'insert into public."{table}" ({columns}) overriding system value'
        f' select {columns} from {schema}."{table}"'
        for table, columns in cursor.fetchall()
    )
