"""The one thing supervision writes: that it looked (P19, LEDGER ambiguity 17)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class Look(models.Model):
    """One page or file seen by a supervision account.

    Written over the insert-only login `looks`; a worker then enters each row into the evidence log. Plain
    numbers instead of foreign keys: the login may not read other tables.
    """

    append_only: ClassVar[bool] = True

    user_id = models.BigIntegerField()
    bureau_id = models.BigIntegerField()
    path = models.CharField(_("看了什么"), max_length=300)  # path without query: queries may hold names
    subject = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("查看记录")
        indexes = [models.Index(fields=["subject"], name="look_by_subject")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.path}"


class ChainedLook(models.Model):
    """That a look has been entered into the evidence log, and where."""

    append_only: ClassVar[bool] = True

    look = models.OneToOneField(Look, models.PROTECT, primary_key=True, related_name="chained")
    chain = models.CharField(max_length=60)
    seq = models.BigIntegerField()

    def __str__(self) -> str:
        return f"look {self.look_id} is {self.chain}#{self.seq}"
