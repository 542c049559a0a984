"""What this app leaves in the evidence log. Amounts are yuan."""

from datetime import date
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from audit.kinds import Digest, Kind, register

register(
    Kind(
        "claim.drawn_up",
        sentence=_("拟制补贴申请 {number}：{heads} 人 × {rate} 元 = {amount} 元"),
        schema={
            "claim": int,
            "number": str,
            "edition": str,
            "heads": int,
            "rate": Decimal,
            "amount": Decimal,
            "lines": Digest,
        },
    ),
    Kind(
        "claim.submitted",
        sentence=_("提交补贴申请 {number}，{amount} 元"),
        schema={"claim": int, "number": str, "amount": Decimal},
    ),
    Kind(
        "claim.returned",
        sentence=_("退回补贴申请 {number}：{reason}"),
        schema={"claim": int, "number": str, "reason": str},
    ),
    Kind(
        "claim.noticed",
        sentence=_("公示补贴申请 {number}，{first_day} 至 {last_day}"),
        schema={"claim": int, "number": str, "first_day": date, "last_day": date},
    ),
    Kind(
        "claim.decided",
        sentence=_("核定补贴申请 {number}：{amount} 元，{reason}"),
        schema={
            "claim": int,
            "number": str,
            "approved": bool,
            "amount": Decimal,
            "held_lines": list[int],
            "reason": str,
        },
    ),
    Kind(
        "claim.exported",
        sentence=_("生成补贴申请表 {number}"),
        schema={"claim": int, "number": str, "file": Digest},
    ),
    Kind(
        "claim.downloaded",
        sentence=_("下载补贴申请材料 {number}：{what}"),
        schema={"claim": int, "number": str, "what": str},
    ),
    Kind(
        "objection.lodged",
        sentence=_("收到对补贴申请 {number} 的异议"),
        schema={"claim": int, "number": str, "objection": int, "line": int | None, "text": Digest},
    ),
    Kind(
        "objection.answered",
        sentence=_("答复对补贴申请 {number} 的异议：{answer}"),
        schema={"claim": int, "number": str, "objection": int, "upheld": bool, "answer": str},
    ),
)
