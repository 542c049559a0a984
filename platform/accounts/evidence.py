"""What this app leaves in the evidence log."""

from datetime import date, datetime

from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from accounts.states import Department, Role
from audit.kinds import Kind, register


def _day(day: str) -> str:
    """A day that was kept as text."""
    return date_format(date.fromisoformat(day))


register(
    Kind(
        "institution.registered",
        sentence=_("登记定点机构，统一社会信用代码 {credit_code}，定点自 {designated_from}"),
        schema={
            "credit_code": str,
            "region": str,
            "designated_from": str | None,
            "designated_until": str | None,
        },
        words={"designated_from": _day},
    )
)
register(Kind("account.created", sentence=_("开通账号"), schema={"user": int}))
register(
    Kind(
        "account.activation_issued",
        sentence=_("发放账号激活码，有效期至 {valid_until}"),
        schema={"user": int, "valid_until": datetime},
    )
)
register(Kind("account.reset", sentence=_("重设登录密码，原来的密码和登录作废"), schema={"user": int}))
register(Kind("account.suspended", sentence=_("停用账号"), schema={"user": int}))
register(Kind("account.restored", sentence=_("恢复账号"), schema={"user": int}))
register(
    Kind(
        "institution.changed",
        sentence=_("修改定点机构登记，定点自 {designated_from} 至 {designated_until}"),
        schema={
            "changed": list[str],
            "name": str,
            "region": str,
            "designated_from": date | None,
            "designated_until": date | None,
        },
    )
)
_BUREAU = {"name": str, "department": Department, "region": str}
register(Kind("bureau.registered", sentence=_("登记管理部门：{name}"), schema=_BUREAU))
register(Kind("bureau.renamed", sentence=_("管理部门改名：{name}"), schema=_BUREAU))
_MEMBERSHIP = {"user": int, "role": Role, "institution": int | None, "bureau": int | None}
register(Kind("role.granted", sentence=_("授予角色：{role}"), schema=_MEMBERSHIP))
register(Kind("role.revoked", sentence=_("收回角色：{role}"), schema=_MEMBERSHIP))
register(
    Kind(
        "staff.name_differs",
        sentence=_("登记{role}时姓名和身份证号对不上，没有登记"),
        schema={"role": Role},
    )
)
register(Kind("account.activated", sentence=_("设置了登录密码"), schema={"user": int}))
