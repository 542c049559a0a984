#!/usr/bin/env python3
"""Check exported evidence without the platform: python3 offline_verifier.py evidence.json

This one file needs nothing but Python 3.8 or newer: no network, no package. It recomputes every hash, links
the chains, climbs the Merkle trees to the roots and checks the roots' Ed25519 signatures. To be sure whose
signatures they are, give the platform's published public key: --public-key HEX. To be sure that the platform
itself has not rewritten history, give the roots that you were handed at the time: --root NUMBER:HASH.

It shares no code with the platform, so that an error there is not repeated here.

用法：python3 offline_verifier.py evidence.json [--public-key 公钥] [--root 序号:摘要] [--english]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any, Collection, Iterator, Mapping, Sequence, Tuple  # noqa: UP035  Python 3.8

FORMAT = "yuchuang-evidence/1"
GENESIS = "0" * 64
ENTRY = ("chain", "seq", "prev", "kind", "actor", "subject", "facts", "at", "recorded_at")
SPAN = ("chain", "first", "last", "head", "merkle_root")
ROOT = (
    "format",
    "number",
    "day",
    "closes_day",
    "entries",
    "chains",
    "merkle_root",
    "prev",
    "public_key",
    "signed_at",
)

# Outside the platform there is no catalogue: both languages stand here.
MEANING = {
    "malformed": ("文件格式不对，无法核对", "the file is not of the expected form"),
    "entry_changed": (
        "记录内容与摘要不符，被改动过",
        "the entry's content does not fit its hash: it was changed",
    ),
    "entry_twice": ("同一序号出现两次", "the same number appears twice"),
    "link_broken": ("没有接在前一条记录之后", "the entry is not linked to the one before it"),
    "clock_backwards": ("记录时间早于前一条", "recorded earlier than the entry before it"),
    "sealed_part_changed": (
        "与已签名的根不符，封存后被改写过",
        "differs from the signed root: rewritten after sealing",
    ),
    "span_not_in_root": ("封存区间不在已签名的根中", "the sealed span is not part of its signed root"),
    "spans_overlap": ("封存区间互相重叠", "sealed spans overlap"),
    "root_changed": ("根的内容与摘要不符", "the root's content does not fit its hash"),
    "root_key_unknown": ("根由不受信任的密钥签名", "the root is signed by a key that is not trusted"),
    "root_signature_wrong": ("根的签名不对", "the root's signature is wrong"),
    "root_differs_from_copy": ("根与您手中的副本不同", "the root differs from the copy you hold"),
    "root_link_broken": ("没有接在前一个根之后", "the root is not linked to the one before it"),
}
WORDS = {
    "counts": (
        "核对了 {chains} 条链上的 {entries} 条记录和 {roots} 个根。",
        "Checked {entries} entries on {chains} chains and {roots} roots.",
    ),
    "extract": (
        "以下链只有部分记录（摘录），未导出的记录不在核对之列：{names}",
        "Only part of these chains is here (an extract); entries left out were not checked: {names}",
    ),
    "unsealed": (
        "{count} 条记录在导出时尚未封存，只核对了链，没有签名担保。",
        "{count} entries were not sealed yet when exported: linked, but not covered by a signature.",
    ),
    "own_key": (
        "未指定公钥：签名按文件自带的公钥核对，请与平台公布的公钥比对：{key}",
        "No public key given: signatures checked with the file's own; compare it with the published: {key}",
    ),
    "absent": (
        "您给出的根不在这个文件中，没有比对：{names}",
        "These roots that you gave are not in the file and were not compared: {names}",
    ),
    "passed": ("通过：没有出入。", "PASSED: nothing differs."),
    "failed": ("未通过：{count} 处出入。", "FAILED: {count} differences."),
}


# --- canonical JSON (RFC 8785) and Merkle trees (RFC 6962) ---


def canonical(value: Any) -> str:
    """Write a JSON value without fractions as RFC 8785 asks."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(canonical(key) + ":" + canonical(value[key]) for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical(item) for item in value) + "]"
    if isinstance(value, float) or (isinstance(value, int) and abs(value) >= 2**53):
        raise ValueError("a number that evidence never holds")
    return json.dumps(value, ensure_ascii=False)


def encoded(item: Mapping[str, Any], names: Sequence[str]) -> bytes:
    """The canonical bytes of the named parts."""
    return canonical({name: item[name] for name in names}).encode()


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def leaf(data: bytes) -> bytes:
    return sha256(b"\x00" + data)


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right)


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, split at the largest power of two below their number."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node(merkle_root(leaves[:half]), merkle_root(leaves[half:]))


def climb(start: bytes, index: int, size: int, path: Sequence[str]) -> bytes:
    """The root that a path leads to; the path is used from its end, where the widest subtree is."""
    if not 0 <= index < size:
        raise ValueError("a place outside the tree")
    if size == 1:
        if path:
            raise ValueError("a path too long")
        return start
    if not path:
        raise ValueError("a path too short")
    half = 1 << ((size - 1).bit_length() - 1)
    beside, below = bytes.fromhex(path[-1]), path[:-1]
    if index < half:
        return node(climb(start, index, half, below), beside)
    return node(beside, climb(start, index - half, size - half, below))


# --- Ed25519 (RFC 8032), verification only ---

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
Point = Tuple[int, int, int, int]  # noqa: UP006  Python 3.8
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def recover_x(y: int, odd: int) -> int | None:
    """The x of a point with this y, or None where there is none."""
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and odd):
        return None
    return P - x if x % 2 != odd else x


def point(data: bytes) -> Point | None:
    """Decode 32 bytes into extended coordinates, or None."""
    number = int.from_bytes(data, "little")
    y, odd = number & ((1 << 255) - 1), number >> 255
    x = recover_x(y, odd) if y < P else None
    return None if x is None else (x, y, 1, x * y % P)


def add(a: Point, b: Point) -> Point:
    e = (a[1] - a[0]) * (b[1] - b[0]) % P
    f = (a[1] + a[0]) * (b[1] + b[0]) % P
    g = 2 * a[3] * b[3] * D % P
    h = 2 * a[2] * b[2] % P
    x, y, z, t = f - e, h - g, h + g, f + e
    return (x * y % P, z * t % P, y * z % P, x * t % P)


def times(number: int, base: Point) -> Point:
    total = (0, 1, 1, 0)
    while number:
        if number & 1:
            total = add(total, base)
        base = add(base, base)
        number >>= 1
    return total


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
BASE: Point = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def is_signed(message: bytes, signature: bytes, public_key: bytes) -> bool:
    """Whether an Ed25519 signature holds."""
    if len(signature) != 64 or len(public_key) != 32:
        return False
    key, start = point(public_key), point(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or start is None or scalar >= ORDER:
        return False
    challenge = (
        int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % ORDER
    )
    left, right = times(scalar, BASE), add(start, times(challenge, key))
    return not (
        (left[0] * right[2] - right[0] * left[2]) % P or (left[1] * right[2] - right[1] * left[2]) % P
    )


# --- the check itself ---


class Report:
    """What was looked at, what was found: `faults` holds (code, place)."""

    def __init__(self) -> None:
        self.faults: list[tuple[str, str]] = []
        self.entries = self.chains = self.roots = self.unsealed = 0
        self.extracts: list[str] = []  # chains of which only a part is here
        self.keys: list[str] = []  # taken from the file, for want of better
        self.absent: list[int] = []  # roots the reader holds that are not in the file

    @property
    def passed(self) -> bool:
        return not self.faults

    def lines(self, *, english: bool) -> Iterator[str]:
        pick = 1 if english else 0
        yield WORDS["counts"][pick].format(chains=self.chains, entries=self.entries, roots=self.roots)
        if self.keys:
            yield WORDS["own_key"][pick].format(key=", ".join(self.keys))
        if self.absent:
            yield WORDS["absent"][pick].format(names=", ".join(map(str, self.absent)))
        if self.extracts:
            yield WORDS["extract"][pick].format(names=", ".join(self.extracts))
        if self.unsealed:
            yield WORDS["unsealed"][pick].format(count=self.unsealed)
        for code, place in self.faults:
            yield f"  {place}: {code}: {MEANING[code][pick]}"
        yield WORDS["passed" if self.passed else "failed"][pick].format(count=len(self.faults))


def verify(bundle: Any, trusted: Collection[str] = (), known: Mapping[int, str] | None = None) -> Report:
    """Check a bundle.

    `trusted` are the public keys to believe (none given: those in the bundle), `known` maps numbers of roots
    to the hashes that the reader holds.
    """
    report = Report()
    try:
        if bundle["format"] != FORMAT:
            raise ValueError("another format")
        roots = check_roots(bundle["roots"], trusted, known or {}, report)
        spans = check_spans(bundle["spans"], roots, report)
        check_entries(bundle["entries"], spans, report)
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError):
        report.faults.append(("malformed", "-"))
    return report


def check_roots(
    given: Any, trusted: Collection[str], known: Mapping[int, str], report: Report
) -> dict[int, Any]:
    roots: dict[int, Any] = {}
    for root in sorted(given, key=lambda item: item["number"]):
        payload, place = encoded(root, ROOT), f"root {root['number']}"
        before = roots.get(root["number"] - 1)
        if sha256(payload).hex() != root["hash"] or root["number"] in roots:
            report.faults.append(("root_changed", place))
        elif trusted and root["public_key"] not in trusted:
            report.faults.append(("root_key_unknown", place))
        elif not is_signed(payload, bytes.fromhex(root["signature"]), bytes.fromhex(root["public_key"])):
            report.faults.append(("root_signature_wrong", place))
        elif known.get(root["number"], root["hash"]) != root["hash"]:
            report.faults.append(("root_differs_from_copy", place))
        elif before and before["hash"] != root["prev"]:
            report.faults.append(("root_link_broken", place))
        roots[root["number"]] = root
    report.roots = len(roots)
    report.keys = [] if trusted else sorted({root["public_key"] for root in roots.values()})
    report.absent = sorted(set(known) - set(roots))
    return roots


def check_spans(given: Any, roots: Mapping[int, Any], report: Report) -> dict[str, Any]:
    chains: dict[str, Any] = {}
    for span in given:
        root = roots[span["root"]]
        try:
            top = climb(leaf(encoded(span, SPAN)), span["position"], root["chains"], span["path"])
        except ValueError:
            top = b""
        if top.hex() != root["merkle_root"]:
            report.faults.append(("span_not_in_root", f"{span['chain']} #{span['first']}"))
        chains.setdefault(span["chain"], []).append(span)
    for chain, spans in chains.items():
        spans.sort(key=lambda span: span["first"])
        for one, two in zip(spans, spans[1:]):  # noqa: B905, RUF007  Python 3.8
            if two["first"] <= one["last"]:
                report.faults.append(("spans_overlap", f"{chain} #{two['first']}"))
    return chains


def check_entries(given: Any, spans: Mapping[str, Any], report: Report) -> None:
    chains: dict[str, dict[int, Any]] = {}
    for entry in given:
        chain = chains.setdefault(entry["chain"], {})
        if entry["seq"] in chain:
            report.faults.append(("entry_twice", f"{entry['chain']} #{entry['seq']}"))
        chain[entry["seq"]] = entry
    for name in sorted(chains):
        chain = chains[name]
        report.entries += len(chain)
        if sorted(chain) != list(range(1, len(chain) + 1)):
            report.extracts.append(name)
        if not check_chain(name, chain, report):
            continue  # one fault per chain: the first
        sealed: set[int] = set()
        for span in spans.get(name, ()):
            inside = [seq for seq in sorted(chain) if span["first"] <= seq <= span["last"]]
            sealed.update(inside)
            changed = first_changed(chain, inside, span)
            if changed is not None:
                report.faults.append(("sealed_part_changed", f"{name} #{changed}"))
                break
        report.unsealed += len(set(chain) - sealed)
    report.chains = len(chains)


def check_chain(name: str, chain: Mapping[int, Any], report: Report) -> bool:
    """Each entry's own hash, and its link to the one before where that is here."""
    for seq in sorted(chain):
        entry, before, place = chain[seq], chain.get(seq - 1), f"{name} #{seq}"
        prev = GENESIS if seq == 1 else before["hash"] if before else entry["prev"]
        if sha256(encoded(entry, ENTRY)).hex() != entry["hash"]:
            report.faults.append(("entry_changed", place))
        elif entry["prev"] != prev:
            report.faults.append(("link_broken", place))
        elif before and entry["recorded_at"] < before["recorded_at"]:
            report.faults.append(("clock_backwards", place))
        else:
            continue
        return False
    return True


def first_changed(chain: Mapping[int, Any], inside: Sequence[int], span: Mapping[str, Any]) -> int | None:
    """The number at which a span's entries are not what was sealed, or None."""
    size = span["last"] - span["first"] + 1
    leaves = {seq: leaf(bytes.fromhex(chain[seq]["hash"])) for seq in inside}
    if len(inside) == size:
        root = merkle_root([leaves[seq] for seq in inside])
        return None if root.hex() == span["merkle_root"] else span["first"]
    for seq in inside:
        try:
            root = climb(leaves[seq], seq - span["first"], size, chain[seq].get("path", []))
        except ValueError:
            return seq
        if root.hex() != span["merkle_root"]:
            return seq
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", nargs="?", default=str(Path(__file__).with_name("evidence.json")))
    parser.add_argument("--public-key", action="append", default=[], metavar="HEX")
    parser.add_argument("--root", action="append", default=[], metavar="NUMBER:HASH")
    parser.add_argument("--english", action="store_true")
    options = parser.parse_args(arguments)
    known = {}
    for text in options.root:
        number, _colon, value = text.partition(":")
        if not number.isdigit() or len(value) != 64:
            parser.error("--root NUMBER:HASH")
        known[int(number)] = value
    try:
        bundle = json.loads(Path(options.bundle).read_text(encoding="utf-8"))
    except ValueError:
        bundle = None
    report = verify(bundle, options.public_key, known)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")
    print("\n".join(report.lines(english=options.english)))
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
