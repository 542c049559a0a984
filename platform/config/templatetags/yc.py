"""Yuchuang's template vocabulary: exact figures in plain words, and the look's components (docs/look.md).

Registered as a builtin, so no template loads it. Filters never round up: what earns or costs money is cut,
so 79.999 % never reads as 80 %. Filters given nothing (None or "") print nothing; given something inexact
(a float share, a time without a zone) they raise, because a page must not guess.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.core.paginator import Page
from django.forms import BoundField
from django.template.context import Context
from django.template.loader_tags import BLOCK_CONTEXT_KEY
from django.templatetags.static import static
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.editions import all_editions
from accounts.refusals import rendered
from policy.figures import found_text, required_text
from policy.findings import Finding
from policy.refusals import Refusal

register = template.Library()

LEGAL_ZONE = ZoneInfo("Asia/Shanghai")
NBSP = "\N{NO-BREAK SPACE}"
_WEEKDAYS = [_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日")]
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def _is_english() -> bool:
    return (get_language() or "").startswith("en")


# --- figures ---


def _whole_seconds(value: Any) -> int:
    """Cut to whole seconds, towards zero: a second that is not over has not been earned."""
    if isinstance(value, datetime.timedelta):
        return (
            value // datetime.timedelta(seconds=1)
            if value >= datetime.timedelta()
            else -_whole_seconds(-value)
        )
    return int(value)


@register.filter
def duration(value: Any, form: str = "") -> str:
    """Say seconds (or a timedelta) in words: 2 小时 7 分 40 秒.

    Zero at the end is left out, unless `form` is "full": 14 小时 24 分 00 秒.
    """
    if value is None or value == "":
        return ""
    seconds = _whole_seconds(value)
    sign, seconds = ("−" if seconds < 0 else ""), abs(seconds)
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts: list[str] = []
    if hours:
        parts.append(gettext("%(n)s 小时") % {"n": f"{hours:,}"})
    if hours or minutes:
        parts.append(gettext("%(n)s 分") % {"n": minutes})
    parts.append(gettext("%(n)s 秒") % {"n": f"{rest:02d}" if parts else rest})
    if form != "full":
        if rest == 0 and len(parts) > 1:
            parts.pop()
            if minutes == 0 and len(parts) > 1:
                parts.pop()
        if len(parts) == 1 and minutes and not rest and not hours:
            # "45 分" alone could be read as a mark; a span of time says 分钟.
            parts = [gettext("%(n)s 分钟") % {"n": minutes}]
    return sign + " ".join(parts)


@register.filter
def hms(value: Any) -> str:
    """Write seconds as H:MM:SS, for desktop tables."""
    if value is None or value == "":
        return ""
    seconds = _whole_seconds(value)
    sign, seconds = ("−" if seconds < 0 else ""), abs(seconds)
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


@register.filter
def thousands(value: Any) -> str:
    """Group a whole number: 57,485."""
    return "" if value is None or value == "" else f"{int(value):,}"


def _amount(value: Any) -> str:
    if isinstance(value, float):
        raise TypeError("money is Decimal, never float")
    return f"{Decimal(str(value)).quantize(Decimal('0.01'), rounding=ROUND_DOWN):,}"


@register.filter
def money(value: Any) -> str:
    """Write an amount with two decimals and thousands commas, without its unit: 5,400.00."""
    return "" if value is None or value == "" else _amount(value)


@register.filter
def yuan(value: Any) -> str:
    """Write an amount with its unit: 5,400.00 元, in English ¥5,400.00."""
    if value is None or value == "":
        return ""
    return f"¥{_amount(value)}" if _is_english() else f"{_amount(value)}{NBSP}元"


def _exact(value: Any) -> Fraction:
    if isinstance(value, float):
        raise TypeError("a share is exact: Fraction, Decimal, int or 'n/d', never float")
    return Fraction(value)


def _cut_percent(value: Any, places: int = 2) -> str:
    share_of_one = _exact(value)
    scale = 10**places
    sign = "−" if share_of_one < 0 else ""
    units = abs(share_of_one.numerator) * 100 * scale // share_of_one.denominator
    return f"{sign}{units // scale}.{units % scale:0{places}d}"


@register.filter
def share(value: Any) -> str:
    """Write an exact share of one as a percentage with two decimals, cut and never rounded: 88.71 %."""
    return "" if value is None or value == "" else f"{_cut_percent(value)}{NBSP}%"


@register.filter
def share_number(value: Any) -> str:
    """The figure of `share` alone, for places that set the sign apart."""
    return "" if value is None or value == "" else _cut_percent(value)


@register.filter
def percent(value: Any) -> str:
    """Write a share as short as it is exact, for lines and limits: 80 %, 59.84 %."""
    text = share(value)
    return text.replace(f".00{NBSP}", NBSP) if (_exact(value) * 100).denominator == 1 else text


@register.filter
def width(value: Any) -> str:
    """An exact share of one as a CSS length (36.574%), kept between nothing and all of it."""
    if value is None or value == "":
        return "0%"
    return f"{_cut_percent(min(max(_exact(value), Fraction(0)), Fraction(1)), 3)}%"


@register.filter
def of(part: Any, whole: Any) -> Fraction:
    """The exact share `part|of:whole`; nothing of nothing is nothing."""
    return Fraction(part or 0) / Fraction(whole) if whole else Fraction(0)


# --- dates and times: always the legal zone ---


def _legal(moment: datetime.datetime) -> datetime.datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment on a page carries its zone")
    return moment.astimezone(LEGAL_ZONE)


def _day(value: datetime.date | datetime.datetime) -> datetime.date:
    return _legal(value).date() if isinstance(value, datetime.datetime) else value


def _weekday(day: datetime.date) -> str:
    return str(_WEEKDAYS[day.weekday()])


def _write_day(day: datetime.date, *, year: bool) -> str:
    if _is_english():
        return f"{day.day} {_MONTHS[day.month - 1]}" + (f" {day.year}" if year else "")
    return (f"{day.year}年" if year else "") + f"{day.month}月{day.day}日"


@register.filter
def cn_date(value: datetime.date | None, form: str = "") -> str:
    """Write a legal day: 2026年11月23日.

    `form`: "short" 11月23日, "week" 11月23日 周一, "full" 2026年11月23日 周一.
    """
    if not value:
        return ""
    day = _day(value)
    text = _write_day(day, year=form in ("", "full"))
    if form not in ("week", "full"):
        return text
    return f"{_weekday(day)} {text}" if _is_english() else f"{text} {_weekday(day)}"


@register.filter
def cn_time(value: datetime.datetime | None, form: str = "") -> str:
    """Write the legal time of day: 08:30; with "s" to the second, 08:30:26."""
    if not value:
        return ""
    return _legal(value).strftime("%H:%M:%S" if form == "s" else "%H:%M")


@register.filter
def cn_datetime(value: datetime.datetime | None, form: str = "") -> str:
    """Write a server time to the second: 2026年11月23日 08:30:26.

    `form`: "m" to the minute, "short" 11月23日 08:30, "week" 11月23日 周一 08:30.
    """
    if not value:
        return ""
    moment = _legal(value)
    day = cn_date(moment, {"short": "short", "week": "week"}.get(form, ""))
    return f"{day} {cn_time(moment, '' if form else 's')}"


@register.filter
def until(start: datetime.date | None, end: datetime.date | None) -> str:
    """Write a range: 08:30–11:30 for times of one legal day, 2026年11月16日 至 11月24日 for dates."""
    if not start or not end:
        return ""
    if isinstance(start, datetime.datetime) and isinstance(end, datetime.datetime):
        first, last = _legal(start), _legal(end)
        if first.date() == last.date():
            return f"{cn_time(first)}–{cn_time(last)}"
        return f"{cn_datetime(first, 'short')}–{cn_datetime(last, 'short')}"
    first_day, last_day = _day(start), _day(end)
    if first_day == last_day:
        return cn_date(first_day)
    two_years = first_day.year != last_day.year
    if _is_english():
        return f"{_write_day(first_day, year=two_years)} – {_write_day(last_day, year=True)}"
    return f"{cn_date(first_day)} 至 {_write_day(last_day, year=two_years)}"


@register.filter
def iso(value: datetime.datetime | None) -> str:
    """A moment for `<time datetime>` and data attributes, in UTC."""
    if not value:
        return ""
    _legal(value)
    return value.astimezone(datetime.UTC).isoformat()


# --- words ---


@register.filter
def said(value: Any, bare: str = "") -> str:
    """Write what a refusal or finding found or requires, from its JSON: days and moments as people do,
    lists with 、.

    A figure or a date that stands alone gets the word `bare` before it: 要求 30.
    """
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return gettext("是") if value else gettext("否")
    if isinstance(value, Mapping):
        return gettext("，").join(f"{name} {said(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return gettext("、").join(said(item) for item in value)
    text = str(value)
    try:
        if len(text) == 10:
            text = cn_date(datetime.date.fromisoformat(text))
        elif text[10:11] == "T":
            text = cn_datetime(datetime.datetime.fromisoformat(text))
    except ValueError:
        return text
    is_bare = text != str(value) or text.replace(".", "", 1).isdigit()
    return f"{bare} {text}" if bare and is_bare else text


@register.filter
def said_required(finding: Mapping[str, Any]) -> str:
    """Write what the rule of a rendered finding requires, figures with their unit."""
    return required_text(finding, gettext) or said(finding["required"])


@register.filter
def said_found(finding: Mapping[str, Any]) -> str:
    """Write what a rendered finding found, figures with their unit."""
    return found_text(finding, gettext) or said(finding["actual"])


@register.filter
def edition_title(edition_id: str | None) -> SafeString:
    """Name a policy edition by its title, which stays Chinese and says so; one that is gone keeps its id."""
    known = all_editions().get(edition_id or "")
    if known is None:
        return escape(edition_id or "")
    return format_html('<span lang="zh-CN">{}</span>', known.title)


@register.filter
def mask(value: str | None, kind: str = "id") -> str:
    """Cover what a page need not show: "id" 4101**********0524, "phone" 137****5521, "name" 王*满."""
    text = (value or "").strip()
    if not text:
        return ""
    if kind == "name":
        if len(text) < 3:
            return text[0] + "*" * (len(text) - 1)
        return text[0] + "*" * (len(text) - 2) + text[-1]
    head, tail = (3, 4) if kind == "phone" else (4, 4)
    if len(text) <= head + tail:
        return "*" * len(text)
    return text[:head] + "*" * (len(text) - head - tail) + text[-tail:]


@register.filter
def digest(value: str | bytes | None) -> str:
    """Shorten a hexadecimal digest for reading: 8c41 f0d2 … 77be."""
    text = value.hex() if isinstance(value, bytes | memoryview) else (value or "")
    return f"{text[:4]} {text[4:8]} … {text[-4:]}" if len(text) > 12 else text


# --- small parts ---


@register.simple_tag
def icon(name: str, css: str = "", label: str = "") -> SafeString:
    """Draw one Tabler outline icon of icons.txt; screen readers pass over it unless it has a `label`."""
    target = f"{static('vendor/icons.svg')}#tabler-{name}"
    classes = f"i {css}".strip()
    if label:
        return format_html(
            '<svg class="{}" role="img" aria-label="{}"><use href="{}"/></svg>', classes, label, target
        )
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"/></svg>', classes, target)


STATE_ICONS = {"ok": "circle-check", "now": "progress", "look": "eye", "stop": "circle-x", "still": "pencil"}

# How the states of the trade look; a state that is missing here is drawn as "still".
STATE_LOOKS = {
    "ok": (
        "ok approved passed completed finished paid accepted verified valid issued archived present upheld"
        " published done confirmed written applied closed ready assigned"
    ),
    "now": "now running live enrolling recruiting open in_progress active noticed examining checking writing",
    "look": (
        "look submitted pending grey review screening waiting previewed changed disputed due held expiring"
        " screened duplicate"
    ),
    "stop": (
        "stop returned rejected failed refused revoked cancelled absent invalid expired lapsed unknown"
        " unusable denied"
    ),
    "still": (
        "still draft planned scheduled not_started withdrawn left dismissed discarded retired superseded"
    ),
}
_LOOK_OF_STATE = {code: look for look, codes in STATE_LOOKS.items() for code in codes.split()}


@register.simple_tag(name="state")
def state_tag(kind: Any, word: Any = "", icon_name: str = "") -> SafeString:
    """Draw a state as icon, word and colour: `{% state "ok" _("合格") %}`, `{% state filing.state %}`.

    `kind` is one of ok, now, look, stop, still, or a state's own code; an enum member brings its own label.
    """
    code = str(getattr(kind, "value", kind))
    look = getattr(kind, "look", None) or _LOOK_OF_STATE.get(code, "still")
    word = word or getattr(kind, "label", code)
    return format_html(
        '<span class="yc-state is-{}">{}{}</span>', look, icon(icon_name or STATE_ICONS[look]), str(word)
    )


@register.simple_tag
def ava(name: Any, is_me: bool = False) -> SafeString:
    """Draw a person's surname in a circle; the name itself stands beside it."""
    return format_html(
        '<span class="yc-ava{}" aria-hidden="true">{}</span>',
        " is-me" if is_me else "",
        str(name).strip()[:1],
    )


@register.simple_tag
def cite(text: str, url: str = "") -> SafeString:
    """Cite the norm beside the figure it rules."""
    if not text:
        return SafeString("")
    if url:
        return format_html('<a class="yc-cite" href="{}">{}</a>', url, text)
    return format_html('<span class="yc-cite">{}</span>', text)


@register.simple_tag(takes_context=True)
def again(context: Context, name: str) -> SafeString:
    """Render a block of the page a second time: the bar repeats the title on a phone."""
    block = context.render_context[BLOCK_CONTEXT_KEY].get_block(name)
    return SafeString(block.render(context).strip()) if block else SafeString("")


# --- bars: plain HTML with one sentence for those who cannot see them ---

_KIND_CLASSES = {
    "live": "k-live",
    "replay": "k-replay",
    "homework": "k-work",
    "exam": "k-work",
    "work": "k-work",
    "quality": "k-care",
    "tutoring": "k-care",
    "care": "k-care",
    "on_demand": "k-demand",
    "demand": "k-demand",
    "offline": "k-offline",
    "unproven": "k-unproven",
    "absent": "k-absent",
    "ok": "k-ok",
}


@register.filter
def kind_class(kind: Any) -> str:
    """The colour class of a kind of hours (live, homework, …), of unproven time and of absence."""
    return _KIND_CLASSES[str(getattr(kind, "value", kind))]


@register.simple_tag
def dot(kind: Any) -> SafeString:
    """The coloured square that stands before the word of a kind of hours."""
    return format_html('<i class="k-dot {}"></i>', kind_class(kind))


@dataclass(frozen=True)
class Segment:
    css: str
    width: str
    left: str = ""


Parts = Iterable[tuple[Any, Any]] | Mapping[Any, Any]


def _segments(parts: Parts, whole: Any) -> list[Segment]:
    pairs = parts.items() if isinstance(parts, Mapping) else parts
    total = _exact(whole)
    return [Segment(kind_class(kind), width(of(_exact(amount), total))) for kind, amount in pairs if amount]


@register.inclusion_tag("includes/bar.html")
def bar(parts: Parts, whole: Any = 1, label: str = "", css: str = "") -> dict[str, Any]:
    """Draw [(kind, amount), …] as parts of `whole`: shares of one, or seconds of seconds.

    `label` says it to those who cannot see it; without one the bar only repeats what stands beside it.
    """
    return {"segments": _segments(parts, whole), "label": label, "css": css}


@register.inclusion_tag("includes/meter.html")
def meter(parts: Parts, whole: Any = 1, line: Any = None, label: str = "") -> dict[str, Any]:
    """Draw the same as `bar`, larger, with the pass line (a share of one) and its figure."""
    return {"segments": _segments(parts, whole), "line": line, "label": label}


@register.inclusion_tag("includes/ribbon.html")
def ribbon(
    starts_at: datetime.datetime,
    ends_at: datetime.datetime,
    pieces: Iterable[Any],
    label: str = "",
    css: str = "",
) -> dict[str, Any]:
    """Draw pieces of time to scale between two moments.

    A piece is (kind, from, to), or has `kind`, `starts_at` and `ends_at` and may have `is_picked`. What lies
    outside is cut off.
    """
    microsecond = datetime.timedelta(microseconds=1)
    whole = (ends_at - starts_at) // microsecond
    segments = []
    for piece in pieces:
        kind, first, last = (
            piece if isinstance(piece, tuple) else (piece.kind, piece.starts_at, piece.ends_at)
        )
        first, last = max(first, starts_at), min(last, ends_at)
        if first >= last:
            continue
        css_class = kind_class(kind) + (" is-picked" if getattr(piece, "is_picked", False) else "")
        left, length = (first - starts_at) // microsecond, (last - first) // microsecond
        segments.append(Segment(css_class, width(of(length, whole)), width(of(left, whole))))
    return {"segments": segments, "label": label, "css": css}


@register.inclusion_tag("includes/hours.html")
def hours(groups: Iterable[Sequence[Any]], label: str) -> dict[str, Any]:
    """Draw one square per lesson hour from [(kind, have, least, most), …].

    `least` and `most` may be None or left out. A missing hour is an empty frame, a surplus one is framed.
    """
    squares: list[str] = []
    for group in groups:
        kind, have, *limits = group
        least, most = (*limits, None, None)[:2]
        for number in range(int(have)):
            squares.append(kind_class(kind) + (" over" if most is not None and number >= most else ""))
        squares += ["lack"] * max(0, int(least or 0) - int(have))
    return {"squares": squares, "label": label}


# --- blocks of a page ---


def _pairs(values: Sequence[Any]) -> list[tuple[Any, Any]]:
    return list(zip(values[::2], values[1::2], strict=True))


@register.inclusion_tag("includes/facts.html")
def facts(*pairs: Any, stack: bool = False) -> dict[str, Any]:
    """Write label, value, label, value … in one line, or stacked."""
    return {
        "facts": [(label, value) for label, value in _pairs(pairs) if value is not None and value != ""],
        "stack": stack,
    }


@register.inclusion_tag("includes/crumbs.html")
def crumbs(*steps: Any) -> dict[str, Any]:
    """Write the way here: label, url, label, url …, and last the label of this page alone."""
    *linked, here = steps
    return {"linked": _pairs(linked), "here": here}


@register.inclusion_tag("includes/steps.html")
def steps(current: int, *labels: Any, left_open: int = 0) -> dict[str, Any]:
    """Show where one is in a step form; `current` counts from 1, one more than the last means all is done.

    `left_open` is an earlier step that was passed over and is still to be done.
    """
    return {
        "steps": [
            (number, label, number < current and number != left_open, number == current)
            for number, label in enumerate(labels, 1)
        ]
    }


@register.inclusion_tag("includes/refusal.html")
def refusal(
    refused: Refusal | Mapping[str, Any], retry_url: str = "", retry_label: str = ""
) -> dict[str, Any]:
    """Write a refusal as 规则 · 这次 · 怎么办. Takes a `Refusal` or its JSON form."""
    body = rendered(refused) if isinstance(refused, Refusal) else refused
    return {"refusal": body, "retry_url": retry_url, "retry_label": retry_label}


@register.inclusion_tag("includes/finding.html")
def finding(found: Finding | Mapping[str, Any]) -> dict[str, Any]:
    """Write one finding of a check: what, found against required, and the rule it comes from."""
    return {"finding": found.render(gettext) if isinstance(found, Finding) else found}


@register.inclusion_tag("includes/empty.html")
def nothing(icon: str, title: str, why: str = "", url: str = "", action: str = "") -> dict[str, Any]:
    """Say what would be here, why it is not, and the one way to get it."""
    return {"icon_name": icon, "title": title, "why": why, "url": url, "action": action}


@register.inclusion_tag("includes/job.html")
def job(
    title: str, done: int, total: int | None = None, began_at: Any = None, cancel_url: str = ""
) -> dict[str, Any]:
    """Show background work: what, how many of how many, when it began, and that one may leave."""
    return {
        "title": title,
        "done": done,
        "total": total,
        "share": of(done, total) if total else None,
        "began_at": began_at,
        "cancel_url": cancel_url,
    }


@register.inclusion_tag("includes/pager.html", takes_context=True)
def pager(context: Context, page: Page[Any]) -> dict[str, Any]:
    """Count what a list holds and page through it; the query of the address is kept."""
    numbers = list(page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1))
    return {
        "request": context.get("request"),
        "page": page,
        "numbers": numbers,
        "ellipsis": page.paginator.ELLIPSIS,
        "total": ngettext("共 %(n)s 条", "共 %(n)s 条", page.paginator.count)
        % {"n": f"{page.paginator.count:,}"},
    }


@register.simple_tag
def field(bound: BoundField) -> SafeString:
    """Render one form field with label, help and error; the same template renders `{{ form }}`."""
    return mark_safe(bound.as_field_group())  # noqa: S308  (Django's own rendering, already escaped)
