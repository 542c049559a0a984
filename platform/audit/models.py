"""Entries, linked by hash into chains; roots, signed, over everything recorded since the root before.

All three tables only grow: UPDATE, DELETE and TRUNCATE are refused by trigger for every role, and rows that
do not continue what is there are refused at INSERT (migration 0002). Nothing here refers to a person:
`actor_id` is a plain number.
"""

from django.db import models
from django.db.models.fields.json import KT
from django.utils.translation import gettext_lazy as _

from audit import kinds, merkle
from audit.canonical import JSON, canonical, moment

_HEX_64 = r"^[0-9a-f]{64}$"


class Entry(models.Model):
    """One thing that happened. `at` is when, by the acting process; `recorded_at` is the database's clock."""

    chain = models.CharField(_("链"), max_length=200)
    seq = models.BigIntegerField(_("序号"))
    prev_hash = models.CharField(_("前一条摘要"), max_length=64)
    hash = models.CharField(_("摘要"), max_length=64)
    kind = models.CharField(_("事项"), max_length=80)
    actor_id = models.BigIntegerField(_("操作人"), null=True)
    subject = models.CharField(_("对象"), max_length=200)
    facts = models.JSONField(_("事实"))
    at = models.DateTimeField(_("发生时间"))
    recorded_at = models.DateTimeField(_("记录时间"))

    class Meta:
        verbose_name = _("留痕记录")
        verbose_name_plural = _("留痕记录")
        db_table = "audit_entry"
        constraints = [
            models.UniqueConstraint(fields=["chain", "seq"], name="audit_entry_one_per_place"),
            models.CheckConstraint(condition=models.Q(seq__gte=1), name="audit_entry_seq_from_one"),
            models.CheckConstraint(
                condition=models.Q(hash__regex=_HEX_64, prev_hash__regex=_HEX_64),
                name="audit_entry_hashes_are_sha256",
            ),
        ]
        indexes = [
            # Prefix searches: everything about class/12/lesson/40.
            models.Index(
                fields=["subject", "id"],
                name="audit_entry_about",
                opclasses=["varchar_pattern_ops", "int8_ops"],
            ),
            # Papers are looked up by the number that is printed on them.
            models.Index(
                KT("facts__number"),
                "kind",
                name="audit_entry_by_number",
                condition=models.Q(facts__has_key="number"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.chain}#{self.seq} {self.kind}"

    def payload(self) -> dict[str, JSON]:
        """What `hash` is taken over."""
        return {
            "chain": self.chain,
            "seq": self.seq,
            "prev": self.prev_hash,
            "kind": self.kind,
            "actor": self.actor_id,
            "subject": self.subject,
            "facts": self.facts,
            "at": moment(self.at),
            "recorded_at": moment(self.recorded_at),
        }

    @property
    def sentence(self) -> str:
        """What happened, for people, in the active language; the bare kind where its app is gone."""
        kind = kinds.find(self.kind)
        return kind.render(self.facts) if kind else self.kind


class Root(models.Model):
    """A signed Merkle root over what was recorded since the root before it: its leaves are the spans.

    The nightly root closes a legal day (`closes_day`); roots in between are taken when a paper must carry
    one now.
    """

    number = models.BigIntegerField(_("序号"), unique=True)
    day = models.DateField(_("日期"))
    closes_day = models.BooleanField(_("日终"))
    entries = models.BigIntegerField(_("记录数"))
    chains = models.BigIntegerField(_("链数"))
    merkle_root = models.CharField(_("默克尔根"), max_length=64)
    prev_hash = models.CharField(_("前一个根的摘要"), max_length=64)
    hash = models.CharField(_("摘要"), max_length=64)
    public_key = models.CharField(_("公钥"), max_length=64)
    signature = models.CharField(_("签名"), max_length=128)
    signed_at = models.DateTimeField(_("签名时间"))

    class Meta:
        verbose_name = _("留痕根")
        verbose_name_plural = _("留痕根")
        db_table = "audit_root"
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["day"], condition=models.Q(closes_day=True), name="audit_root_one_closes_a_day"
            ),
            models.CheckConstraint(
                condition=models.Q(number__gte=1, entries__gte=0, chains__gte=0), name="audit_root_counts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.day} {self.merkle_root[:16]}"

    def payload(self) -> dict[str, JSON]:
        """What `hash` is taken over and `signature` is made over."""
        return {
            "format": "yuchuang-root/1",
            "number": self.number,
            "day": self.day.isoformat(),
            "closes_day": self.closes_day,
            "entries": self.entries,
            "chains": self.chains,
            "merkle_root": self.merkle_root,
            "prev": self.prev_hash,
            "public_key": self.public_key,
            "signed_at": moment(self.signed_at),
        }


class Span(models.Model):
    """What one root covers of one chain: entries first_seq to last_seq, right after the last sealed one."""

    root = models.ForeignKey(
        Root, on_delete=models.PROTECT, related_name="spans", db_index=False, verbose_name=_("根")
    )
    position = models.BigIntegerField(_("位置"))
    chain = models.CharField(_("链"), max_length=200)
    first_seq = models.BigIntegerField(_("起始序号"))
    last_seq = models.BigIntegerField(_("结束序号"))
    head = models.CharField(_("末条摘要"), max_length=64)
    merkle_root = models.CharField(_("默克尔根"), max_length=64)

    class Meta:
        verbose_name = _("封存区间")
        verbose_name_plural = _("封存区间")
        db_table = "audit_span"
        constraints = [
            models.UniqueConstraint(fields=["root", "position"], name="audit_span_one_per_position"),
            models.UniqueConstraint(fields=["chain", "last_seq"], name="audit_span_one_per_end"),
            models.CheckConstraint(
                condition=models.Q(first_seq__gte=1, last_seq__gte=models.F("first_seq")),
                name="audit_span_not_empty",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.chain} {self.first_seq}–{self.last_seq}"

    def payload(self) -> dict[str, JSON]:
        """The leaf that stands for this span in its root's tree; its `merkle_root` is over entry hashes."""
        return {
            "chain": self.chain,
            "first": self.first_seq,
            "last": self.last_seq,
            "head": self.head,
            "merkle_root": self.merkle_root,
        }

    def leaf(self) -> bytes:
        """The hash of that leaf."""
        return merkle.leaf(canonical(self.payload()))
