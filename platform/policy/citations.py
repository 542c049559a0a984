"""Ledger rows and the sentences of the norm behind them.

The ledger splits the norm into numbered demands (H5: at least 60 % of a full-live class is live). A decision
names its row; this module says where in the norm the row comes from, in the norm's own words. Rows that
follow from the text without being written in it are marked as derived.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import yaml


@dataclass(frozen=True, slots=True)
class Citation:
    """One ledger row: its place in the norm, the sentence it rests on, and what it demands."""

    row: str
    place: str
    sentence: str
    derived: bool
    computed: bool

    @property
    def text(self) -> str:
        inferred = "（推定）" if self.derived else ""
        return f"规范 {self.place}{inferred}：“{self.sentence}”"


@cache
def citations() -> Mapping[str, Citation]:
    """All ledger rows in the norm's order, keyed by row."""
    content = yaml.safe_load(Path(__file__).with_name("citations.yaml").read_text(encoding="utf-8"))
    return MappingProxyType(
        {
            row: Citation(
                row=row,
                place=place,
                sentence=entry["sentence"],
                derived=entry.get("derived", False),
                computed=entry.get("computed", False),
            )
            for place, rows in content.items()
            for row, entry in rows.items()
        }
    )


def citation_of(row: str) -> str:
    """The citation of a ledger row as one line of Chinese; empty for no row."""
    found = citations().get(row)
    return found.text if found else ""
