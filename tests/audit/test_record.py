from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from audit import Record, record, record_many
from audit.canonical import canonical, digest, moment
from audit.kinds import FactsRefused, UnknownKind
from audit.models import Entry
from audit.queries import entries_about, entries_of_chain
from audit.subjects import chain_of
from tests.audit.conftest import AT, Note


def test_entries_of_a_class_form_one_chain_linked_by_hash(note: Note):
    first = note("class/12/lesson/40/person/7", 1)
    other = note("class/13", 2)
    second = note("class/12/filing/1", 3)

    assert (first.chain, first.seq, first.prev_hash) == ("class/12", 1, "0" * 64)
    assert (other.chain, other.seq, other.prev_hash) == ("class/13", 1, "0" * 64)
    assert (second.chain, second.seq, second.prev_hash) == ("class/12", 2, first.hash)


def test_the_hash_is_sha256_over_the_canonical_json_of_what_is_stored(note: Note):
    entry = Entry.objects.get(pk=note("class/12", 3, text="签到").pk)

    recorded_at = entry.recorded_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert canonical(entry.payload()).decode() == (
        '{"actor":7,"at":"2026-09-07T01:00:00.000005Z","chain":"class/12","facts":{"n":3,"text":"签到"},'
        f'"kind":"probe.noted","prev":"{"0" * 64}","recorded_at":"{recorded_at}","seq":1,'
        '"subject":"class/12"}'
    )
    assert entry.hash == digest(entry.payload())


def test_the_time_of_recording_is_the_databases_not_the_callers(note: Note):
    entry = note()
    with connection.cursor() as cursor:
        cursor.execute("select now(), clock_timestamp()")
        begun, clock = cursor.fetchone()
    assert begun <= entry.recorded_at <= clock
    assert entry.at == AT


def test_one_entry_takes_two_queries(note: Note, django_assert_num_queries):
    with django_assert_num_queries(2):
        note()


def test_many_entries_on_several_chains_take_two_queries_and_keep_their_order(
    db: None, django_assert_num_queries
):
    with django_assert_num_queries(2):
        entries = record_many(
            Record(kind="probe.noted", actor_id=None, subject=f"class/{2 - n % 2}", facts={"n": n}, at=AT)
            for n in range(5)
        )
    assert [(entry.chain, entry.seq, entry.facts["n"]) for entry in entries] == [
        ("class/2", 1, 0),
        ("class/1", 1, 1),
        ("class/2", 2, 2),
        ("class/1", 2, 3),
        ("class/2", 3, 4),
    ]
    assert entries[4].prev_hash == entries[2].hash
    assert record_many([]) == []


@pytest.mark.django_db(transaction=True)
def test_recording_outside_a_transaction_is_refused():
    with pytest.raises(transaction.TransactionManagementError):
        record("probe.noted", actor_id=None, subject="class/12", facts={"n": 1}, at=AT)
    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_action_leaves_no_evidence_and_no_hole():
    with transaction.atomic():
        record("probe.noted", actor_id=None, subject="class/12", facts={"n": 1}, at=AT)
        transaction.set_rollback(True)
    assert not Entry.objects.exists()
    with transaction.atomic():
        entry = record("probe.noted", actor_id=None, subject="class/12", facts={"n": 2}, at=AT)
    assert entry.seq == 1


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"kind": "probe.unheard_of"}, UnknownKind),
        ({"facts": {}}, FactsRefused),
        ({"subject": "Class 12"}, ValueError),
        ({"subject": "class//12"}, ValueError),
        ({"subject": "class/王小满"}, ValueError),
        ({"subject": "class/" + "1" * 200}, ValueError),
        ({"at": datetime(2026, 9, 7)}, ValueError),  # noqa: DTZ001
    ],
)
def test_what_does_not_fit_is_refused_and_leaves_nothing(
    db: None, change: dict[str, Any], error: type[Exception]
):
    given: dict[str, Any] = {
        "kind": "probe.noted",
        "actor_id": 7,
        "subject": "class/12",
        "facts": {"n": 1},
        "at": AT,
    } | change
    with pytest.raises(error):
        record(given.pop("kind"), **given)
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    ("subject", "chain"),
    [
        ("platform", "platform"),
        ("class/12", "class/12"),
        ("class/12/lesson/40/person/7", "class/12"),
        ("claim/2026-03.A", "claim/2026-03.A"),
    ],
)
def test_the_first_two_parts_of_a_subject_name_its_chain(subject: str, chain: str):
    assert chain_of(subject) == chain


def test_evidence_about_a_subject_includes_what_lies_under_it_and_nothing_beside_it(note: Note):
    expected = [note("class/1/lesson/4"), note("class/1/lesson/4/person/7")]
    note("class/1/lesson/40")
    note("class/1/lesson/3")
    note("class/10/lesson/4")

    assert list(entries_about("class/1/lesson/4")) == expected
    assert entries_of_chain("class/1").count() == 4
    with pytest.raises(ValueError, match="not an evidence subject"):
        entries_about("class/%")


def test_searching_by_subject_uses_the_index(note: Note):
    for n in range(50):
        note(f"class/{n}")
    with connection.cursor() as cursor:
        # So few rows may be read in any order; what is asked is whether the index can serve the search.
        cursor.execute("set local enable_seqscan = off; set local enable_indexscan = off")
    assert "audit_entry_about" in entries_about("class/7").explain()


def test_a_moment_is_written_in_utc_with_all_six_digits():
    noon = datetime.fromisoformat("2026-09-07T12:00:00+08:00")
    assert moment(noon) == "2026-09-07T04:00:00.000000Z"
    assert moment(noon + timedelta(microseconds=120)) == "2026-09-07T04:00:00.000120Z"


def test_an_entry_reads_as_a_sentence_and_as_its_bare_kind_where_the_app_is_gone(note: Note):
    entry = note("class/12", 3)
    assert entry.sentence == "记下 3"
    entry.kind = "probe.gone"
    assert entry.sentence == "probe.gone"
