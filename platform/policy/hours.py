"""Lesson hours by kind, read exactly or refused."""

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Final

from policy.messages import gettext_noop
from policy.refusals import Refusal
from policy.terms import HourKind

Hours = Mapping[HourKind, Fraction]

# Far beyond any course, and small enough that no arithmetic on it can be made expensive.
MOST_HOURS: Final = 10_000
FINEST_PART: Final = 1_000_000

_DECIMAL = re.compile(r"-?\d{1,12}(\.\d{1,12})?", re.ASCII)
_FRACTION = re.compile(r"-?\d{1,12}/\d{1,12}", re.ASCII)


def parse_hours(raw: object) -> Hours:
    """Read hours by kind; kinds that are not given are 0.

    Integers, decimal strings ("13.5"), fraction strings ("40/3") and exact numbers are taken as they are; a
    float stands for the decimal it is written as, so that 0.1 is a tenth.

    Raises:
        Refusal (400): `hours_malformed`, `hours_unknown_kind`, `hours_negative` or `hours_out_of_range`.
    """
    if not isinstance(raw, Mapping):
        raise _refusal(
            "hours_malformed",
            gettext_noop("课时要按类别填写，每一类一个数。"),
            found=_shown(raw),
            required=[kind.value for kind in HourKind],
        )
    hours = dict.fromkeys(HourKind, Fraction(0))
    for name, value in raw.items():
        kind = _kind(name)
        hours[kind] = _number(kind, value)
    return hours


def _kind(name: object) -> HourKind:
    try:
        return HourKind(name)  # type: ignore[arg-type]  # whatever is not a kind is refused
    except ValueError:
        raise _refusal(
            "hours_unknown_kind",
            gettext_noop("没有“%(kind)s”这一类课时。"),
            found=_shown(name),
            required=[kind.value for kind in HourKind],
            kind=_shown(name),
            known=[kind.label for kind in HourKind],
            next_step=gettext_noop("课时类别只有：%(known)s。"),
        ) from None


def _number(kind: HourKind, value: object) -> Fraction:
    number = _exact(value)
    if number is None and not isinstance(value, str | float | Decimal):
        raise _refusal(
            "hours_malformed",
            gettext_noop("%(kind)s课时要填数字，现在是%(value)s。"),
            found=_shown(value),
            required=gettext_noop("整数、小数或分数"),
            kind=kind.label,
            value=_shown(value),
            next_step=gettext_noop("请填整数、小数（如 13.5）或分数（如 40/3）。"),
        )
    if number is None:
        raise _refusal(
            "hours_malformed",
            gettext_noop("%(kind)s课时要填数字，现在填的是“%(value)s”。"),
            found=_shown(value),
            required=gettext_noop("整数、小数或分数"),
            kind=kind.label,
            value=_shown(value),
            next_step=gettext_noop("请填整数、小数（如 13.5）或分数（如 40/3）。"),
        )
    if number < 0:
        raise _refusal(
            "hours_negative",
            gettext_noop("%(kind)s课时不能小于 0，现在填的是 %(value)s。"),
            found=_shown(value),
            required=0,
            kind=kind.label,
            value=_shown(value),
            next_step=gettext_noop("没有这一类课时的，填 0。"),
        )
    if number > MOST_HOURS or number.denominator > FINEST_PART:
        raise _refusal(
            "hours_out_of_range",
            gettext_noop("%(kind)s课时“%(value)s”超出了可以填写的范围。"),
            found=_shown(value),
            required=MOST_HOURS,
            kind=kind.label,
            value=_shown(value),
            most=MOST_HOURS,
            next_step=gettext_noop("请填 0 到 %(most)s 之间的数，小数最多 6 位。"),
        )
    return number


def _exact(value: object) -> Fraction | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Fraction):
        return Fraction(value)
    if isinstance(value, float):
        return Fraction(Decimal(repr(value))) if math.isfinite(value) else None
    if isinstance(value, Decimal):
        # A tiny or huge exponent would cost memory before the range could be checked.
        return Fraction(value) if value.is_finite() and -30 <= value.adjusted() <= 30 else None
    if not isinstance(value, str):
        return None
    if _DECIMAL.fullmatch(value):
        return Fraction(value)
    if _FRACTION.fullmatch(value) and int(value.partition("/")[2]) != 0:
        return Fraction(value)
    return None


def _shown(value: object) -> str:
    """Repeat what was entered, shortened, so that the sentence about it stays readable.

    What is neither text nor a number is called what it is.
    """
    if value is None:
        return gettext_noop("空值（null）")
    if isinstance(value, bool):
        return gettext_noop("真假值（true、false）")
    if isinstance(value, Mapping):
        return gettext_noop("一个对象")
    if isinstance(value, list | tuple):
        return gettext_noop("一个列表")
    text = str(value) if not isinstance(value, int) or abs(value) < 10**30 else "…"
    return text if len(text) <= 40 else f"{text[:40]}…"


def _refusal(
    code: str, message: str, *, found: object, required: object, next_step: str = "", **params: object
) -> Refusal:
    return Refusal(
        code,
        message,
        found=found,
        required=required,
        next_step=next_step or gettext_noop("请改正后重新提交。"),
        params=params,
        status=400,
    )
