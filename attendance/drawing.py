"""What a ribbon of one lesson needs beside its pieces: the hours below, the marks above, and a sentence."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise

from django.utils import timezone
from django.utils.translation import gettext as _

from attendance.credit import floor_seconds
from attendance.states import CheckKind
from attendance.trace import Fate, LessonTrace, Stretch

_MICROSECOND = datetime.timedelta(microseconds=1)
_STEPS = tuple(datetime.timedelta(minutes=n) for n in (1, 5, 10, 15, 30, 60, 120))
_TICKS = 5
_ICONS = {CheckKind.ROLL_CALL: "hand-stop", CheckKind.QUESTION: "help-square-rounded"}


@dataclass(frozen=True, slots=True)
class Tick:
    left: Fraction
    text: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at one moment of the lesson."""

    left: Fraction
    icon: str
    css: str
    text: str


def ticks(starts_at: datetime.datetime, ends_at: datetime.datetime) -> list[Tick]:
    """At most five times from start to end, evenly apart; a lesson too short for that shows its two ends."""
    whole = ends_at - starts_at
    step = next((step for step in _STEPS if whole / step <= _TICKS - 1), _STEPS[-1])
    form = "%H:%M" if whole >= _STEPS[0] else "%H:%M:%S"
    moments = [starts_at]
    while moments[-1] + step < ends_at - step / 2:
        moments.append(moments[-1] + step)
    return [
        Tick(_left(moment, starts_at, ends_at), timezone.localtime(moment).strftime(form))
        for moment in (*moments, ends_at)
    ]


def marks(traced: LessonTrace) -> list[Mark]:
    """Sign-ins, sign-outs and checks of one trainee on the lesson's line."""
    lesson = traced.lesson
    found: list[tuple[datetime.datetime, str, str, str]] = []
    for one in traced.sign_ins:
        found.append((one.requested_at, "login-2", "t-ok", _("签到")))
        if one.signed_out_at:
            found.append((one.signed_out_at, "logout", "", _("签退")))
    for check in traced.checks:
        answered = check.answered_at is not None
        text = _("应答了") if answered else _("没有应答")
        icon = _ICONS[CheckKind(check.kind)]
        found.append((check.opened_at, icon, "t-now" if answered else "t-stop", text))
    return [
        Mark(_left(moment, lesson.starts_at, lesson.ends_at), icon, css, text)
        for moment, icon, css, text in sorted(found, key=lambda item: item[0])
        if lesson.starts_at <= moment <= lesson.ends_at
    ]


def said(stretches: Iterable[Stretch]) -> str:
    """The ribbon in one sentence, for those who cannot see it."""
    words = {
        Fate.CREDITED: _("计入"),
        Fate.UNPROVEN: _("没有证实"),
        Fate.UNSIGNED: _("没有签到"),
        Fate.ABSENT: _("不在课堂"),
    }
    pieces = [f"{_clock(one.starts_at)}–{_clock(one.ends_at)} {words[one.fate]}" for one in stretches]
    return _("；").join(pieces) or _("还没有记录")


def whole(traced: LessonTrace) -> list[tuple[str, datetime.datetime, datetime.datetime]]:
    """The ribbon of a lesson that is handed in: all of it, or nothing."""
    lesson = traced.lesson
    return [(lesson.kind, lesson.starts_at, lesson.ends_at)] if traced.handed_in else []


def sum_of(traced: LessonTrace) -> str:
    """The credited pieces added up: 4,090 + 2,590 + 2,400 = 9,080. Empty where nothing was credited.

    In whole seconds, cut so that they add up. A lesson that was capped says so by ending with its worth:
    … = 11,000，计入 10,800.
    """
    pieces = traced.credited
    if not pieces:
        return ""
    shown = whole_seconds([piece.microseconds for piece in pieces])
    whole = sum(piece.microseconds for piece in pieces)
    text = " + ".join(f"{seconds:,}" for seconds in shown) or "0"
    if len(shown) > 1:
        text = f"{text} = {_seconds(whole)}"
    return text if whole == traced.microseconds else f"{text}{_('，计入')} {_seconds(traced.microseconds)}"


def whole_seconds(lengths: Iterable[int]) -> list[int]:
    """Lengths in microseconds as whole seconds that add up to the cut total; what fills none is left out."""
    ends = [floor_seconds(end) for end in accumulate(lengths)]
    return [end - start for start, end in pairwise([0, *ends]) if end > start]


def _seconds(microseconds: int) -> str:
    return f"{floor_seconds(microseconds):,}"


def _left(moment: datetime.datetime, starts_at: datetime.datetime, ends_at: datetime.datetime) -> Fraction:
    return Fraction((moment - starts_at) // _MICROSECOND, (ends_at - starts_at) // _MICROSECOND)


def _clock(moment: datetime.datetime) -> str:
    return timezone.localtime(moment).strftime("%H:%M:%S")
