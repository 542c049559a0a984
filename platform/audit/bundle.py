"""Evidence to hand out: entries with all that `offline_verifier.py` needs to check them elsewhere."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from audit.models import Entry, Root, Span
from audit.proofs import path_in_root, paths_in_span

FORMAT = "yuchuang-evidence/1"


def export_bundle(entries: Iterable[Entry]) -> dict[str, Any]:
    """Put entries, whole chains or a selection, into one JSON object with spans, paths and signed roots.

    Where a span's entries are all there, the verifier computes the tree itself; otherwise each entry brings
    its own path, so a selection shows nothing of the entries left out.
    """
    given = sorted(
        {entry.pk: entry for entry in entries}.values(), key=lambda entry: (entry.chain, entry.seq)
    )
    rows: list[dict[str, Any]] = []
    spans: list[dict[str, Any]] = []
    roots: dict[int, Root] = {}
    for chain, group in groupby(given, key=lambda entry: entry.chain):
        chosen = {entry.seq: {**entry.payload(), "hash": entry.hash} for entry in group}
        for span in _spans_over(chain, min(chosen), max(chosen)):
            inside = [seq for seq in chosen if span.first_seq <= seq <= span.last_seq]
            if not inside:
                continue
            if len(inside) < span.last_seq - span.first_seq + 1:
                for seq, siblings in paths_in_span(span, inside).items():
                    chosen[seq]["path"] = siblings
            roots[span.root.number] = span.root
            spans.append(
                {
                    **span.payload(),
                    "root": span.root.number,
                    "position": span.position,
                    "path": path_in_root(span),
                }
            )
        rows += chosen.values()
    return {
        "format": FORMAT,
        "public_keys": sorted({root.public_key for root in roots.values()}),
        "roots": [
            {**root.payload(), "hash": root.hash, "signature": root.signature}
            for _number, root in sorted(roots.items())
        ],
        "spans": spans,
        "entries": rows,
    }


def _spans_over(chain: str, first: int, last: int) -> Iterable[Span]:
    """The spans that hold these entries, with their roots and all that these seal."""
    return (
        Span.objects.filter(chain=chain, last_seq__gte=first, first_seq__lte=last)
        .select_related("root")
        .prefetch_related("root__spans")
        .order_by("last_seq")
        .iterator(chunk_size=100)
    )
