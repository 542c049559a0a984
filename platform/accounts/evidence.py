"""What this app leaves in the evidence log."""

from django.utils.translation import gettext_lazy as _

from audit.kinds import Kind, register

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
    )
)
register(Kind("account.created", sentence=_("开通学员账号"), schema={"user": int}))
register(Kind("account.activated", sentence=_("学员设置了登录密码"), schema={"user": int}))
