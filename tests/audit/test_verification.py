"""Attacks by somebody who owns the database and can put triggers to sleep: verification names the place."""

import base64
from collections.abc import Callable
from functools import partial
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext

from audit import merkle, record, signing
from audit.actions import seal_now
from audit.canonical import canonical, digest
from audit.models import Entry, Root, Span
from audit.tasks import verify_evidence
from audit.verification import MEANING, verify_all, verify_chain
from tests.audit.conftest import AT, Note, as_owner, forge


@pytest.fixture
def log(note: Note) -> list[Root]:
    """Two chains sealed by two roots: class/12 has 1-3 | 4-5 and 6-7 still unsealed, class/13 has 1-2 | 3."""
    at = note("class/12", 1).recorded_at
    note("class/12/lesson/1", 2)
    note("class/13", 1)
    note("class/12", 3)
    note("class/13", 2)
    first = seal_now(at=at)
    note("class/12", 4)
    note("class/13", 3)
    note("class/12", 5)
    second = seal_now(at=at)
    note("class/12", 6)
    note("class/12", 7)
    return [first, second]


def found() -> list[tuple[str, str]]:
    return [(fault.code, fault.place) for fault in verify_all().faults]


def sql(statement: str) -> Callable[[], None]:
    def attack() -> None:
        with as_owner(triggers=False) as run:
            assert run(statement) > 0, "the attack met nothing"

    return attack


def in_turn(*attacks: Callable[[], None]) -> Callable[[], None]:
    def attack() -> None:
        for step in attacks:
            step()

    return attack


def forge_spans() -> None:
    """After entries were forged: make the spans fit them."""
    with as_owner(triggers=False) as run:
        for span in Span.objects.all():
            entries = Entry.objects.filter(chain=span.chain, seq__range=(span.first_seq, span.last_seq))
            hashes = list(entries.order_by("seq").values_list("hash", flat=True))
            root = merkle.root([merkle.leaf(bytes.fromhex(value)) for value in hashes]).hex()
            run("update audit_span set head = %s, merkle_root = %s where id = %s", hashes[-1], root, span.pk)


def forge_roots(*, sign: bool) -> None:
    """After spans were forged: make the roots fit them, and sign them with whatever key is set."""
    prev = "0" * 64
    with as_owner(triggers=False) as run:
        for root in Root.objects.order_by("number"):
            spans = root.spans.order_by("position")
            root.merkle_root = merkle.root([span.leaf() for span in spans]).hex()
            root.prev_hash = prev
            if sign:
                root.public_key = signing.public_key()
            root.hash = prev = digest(root.payload())
            if sign:
                root.signature = signing.sign(canonical(root.payload()))
            run(
                "update audit_root set merkle_root = %s, prev_hash = %s, public_key = %s, hash = %s,"
                " signature = %s where id = %s",
                *(root.merkle_root, root.prev_hash, root.public_key, root.hash, root.signature, root.pk),
            )


def swap(one: int, two: int) -> Callable[[], None]:
    return in_turn(
        sql(f"update audit_entry set seq = 99 where chain = 'class/12' and seq = {one}"),
        sql(f"update audit_entry set seq = {one} where chain = 'class/12' and seq = {two}"),
        sql(f"update audit_entry set seq = {two} where chain = 'class/12' and seq = 99"),
    )


CHANGE_2 = sql("update audit_entry set facts = '{\"n\": 99}' where chain = 'class/12' and seq = 2")
REMOVE_2 = sql("delete from audit_entry where chain = 'class/12' and seq = 2")


def test_an_untouched_log_passes(log: list[Root]):
    whole = verify_all()
    assert whole.passed
    assert (whole.entries, whole.chains, whole.roots, whole.unsealed) == (10, 2, 2, 2)
    assert whole.unsealed_since == Entry.objects.get(chain="class/12", seq=6).recorded_at
    one = verify_chain("class/13", known={2: log[1].hash})
    assert one.passed
    assert (one.entries, one.chains, one.roots, one.unsealed, one.unsealed_since) == (3, 1, 2, 0, None)


def test_an_empty_log_passes(db: None):
    assert verify_all().passed
    assert verify_chain("class/1").entries == 0


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        pytest.param(CHANGE_2, [("entry_changed", "class/12 #2")], id="changed row"),
        pytest.param(
            sql("update audit_entry set actor_id = 8 where chain = 'class/12' and seq = 7"),
            [("entry_changed", "class/12 #7")],
            id="changed row, not sealed yet",
        ),
        pytest.param(
            sql("update audit_entry set at = at + interval '1 us' where chain = 'class/13' and seq = 1"),
            [("entry_changed", "class/13 #1")],
            id="changed by a microsecond",
        ),
        pytest.param(
            sql("update audit_entry set facts = '{\"n\": 1e400}' where chain = 'class/13' and seq = 1"),
            [("entry_changed", "class/13 #1")],
            id="changed into what JSON cannot hold",
        ),
        pytest.param(REMOVE_2, [("entry_missing", "class/12 #2")], id="removed row"),
        pytest.param(
            sql("delete from audit_entry where chain = 'class/12' and seq in (1, 6)"),
            [("entry_missing", "class/12 #1")],
            id="removed first row",
        ),
        pytest.param(
            sql("delete from audit_entry where chain = 'class/12' and seq >= 5"),
            [("sealed_part_missing", "class/12 #5")],
            id="removed tail",
        ),
        pytest.param(
            sql("delete from audit_entry where chain = 'class/13'"),
            [("sealed_part_missing", "class/13 #1")],
            id="removed chain",
        ),
        pytest.param(swap(2, 3), [("entry_changed", "class/12 #2")], id="swapped rows"),
        pytest.param(
            in_turn(
                swap(2, 3),
                sql(
                    "update audit_entry set recorded_at = (select max(recorded_at) from audit_entry"
                    " where chain = 'class/12' and seq < 4) where chain = 'class/12' and seq in (2, 3)"
                ),
                lambda: forge("class/12"),
            ),
            [("sealed_part_changed", "class/12 #1")],
            id="swapped rows, all hashes forged",
        ),
        pytest.param(
            in_turn(CHANGE_2, lambda: forge("class/12", since=2)),
            [("sealed_part_changed", "class/12 #1")],
            id="rewritten from 2 on, all hashes forged",
        ),
        pytest.param(
            in_turn(
                sql("update audit_entry set facts = '{\"n\": 99}' where chain = 'class/12' and seq = 4"),
                lambda: forge("class/12", since=4),
            ),
            [("sealed_part_changed", "class/12 #4")],
            id="rewritten from 4 on, all hashes forged",
        ),
        pytest.param(
            in_turn(REMOVE_2, lambda: forge("class/12")),
            [("sealed_part_changed", "class/12 #1")],
            id="removed row, the rest numbered and forged anew",
        ),
        pytest.param(
            in_turn(CHANGE_2, lambda: forge("class/12"), forge_spans),
            [("root_spans_changed", "root 1"), ("root_spans_changed", "root 2")],
            id="rewritten with spans",
        ),
        pytest.param(
            in_turn(CHANGE_2, lambda: forge("class/12"), forge_spans, lambda: forge_roots(sign=False)),
            [("root_signature_wrong", "root 1"), ("root_signature_wrong", "root 2")],
            id="rewritten with spans and roots",
        ),
        pytest.param(
            sql("update audit_entry set prev_hash = hash where chain = 'class/12' and seq = 7"),
            [("entry_changed", "class/12 #7")],
            id="unlinked",
        ),
        pytest.param(
            sql("update audit_root set signed_at = signed_at - interval '1 day' where number = 1"),
            [("root_changed", "root 1")],
            id="changed root",
        ),
        pytest.param(
            sql("update audit_root set signature = repeat('ab', 64) where number = 2"),
            [("root_signature_wrong", "root 2")],
            id="changed signature",
        ),
        pytest.param(
            sql("update audit_root set public_key = 'no key' where number = 2"),
            [("root_changed", "root 2")],
            id="key that is none",
        ),
        pytest.param(
            in_turn(
                sql("delete from audit_span where root_id = (select min(id) from audit_root)"),
                sql("delete from audit_root where number = 1"),
            ),
            [
                ("root_missing", "root 1"),
                ("span_broken", "class/12 #4"),
                ("span_broken", "class/13 #3"),
            ],
            id="removed root",
        ),
        pytest.param(
            sql("delete from audit_span where chain = 'class/13' and first_seq = 1"),
            [("root_spans_changed", "root 1"), ("span_broken", "class/13 #3")],
            id="removed span",
        ),
        pytest.param(
            sql("update audit_span set last_seq = 6 where chain = 'class/12' and last_seq = 5"),
            [("root_spans_changed", "root 2"), ("sealed_part_changed", "class/12 #4")],
            id="stretched span",
        ),
    ],
)
def test_each_attack_is_found_at_its_place(
    log: list[Root], attack: Callable[[], None], expected: list[tuple[str, str]]
):
    attack()
    assert found() == expected
    assert {fault.code for fault in verify_all().faults} <= MEANING.keys()


def test_one_chain_can_be_verified_by_itself(log: list[Root]):
    sql("delete from audit_entry where chain = 'class/12' and seq >= 5")()
    assert [(fault.code, fault.place) for fault in verify_chain("class/12").faults] == [
        ("sealed_part_missing", "class/12 #5")
    ]
    assert verify_chain("class/13").passed


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("recorded_at = recorded_at - interval '1 day'", "clock_backwards"),
        ("subject = 'class/13'", "wrong_chain"),
        ("subject = 'Class 13'", "entry_changed"),
    ],
)
def test_an_unsealed_entry_with_all_hashes_forged_must_still_make_sense(
    log: list[Root], change: str, code: str
):
    sql(f"update audit_entry set {change} where chain = 'class/12' and seq = 7")()
    forge("class/12", since=7)
    assert found() == [(code, "class/12 #7")]


def test_a_link_to_another_past_is_found(log: list[Root]):
    """Each later entry fits its own hash, but the first forged one does not link to what is there."""
    entry = Entry.objects.get(chain="class/12", seq=7)
    entry.prev_hash = "ab" * 32
    with as_owner(triggers=False) as run:
        run(
            "update audit_entry set prev_hash = %s, hash = %s where id = %s",
            *(entry.prev_hash, digest(entry.payload()), entry.pk),
        )
    assert found() == [("link_broken", "class/12 #7")]


def test_only_what_no_root_covers_yet_can_vanish_unseen(log: list[Root], note: Note):
    sql("delete from audit_entry where chain = 'class/12' and seq = 7")()
    assert verify_all().passed

    note("class/12", 8)
    seal_now(at=log[0].signed_at)
    sql("delete from audit_entry where chain = 'class/12' and seq = 7")()
    assert found() == [("sealed_part_missing", "class/12 #7")]


def forge_everything(settings) -> None:
    CHANGE_2()
    forge("class/12")
    forge_spans()
    forge_roots(sign=True)


def test_a_history_signed_with_another_key_is_found(log: list[Root], settings):
    own = signing.public_key()
    settings.SIGNING_KEY = base64.b64encode(bytes(32)).decode()
    forge_everything(settings)
    stranger = signing.public_key()

    faults = verify_all(trusted=[own]).faults
    assert [(fault.code, fault.place) for fault in faults] == [
        ("root_key_unknown", "root 1"),
        ("root_key_unknown", "root 2"),
    ]
    assert verify_all(trusted=[stranger]).passed


def test_a_history_rewritten_with_the_true_key_is_found_by_the_copies_others_hold(log: list[Root], settings):
    copies = {root.number: root.hash for root in log}
    forge_everything(settings)

    assert verify_all().passed
    assert [(fault.code, fault.place) for fault in verify_all(known=copies).faults] == [
        ("root_differs_from_copy", "root 1"),
        ("root_differs_from_copy", "root 2"),
    ]
    assert [fault.code for fault in verify_chain("class/12", known={2: copies[2]}).faults] == [
        "root_differs_from_copy"
    ]


def test_a_root_removed_from_the_end_is_missed_by_whoever_holds_it(log: list[Root]):
    sql("delete from audit_span where root_id = (select id from audit_root where number = 2)")()
    sql("delete from audit_root where number = 2")()
    assert found() == []
    assert [(fault.code, fault.place) for fault in verify_all(known={2: log[1].hash}).faults] == [
        ("root_missing", "root 2")
    ]


def test_roots_of_a_retired_key_stay_valid(log: list[Root], settings):
    retired = signing.public_key()
    settings.SIGNING_KEY = base64.b64encode(bytes(32)).decode()
    assert {fault.code for fault in verify_all().faults} == {"root_key_unknown"}
    settings.SIGNING_KEYS_RETIRED = [retired]
    assert verify_all().passed


def test_pages_of_any_size_are_walked_without_a_gap(log: list[Root], monkeypatch: pytest.MonkeyPatch):
    from audit import queries

    pages = queries.pages
    for size in (1, 2, 3):
        monkeypatch.setattr(queries, "pages", partial(pages, page=size))
        assert (verify_all().entries, verify_all().passed) == (10, True)
        assert (verify_chain("class/12").entries, verify_chain("class/12").passed) == (7, True)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("verify_evidence", *arguments, stdout=out, no_color=True)
    return out.getvalue()


def test_the_command_reports_what_it_checked(log: list[Root]):
    said = run("--known-root", f"1:{log[0].hash}")
    assert "2 条链上的 10 条记录和 2 个根" in said
    assert "尚未封存：2 条" in said
    assert signing.public_key() in said
    assert "留痕完整，没有出入。" in said
    assert "1 条链上的 3 条记录" in run("--chain", "class/13")


def test_the_command_fails_at_the_first_fault(log: list[Root]):
    CHANGE_2()
    out = StringIO()
    with pytest.raises(CommandError, match="1 处，第一处在 class/12 #2") as failed:
        call_command("verify_evidence", stdout=out, no_color=True)
    assert failed.value.returncode == 1
    assert "class/12 #2: entry_changed: 这条记录的内容与它的摘要不符" in out.getvalue()


def test_the_command_believes_only_the_keys_it_is_given(log: list[Root]):
    assert "没有出入" in run("--public-key", signing.public_key())
    with pytest.raises(CommandError, match="第一处在 root 1"):
        run("--public-key", "ab" * 32)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--chain", "class/99"],
        ["--public-key", "nonsense"],
        ["--known-root", "nonsense"],
        ["--known-root", "1:abc"],
        ["--known-root", "x:" + "a" * 64],
    ],
)
def test_the_command_refuses_what_it_cannot_check(log: list[Root], arguments: list[str]):
    with pytest.raises(CommandError):
        run(*arguments)


def test_the_nightly_verification_is_itself_on_record(log: list[Root], caplog: pytest.LogCaptureFixture):
    verify_evidence()
    entry = Entry.objects.get(kind="evidence.verified")
    assert entry.sentence == "核对留痕：2 条链、10 条记录、2 个根，发现 0 处出入；0 行数据和留痕不一致"
    assert (entry.subject, entry.actor_id, entry.facts["first_fault"]) == ("platform/evidence", None, None)

    CHANGE_2()
    verify_evidence()
    entry = Entry.objects.filter(kind="evidence.verified").latest("seq")
    assert (entry.facts["faults"], entry.facts["first_fault"]) == (1, "class/12 #2 entry_changed")


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_a_chain_verifies_over_the_login_that_only_reads():
    with transaction.atomic():
        for n in range(3):
            record("probe.noted", actor_id=7, subject="class/12", facts={"n": n}, at=AT)
    seal_now(at=AT)
    with CaptureQueriesContext(connections["default"]) as by_default:
        found = verify_chain("class/12", using="supervision")
    assert (found.passed, found.entries, found.roots, found.unsealed) == (True, 3, 1, 0)
    assert by_default.captured_queries == []
    with as_owner(triggers=False) as run:
        run('update audit_entry set facts = \'{"n": 9, "text": null}\' where seq = 2')
    assert [fault.place for fault in verify_chain("class/12", using="supervision").faults] == ["class/12 #2"]
