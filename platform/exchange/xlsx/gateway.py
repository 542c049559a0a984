"""The .xlsx adapter, format `yuchuang-exchange-2` (docs/exchange-format.md).

Written by rustpy-xlsxwriter, which styles headings and columns and streams rows through constant memory, so
one writer serves a class of thirty as well as a county of a hundred thousand (bench/exchange.py). openpyxl
stays where files are edited by people: the roster's template and the marked roster.
"""

import datetime
import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, BinaryIO

from rustpy_xlsxwriter import FastExcel, Format

from exchange.gateway import Fault, Progress, ReadPackage, ReadRow, Rows
from exchange.packages import (
    DICTIONARY_SHEET,
    MANIFEST,
    MANIFEST_SHEET,
    MOST_ROWS,
    Column,
    ColumnType,
    Manifest,
    PackageKind,
    Sheet,
    SheetDigest,
    SheetHash,
    Value,
    checked_rows,
    clean_text,
    dictionary_rows,
    manifest_rows,
)
from exchange.xlsx.cells import XLSX, Book, Cell, Held, Limits, Row, SheetPart, letter_of, open_book
from policy.messages import gettext_noop
from policy.refusals import Refusal
from policy.words import bare, whole_number

LIMITS = Limits(packed=32 * 1024 * 1024, unpacked=512 * 1024 * 1024, last_row=MOST_ROWS + 1, last_column=60)
NUMBER_FORMATS = {
    ColumnType.TEXT: "@",
    ColumnType.ID_NUMBER: "@",
    ColumnType.PHONE: "@",
    ColumnType.DATE: "yyyy-mm-dd",
    ColumnType.DATETIME: "yyyy-mm-dd hh:mm:ss",
    ColumnType.INTEGER: "0",
    ColumnType.DECIMAL: "0.######",
    ColumnType.MONEY: "#,##0.00",
}
_WIDTHS = {
    ColumnType.TEXT: 22,
    ColumnType.ID_NUMBER: 22,
    ColumnType.PHONE: 16,
    ColumnType.DATE: 13,
    ColumnType.DATETIME: 21,
    ColumnType.INTEGER: 10,
    ColumnType.DECIMAL: 12,
    ColumnType.MONEY: 14,
}
HEADING_COLOUR = "#E9F0F7"
PROGRESS_EVERY = 1000
CREATOR = "豫创"
FORM_DAY = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)  # a form has no data, so no time either


class XlsxGateway:
    """Packages as workbooks."""

    content_type = XLSX
    suffix = ".xlsx"

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
        """Write sheets, data dictionary and manifest. See `exchange.gateway.Gateway`."""
        counter = _Counter(progress)
        hashes = {sheet.name: SheetHash(sheet) for sheet in kind.sheets}

        digests: list[SheetDigest] = []

        def manifest_records() -> Iterator[dict[str, Any]]:
            # Asked for last, when every row of the other sheets has gone by.
            digests.extend(hashes[sheet.name].result() for sheet in kind.sheets)
            inside = Manifest(kind.name, reference, made_at, tuple(digests))
            yield from _plain_records(MANIFEST_SHEET, manifest_rows(inside))

        with tempfile.TemporaryDirectory(prefix="package-") as folder:
            path = Path(folder) / f"package{self.suffix}"
            book = FastExcel(path).freeze(row=1)
            for sheet in kind.sheets:
                records = _records(sheet, sheets[sheet.name], hashes[sheet.name], counter)
                _add(book, sheet, records)
            _add(book, DICTIONARY_SHEET, _plain_records(DICTIONARY_SHEET, dictionary_rows(kind)))
            _add(book, MANIFEST_SHEET, manifest_records())
            book.save()
            _set_properties(path, title=f"{kind.title} {reference}", made_at=made_at)
            size = path.stat().st_size
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                file.seek(0)
                shutil.copyfileobj(file, stream, 1024 * 1024)
        counter.done()
        return Manifest(kind.name, reference, made_at, tuple(digests), digest, size)

    def write_form(self, kind: PackageKind, stream: BinaryIO) -> None:
        """Write headings, formats and the data dictionary, no rows and no manifest."""
        with tempfile.TemporaryDirectory(prefix="form-") as folder:
            path = Path(folder) / f"form{self.suffix}"
            book = FastExcel(path).freeze(row=1)
            for sheet in kind.sheets:
                _add(book, sheet, iter([dict.fromkeys(column.name for column in sheet.columns)]))
            _add(book, DICTIONARY_SHEET, _plain_records(DICTIONARY_SHEET, dictionary_rows(kind)))
            book.save()
            _set_properties(path, title=kind.title, made_at=FORM_DAY)
            stream.write(path.read_bytes())

    def read_receipt(self, kind: PackageKind, content: bytes | BinaryIO) -> ReadPackage:
        """Read the kind's sheets, each cell by its column's type. See `exchange.gateway.Gateway`."""
        with open_book(content, LIMITS) as book:
            rows: dict[str, tuple[ReadRow, ...]] = {}
            faults: list[Fault] = []
            digests: list[SheetDigest] = []
            for sheet in kind.sheets:
                part = book.sheet(sheet.name)
                if part is None:
                    rows[sheet.name] = ()
                    faults.append(_about_sheet(sheet, _sheet_missing(sheet)))
                    continue
                read, wrong, digest = _read_sheet(book, part, sheet)
                rows[sheet.name] = read
                faults += wrong
                digests.append(digest)
            claimed = _claimed(book, kind)
        return ReadPackage(rows, tuple(faults), tuple(digests), claimed)


# --- writing ---


class _Counter:
    def __init__(self, progress: Progress | None) -> None:
        self.rows, self._progress = 0, progress

    def add(self) -> None:
        self.rows += 1
        if self._progress and self.rows % PROGRESS_EVERY == 0:
            self._progress(self.rows)

    def done(self) -> None:
        if self._progress:
            self._progress(self.rows)


def _records(sheet: Sheet, rows: Rows, digest: SheetHash, counter: _Counter) -> Iterator[dict[str, Any]]:
    names = [column.name for column in sheet.columns]
    decimals = [
        index
        for index, column in enumerate(sheet.columns)
        if column.type in (ColumnType.DECIMAL, ColumnType.MONEY)
    ]
    empty = True
    for values in checked_rows(sheet, rows):
        digest.row(values)
        for index in decimals:
            if (value := values[index]) is not None:
                values[index] = float(value)  # what a sheet holds; 15 digits survive
        yield dict(zip(names, values, strict=True))
        counter.add()
        empty = False
    if empty:
        yield dict.fromkeys(names)  # or the writer would write no heading


def _plain_records(sheet: Sheet, rows: Iterable[Sequence[str]]) -> Iterator[dict[str, Any]]:
    names = [column.name for column in sheet.columns]
    for row in rows:
        yield {name: value or None for name, value in zip(names, row, strict=True)}


def _add(book: FastExcel, sheet: Sheet, records: Iterator[dict[str, Any]]) -> None:
    wide = {MANIFEST_SHEET.columns[2].name: 68, "含义": 60, "存成": 30, "内容": 36}
    book.sheet(
        sheet.name,
        records,
        header_format=Format().set_bold().set_background_color(HEADING_COLOUR).set_num_format("@"),
        column_formats={
            column.name: Format().set_num_format(NUMBER_FORMATS[column.type]) for column in sheet.columns
        },
        column_widths={
            column.name: float(
                max(wide.get(column.name, 0) or _WIDTHS[column.type], 2 * len(column.name) + 2)
            )
            for column in sheet.columns
        },
        ignore_errors=[column.name for column in sheet.columns if column.type.is_text],
    )


_CORE = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" \
xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" \
xmlns:dcmitype="http://purl.org/dc/dcmitype/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\
<dc:title>{title}</dc:title><dc:creator>{creator}</dc:creator><cp:lastModifiedBy>{creator}</cp:lastModifiedBy>\
<dcterms:created xsi:type="dcterms:W3CDTF">{moment}</dcterms:created>\
<dcterms:modified xsi:type="dcterms:W3CDTF">{moment}</dcterms:modified></cp:coreProperties>"""


def _set_properties(path: Path, *, title: str, made_at: datetime.datetime) -> None:
    """Replace the properties, where the writer puts the time of writing: the same content, the same bytes.

    They stand near the end of the archive, so nothing else is packed again.
    """
    core = "docProps/core.xml"
    with zipfile.ZipFile(path) as archive:
        first = archive.getinfo(core).header_offset
        tail = {
            info.filename: archive.read(info)
            for info in archive.infolist()
            if info.header_offset >= first and info.filename != core
        }
    text = title.replace("&", "&amp;").replace("<", "&lt;")
    moment = made_at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    tail[core] = _CORE.format(title=text, creator=CREATOR, moment=moment).encode()
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.filelist = [info for info in archive.filelist if info.header_offset < first]
        archive.NameToInfo = {info.filename: info for info in archive.filelist}
        archive.start_dir = first
        for name in sorted(tail):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, tail[name])


# --- reading ---


def _read_sheet(
    book: Book, part: SheetPart, sheet: Sheet
) -> tuple[tuple[ReadRow, ...], list[Fault], SheetDigest]:
    digest = SheetHash(sheet)
    rows = book.rows(part)
    heading = next(rows, None)
    columns, faults = _columns(sheet, heading)
    read: list[ReadRow] = []
    if not faults:
        for row in rows:
            one = _read_row(sheet, row, columns)
            read.append(one)
            digest.row([one.values.get(column.name) for column in sheet.columns])
        for reference in part.merged:
            faults.append(_about_sheet(sheet, _merged(reference)))
        for first, last in part.hidden_columns:
            if any(first <= index <= last for index in columns):
                faults.append(_about_sheet(sheet, _column_hidden(first)))
    return tuple(read), faults, digest.result()


def _columns(sheet: Sheet, heading: Row | None) -> tuple[dict[int, Column], list[Fault]]:
    """{column number: column} by row 1, in any order; every column of the kind, and no other."""
    known = {column.name: column for column in sheet.columns}
    columns: dict[int, Column] = {}
    faults = []
    for cell in heading.cells if heading is not None and heading.number == 1 else ():
        title = clean_text(cell.value) if isinstance(cell.value, str) else str(cell.value)
        column = known.get(title)
        if column is None or column in columns.values():
            faults.append(_fault(sheet, cell, title[:20], _header_unknown(title[:20])))
        else:
            columns[cell.column] = column
    missing = [name for name, column in known.items() if column not in columns.values()]
    faults += [Fault(sheet.name, 1, "", name, _header_missing(name)) for name in missing]
    return columns, faults


def _read_row(sheet: Sheet, row: Row, columns: Mapping[int, Column]) -> ReadRow:
    cells = {cell.column: cell for cell in row.cells}
    values: dict[str, Value] = {}
    faults: list[Fault] = []
    if row.hidden:
        faults.append(Fault(sheet.name, row.number, "", "", _row_hidden()))
    for index, column in columns.items():
        cell = cells.pop(index, None)
        try:
            values[column.name] = _read_cell(column, cell)
        except Refusal as refusal:
            values[column.name] = None
            faults.append(Fault(sheet.name, row.number, letter_of(index), column.name, refusal))
    faults += [_fault(sheet, cell, "", _cell_outside()) for cell in cells.values()]
    return ReadRow(row.number, values, tuple(faults))


def _read_cell(column: Column, cell: Cell | None) -> Value:
    value = None if cell is None else _typed(column, cell)
    if value is None or (isinstance(value, str) and not bare(value)):
        if column.required:
            raise _refused("value_missing", gettext_noop("没有填“%(column)s”。"), column)
        return None
    if column.choices and value not in column.choices:
        raise Refusal(
            "value_not_a_choice",
            gettext_noop("“%(column)s”只能填：%(choices)s。"),
            found=False,
            required=list(column.choices),
            rule="F8",
            params={"column": column.name, "choices": list(column.choices)},
            next_step=gettext_noop("请照数据字典填。"),
            status=400,
        )
    return value


def _typed(column: Column, cell: Cell) -> Value:
    if cell.held is Held.FORMULA:
        raise _refused("cell_formula", gettext_noop("“%(column)s”是公式，平台不执行公式。"), column)
    if cell.held is Held.ERROR:
        raise _refused("cell_error", gettext_noop("“%(column)s”显示为错误值。"), column)
    if column.type.is_text:
        if cell.held is not Held.TEXT:
            raise _refused(
                "cell_not_text", gettext_noop("“%(column)s”要存成文本，不能是数字或日期。"), column
            )
        assert isinstance(cell.value, str)
        return clean_text(cell.value)
    if column.type in (ColumnType.DATE, ColumnType.DATETIME):
        if not isinstance(cell.value, datetime.datetime):
            raise _refused("cell_not_date", gettext_noop("“%(column)s”要存成日期。"), column)
        if column.type is ColumnType.DATETIME:
            return cell.value
        if cell.value.time() != datetime.time.min:
            raise _refused("cell_not_date", gettext_noop("“%(column)s”要存成日期，不带时间。"), column)
        return cell.value.date()
    if cell.held is not Held.NUMBER or not isinstance(cell.value, str):
        raise _refused("cell_not_number", gettext_noop("“%(column)s”要存成数字。"), column)
    return _number(column, cell.value)


def _number(column: Column, text: str) -> Value:
    try:
        number = Decimal(repr(float(text)))
        places = {ColumnType.INTEGER: 0, ColumnType.MONEY: 2}.get(column.type, 6)
        if not number.is_finite() or abs(number) >= 10**15 or number != round(number, places):
            raise InvalidOperation
    except (InvalidOperation, ValueError):
        raise _refused(
            "cell_not_number", gettext_noop("“%(column)s”的数字不合规定的位数。"), column
        ) from None
    return int(number) if column.type is ColumnType.INTEGER else round(number, places)


def _claimed(book: Book, kind: PackageKind) -> tuple[SheetDigest, ...]:
    """What the file's manifest says about its sheets; empty without one."""
    part = book.sheet(MANIFEST)
    if part is None:
        return ()
    names = {sheet.name for sheet in kind.sheets}
    claimed = []
    for row in book.rows(part):
        texts = {cell.column: cell.value for cell in row.cells}
        name, count, digest = texts.get(1), texts.get(2), texts.get(3)
        rows = whole_number(count) if isinstance(count, str) else None
        if name in names and rows is not None and isinstance(digest, str):
            claimed.append(SheetDigest(str(name), rows, digest))
    return tuple(claimed)


# --- what can be wrong ---

_NEXT = gettext_noop("请照数据字典改好，重新上传。")


def _refused(code: str, message: str, column: Column) -> Refusal:
    return Refusal(
        code,
        message,
        found=False,
        required=column.type.stored,
        rule="F8",
        params={"column": column.name},
        next_step=_NEXT,
        status=400,
    )


def _whole(code: str, message: str, **params: object) -> Refusal:
    return Refusal(
        code, message, found=False, required=True, rule="F8", params=params, next_step=_NEXT, status=400
    )


def _fault(sheet: Sheet, cell: Cell, header: str, refusal: Refusal) -> Fault:
    return Fault(sheet.name, cell.row, cell.letter, header, refusal)


def _about_sheet(sheet: Sheet, refusal: Refusal) -> Fault:
    return Fault(sheet.name, None, "", "", refusal)


def _sheet_missing(sheet: Sheet) -> Refusal:
    return _whole(
        "sheet_missing", gettext_noop("没有“%(sheet)s”这张工作表，或者它被隐藏了。"), sheet=sheet.name
    )


def _header_missing(name: str) -> Refusal:
    return _whole("header_missing", gettext_noop("第 1 行没有“%(header)s”这一列。"), header=name)


def _header_unknown(title: str) -> Refusal:
    return _whole(
        "header_unknown", gettext_noop("表头“%(header)s”不在模板里，或者出现了两次。"), header=title
    )


def _merged(reference: str) -> Refusal:
    return _whole(
        "cells_merged", gettext_noop("%(range)s 是合并的单元格，分不清属于哪一行。"), range=reference
    )


def _column_hidden(column: int) -> Refusal:
    return _whole("column_hidden", gettext_noop("第 %(column)s 列被隐藏了。"), column=letter_of(column))


def _row_hidden() -> Refusal:
    return _whole("row_hidden", gettext_noop("这一行被隐藏了，看不到的内容不导入。"))


def _cell_outside() -> Refusal:
    return _whole("cell_outside", gettext_noop("这一格在模板的列以外。"))
