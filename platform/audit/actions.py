"""Everything that writes evidence."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from audit import kinds
from audit.canonical import JSON, entry_hash
from audit.kinds import Fact
from audit.models import Entry
from audit.subjects import chain_of


@dataclass(frozen=True, kw_only=True)
class Record:
    """One entry to be, for `record_many`."""

    kind: str
    actor_id: int | None
    subject: str
    facts: Mapping[str, Fact]
    at: datetime


def record(
    kind: str, *, actor_id: int | None, subject: str, facts: Mapping[str, Fact], at: datetime
) -> Entry:
    """Append one entry to its subject's chain, inside the caller's transaction.

    `actor_id` is None for what the platform does by itself. The chain stays locked until the transaction ends, so
    record after taking row locks, as the last write. Two queries.

    Raises kinds.UnknownKind, kinds.FactsRefused (ValueError), ValueError for a subject that is no path or a naive `at`,
    and transaction.TransactionManagementError outside a transaction: all of them errors of the calling code.
    """
    [entry] = record_many([Record(kind=kind, actor_id=actor_id, subject=subject, facts=facts, at=at)])
    return entry


def record_many(records: Iterable[Record]) -> list[Entry]:
    """Append many entries, in the order given, with two queries. Chains are locked in name order. Raises as `record`."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("evidence is recorded inside the transaction of what it tells of")
    checked: list[tuple[str, Record, dict[str, JSON]]] = []
    for item in records:
        if timezone.is_naive(item.at):
            raise ValueError("evidence needs an aware datetime")
        checked.append((chain_of(item.subject), item, kinds.get(item.kind).encode(item.facts)))
    if not checked:
        return []
    heads = _lock_heads({chain for chain, _item, _facts in checked})
    entries = []
    for chain, item, facts in checked:
        seq, prev, recorded_at = heads[chain]
        entry = Entry(
            chain=chain,
            seq=seq + 1,
            prev_hash=prev,
            kind=item.kind,
            actor_id=item.actor_id,
            subject=item.subject,
            facts=facts,
            at=item.at,
            recorded_at=recorded_at,
        )
        entry.hash = entry_hash(
            chain=chain,
            seq=entry.seq,
            prev=prev,
            kind=entry.kind,
            actor_id=entry.actor_id,
            subject=entry.subject,
            facts=facts,
            at=entry.at,
            recorded_at=recorded_at,
        )
        heads[chain] = (entry.seq, entry.hash, recorded_at)
        entries.append(entry)
    return Entry.objects.bulk_create(entries)


def _lock_heads(chains: set[str]) -> dict[str, tuple[int, str, datetime]]:
    """Lock chains until the transaction ends; return each one's last (seq, hash) and the database's clock.

    The clock never runs behind the chain's last entry. The lock is taken inside `audit_head`, whose second statement
    sees what the holder before us committed; a plain SELECT would still look through its own older snapshot.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.chain, h.seq, h.hash, h.recorded_at"
            " FROM unnest(%s::text[]) WITH ORDINALITY AS c(chain, place), LATERAL audit_head(c.chain) AS h",
            [sorted(chains)],
        )
        return {chain: (seq, head, recorded_at) for chain, seq, head, recorded_at in cursor.fetchall()}
