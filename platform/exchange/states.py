"""States of a package that is written and of a receipt that came in, and the moves between them."""

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _


class PackageState(models.TextChoices):
    WAITING = "waiting", _("等待生成")
    WRITING = "writing", _("正在生成")
    WRITTEN = "written", _("已生成")
    FAILED = "failed", _("没有生成")


PACKAGE_MOVES: Mapping[str, Mapping[str, str]] = {
    PackageState.WAITING: {"begin": PackageState.WRITING},
    # A worker that died left it in writing: the next one begins anew.
    PackageState.WRITING: {
        "begin": PackageState.WRITING,
        "finish": PackageState.WRITTEN,
        "fail": PackageState.FAILED,
    },
    PackageState.FAILED: {"retry": PackageState.WAITING},
    PackageState.WRITTEN: {},
}


class ReceiptState(models.TextChoices):
    PREVIEWED = "previewed", _("待核对")
    APPLIED = "applied", _("已办理")
    DISCARDED = "discarded", _("已作废")


RECEIPT_MOVES: Mapping[str, Mapping[str, str]] = {
    ReceiptState.PREVIEWED: {"apply": ReceiptState.APPLIED, "discard": ReceiptState.DISCARDED},
    ReceiptState.DISCARDED: {"reopen": ReceiptState.PREVIEWED},
    ReceiptState.APPLIED: {},
}


class Outcome(models.TextChoices):
    """What reconciling a row of a receipt found."""

    ACCEPTED = "accepted", _("可以办理")
    REFUSED = "refused", _("不能办理")
    UNKNOWN = "unknown", _("查不到")
    CHANGED = "changed", _("与备案不一致")
    DUPLICATE = "duplicate", _("重复")
