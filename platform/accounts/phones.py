"""Mobile numbers as people type them."""

import re

from django.utils.translation import gettext_noop

from policy.refusals import Refusal
from policy.words import one_spelling

DIGITS = 11
_MOBILE = re.compile(rf"1[3-9][0-9]{{{DIGITS - 2}}}", re.ASCII)
_BETWEEN = re.compile(r"[\s-]")


def parse_phone(text: str, *, rule: str, optional: bool = False) -> str:
    """The 11 digits of a mainland mobile number, typed with spaces, hyphens or full-width digits.

    Empty only where `optional`. Raises Refusal `phone_form` (400) under the `rule` that asks for the number.
    """
    phone = _BETWEEN.sub("", one_spelling(text))
    if _MOBILE.fullmatch(phone) or (optional and not phone):
        return phone
    raise Refusal(
        "phone_form",
        gettext_noop("手机号应为 11 位数字，以 1 开头。"),
        found=len(phone),
        required=DIGITS,
        rule=rule,
        next_step=gettext_noop("请重新输入手机号；没有手机的，空着。")
        if optional
        else gettext_noop("请核对手机号。"),
        status=400,
    )
