"""The national ID number (GB 11643): 17 digits and a check character.

Hard rules are form, province, calendar date and checksum. Below the province the region part is not checked
against the list of the birth year:
counties were merged and renamed, and people keep their number (facts measured with python-stdnum's `cn.ric`).
"""

import datetime
import re
from dataclasses import dataclass

from django.utils.translation import gettext_noop

from policy.refusals import Refusal
from policy.words import one_spelling

_FORM = re.compile(r"[1-9][0-9]{16}[0-9X]", re.ASCII)
MOST_TYPED = 24  # with spaces between its groups
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_COMPARE = gettext_noop("请对照身份证重新输入 18 位号码。")
# GB/T 2260: the first two digits of every province; 81 to 83 are those of residence permits too.
_PROVINCES = frozenset(
    [
        *(*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47)),
        *(*range(50, 55), *range(61, 66), 71, 81, 82, 83),
    ]
)


@dataclass(frozen=True, slots=True)
class IdNumber:
    """A checked ID number; make one with `parse`."""

    value: str

    @property
    def birthday(self) -> datetime.date:
        return datetime.date(int(self.value[6:10]), int(self.value[10:12]), int(self.value[12:14]))

    @property
    def masked(self) -> str:
        return mask(self.value)


def require_born(number: IdNumber, *, on: datetime.date) -> None:
    """Raise Refusal `id_number_date` for the number of somebody who was not born yet on this day (P7)."""
    if number.birthday > on:
        raise Refusal(
            "id_number_date",
            gettext_noop("身份证号里的出生日期还没有到。"),
            found=number.birthday,
            required=on,
            rule="P7",
            citation="GB 11643",
            next_step=_COMPARE,
            status=400,
        )


def mask(value: str) -> str:
    """First six and last four stay: enough for a person to recognise their own, too little to use."""
    return value[:6] + "*" * 8 + value[-4:]


def parse(text: str) -> IdNumber:
    """Check `text` and return the number. Full-width digits, spaces between groups and characters that do not
    show are how somebody typed it, here as everywhere.

    Raises Refusal `id_number_form`, `id_number_region`, `id_number_date` or `id_number_checksum`.
    """
    value = one_spelling(text).replace(" ", "").upper()
    if not _FORM.fullmatch(value):
        raise Refusal(
            "id_number_form",
            gettext_noop("身份证号应为 18 位：前 17 位是数字，末位是数字或 X。"),
            found=len(value),
            required=18,
            rule="P7",
            citation="GB 11643",
            next_step=_COMPARE,
            status=400,
        )
    if int(value[:2]) not in _PROVINCES:
        raise Refusal(
            "id_number_region",
            gettext_noop("身份证号前两位不是任何一个省的代码，可能输错了。"),
            found=False,
            required=True,
            rule="P7",
            citation="GB/T 2260",
            next_step=_COMPARE,
            status=400,
        )
    number = IdNumber(value)
    try:
        born = number.birthday
    except ValueError:
        born = None
    if born is None or born.year < 1900:
        raise Refusal(
            "id_number_date",
            gettext_noop("身份证号里的出生日期不存在。"),
            found=False,
            required=True,
            rule="P7",
            citation="GB 11643",
            next_step=_COMPARE,
            status=400,
        )
    expected = _CHECK[sum(int(d) * w for d, w in zip(value, _WEIGHTS, strict=False)) % 11]
    if value[17] != expected:
        raise Refusal(
            "id_number_checksum",
            gettext_noop("身份证号的校验位对不上，可能有一位输错了。"),
            found=False,
            required=True,
            rule="P7",
            citation="GB 11643",
            next_step=_COMPARE,
            status=400,
        )
    return number
