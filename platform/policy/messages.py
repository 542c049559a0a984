"""Chinese source strings that leave the policy untranslated.

`gettext_noop` marks a string for the message catalogue without translating it. An edge renders it with its
own translator: `fill(message, params, gettext)`. Parameters that are themselves marked are translated too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Any, Protocol, runtime_checkable

Translate = Callable[[str], str]
NBSP = "\N{NO-BREAK SPACE}"


class Msgid(str):
    """A source string that still has to be translated when it is shown."""

    __slots__ = ()


def gettext_noop(message: str) -> Msgid:
    """Mark `message` for extraction; xgettext knows this name."""
    return Msgid(message)


def untranslated(message: str) -> str:
    return message


# A month has its own name where dates are not written in figures alone.
_MONTHS = (
    gettext_noop("1月"),
    gettext_noop("2月"),
    gettext_noop("3月"),
    gettext_noop("4月"),
    gettext_noop("5月"),
    gettext_noop("6月"),
    gettext_noop("7月"),
    gettext_noop("8月"),
    gettext_noop("9月"),
    gettext_noop("10月"),
    gettext_noop("11月"),
    gettext_noop("12月"),
)


@runtime_checkable
class Renderable(Protocol):
    def render(self, translate: Translate = ...) -> Any: ...


def exact_text(number: int | Fraction | Decimal) -> str:
    """Write a number without losing anything: `15`, `14.4`, or `44/3` where no decimal is exact."""
    if isinstance(number, Decimal):
        return format(number, "f")
    fraction = Fraction(number)
    if fraction.denominator == 1:
        return str(fraction.numerator)
    places = _decimal_places(fraction.denominator)
    if places is None:
        return f"{fraction.numerator}/{fraction.denominator}"
    scaled = abs(fraction.numerator) * 10**places // fraction.denominator
    sign = "-" if fraction < 0 else ""
    return f"{sign}{scaled // 10**places}.{scaled % 10**places:0{places}d}"


def _decimal_places(denominator: int) -> int | None:
    twos = fives = 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    return max(twos, fives) if denominator == 1 else None


def percent_figure(share: Fraction, places: int = 2) -> str:
    """Write a share as a percentage without its sign, cut and never rounded up: 79.996 % stays `79.99`."""
    cut = share * 100 * 10**places // 1
    return exact_text(Fraction(cut, 10**places))


def percent_text(share: Fraction, places: int = 2) -> str:
    """Write a share as a percentage for people, cut likewise; the sign stays on the figure's line."""
    return f"{percent_figure(share, places)}{NBSP}%"


def plain(value: object, translate: Translate = untranslated) -> Any:
    """Turn a value into what JSON can carry: exact numbers as integers or strings, dates as ISO text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Msgid):
        return translate(value) if value else ""
    if isinstance(value, Enum):
        return plain(value.value, translate)
    if isinstance(value, str):
        return value
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else exact_text(value)
    if isinstance(value, Decimal):
        return exact_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Renderable):
        return value.render(translate)
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item, translate) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item, translate) for item in value]
    return str(value)


def fill(message: str, params: Mapping[str, object], translate: Translate = untranslated) -> str:
    """Translate `message`, then fill its %(name)s places: dates as people read them, numbers exactly.

    A literal per cent sign is written %%.
    """
    if not message:  # a catalogue answers the empty string with its own header
        return ""
    spoken = {name: _spoken(value, translate) for name, value in params.items()}
    return translate(message) % spoken


def day_text(day: date, translate: Translate = untranslated) -> str:
    """Write a day as people read it: `2026年11月23日`, in English `23 Nov 2026`."""
    parts = {"year": day.year, "month": translate(_MONTHS[day.month - 1]), "day": day.day}
    return translate(gettext_noop("%(year)s年%(month)s%(day)s日")) % parts


def _spoken(value: object, translate: Translate) -> str:
    if isinstance(value, list | tuple):
        return translate(gettext_noop("、")).join(_spoken(item, translate) for item in value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return day_text(value, translate)
    if isinstance(value, int | Fraction | Decimal) and not isinstance(value, bool):
        return exact_text(value)
    return str(plain(value, translate))


@dataclass(frozen=True, slots=True)
class Message:
    """A source string with its parameters, to be translated and filled where it is shown."""

    text: str
    params: Mapping[str, object] = field(default_factory=dict)

    def render(self, translate: Translate = untranslated) -> str:
        return fill(self.text, self.params, translate)
