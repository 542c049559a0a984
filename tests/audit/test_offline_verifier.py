"""What leaves the platform is checked by one file that shares no code with it."""

import ast
import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import offline_verifier as offline
from audit import signing
from audit.actions import seal_now
from audit.bundle import export_bundle
from audit.models import Entry
from audit.queries import entries_about, entries_of_chain
from tests.audit.conftest import Note

Bundle = dict[str, Any]


def through_a_file(bundle: Bundle) -> Bundle:
    read: Bundle = json.loads(json.dumps(bundle))
    return read


@pytest.fixture
def log(note: Note) -> None:
    at = note("class/11").recorded_at
    for n in range(5):
        note(f"class/12/person/{n % 2}", n, text="签到")
    seal_now(at=at)
    for n in range(5, 8):
        note(f"class/12/person/{n % 2}", n)
    note("class/13")
    seal_now(at=at)
    note("class/12/person/0", 9)


@pytest.fixture
def bundle(log: None) -> Bundle:
    """The whole of class/12, as it comes out of a file."""
    return through_a_file(export_bundle(entries_of_chain("class/12")))


@pytest.fixture
def extract(log: None) -> Bundle:
    """What concerns one person."""
    return through_a_file(export_bundle(entries_about("class/12/person/1")))


def test_a_whole_chain_passes_and_what_is_not_sealed_is_named(bundle: Bundle):
    report = offline.verify(bundle, [signing.public_key()])
    assert report.faults == []
    assert (report.entries, report.chains, report.roots, report.unsealed) == (9, 1, 2, 1)
    assert (report.extracts, report.keys) == ([], [])
    assert all("path" not in entry for entry in bundle["entries"])


def test_an_extract_passes_and_shows_nothing_of_the_rest(extract: Bundle):
    report = offline.verify(extract, [signing.public_key()])
    assert report.faults == []
    assert (report.entries, report.extracts, report.unsealed) == (4, ["class/12"], 0)
    assert {entry["subject"] for entry in extract["entries"]} == {"class/12/person/1"}
    assert "class/13" not in json.dumps(extract)


def test_several_chains_fit_in_one_bundle_and_one_entry_is_not_counted_twice(log: None):
    everything = [*Entry.objects.all(), *Entry.objects.all()]
    report = offline.verify(export_bundle(everything))
    assert report.faults == []
    assert (report.entries, report.chains, report.roots) == (11, 3, 2)
    assert report.keys == [signing.public_key()]


def test_an_empty_bundle_has_nothing_wrong(db: None):
    assert offline.verify(export_bundle([])).passed


def change(part: str, index: int, name: str, value: Any) -> Callable[[Bundle], None]:
    def attack(bundle: Bundle) -> None:
        assert bundle[part][index][name] != value
        bundle[part][index][name] = value

    return attack


def rewrite(bundle: Bundle) -> None:
    """Change the third entry and forge every hash after it."""
    bundle["entries"][2]["facts"] = {"n": 99, "text": None}
    for before, entry in zip(bundle["entries"][1:], bundle["entries"][2:], strict=False):
        entry["prev"] = before["hash"]
        entry["hash"] = offline.sha256(offline.encoded(entry, offline.ENTRY)).hex()


def swap(bundle: Bundle) -> None:
    one, two = bundle["entries"][1:3]
    one["seq"], two["seq"] = two["seq"], one["seq"]


@pytest.mark.parametrize(
    ("attack", "expected"),
    [
        (change("entries", 2, "facts", {"n": 99}), ("entry_changed", "class/12 #3")),
        (change("entries", 2, "actor", 8), ("entry_changed", "class/12 #3")),
        (change("entries", 2, "hash", "ab" * 32), ("entry_changed", "class/12 #3")),
        (swap, ("entry_changed", "class/12 #2")),
        (rewrite, ("sealed_part_changed", "class/12 #1")),
        (lambda bundle: bundle["entries"].pop(2), ("sealed_part_changed", "class/12 #1")),
        (lambda bundle: bundle["entries"].append(bundle["entries"][0]), ("entry_twice", "class/12 #1")),
        (change("spans", 0, "last", 6), ("span_not_in_root", "class/12 #1")),
        (change("spans", 1, "merkle_root", "ab" * 32), ("span_not_in_root", "class/12 #6")),
        (change("spans", 1, "path", []), ("span_not_in_root", "class/12 #6")),
        (change("spans", 1, "first", 3), ("spans_overlap", "class/12 #3")),
        (change("roots", 0, "signed_at", "2020-01-01T00:00:00.000000Z"), ("root_changed", "root 1")),
        (change("roots", 1, "signature", "ab" * 64), ("root_signature_wrong", "root 2")),
        (change("roots", 1, "signature", "ab"), ("root_signature_wrong", "root 2")),
    ],
)
def test_each_attack_on_a_file_is_found(
    bundle: Bundle, attack: Callable[[Bundle], None], expected: tuple[str, str]
):
    attack(bundle)
    report = offline.verify(bundle, [signing.public_key()])
    assert expected in report.faults
    assert {code for code, _place in report.faults} <= offline.MEANING.keys()


@pytest.mark.parametrize(
    "attack",
    [
        change("entries", 1, "path", []),
        change("entries", 1, "path", ["ab" * 32] * 3),
        lambda extract: extract["entries"][1].pop("path"),
    ],
)
def test_an_entry_of_an_extract_needs_its_own_path(extract: Bundle, attack: Callable[[Bundle], None]):
    attack(extract)
    assert offline.verify(extract).faults == [("sealed_part_changed", "class/12 #4")]


def test_a_bundle_signed_by_a_stranger_passes_only_without_the_published_key(bundle: Bundle):
    key = Ed25519PrivateKey.generate()
    for root in bundle["roots"]:
        root["public_key"] = key.public_key().public_bytes_raw().hex()
        payload = offline.encoded(root, offline.ROOT)
        root["signature"], root["hash"] = key.sign(payload).hex(), offline.sha256(payload).hex()
    # The second root still names the true first one.
    assert offline.verify(bundle).faults == [("root_link_broken", "root 2")]
    assert offline.verify(bundle, [signing.public_key()]).faults == [
        ("root_key_unknown", "root 1"),
        ("root_key_unknown", "root 2"),
    ]


def test_a_root_that_the_reader_holds_is_compared_and_an_absent_one_named(bundle: Bundle):
    held = {1: bundle["roots"][0]["hash"], 2: "ab" * 32, 7: "cd" * 32}
    report = offline.verify(bundle, known=held)
    assert report.faults == [("root_differs_from_copy", "root 2")]
    assert report.absent == [7]


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"format": "yuchuang-evidence/2", "roots": [], "spans": [], "entries": []},
        {"format": "yuchuang-evidence/1", "roots": [{}], "spans": [], "entries": []},
        {"format": "yuchuang-evidence/1", "roots": [], "spans": [{"root": 1}], "entries": []},
        {"format": "yuchuang-evidence/1", "roots": [], "spans": [], "entries": [{"chain": "a", "seq": "b"}]},
        {"format": "yuchuang-evidence/1", "roots": [], "spans": [], "entries": [7]},
    ],
)
def test_what_is_no_bundle_is_called_so(value: Any):
    assert offline.verify(value).faults == [("malformed", "-")]


def test_a_number_with_a_fraction_is_no_evidence(bundle: Bundle):
    bundle["entries"][0]["facts"] = {"n": 0.5}
    assert ("malformed", "-") in offline.verify(bundle).faults


@pytest.mark.parametrize("size", [0, 1, 32, 200])
def test_its_ed25519_agrees_with_the_library(size: int):
    key = Ed25519PrivateKey.from_private_bytes(bytes([size]) * 32)
    public, message = key.public_key().public_bytes_raw(), bytes(size)
    signature = key.sign(message)
    assert offline.is_signed(message, signature, public)
    assert not offline.is_signed(message + b"!", signature, public)
    assert not offline.is_signed(message, signature[:32] + bytes(32), public)
    assert not offline.is_signed(
        message, signature, Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    )
    # The same scalar plus the order would be a second signature for the same message (RFC 8032 §5.1.7).
    scalar = int.from_bytes(signature[32:], "little") + offline.ORDER
    assert not offline.is_signed(message, signature[:32] + scalar.to_bytes(32, "little"), public)
    assert not offline.is_signed(message, signature, b"\xff" * 32)
    assert not offline.is_signed(message, signature[:63], public)


FILE = Path(offline.__file__)


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a copy of the file alone, without site-packages and without our source roots."""
    alone = folder / "offline_verifier.py"
    alone.write_text(FILE.read_text(encoding="utf-8"), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-I", "-S", str(alone), *arguments],
        cwd=folder,
        env={"PATH": "", "LC_ALL": "C"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


def test_the_file_works_alone_and_exits_by_its_finding(bundle: Bundle, tmp_path: Path):
    (tmp_path / "evidence.json").write_text(json.dumps(bundle), encoding="utf-8")
    passed = run("--public-key", signing.public_key(), folder=tmp_path)
    assert (passed.returncode, passed.stderr) == (0, "")
    assert "通过：没有出入。" in passed.stdout

    tampered = copy.deepcopy(bundle)
    tampered["entries"][2]["facts"]["n"] = 99
    (tmp_path / "tampered.json").write_text(json.dumps(tampered), encoding="utf-8")
    failed = run("tampered.json", "--english", "--root", f"2:{bundle['roots'][1]['hash']}", folder=tmp_path)
    assert failed.returncode == 1
    assert "class/12 #3: entry_changed: the entry's content does not fit its hash" in failed.stdout
    assert signing.public_key() in failed.stdout

    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    assert run("broken.json", folder=tmp_path).returncode == 1
    assert run("evidence.json", "--root", "nonsense", folder=tmp_path).returncode == 2


def test_the_file_needs_only_the_standard_library_of_python_3_8():
    tree = ast.parse(FILE.read_text(encoding="utf-8"), feature_version=(3, 8))
    imported = {
        name.split(".")[0]
        for found in ast.walk(tree)
        for name in (
            [alias.name for alias in found.names]
            if isinstance(found, ast.Import)
            else [found.module or ""]
            if isinstance(found, ast.ImportFrom)
            else []
        )
    }
    assert imported <= sys.stdlib_module_names
