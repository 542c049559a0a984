"""How a date is written, and how far from today it may lie before it can only be a slip of the pen.

Every date that somebody enters and that is later counted with passes one of these, so that no count can run
off the end of what a calendar knows (year 1, year 9999).
"""

import datetime as dt
import re

from policy.messages import Msgid, gettext_noop
from policy.refusals import Refusal

YEARS_AROUND = 10  # of a plan: a class, a campaign, a measure; whole calendar years before and after today's
FIRST_DAY, LAST_DAY = dt.date(1900, 1, 1), dt.date(2199, 12, 31)  # of what a paper may say

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def parse_day(text: str) -> dt.date:
    """Read YYYY-MM-DD in plain digits, and no other form that ISO 8601 has (20260212, 2026-W07-4).

    Raises ValueError.
    """
    if not _DAY.fullmatch(text):
        raise ValueError(text[:40])
    return dt.date.fromisoformat(text)


def require_near(day: dt.date | None, *, today: dt.date, name: str, field: str = "", rule: str = "") -> None:
    """A planned day lies within ten calendar years of today; `name` is what people call the date.

    `field` tells a form beside which field the mistake belongs. Raises Refusal `date_out_of_range` (400).
    """
    first = dt.date(max(today.year - YEARS_AROUND, dt.MINYEAR), 1, 1)
    last = dt.date(min(today.year + YEARS_AROUND, dt.MAXYEAR), 12, 31)
    _require_between(first, day, last, name=name, field=field, rule=rule)


def require_on_paper(day: dt.date | None, *, name: str, field: str = "", rule: str = "") -> None:
    """A day that a document, a certificate or a designation states lies from 1900 to 2199.

    Raises Refusal `date_out_of_range` (400).
    """
    _require_between(FIRST_DAY, day, LAST_DAY, name=name, field=field, rule=rule)


def _require_between(
    first: dt.date, day: dt.date | None, last: dt.date, *, name: str, field: str, rule: str
) -> None:
    if day is None or first <= day <= last:
        return
    raise Refusal(
        "date_out_of_range",
        gettext_noop("%(name)s写的是 %(day)s，年份不对。"),
        found=day,
        required=[first, last],
        rule=rule,
        params={"name": Msgid(name), "day": day, "first": first, "last": last},
        next_step=gettext_noop("请改成 %(first)s 到 %(last)s 之间的日期。"),
        status=400,
        details={"field": field} if field else None,
    )
