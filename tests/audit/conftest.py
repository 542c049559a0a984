"""A kind of evidence for tests, and an attacker who owns the database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from audit import kinds, record
from audit.canonical import digest
from audit.models import Entry

AT = datetime(2026, 9, 7, 1, 0, 0, 5, tzinfo=UTC)

kinds.register(kinds.Kind("probe.noted", sentence="记下 {n}", schema={"n": int, "text": str | None}))

Note = Callable[..., Entry]


@pytest.fixture
def note(db: None) -> Note:
    """Record one probe: `note("class/12/lesson/3", 5)`."""

    def note(subject: str = "class/12", n: int = 0, **facts: Any) -> Entry:
        return record("probe.noted", actor_id=7, subject=subject, facts={"n": n, **facts}, at=AT)

    return note


@contextmanager
def as_owner(*, triggers: bool) -> Iterator[Callable[..., int]]:
    """Run SQL as the tables' owner, with triggers awake or asleep; yields `run(sql, *params) -> rows`."""
    with connection.cursor() as cursor:
        cursor.execute("select current_user")
        [role] = cursor.fetchone()
        cursor.execute("set role none")
        if not triggers:
            cursor.execute("set session_replication_role = replica")

        def run(sql: str, *params: Any) -> int:
            cursor.execute(sql, params)
            return int(cursor.rowcount)

        try:
            yield run
        finally:
            if not connection.needs_rollback:
                cursor.execute("reset session_replication_role")
                cursor.execute(f"set role {role}")


def forge(chain: str, *, since: int = 1) -> None:
    """Link a chain anew from some entry on, as an owner would who wants to hide what he did to it."""
    entries = list(Entry.objects.filter(chain=chain).order_by("seq"))
    prev = "0" * 64
    with as_owner(triggers=False) as run:
        for seq, entry in enumerate(entries, start=1):
            if seq >= since:
                entry.seq, entry.prev_hash = seq, prev
                entry.hash = digest(entry.payload())
                run(
                    "update audit_entry set seq = %s, prev_hash = %s, hash = %s where id = %s",
                    *(entry.seq, entry.prev_hash, entry.hash, entry.pk),
                )
            prev = entry.hash
