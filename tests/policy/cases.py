"""Case tables: one YAML file per part of the norm, each case naming the ledger rows it is about."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from _pytest.mark import ParameterSet

CASES = Path(__file__).parent / "cases"
EDITIONS = Path(__file__).parent / "editions"
CALENDARS = Path(__file__).parent / "calendars"


def load(table: str, part: str | None = None) -> list[ParameterSet]:
    """Return the cases of `cases/<table>.yaml`, or of one part of it, as pytest parameters."""
    content = _read(table)
    cases = content if part is None else content[part]
    return [pytest.param(case, id=_name(place, case)) for place, case in enumerate(cases, start=1)]


def rows_with_cases() -> set[str]:
    """Return every ledger row that some case names."""
    return {row for path in CASES.glob("*.yaml") for row in _rows(_read(path.stem))}


@cache
def _read(table: str) -> Any:
    return yaml.safe_load((CASES / f"{table}.yaml").read_text(encoding="utf-8"))


def _rows(content: Any) -> Iterator[str]:
    if isinstance(content, list):
        for item in content:
            yield from _rows(item)
    elif isinstance(content, dict):
        if isinstance(content.get("rows"), list):
            yield from content["rows"]
        for item in content.values():
            yield from _rows(item)


def _name(place: int, case: dict[str, Any]) -> str:
    rows = "+".join(case.get("rows", []))
    return " ".join(part for part in (f"{place}", rows, case.get("name", "")) if part)
