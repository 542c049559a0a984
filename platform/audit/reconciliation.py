"""Do the rows that earn money still say what the evidence said when they were written?

Hashes and signatures prove the log; they say nothing of the rows beside it, which the application's own login
may change. Apps register what compares their rows with the log; nobody who can only write rows passes it.
"""

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from django.db import DEFAULT_DB_ALIAS, connections
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from policy.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that the log does not bear out, in what it differs.

    `recorded` is empty where the log says nothing of the row, `says` where the log tells of a row that is
    gone. `enrolment` is the trainee it concerns, None where it concerns the whole chain.
    """

    chain: str
    row: str  # its table and key: live_presenceinterval/12
    what: str | Promise
    says: str
    recorded: str
    enrolment: int | None = None

    @property
    def code(self) -> str:
        """`differs`, `unrecorded` (no entry tells of the row) or `gone` (no row for the entry)."""
        if not self.recorded:
            return "unrecorded"
        return "differs" if self.says else "gone"

    @property
    def number(self) -> str:
        """The row's key without its table, for people: 12, or 12/3 for a part of it."""
        return self.row.partition("/")[2]

    @property
    def sentence(self) -> str:
        """What differs, for people."""
        sentences = {
            "unrecorded": _("与留痕不一致：%(what)s在数据库里有（%(says)s），留痕里没有"),
            "gone": _("与留痕不一致：%(what)s在留痕里有（%(recorded)s），数据库里没有"),
            "differs": _("与留痕不一致：%(what)s在数据库里是%(says)s，留痕是%(recorded)s"),
        }
        return sentences[self.code] % {"what": self.what, "says": self.says, "recorded": self.recorded}


# Chain, or None for all of them, and the connection to read over.
Comparison: TypeAlias = Callable[[str | None, str], list[Difference]]
_comparisons: list[Comparison] = []


def register(comparison: Comparison) -> None:
    """Have a comparison run wherever rows are held against the log."""
    if comparison not in _comparisons:
        _comparisons.append(comparison)


def differences(chain: str | None = None, *, using: str = DEFAULT_DB_ALIAS) -> list[Difference]:
    """Every row of one chain, or of all, that the log does not bear out. A fixed number of queries."""
    return [found for compare in _comparisons for found in compare(chain, using)]


def differences_about(chain: str, enrolment: int, *, using: str = DEFAULT_DB_ALIAS) -> list[Difference]:
    """What of a class differs for one trainee (the key of the enrolment): their own rows and those of all."""
    return [found for found in differences(chain, using=using) if found.enrolment in (None, enrolment)]


def require_borne_out(chain: str, *, rule: str) -> None:
    """Let nothing be decided on rows that the log does not bear out; raises Refusal `evidence_differs`."""
    differ = differences(chain)
    if differ:
        raise Refusal(
            "evidence_differs",
            gettext_noop("数据库里有 %(rows)s 处和留痕不一致，先不能办理。第一处：%(first)s"),
            found=differ[0].says or None,
            required=differ[0].recorded or None,
            rule=rule,
            params={"rows": len(differ), "first": differ[0].sentence},
            next_step=gettext_noop("请联系平台运营核对留痕，核对清楚前不能办理。"),
            details={"rows": [difference.row for difference in differ]},
        )


@dataclass(frozen=True, slots=True)
class Field:
    """How a reader is told of one thing that is compared; `words` for the codes it may hold."""

    label: str | Promise
    words: Mapping[str, str | Promise] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Compared:
    """One kind of rows beside the entries that tell of them, each as a query.

    `rows` gives (chain, key, id, enrolment, says) and `told` (chain, key, enrolment, says): a row and its
    entry meet in chain and key, and both `says` are JSON objects of the same names.
    """

    what: str | Promise
    table: str
    rows: str
    told: str


_PART = """
SELECT {place} AS place, chain, coalesce(r.id::text, t.key) AS id, r.says, t.says AS recorded,
       coalesce(r.enrolment, t.enrolment) AS enrolment
  FROM ({rows}) AS r (chain, key, id, enrolment, says)
  FULL JOIN ({told}) AS t (chain, key, enrolment, says) USING (chain, key)
 WHERE r.says IS DISTINCT FROM t.says
"""
_ALL = """
{scope} SELECT place, chain, id, says::text, recorded::text, enrolment FROM ({parts}) AS every
 ORDER BY chain, place, id
"""


def compare_by_query(
    scope: str,
    compared: Sequence[Compared],
    fields: Mapping[str, Field],
    *,
    params: Mapping[str, Any],
    using: str,
) -> list[Difference]:
    """Compare several kinds of rows in one query; `scope` is the WITH that their queries share.

    Moments are compared as moments, to the microsecond: both sides come from one session.
    """
    # Only queries that this code holds are put together; what is asked for comes as parameters.
    parts = " UNION ALL ".join(
        _PART.format(place=place, rows=one.rows, told=one.told) for place, one in enumerate(compared)
    )
    with connections[using].cursor() as cursor:
        cursor.execute(_ALL.format(scope=scope, parts=parts), params)
        return [
            difference(
                compared[place],
                chain=name,
                key=key,
                says=json.loads(says) if says else None,
                recorded=json.loads(recorded) if recorded else None,
                fields=fields,
                enrolment=enrolment,
            )
            for place, name, key, says, recorded, enrolment in cursor.fetchall()
        ]


def difference(
    compared: Compared,
    *,
    chain: str,
    key: str,
    says: Mapping[str, Any] | None,
    recorded: Mapping[str, Any] | None,
    fields: Mapping[str, Field],
    enrolment: int | None,
) -> Difference:
    """The difference between a row and its entry, told by those fields alone in which they differ."""
    compare = says or recorded or {}
    names = [
        name
        for name in fields
        if name in compare and (says is None or recorded is None or says[name] != recorded[name])
    ]
    return Difference(
        chain=chain,
        row=f"{compared.table}/{key}",
        what=compared.what,
        says=_told(says, names, fields),
        recorded=_told(recorded, names, fields),
        enrolment=enrolment,
    )


def _told(values: Mapping[str, Any] | None, names: Sequence[str], fields: Mapping[str, Field]) -> str:
    if values is None:
        return ""
    return _("，").join(f"{fields[name].label} {_words(values[name], fields[name])}" for name in names)


def _words(value: Any, told: Field) -> str:
    match value:
        case None | "":
            return _("没有")
        case bool():
            return _("是") if value else _("否")
        case list():
            return "+".join(map(str, value)) or _("没有")
        case str() if value in told.words:
            return str(told.words[value])
        case str() if len(value) == 64 and value.isalnum():
            return value[:12]  # a digest
        case str() if "T" in value:
            return _moment(value)
    return str(value)


def _moment(text: str) -> str:
    """A moment as the legal day and clock tell it, to the microsecond where it has any."""
    try:
        moment = timezone.localtime(datetime.datetime.fromisoformat(text))
    except ValueError:
        return text
    return f"{moment:%Y-%m-%d %H:%M:%S}" + (f".{moment:%f}".rstrip("0") if moment.microsecond else "")
