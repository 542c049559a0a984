"""The port to the provincial system, whose interface nobody published (ledger, ambiguity 18).

An adapter turns a package into a file and a file into rows. `settings.EXCHANGE_GATEWAY` names the one in use;
apps call `gateway()` and know no format. One adapter exists: versioned .xlsx (`exchange.xlsx.gateway`).
"""

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from exchange.packages import Manifest, PackageKind, SheetDigest, Value
from policy.refusals import Refusal

Rows = Iterable[Sequence[Value]]
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one cell of a file that came in, in Excel's own row and column."""

    sheet: str
    row: int | None
    column: str
    header: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class ReadRow:
    """One row of a sheet: its values by header, None where empty, and what is wrong with it."""

    number: int
    values: Mapping[str, Value]
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadPackage:
    """A file as it was read. With faults about a whole sheet its rows are left out.

    `digests` are worked out from what was read, `claimed` is what the file's own manifest says, if it has
    one.
    """

    rows: Mapping[str, tuple[ReadRow, ...]]
    faults: tuple[Fault, ...]
    digests: tuple[SheetDigest, ...]
    claimed: tuple[SheetDigest, ...]

    @property
    def all_faults(self) -> list[Fault]:
        return [*self.faults, *(f for rows in self.rows.values() for row in rows for f in row.faults)]


class Gateway(Protocol):
    """What an adapter has to do."""

    content_type: str
    suffix: str

    def write_package(
        self,
        kind: PackageKind,
        sheets: Mapping[str, Rows],
        stream: BinaryIO,
        *,
        reference: str,
        made_at: datetime.datetime,
        progress: Progress | None = None,
    ) -> Manifest:
        """Write a package; the same content gives the same bytes. `progress` hears how many rows are done.

        Raises Refusal `package_value`.
        """

    def write_form(self, kind: PackageKind, stream: BinaryIO) -> None:
        """Write the empty form of a kind, for others to fill in: its sheets and the data dictionary."""

    def read_receipt(self, kind: PackageKind, content: bytes | BinaryIO) -> ReadPackage:
        """Read a file of this kind row by row. Raises Refusal for a file that is not opened at all."""


@lru_cache(maxsize=4)
def _loaded(path: str) -> Gateway:
    gateway: Gateway = import_string(path)()
    return gateway


def gateway() -> Gateway:
    """The adapter in use."""
    return _loaded(settings.EXCHANGE_GATEWAY)
