"""A plain table as a file: lists for people, without types, dictionary or manifest."""

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from rustpy_xlsxwriter import FastExcel, Format

from exchange.packages import clean_text

HEADING_COLOUR = "#E9F0F7"


def table_file(title: str, headers: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """The table as .xlsx: every cell is text, whatever it looks like."""
    names = [header.strip() for header in headers]
    records = (
        {name: clean_text(text) or None for name, text in zip(names, row, strict=True)} for row in rows
    )
    text = Format().set_num_format("@")
    with tempfile.TemporaryDirectory(prefix="table-") as folder:
        path = Path(folder) / "table.xlsx"
        FastExcel(path).freeze(row=1).sheet(
            title,
            records,
            header_format=Format().set_bold().set_background_color(HEADING_COLOUR),
            column_formats=dict.fromkeys(names, text),
            column_width=24.0,
        ).save()
        return path.read_bytes()
