import json
from typing import Any

import pytest

from audit.actions import seal_now
from audit.models import Entry
from audit.proofs import Proof, proof_of, verify_proof
from tests.audit.conftest import Note


@pytest.fixture
def entries(note: Note) -> list[Entry]:
    """Seven entries of class/12 between those of other chains, under two roots."""
    at = note("class/11").recorded_at
    entries = [note("class/12", n) for n in range(4)]
    note("class/13")
    seal_now(at=at)
    entries += [note("class/12", n) for n in range(4, 7)]
    note("class/10")
    seal_now(at=at)
    return entries


def test_every_entry_is_proved_and_its_proof_survives_json(entries: list[Entry]):
    for entry in entries:
        proof = proof_of(entry)
        assert proof is not None
        again = Proof(**json.loads(json.dumps(proof.as_json())))
        assert verify_proof(again)
        assert again.root["number"] == (1 if entry.seq <= 4 else 2)


def test_an_entry_that_no_root_covers_yet_has_no_proof(note: Note):
    assert proof_of(note()) is None


def test_a_proof_of_another_key_is_not_believed(entries: list[Entry]):
    proof = proof_of(entries[0])
    assert proof is not None
    assert not verify_proof(proof, trusted=["ab" * 32])


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("entry", "facts", {"n": 9, "text": None}),
        ("entry", "seq", 2),
        ("entry", "seq", "2"),
        ("entry", "seq", 99),
        ("entry", "chain", "class/13"),
        ("span", "chain", "class/13"),
        ("span", "last", 5),
        ("span", "merkle_root", "ab" * 32),
        ("root", "merkle_root", "ab" * 32),
        ("root", "signed_at", "2020-01-01T00:00:00.000000Z"),
        ("root", "chains", None),
        (None, "position", 0),
        (None, "position", -1),
        (None, "signature", "ab" * 64),
        (None, "signature", "no hex"),
        (None, "path_in_span", []),
        (None, "path_in_root", ["no hex"]),
        (None, "span", {}),
    ],
)
def test_nothing_in_a_proof_can_be_changed(entries: list[Entry], part: str | None, name: str, value: Any):
    proof = proof_of(entries[2])
    assert proof is not None
    changed = proof.as_json()
    (changed[part] if part else changed)[name] = value
    assert not verify_proof(Proof(**changed))
