"""Reading evidence. `using` names the connection; a regulator's pages read over their own."""

from collections.abc import Iterator
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.fields.json import KT

from audit.models import Entry, Root, Span
from audit.subjects import chain_of

# Hops from chain to chain along the index, so its cost grows with chains, not with entries.
_UNSEALED = """
WITH RECURSIVE chains(chain) AS (
    (SELECT e.chain FROM audit_entry e ORDER BY e.chain LIMIT 1)
    UNION ALL
    SELECT (SELECT e.chain FROM audit_entry e WHERE e.chain > c.chain ORDER BY e.chain LIMIT 1)
    FROM chains c WHERE c.chain IS NOT NULL
)
SELECT e.chain, e.seq, e.hash
FROM chains c
CROSS JOIN LATERAL (
    SELECT coalesce(
        (SELECT s.last_seq FROM audit_span s WHERE s.chain = c.chain ORDER BY s.last_seq DESC LIMIT 1), 0
    ) AS last_seq
) sealed
JOIN audit_entry e ON e.chain = c.chain AND e.seq > sealed.last_seq
WHERE c.chain IS NOT NULL AND (%(until)s::timestamptz IS NULL OR e.recorded_at < %(until)s::timestamptz)
ORDER BY e.chain, e.seq
"""

_PAGE = "SELECT * FROM audit_entry WHERE (chain, seq) > (%s, %s) ORDER BY chain, seq LIMIT %s"
_SPANS = "SELECT * FROM audit_span WHERE (chain, last_seq) BETWEEN (%s, %s) AND (%s, %s)"


def entries_of_chain(chain: str, *, using: str = DEFAULT_DB_ALIAS) -> QuerySet[Entry]:
    """A chain's entries, in order."""
    return Entry.objects.using(using).filter(chain=chain).order_by("seq")


def entries_about(subject: str, *, using: str = DEFAULT_DB_ALIAS) -> QuerySet[Entry]:
    """Entries about a subject and all that lies under it, in the order they were written.

    `class/12/lesson/4` does not find `class/12/lesson/40`.
    """
    chain_of(subject)  # refuses what is no path
    about = Q(subject=subject) | Q(subject__startswith=f"{subject}/")
    return Entry.objects.using(using).filter(about).order_by("id")


def entry_of_number(kind: str, number: str) -> Entry | None:
    """The newest entry of a kind about the paper with this number; one look into the index."""
    return (
        Entry.objects.annotate(paper=KT("facts__number"))
        .filter(paper=number, kind=kind, facts__has_key="number")
        .order_by("-id")
        .first()
    )


def latest_root() -> Root | None:
    """The newest root."""
    return Root.objects.order_by("-number").first()


def span_over(entry: Entry) -> Span | None:
    """What seals an entry (with its root), or None where it is too new."""
    return (
        Span.objects.filter(chain=entry.chain, last_seq__gte=entry.seq)
        .select_related("root")
        .order_by("last_seq")
        .first()
    )


def unsealed(until: datetime | None) -> list[tuple[str, int, str]]:
    """(chain, seq, hash) of every committed entry that no root covers yet, recorded before `until`."""
    with connection.cursor() as cursor:
        cursor.execute(_UNSEALED, {"until": until})
        return list(cursor.fetchall())


def pages(
    chain: str | None = None, *, page: int = 2000, using: str = DEFAULT_DB_ALIAS
) -> Iterator[list[Entry]]:
    """All entries, or one chain's, by chain and seq, in pages. What is appended meanwhile may appear."""
    after = (chain or "", 0)
    while True:
        if chain is None:
            entries = list(Entry.objects.using(using).raw(_PAGE, [*after, page]))
        else:
            entries = list(entries_of_chain(chain, using=using).filter(seq__gt=after[1])[:page])
        if not entries:
            return
        yield entries
        after = (entries[-1].chain, entries[-1].seq)


def spans_ending_at(entries: list[Entry], *, using: str = DEFAULT_DB_ALIAS) -> dict[tuple[str, int], Span]:
    """The spans whose last entry is on this page (of `pages`), by that entry's (chain, seq)."""
    first, last = entries[0], entries[-1]
    found = Span.objects.using(using).raw(_SPANS, [first.chain, first.seq, last.chain, last.seq])
    return {(span.chain, span.last_seq): span for span in found}


def spans_without_end(chain: str | None = None, *, using: str = DEFAULT_DB_ALIAS) -> QuerySet[Span]:
    """Spans whose last entry is gone."""
    end = Entry.objects.using(using).filter(chain=OuterRef("chain"), seq=OuterRef("last_seq"))
    spans = Span.objects.using(using).filter(~Exists(end))
    return spans if chain is None else spans.filter(chain=chain)


def is_sealed(chain: str) -> bool:
    """Whether any root ever covered this chain."""
    return Span.objects.filter(chain=chain).exists()
