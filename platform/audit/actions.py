"""Everything that writes evidence."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from audit import kinds, merkle, queries, signing
from audit.canonical import GENESIS, JSON, canonical, digest
from audit.kinds import Fact
from audit.models import Entry, Root, Span
from audit.reconciliation import Difference
from audit.subjects import chain_of
from audit.verification import Verification
from policy.refusals import Refusal

# The zone whose calendar days a root closes, whatever zone a server or a reader is in.
LEGAL_ZONE = ZoneInfo("Asia/Shanghai")


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

    `actor_id` is None for what the platform does by itself. The chain stays locked until the transaction
    ends, so record after taking row locks, as the last write. Two queries.

    Raises kinds.UnknownKind, kinds.FactsRefused (ValueError), ValueError for a subject that is no path or a
    naive `at`, and transaction.TransactionManagementError outside a transaction: all of them errors of the
    calling code.
    """
    [entry] = record_many([Record(kind=kind, actor_id=actor_id, subject=subject, facts=facts, at=at)])
    return entry


def record_many(records: Iterable[Record]) -> list[Entry]:
    """Append many entries, in the order given, with two queries; chains are locked in name order.

    Raises as `record`.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "evidence is recorded inside the transaction of what it tells of"
        )
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
        entry.hash = digest(entry.payload())
        heads[chain] = (entry.seq, entry.hash, recorded_at)
        entries.append(entry)
    return Entry.objects.bulk_create(entries)


def _lock_heads(chains: set[str]) -> dict[str, tuple[int, str, datetime]]:
    """Lock chains until the transaction ends; return each one's last (seq, hash) and the database's clock.

    The clock never runs behind the chain's last entry. The lock is taken inside `audit_head`, whose second
    statement sees what the holder before us committed; a plain SELECT would still look through its own
    older snapshot.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.chain, h.seq, h.hash, h.recorded_at"
            " FROM unnest(%s::text[]) WITH ORDINALITY AS c(chain, place), LATERAL audit_head(c.chain) AS h",
            [sorted(chains)],
        )
        return {chain: (seq, head, recorded_at) for chain, seq, head, recorded_at in cursor.fetchall()}


def seal_day(day: date, *, at: datetime) -> Root:
    """Sign the root that closes a legal day: over all that is recorded before its end and not yet covered.

    Sealing a sealed day again returns its root. A transaction that was still open then is covered by the
    next root.

    Raises Refusal day_not_over, and later_day_sealed for a day that was passed over.
    """
    with transaction.atomic():
        _lock_roots()
        if sealed := Root.objects.filter(day=day, closes_day=True).first():
            return sealed
        if day >= (today := legal_day(at)):
            raise Refusal(
                "day_not_over",
                gettext_noop("%(day)s 尚未结束，日终根在次日生成。"),
                found=day,
                required=today - timedelta(days=1),
                rule="P10",
                next_step=gettext_noop("请在次日封存，或生成当日的中间根。"),
                params={"day": day},
            )
        if later := Root.objects.filter(day__gt=day, closes_day=True).order_by("day").first():
            raise Refusal(
                "later_day_sealed",
                gettext_noop("%(later)s 已经封存，不能再补封更早的 %(day)s。"),
                found=day,
                required=later.day,
                rule="P10",
                next_step=gettext_noop("该日的记录已包含在其后的根中，无需补封。"),
                params={"day": day, "later": later.day},
            )
        midnight = datetime.combine(day + timedelta(days=1), time(), LEGAL_ZONE)
        return _seal(day, closes_day=True, until=midnight, at=at)


def seal_due(*, at: datetime) -> list[Root]:
    """Close every legal day that is over and still open, oldest first; return the new roots."""
    with transaction.atomic():
        _lock_roots()
        last = Root.objects.filter(closes_day=True).order_by("-day").first()
        if last:
            day = last.day + timedelta(days=1)
        elif first := Entry.objects.order_by("id").first():
            day = legal_day(first.recorded_at)
        else:
            return []
        days = (day + timedelta(days=n) for n in range((legal_day(at) - day).days))
        return [seal_day(day, at=at) for day in days]


def seal_now(*, at: datetime) -> Root:
    """Sign a root over everything recorded so far, for a paper that must carry one today.

    Closes the days that are over first. Where nothing is new since the newest root, returns that one.
    """
    with transaction.atomic():
        _lock_roots()
        seal_due(at=at)
        newest = queries.latest_root()
        if newest and not queries.unsealed(until=None):
            return newest
        return _seal(legal_day(at), closes_day=False, until=None, at=at)


def record_verification(found: Verification, differ: Sequence[Difference], *, at: datetime) -> Entry:
    """Put the outcome of a verification on record."""
    with transaction.atomic():
        return record(
            "evidence.verified",
            actor_id=None,
            subject="platform/evidence",
            facts={
                "chains": found.chains,
                "entries": found.entries,
                "roots": found.roots,
                "faults": len(found.faults),
                "first_fault": f"{found.faults[0].place} {found.faults[0].code}" if found.faults else None,
                "differences": len(differ),
                "first_difference": f"{differ[0].chain} {differ[0].row}" if differ else None,
            },
            at=at,
        )


def legal_day(moment: datetime) -> date:
    """The calendar day in Henan."""
    return moment.astimezone(LEGAL_ZONE).date()


def _lock_roots() -> None:
    """One sealer at a time; recording goes on beside it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('audit roots', 0))")


def _seal(day: date, *, closes_day: bool, until: datetime | None, at: datetime) -> Root:
    """Write the next root with its spans.

    What is still uncommitted cannot slip through: a chain is appended to by one transaction at a time, so
    whatever part of it is visible has no holes, and the next root goes on from there.
    """
    spans: list[Span] = []
    for chain, rows in groupby(queries.unsealed(until), key=lambda row: row[0]):
        entries = list(rows)
        leaves = [merkle.leaf(bytes.fromhex(entry_hash)) for _chain, _seq, entry_hash in entries]
        spans.append(
            Span(
                position=len(spans),
                chain=chain,
                first_seq=entries[0][1],
                last_seq=entries[-1][1],
                head=entries[-1][2],
                merkle_root=merkle.root(leaves).hex(),
            )
        )
    before = queries.latest_root()
    root = Root(
        number=before.number + 1 if before else 1,
        day=day,
        closes_day=closes_day,
        entries=sum(span.last_seq - span.first_seq + 1 for span in spans),
        chains=len(spans),
        merkle_root=merkle.root([span.leaf() for span in spans]).hex(),
        prev_hash=before.hash if before else GENESIS,
        public_key=signing.public_key(),
        signed_at=at,
    )
    payload = root.payload()
    root.hash = digest(payload)
    root.signature = signing.sign(canonical(payload))
    root.save(force_insert=True)
    for span in spans:
        span.root = root
    Span.objects.bulk_create(spans)
    return root
