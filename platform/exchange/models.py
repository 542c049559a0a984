"""Files that go to the provincial system and files that come back, each with its state."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exchange.problems import said
from exchange.states import Outcome, PackageState, ReceiptState


def package_path(package: Package, filename: str) -> str:
    return f"exchange/{package.kind}/{package.pk}/{filename}"


def receipt_path(receipt: Receipt, filename: str) -> str:
    return f"exchange/receipts/{receipt.office_id}/{filename}"


class Package(models.Model):
    """A file for the provincial system: one per subject and kind, written once by the worker.

    The app that asked for it seals the file at rest; `sha256`, `size` and `manifest` are of the plain file.
    """

    kind = models.CharField(_("种类"), max_length=40)
    subject = models.CharField(max_length=120)  # as in the evidence log
    reference = models.CharField(_("编号"), max_length=40)
    state = models.CharField(
        _("状态"), max_length=8, choices=PackageState.choices, default=PackageState.WAITING
    )
    requested_at = models.DateTimeField()
    began_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)
    rows_total = models.PositiveIntegerField(default=0)
    file = models.FileField(upload_to=package_path, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    manifest = models.JSONField(default=dict, blank=True)
    # Why the last attempt failed, as `exchange.problems` stores it.
    problem = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-requested_at", "-pk"]
        verbose_name = _("材料包")
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject"], name="package_once_per_subject"),
            models.CheckConstraint(name="package_state_known", condition=Q(state__in=PackageState.values)),
            models.CheckConstraint(
                name="package_written_is_whole",
                condition=Q(state=PackageState.WRITTEN, ended_at__isnull=False) & ~Q(sha256="") & ~Q(file="")
                | ~Q(state=PackageState.WRITTEN) & Q(sha256="", file=""),
            ),
            models.CheckConstraint(
                name="package_progress_in_bounds", condition=Q(rows_done__lte=F("rows_total"))
            ),
        ]
        indexes = [
            models.Index(
                fields=["kind", "requested_at"],
                condition=~Q(state=PackageState.WRITTEN),
                name="package_unwritten",
            )
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def problem_text(self) -> str:
        """Why the last attempt failed and what to do, in the reader's language."""
        spoken = said(self.problem, gettext)
        return spoken["message"] + spoken["next"]

    @property
    def is_under_way(self) -> bool:
        return self.state in (PackageState.WAITING, PackageState.WRITING)


class Receipt(models.Model):
    """A file with the province's answers (回执), uploaded by an officer of one office.

    The same file of the same office is the same receipt. Offices and people are plain ids: this floor knows
    neither.
    """

    kind = models.CharField(_("种类"), max_length=40)
    office_id = models.BigIntegerField()
    state = models.CharField(
        _("状态"), max_length=10, choices=ReceiptState.choices, default=ReceiptState.PREVIEWED
    )
    filename = models.CharField(_("文件"), max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    file = models.FileField(upload_to=receipt_path)
    uploaded_at = models.DateTimeField(_("上传时间"))
    uploaded_by_id = models.BigIntegerField()
    applied_at = models.DateTimeField(_("办理时间"), null=True, blank=True)
    applied_by_id = models.BigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["-uploaded_at", "-pk"]
        verbose_name = _("回执")
        constraints = [
            models.UniqueConstraint(fields=["office_id", "sha256"], name="receipt_once_per_office"),
            models.CheckConstraint(name="receipt_state_known", condition=Q(state__in=ReceiptState.values)),
            models.CheckConstraint(
                name="receipt_applied_is_whole",
                condition=Q(state=ReceiptState.APPLIED, applied_at__isnull=False, applied_by_id__isnull=False)
                | ~Q(state=ReceiptState.APPLIED) & Q(applied_at__isnull=True, applied_by_id__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def subject(self) -> str:
        return f"receipt/{self.pk}"


class ReceiptRow(models.Model):
    """One row of a receipt and what reconciling it found. Once the receipt is applied it stays as it was."""

    receipt = models.ForeignKey(Receipt, models.CASCADE, related_name="rows")
    number = models.PositiveIntegerField(_("行"))  # as in Excel
    reference = models.CharField(_("编号"), max_length=60, blank=True)
    # What the row is about, as in the evidence log; empty where nothing was found.
    subject = models.CharField(max_length=120, blank=True)
    values: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField()
    outcome = models.CharField(_("核对结果"), max_length=10, choices=Outcome.choices)
    # {code, message, params, next_step} of the refusal, and [{column, filed, sent}] where values differ.
    problems: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(
        default=list, blank=True
    )
    differences: models.JSONField[list[dict[str, str]], list[dict[str, str]]] = models.JSONField(
        default=list, blank=True
    )

    class Meta:
        ordering = ["receipt_id", "number"]
        verbose_name = _("回执的一行")
        constraints = [
            models.UniqueConstraint(fields=["receipt", "number"], name="receipt_row_once"),
            models.CheckConstraint(name="receipt_row_outcome_known", condition=Q(outcome__in=Outcome.values)),
        ]

    def __str__(self) -> str:
        return f"{self.receipt_id}:{self.number}"

    @property
    def spoken_problems(self) -> list[dict[str, str]]:
        """What is wrong and what to do, in the reader's language."""
        return [said(problem, gettext) for problem in self.problems]

    @property
    def class_id(self) -> int | None:
        """The class whose filing the row is about: the second part of its subject."""
        parts = self.subject.split("/")
        return int(parts[1]) if parts[0] == "class" else None
