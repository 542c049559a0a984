"""Do the rows that earn money still say what the evidence said when they were written?

Hashes and signatures prove the log; they say nothing of the rows beside it, which the application's own login
may change. Apps register what compares their rows with the log; nobody who can only write rows passes it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from django.db import DEFAULT_DB_ALIAS, connections
from django.utils.functional import Promise
from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that the log does not bear out; `recorded` is empty where the log says nothing of it at all.

    `enrolment` is the trainee it concerns, None where it concerns the whole chain.
    """

    chain: str
    row: str  # its table and key: live_presenceinterval/12
    what: str | Promise
    says: str
    recorded: str
    enrolment: int | None = None

    @property
    def code(self) -> str:
        return "differs" if self.recorded else "unrecorded"

    @property
    def sentence(self) -> str:
        """What differs, for people."""
        if not self.recorded:
            return _("与留痕不一致：%(what)s是 %(says)s，留痕里没有") % {"what": self.what, "says": self.says}
        return _("与留痕不一致：%(what)s是 %(says)s，留痕是 %(recorded)s") % {
            "what": self.what,
            "says": self.says,
            "recorded": self.recorded,
        }


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


def compare_by_query(
    sql: str, names: Mapping[str, str | Promise], chain: str | None, using: str
) -> list[Difference]:
    """Run a query that gives (chain, table, key, name of what is compared, row says, log says, enrolment)."""
    with connections[using].cursor() as cursor:
        cursor.execute(sql, {"chain": chain})
        return [
            Difference(chain_, f"{table}/{key}", names[what], says or "—", recorded or "", enrolment)
            for chain_, table, key, what, says, recorded, enrolment in cursor.fetchall()
        ]
