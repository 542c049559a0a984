"""Does the evidence still say what it said? Recompute every hash, every tree and every signature.

What is found by what:

- a changed or swapped row: its own hash no longer fits;
- a removed row: a number is missing;
- a removed tail, or a chain rewritten from some entry on with all hashes forged again: the signed roots
  disagree;
- rewritten roots: their signatures, or, against somebody with the signing key, the copies that others hold
  (`known`).

What nobody can find: a rewritten part that no root has covered yet. That is why roots are also taken during
the day.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit import merkle, queries, signing
from audit.canonical import GENESIS, canonical, digest
from audit.models import Entry, Root, Span
from audit.subjects import chain_of

MEANING: dict[str, str | Promise] = {
    "entry_changed": _("这条记录的内容与它的摘要不符，内容被改动过"),
    "entry_missing": _("这条记录不见了"),
    "link_broken": _("这条记录没有接在前一条之后"),
    "clock_backwards": _("这条记录的记录时间早于前一条"),
    "wrong_chain": _("这条记录不属于所在的链"),
    "sealed_part_changed": _("这一段记录与已签名的根不符，封存后被改写过"),
    "sealed_part_missing": _("已封存的记录不见了，链在此处被截断"),
    "span_broken": _("封存区间与前一个区间不相接"),
    "root_missing": _("这个根不见了"),
    "root_changed": _("这个根的内容与它的摘要不符，内容被改动过"),
    "root_link_broken": _("这个根没有接在前一个根之后"),
    "root_spans_changed": _("这个根封存的区间与它的默克尔根不符"),
    "root_key_unknown": _("这个根由不受信任的密钥签名"),
    "root_signature_wrong": _("这个根的签名不对"),
    "root_differs_from_copy": _("这个根与外部留存的副本不同"),
}


@dataclass(frozen=True)
class Fault:
    """The first place where a chain, or a root, is not what it was."""

    code: str
    chain: str = ""
    seq: int | None = None
    root: int | None = None

    @property
    def place(self) -> str:
        """Where: `class/12 #5`, or `root 3`."""
        return f"{self.chain} #{self.seq}" if self.chain else f"root {self.root}"

    @property
    def meaning(self) -> str:
        """What is wrong, for people."""
        return str(MEANING[self.code])


@dataclass
class Verification:
    """What was looked at and what was found; at most one fault per chain and per root, in order."""

    entries: int = 0
    chains: int = 0
    roots: int = 0
    faults: list[Fault] = field(default_factory=list)
    # Entries that no root covers yet, and since when the oldest of them waits.
    unsealed: int = 0
    unsealed_since: datetime | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def verify_all(
    *, trusted: Collection[str] | None = None, known: Mapping[int, str] | None = None
) -> Verification:
    """Verify every root and every chain.

    `trusted` are the public keys to believe (default: this installation's own). `known` maps root numbers
    to the hashes that others hold: a regulator's copies, a printed claim.
    """
    found = Verification()
    _verify_roots(found, Root.objects.order_by("number"), trusted, known or {}, whole=True)
    _verify_chains(found, chain=None)
    return found


def verify_chain(
    chain: str,
    *,
    trusted: Collection[str] | None = None,
    known: Mapping[int, str] | None = None,
    using: str = DEFAULT_DB_ALIAS,
) -> Verification:
    """Verify one chain and the roots that cover it, read over `using`; else as `verify_all`."""
    found = Verification()
    numbers = Span.objects.using(using).filter(chain=chain).values("root__number")
    roots = Root.objects.using(using).filter(number__in=numbers).order_by("number")
    _verify_roots(found, roots, trusted, known or {}, whole=False)
    _verify_chains(found, chain=chain, using=using)
    return found


def _verify_roots(
    found: Verification,
    roots: QuerySet[Root],
    trusted: Collection[str] | None,
    known: Mapping[int, str],
    *,
    whole: bool,
) -> None:
    trusted = signing.trusted_keys() if trusted is None else trusted
    number, prev = 0, GENESIS
    for root in roots.prefetch_related("spans").iterator(chunk_size=100):
        found.roots += 1
        follows = root.number == number + 1
        if whole and not follows:
            found.faults.append(Fault("root_missing", root=number + 1))
        if code := _fault_of_root(root, prev if whole and follows else root.prev_hash, trusted, known):
            found.faults.append(Fault(code, root=root.number))
        number, prev = root.number, root.hash
    if whole:
        found.faults += [Fault("root_missing", root=lost) for lost in sorted(known) if lost > number]


def _fault_of_root(root: Root, prev: str, trusted: Collection[str], known: Mapping[int, str]) -> str | None:
    payload = root.payload()
    spans = sorted(root.spans.all(), key=lambda span: span.position)
    if digest(payload) != root.hash:
        return "root_changed"
    if root.public_key not in trusted:
        return "root_key_unknown"
    if not signing.is_signed(canonical(payload), signature=root.signature, by=root.public_key):
        return "root_signature_wrong"
    if known.get(root.number, root.hash) != root.hash:
        return "root_differs_from_copy"
    if root.prev_hash != prev:
        return "root_link_broken"
    if (
        [span.position for span in spans] != list(range(root.chains))
        or sum(span.last_seq - span.first_seq + 1 for span in spans) != root.entries
        or merkle.root([span.leaf() for span in spans]).hex() != root.merkle_root
    ):
        return "root_spans_changed"
    return None


@dataclass
class _Chain:
    """How far a walk along one chain has come."""

    name: str
    seq: int = 0
    prev: str = GENESIS
    recorded_at: datetime | None = None
    sealed: int = 0
    leaves: list[bytes] = field(default_factory=list)  # since `sealed`
    unsealed_since: datetime | None = None
    fault: Fault | None = None

    def step(self, entry: Entry, span: Span | None) -> None:
        """Take one entry, and the span that ends with it."""
        if code := self._fault_of(entry):
            # Where a row is gone, the place is the number that is gone.
            self.fault = Fault(code, self.name, self.seq + 1 if code == "entry_missing" else entry.seq)
            return
        self.seq, self.prev, self.recorded_at = entry.seq, entry.hash, entry.recorded_at
        self.leaves.append(merkle.leaf(bytes.fromhex(entry.hash)))
        self.unsealed_since = self.unsealed_since or entry.recorded_at
        if span is None:
            return
        if span.first_seq != self.sealed + 1:
            self.fault = Fault("span_broken", self.name, span.first_seq)
        elif span.head != entry.hash or span.merkle_root != merkle.root(self.leaves).hex():
            self.fault = Fault("sealed_part_changed", self.name, span.first_seq)
        self.sealed, self.leaves, self.unsealed_since = entry.seq, [], None

    def _fault_of(self, entry: Entry) -> str | None:
        if entry.seq != self.seq + 1:
            return "entry_missing"
        try:
            if digest(entry.payload()) != entry.hash:
                return "entry_changed"
            if chain_of(entry.subject) != entry.chain:
                return "wrong_chain"
        except ValueError:  # facts or a subject that `record` would never have written
            return "entry_changed"
        if entry.prev_hash != self.prev:
            return "link_broken"
        if self.recorded_at and entry.recorded_at < self.recorded_at:
            return "clock_backwards"
        return None


def _verify_chains(found: Verification, *, chain: str | None, using: str = DEFAULT_DB_ALIAS) -> None:
    ends: dict[str, int] = {}  # of the chains that are whole up to there
    for walk in _walks(chain, found, using):
        if walk.fault:
            found.faults.append(walk.fault)
        else:
            ends[walk.name] = walk.seq
        found.chains += 1
        found.unsealed += len(walk.leaves)
        if walk.unsealed_since:
            found.unsealed_since = min(walk.unsealed_since, found.unsealed_since or walk.unsealed_since)
    faulty = {fault.chain for fault in found.faults}
    endless = queries.spans_without_end(chain, using=using).values_list("chain", flat=True)
    for name in sorted(set(endless) - faulty):
        found.faults.append(Fault("sealed_part_missing", name, ends.get(name, 0) + 1))


def _walks(chain: str | None, found: Verification, using: str) -> Iterator[_Chain]:
    """Walk along each chain to its end or its first fault."""
    walk: _Chain | None = None
    for page in queries.pages(chain, using=using):
        spans = queries.spans_ending_at(page, using=using)
        for entry in page:
            if walk is None or walk.name != entry.chain:
                if walk:
                    yield walk
                walk = _Chain(entry.chain)
            found.entries += 1
            if not walk.fault:
                walk.step(entry, spans.get((entry.chain, entry.seq)))
    if walk:
        yield walk
