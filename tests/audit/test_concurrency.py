"""Two connections at once, on real PostgreSQL."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from audit import Record, record, record_many
from audit.actions import seal_now
from audit.models import Entry, Root
from audit.verification import verify_all
from tests.audit.conftest import AT

pytestmark = pytest.mark.django_db(transaction=True)


def note(subject: str, n: int) -> Entry:
    return record("probe.noted", actor_id=n, subject=subject, facts={"n": n}, at=AT)


class Holder:
    """A second connection that records in an open transaction until it is told how to end it."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.recorded, self.may_end = threading.Event(), threading.Event()
        self.commits = True
        self.entry: Entry | None = None

    def __call__(self) -> None:
        try:
            with transaction.atomic():
                self.entry = note(self.subject, 1)
                self.recorded.set()
                assert self.may_end.wait(30)
                transaction.set_rollback(not self.commits)
        finally:
            self.recorded.set()
            connection.close()


def in_thread(work: Callable[[], Any]) -> Callable[[], Any]:
    def run() -> Any:
        try:
            return work()
        finally:
            connection.close()

    return run


def wait_until_somebody_waits_for_a_chain() -> None:
    for _attempt in range(3000):
        with connection.cursor() as cursor:
            cursor.execute(
                "select pg_sleep(0.01), count(*) from pg_locks where locktype = 'advisory' and not granted"
                " and database = (select oid from pg_database where datname = current_database())"
            )
            if cursor.fetchone()[1]:
                return
    raise AssertionError("nobody ever waited")


@pytest.mark.parametrize("commits", [True, False])
def test_who_waits_for_a_chain_continues_what_the_holder_left(commits: bool):
    holder = Holder("class/1")
    holder.commits = commits

    def follow() -> Entry:
        with transaction.atomic():
            return note("class/1/lesson/2", 2)

    with ThreadPoolExecutor(2) as pool:
        held = pool.submit(holder)
        assert holder.recorded.wait(30)
        waiting = pool.submit(in_thread(follow))
        wait_until_somebody_waits_for_a_chain()
        holder.may_end.set()
        held.result(30)
        entry = waiting.result(30)

    assert holder.entry is not None
    assert (entry.seq, entry.prev_hash) == ((2, holder.entry.hash) if commits else (1, "0" * 64))
    assert verify_all().passed


def test_chains_do_not_wait_for_each_other():
    holder = Holder("class/1")
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(holder)
        assert holder.recorded.wait(30)
        with transaction.atomic():
            assert note("class/2", 2).seq == 1
        holder.may_end.set()
        held.result(30)


def test_many_writers_on_a_few_chains_leave_unbroken_chains():
    def write(start: int) -> None:
        for n in range(start, start + 10):
            with transaction.atomic():
                # Each takes two chains, in opposite orders: record_many locks them in one order.
                subjects = ["class/1", "class/2"] if start % 20 else ["class/2", "class/1"]
                record_many(
                    Record(kind="probe.noted", actor_id=None, subject=subject, facts={"n": n}, at=AT)
                    for subject in subjects
                )

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(in_thread(partial(write, start))) for start in (0, 10, 20, 30)]:
            done.result(60)

    for chain in ("class/1", "class/2"):
        entries = Entry.objects.filter(chain=chain).order_by("seq")
        assert [entry.seq for entry in entries] == list(range(1, 41))
        assert {entry.facts["n"] for entry in entries} == set(range(40))
    assert verify_all().passed


def test_sealing_neither_waits_for_open_transactions_nor_loses_what_they_record():
    holder = Holder("class/1")
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(holder)
        assert holder.recorded.wait(30)
        with transaction.atomic():
            at = note("class/2", 2).recorded_at
        first = seal_now(at=at)  # while class/1, with a lower id, is still uncommitted
        holder.may_end.set()
        held.result(30)
    second = seal_now(at=at)

    assert [span.chain for span in first.spans.all()] == ["class/2"]
    assert [span.chain for span in second.spans.all()] == ["class/1"]
    assert verify_all().unsealed == 0
    assert verify_all().passed


def test_two_sealers_make_one_root():
    with transaction.atomic():
        at = note("class/1", 1).recorded_at
    with ThreadPoolExecutor(2) as pool:
        roots = [pool.submit(in_thread(lambda: seal_now(at=at))) for _n in range(2)]
        assert {root.result(30).number for root in roots} == {1}
    assert Root.objects.count() == 1
