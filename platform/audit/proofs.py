"""Proof that one entry was there when a root was signed, without showing any other entry.

The path has two legs: from the entry to the span of its chain, from the span to the root. About
log2(entries) hashes.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from audit import merkle, queries, signing
from audit.canonical import JSON, canonical, digest
from audit.models import Entry, Span


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Everything needed to check one entry against a signed root; plain JSON, see `as_json`."""

    entry: Mapping[str, JSON]
    path_in_span: list[str]
    span: Mapping[str, JSON]
    position: int
    path_in_root: list[str]
    root: Mapping[str, JSON]
    signature: str

    def as_json(self) -> dict[str, Any]:
        """The proof as plain JSON; `Proof(**…)` reads it back."""
        return asdict(self)


def proof_of(entry: Entry) -> Proof | None:
    """Prove an entry, or return None where no root covers it yet (`actions.seal_now` makes one)."""
    span = queries.span_over(entry)
    if span is None:
        return None
    return Proof(
        entry=entry.payload(),
        path_in_span=paths_in_span(span, [entry.seq])[entry.seq],
        span=span.payload(),
        position=span.position,
        path_in_root=path_in_root(span),
        root=span.root.payload(),
        signature=span.root.signature,
    )


def verify_proof(proof: Proof, *, trusted: Collection[str] | None = None) -> bool:
    """Whether the proof holds: entry → span → root → signature by a trusted key (default: our own)."""
    entry, span, root = (cast(Mapping[str, Any], part) for part in (proof.entry, proof.span, proof.root))
    trusted = signing.trusted_keys() if trusted is None else trusted
    try:
        in_span = merkle.root_of_path(
            merkle.leaf(bytes.fromhex(digest(entry))),
            entry["seq"] - span["first"],
            span["last"] - span["first"] + 1,
            [bytes.fromhex(sibling) for sibling in proof.path_in_span],
        )
        in_root = merkle.root_of_path(
            merkle.leaf(canonical(span)),
            proof.position,
            root["chains"],
            [bytes.fromhex(sibling) for sibling in proof.path_in_root],
        )
        return (
            entry["chain"] == span["chain"]
            and in_span is not None
            and in_span.hex() == span["merkle_root"]
            and in_root is not None
            and in_root.hex() == root["merkle_root"]
            and root["public_key"] in trusted
            and signing.is_signed(canonical(root), signature=proof.signature, by=root["public_key"])
        )
    except (KeyError, TypeError, ValueError):  # not of a proof's shape
        return False


def paths_in_span(span: Span, seqs: Collection[int]) -> dict[int, list[str]]:
    """The siblings from each of these entries up to their span."""
    hashes = (
        Entry.objects.filter(chain=span.chain, seq__range=(span.first_seq, span.last_seq))
        .order_by("seq")
        .values_list("hash", flat=True)
    )
    leaves = [merkle.leaf(bytes.fromhex(value)) for value in hashes]
    found = merkle.paths(leaves, [seq - span.first_seq for seq in seqs])
    return {seq: _hex(found[seq - span.first_seq]) for seq in seqs}


def path_in_root(span: Span) -> list[str]:
    """The siblings from a span up to its root."""
    spans = sorted(span.root.spans.all(), key=lambda other: other.position)
    leaves = [other.leaf() for other in spans]
    return _hex(merkle.paths(leaves, [span.position])[span.position])


def _hex(siblings: Iterable[bytes]) -> list[str]:
    return [sibling.hex() for sibling in siblings]
