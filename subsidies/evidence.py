"""What this app leaves in the evidence log. Amounts are yuan; words people wrote enter as their digest."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit.kinds import Digest, Kind, register

_FIGURES = {
    "claim": int,
    "number": str,
    "edition": str,
    "heads": int,
    "rate": Decimal,
    "amount": Decimal,
    "lines": Digest,
}


def _decided(facts: Mapping[str, Any]) -> str:
    sentence = (
        gettext("核定补贴申请 {number}：{amount} 元")
        if facts.get("approved")
        else gettext("对补贴申请 {number} 不予补贴")
    )
    return sentence.format(number=facts.get("number", "—"), amount=facts.get("amount", "—"))


def _answered(facts: Mapping[str, Any]) -> str:
    sentence = (
        gettext("答复对补贴申请 {number} 的异议：成立")
        if facts.get("upheld")
        else gettext("答复对补贴申请 {number} 的异议：不成立")
    )
    return sentence.format(number=facts.get("number", "—"))


register(
    Kind(
        "claim.drawn_up",
        sentence=_("拟制补贴申请 {number}：{heads} 人 × {rate} 元 = {amount} 元"),
        schema=_FIGURES,
    ),
    Kind(
        "claim.redrawn",
        sentence=_("重新拟制补贴申请 {number}：{heads} 人 × {rate} 元 = {amount} 元"),
        schema=_FIGURES,
    ),
    Kind(
        "claim.submitted",
        sentence=_("提交补贴申请 {number}，{amount} 元"),
        schema={"claim": int, "number": str, "amount": Decimal},
    ),
    Kind(
        "claim.returned",
        sentence=_("退回补贴申请 {number}"),
        schema={"claim": int, "number": str, "reason": Digest},
    ),
    Kind(
        "claim.noticed",
        sentence=_("公示补贴申请 {number}，{first_day} 至 {last_day}"),
        schema={"claim": int, "number": str, "first_day": date, "last_day": date},
    ),
    Kind(
        "claim.decided",
        sentence=_decided,
        schema={
            "claim": int,
            "number": str,
            "approved": bool,
            "amount": Decimal,
            "held_lines": list[int],
            "reason": Digest | None,
        },
    ),
    Kind(
        "claim.exported",
        sentence=_("生成补贴申请表 {number}"),
        schema={"claim": int, "number": str, "file": Digest},
    ),
    Kind(
        "claim.export_downloaded",
        sentence=_("下载补贴申请表 {number}"),
        schema={"claim": int, "number": str, "file": Digest},
    ),
    Kind(
        "claim.dossier_made",
        sentence=_("下载补贴申请 {number} 的核验包"),
        schema={"claim": int, "number": str, "file": Digest},
    ),
    Kind(
        "objection.lodged",
        sentence=_("收到对补贴申请 {number} 的异议"),
        schema={"claim": int, "number": str, "objection": int, "line": int | None, "text": Digest},
    ),
    Kind(
        "objection.answered",
        sentence=_answered,
        schema={"claim": int, "number": str, "objection": int, "upheld": bool, "answer": Digest},
    ),
)
