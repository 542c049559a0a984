from datetime import date, datetime, timedelta

import pytest

from audit import merkle, signing
from audit.actions import LEGAL_ZONE, legal_day, seal_day, seal_due, seal_now
from audit.canonical import canonical, digest
from audit.models import Entry, Root
from audit.tasks import seal_now as seal_now_task
from audit.tasks import seal_yesterday
from policy.refusals import Refusal
from tests.audit.conftest import Note, as_owner

DAY = timedelta(days=1)


def backdate(entry: Entry, at: datetime) -> None:
    """As if an entry had been recorded at another time."""
    entry.recorded_at = at
    with as_owner(triggers=False) as run:
        run(
            "update audit_entry set recorded_at = %s, hash = %s where id = %s",
            *(at, digest(entry.payload()), entry.pk),
        )


def test_a_root_covers_every_chain_and_says_so_under_its_signature(note: Note):
    entries = [note("class/2", 1), note("class/1", 2), note("class/1", 3)]
    at = entries[0].recorded_at
    root = seal_now(at=at)

    first, second = root.spans.order_by("position")
    assert (first.chain, first.first_seq, first.last_seq) == ("class/1", 1, 2)
    assert (second.chain, second.first_seq, second.last_seq) == ("class/2", 1, 1)
    assert first.head == entries[2].hash
    leaves = [merkle.leaf(bytes.fromhex(entry.hash)) for entry in entries[1:]]
    assert first.merkle_root == merkle.node(*leaves).hex()
    assert (
        root.merkle_root
        == merkle.node(
            merkle.leaf(canonical(first.payload())), merkle.leaf(canonical(second.payload()))
        ).hex()
    )
    assert (root.number, root.entries, root.chains, root.closes_day) == (1, 3, 2, False)
    assert (root.day, root.prev_hash) == (legal_day(at), "0" * 64)
    assert root.hash == digest(root.payload())
    assert signing.is_signed(canonical(root.payload()), signature=root.signature, by=signing.public_key())


def test_the_next_root_goes_on_where_the_last_one_ended(note: Note):
    at = note("class/1").recorded_at
    first = seal_now(at=at)
    note("class/1")
    note("class/2")
    second = seal_now(at=at)

    assert (second.number, second.prev_hash) == (2, first.hash)
    assert [(span.chain, span.first_seq, span.last_seq) for span in second.spans.order_by("position")] == [
        ("class/1", 2, 2),
        ("class/2", 1, 1),
    ]


def test_sealing_now_with_nothing_new_returns_the_newest_root(note: Note):
    at = note().recorded_at
    assert seal_now(at=at) == seal_now(at=at)
    assert Root.objects.count() == 1


def test_a_day_closes_once_it_is_over_and_only_once(note: Note):
    at = note().recorded_at
    today = legal_day(at)
    with pytest.raises(Refusal) as refused:
        seal_day(today, at=at)
    assert (refused.value.code, refused.value.found, refused.value.required) == (
        "day_not_over",
        today,
        today - DAY,
    )
    assert not Root.objects.exists()

    root = seal_day(today, at=at + DAY)
    assert (root.day, root.closes_day, root.entries) == (today, True, 1)
    assert seal_day(today, at=at + 2 * DAY) == root
    assert Root.objects.count() == 1


def test_a_legal_day_ends_at_midnight_in_henan(note: Note):
    today = legal_day(note("class/0").recorded_at)
    midnight = datetime.combine(today, datetime.min.time(), LEGAL_ZONE)
    backdate(note("class/1"), midnight - timedelta(microseconds=1))
    backdate(note("class/2"), midnight)

    root = seal_day(today - DAY, at=midnight)

    assert [span.chain for span in root.spans.all()] == ["class/1"]
    assert legal_day(datetime.fromisoformat("2026-09-06T16:00:00Z")) == date(2026, 9, 7)
    assert legal_day(datetime.fromisoformat("2026-09-06T15:59:59Z")) == date(2026, 9, 6)


def test_days_that_were_missed_are_closed_in_order_empty_ones_too(note: Note):
    at = note().recorded_at
    today = legal_day(at)
    roots = seal_due(at=at + 3 * DAY)

    assert [(root.day, root.entries) for root in roots] == [
        (today, 1),
        (today + DAY, 0),
        (today + 2 * DAY, 0),
    ]
    assert roots[1].merkle_root == merkle.root([]).hex()
    assert seal_due(at=at + 3 * DAY) == []


def test_without_evidence_no_day_is_due(db: None):
    assert seal_due(at=datetime(2026, 9, 7, tzinfo=LEGAL_ZONE)) == []


def test_a_day_before_a_closed_one_is_refused(note: Note):
    at = note().recorded_at
    today = legal_day(at)
    seal_day(today, at=at + DAY)
    with pytest.raises(Refusal) as refused:
        seal_day(today - DAY, at=at + DAY)
    assert refused.value.code == "later_day_sealed"
    assert Root.objects.count() == 1


def test_sealing_now_closes_the_days_that_are_over_first(note: Note):
    at = note().recorded_at
    root = seal_now(at=at + DAY)
    assert (root.number, root.closes_day, root.day) == (1, True, legal_day(at))


def test_the_tasks_seal_with_the_clock(note: Note):
    note()
    seal_yesterday()
    assert not Root.objects.exists()
    seal_now_task()
    assert [(root.entries, root.closes_day) for root in Root.objects.all()] == [(1, False)]


def test_a_signing_key_that_is_no_key_stops_sealing(note: Note, settings):
    at = note().recorded_at
    settings.SIGNING_KEY = "c2hvcnQ="
    with pytest.raises(Exception, match="SIGNING_KEY must be 32 bytes"):
        seal_now(at=at)
    assert not Root.objects.exists()


def test_the_key_is_rfc_8032s(settings):
    """RFC 8032 §7.1, test 1."""
    settings.SIGNING_KEY = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
    assert signing.public_key() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert signing.sign(b"") == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b"
    )
    assert len(signing.fingerprint(signing.public_key())) == 19
