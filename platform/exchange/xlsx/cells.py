"""Reading an .xlsx that comes from outside, with suspicion, in one pass and in bounded memory.

    with open_book(content, LIMITS) as book:
        for row in book.rows(book.sheets[0]):
            for cell in row.cells: ...

Libraries give a cell's value; what an import has to judge is how the file holds it. Is the ID number text,
or a number that lost its last digits? A formula, an error, in a hidden row? So the sheet's own XML is read,
by expat, a piece at a time. Nothing is computed, no link followed, no document type accepted. Whatever a file
asks for is refused by the package's table of contents before anything of it is unpacked.
"""

import datetime
import io
import re
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO, Self
from xml.parsers import expat

from policy.messages import Msgid, gettext_noop
from policy.refusals import Refusal

CHUNK = 64 * 1024
NARROWEST, LOWEST = 0.5, 2.0  # of a column in characters, of a row in points: less shows nothing
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_ACTIVE_PARTS = ("vbaproject", "xl/activex/", "xl/embeddings/", "xl/macrosheets/")
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_QUOTED = re.compile(r'"[^"]*"|\\.|_.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
# Formats that Excel shows as a date or time without writing them down (ECMA-376 18.8.30, and the ones of
# Chinese editions).
_BUILT_IN_DATES = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_LAST_SERIAL = 2_958_466  # the day after 9999-12-31


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may ask for; past it the file is refused, whatever is inside."""

    packed: int
    unpacked: int
    parts: int = 200
    last_row: int = 1_048_576
    last_column: int = 16_384
    merged: int = 2000


class Held(StrEnum):
    """How the file holds a cell's value."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    ERROR = "error"
    FORMULA = "formula"


@dataclass(frozen=True, slots=True)
class Cell:
    """One filled cell. `value` is text, or for DATE a datetime without a zone; a number keeps its digits."""

    row: int
    column: int
    held: Held
    value: str | datetime.datetime

    @property
    def letter(self) -> str:
        return letter_of(self.column)


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    hidden: bool
    cells: tuple[Cell, ...]


@dataclass(slots=True)
class SheetPart:
    """A sheet as the workbook lists it. What stands around its rows is known once they were read."""

    name: str
    visible: bool
    part: str
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)


class _DamagedError(Exception):
    """The file is not what it says it is."""


def letter_of(column: int) -> str:
    """1 → A, 27 → AA."""
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def place_of(reference: str) -> tuple[int, int]:
    """`B3` → (3, 2); raises ValueError."""
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise ValueError(reference)
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(match[2]), column


class Book:
    """A workbook that passed inspection. Its sheets are read one after the other."""

    def __init__(self, archive: zipfile.ZipFile, limits: Limits) -> None:
        self._archive, self._limits = archive, limits
        self._budget = limits.unpacked
        self._strings: list[str] | None = None
        targets, self._strings_part, styles = self._relations()
        self.sheets, self._epoch = self._workbook(targets)
        self._date_styles = self._styles(styles)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._archive.close()

    def sheet(self, name: str) -> SheetPart | None:
        """The visible sheet of this name."""
        return next((sheet for sheet in self.sheets if sheet.visible and sheet.name.strip() == name), None)

    def rows(self, sheet: SheetPart) -> Iterator[Row]:
        """The rows that hold something, in their order.

        Raises Refusal `file_not_xlsx` where the file is damaged, `sheet_too_wide` past the limits.
        """
        reader = _SheetReader(self, sheet)
        try:
            for chunk in self._chunks(sheet.part):
                reader.feed(chunk)
                while reader.ready:
                    yield reader.ready.popleft()
            reader.feed(b"", final=True)
        except _DAMAGE:
            raise not_xlsx(DAMAGED) from None
        yield from reader.ready

    # --- what the reader of a sheet asks ---

    @property
    def limits(self) -> Limits:
        return self._limits

    def string(self, index: int) -> str:
        if self._strings is None:
            self._strings = self._shared_strings()
        if not 0 <= index < len(self._strings):
            raise _DamagedError
        return self._strings[index]

    def date(self, serial: float, style: int) -> datetime.datetime | None:
        """The moment that a number stands for where its style shows one; to the second."""
        if not (0 <= style < len(self._date_styles) and self._date_styles[style]):
            return None
        if not 0 <= serial < _LAST_SERIAL:
            return None
        try:
            return self._epoch + datetime.timedelta(seconds=round(serial * 86400))
        except OverflowError:
            return None

    # --- parts ---

    def _chunks(self, part: str) -> Iterator[bytes]:
        """A part's bytes; all parts together never unpack to more than the limit."""
        with self._archive.open(part) as stream:
            while chunk := stream.read(CHUNK):
                self._budget -= len(chunk)
                if self._budget < 0:
                    raise too_large(UNPACKED, self._limits.unpacked - self._budget, self._limits.unpacked, KB)
                yield chunk

    def _elements(self, part: str) -> Iterator[tuple[str, dict[str, str]]]:
        """Every start tag of a small part."""
        found: deque[tuple[str, dict[str, str]]] = deque()
        parser = _parser()
        parser.StartElementHandler = lambda name, attributes: found.append(
            (_local(name), {_local(key): value for key, value in attributes.items()})
        )
        for chunk in self._chunks(part):
            parser.Parse(chunk, False)
            while found:
                yield found.popleft()
        parser.Parse(b"", True)
        yield from found

    def _relations(self) -> tuple[dict[str, str], str, str]:
        """(relation → part of a sheet, part of the shared strings, part of the styles)."""
        sheets: dict[str, str] = {}
        strings = styles = ""
        for name, attributes in self._elements("xl/_rels/workbook.xml.rels"):
            if name != "Relationship":
                continue
            target, kind = attributes.get("Target", ""), attributes.get("Type", "").rsplit("/", 1)[-1]
            part = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            if kind == "worksheet":
                sheets[attributes.get("Id", "")] = part
            elif kind == "sharedStrings":
                strings = part
            elif kind == "styles":
                styles = part
        return sheets, strings, styles

    def _workbook(self, targets: dict[str, str]) -> tuple[list[SheetPart], datetime.datetime]:
        sheets, epoch = [], datetime.datetime(1899, 12, 30)  # noqa: DTZ001  Excel's days have no zone
        for name, attributes in self._elements("xl/workbook.xml"):
            if name == "workbookPr" and attributes.get("date1904", "0") in ("1", "true"):
                epoch = datetime.datetime(1904, 1, 1)  # noqa: DTZ001
            if name == "sheet" and (part := targets.get(attributes.get("id", ""))):
                visible = attributes.get("state", "visible") == "visible"
                sheets.append(SheetPart(attributes.get("name", ""), visible, part))
        return sheets, epoch

    def _styles(self, part: str) -> list[bool]:
        if not part or part not in self._archive.NameToInfo:
            return []
        custom: dict[str, bool] = {}
        styles: list[bool] = []
        inside = False
        for name, attributes in self._elements(part):
            if name == "numFmt":
                code = _QUOTED.sub("", attributes.get("formatCode", "")).lower()
                custom[attributes.get("numFmtId", "")] = (
                    bool(re.search("[ymdhs]", code)) and "general" not in code
                )
            elif name == "cellXfs":
                inside = True
            elif name in ("cellStyles", "dxfs"):
                inside = False
            elif inside and name == "xf":
                number = attributes.get("numFmtId", "0")
                known = number.isdecimal() and int(number) in _BUILT_IN_DATES
                styles.append(custom.get(number, known))
        return styles

    def _shared_strings(self) -> list[str]:
        if not self._strings_part or self._strings_part not in self._archive.NameToInfo:
            raise _DamagedError
        reader = _StringsReader()
        for chunk in self._chunks(self._strings_part):
            reader.parser.Parse(chunk, False)
        reader.parser.Parse(b"", True)
        return reader.strings


_DAMAGE = (
    _DamagedError,
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    expat.ExpatError,
    KeyError,
    ValueError,
    OverflowError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
)


def open_book(content: bytes | BinaryIO, limits: Limits) -> Book:
    """Inspect a file and open it.

    Raises Refusal `file_empty`, `file_not_xlsx`, `file_encrypted`, `file_has_macros`, `file_has_links` (400),
    `file_too_large` (413).
    """
    stream = io.BytesIO(content) if isinstance(content, bytes) else content
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if not size:
        raise _unreadable("file_empty", gettext_noop("文件是空的，一个字节也没有。"))
    if size > limits.packed:
        raise too_large(PACKED, size, limits.packed, KB)
    head = stream.read(8192)
    if not head.startswith(b"PK"):
        raise _other_format(head, stream)
    try:
        archive = zipfile.ZipFile(stream)
        _inspect(archive, limits)
        return Book(archive, limits)
    except _DAMAGE:
        raise not_xlsx(DAMAGED) from None


def _inspect(archive: zipfile.ZipFile, limits: Limits) -> None:
    """Refuse by the package's own table of contents, before anything is unpacked."""
    files = archive.infolist()
    unpacked = sum(file.file_size for file in files)
    if len(files) > limits.parts:
        raise too_large(PARTS, len(files), limits.parts)
    if unpacked > limits.unpacked:
        raise too_large(UNPACKED, unpacked, limits.unpacked, KB)
    names = [file.filename for file in files]
    if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names or len(set(names)) < len(names):
        raise _DamagedError
    for file in files:
        if file.flag_bits & 1 or file.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _DamagedError
    if any(part in name.lower() for name in names for part in _ACTIVE_PARTS) or (
        b"macroenabled" in archive.read("[Content_Types].xml").lower()
    ):
        raise _unreadable("file_has_macros", gettext_noop("文件里有宏或嵌入的程序，平台不接收。"))
    if any(name.lower().startswith("xl/externallinks/") for name in names):
        raise _unreadable("file_has_links", gettext_noop("文件里有指向别的文件的链接。"))


# --- sheets ---


class _SheetReader:
    """Turns the XML of a sheet into rows, a piece at a time."""

    def __init__(self, book: Book, sheet: SheetPart) -> None:
        self.ready: deque[Row] = deque()
        self._book, self._sheet = book, sheet
        self._row = self._column = 0
        self._rows_met = bytearray(book.limits.last_row + 1)
        self._columns_met: set[int] = set()
        self._hidden = self._has_formula = False
        self._kind, self._style = "", 0
        self._cells: list[Cell] = []
        self._text: list[str] = []
        self._formula: list[str] = []
        self._into: list[str] | None = None
        self._phonetic = 0
        self._parser = _parser()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        self._parser.Parse(chunk, final)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = _local(name)
        if name == "c":
            self._start_cell(attributes)
        elif name in ("v", "t"):
            self._into = None if self._phonetic else self._text
        elif name == "f":
            self._has_formula, self._into = True, self._formula
        elif name == "row":
            self._start_row(attributes)
        elif name == "rPh":
            self._phonetic += 1
        elif name == "col" and _unseen(attributes, "width", NARROWEST):
            self._sheet.hidden_columns.append((int(attributes["min"]), int(attributes["max"])))
        elif name == "mergeCell" and len(self._sheet.merged) < self._book.limits.merged:
            self._sheet.merged.append(attributes.get("ref", "")[:30])

    def _start_row(self, attributes: dict[str, str]) -> None:
        """A row or a cell whose place comes twice has no one meaning; their order does not matter."""
        number = int(attributes.get("r") or self._row + 1)
        if 0 <= number < len(self._rows_met):
            if self._rows_met[number]:
                raise _DamagedError
            self._rows_met[number] = 1
        self._row, self._column, self._cells = number, 0, []
        self._columns_met = set()
        self._hidden = _unseen(attributes, "ht", LOWEST)

    def _start_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        row, column = place_of(reference) if reference else (self._row, self._column + 1)
        if row != self._row or column in self._columns_met:
            raise _DamagedError
        self._column = column
        if column <= self._book.limits.last_column:  # what stands beyond is refused if it holds anything
            self._columns_met.add(column)
        self._kind, self._style = attributes.get("t", "n"), int(attributes.get("s", 0))
        self._has_formula, self._text, self._formula = False, [], []

    def _characters(self, data: str) -> None:
        if self._into is not None:
            self._into.append(data)

    def _end(self, name: str) -> None:
        name = _local(name)
        if name in ("v", "t", "f"):
            self._into = None
        elif name == "c":
            self._end_cell()
        elif name == "rPh":
            self._phonetic -= 1
        elif name == "row" and self._cells:
            self.ready.append(Row(self._row, self._hidden, tuple(self._cells)))

    def _end_cell(self) -> None:
        held, value = self._value()
        if value == "" and held is not Held.FORMULA:
            return
        limits = self._book.limits
        if self._row > limits.last_row or self._column > limits.last_column:
            raise _too_wide(self._row, self._column)
        self._cells.append(Cell(self._row, self._column, held, value))

    def _value(self) -> tuple[Held, str | datetime.datetime]:
        text = "".join(self._text)
        if self._has_formula:
            return Held.FORMULA, "=" + "".join(self._formula)
        match self._kind:
            case "s":
                return Held.TEXT, self._book.string(int(text)) if text else ""
            case "inlineStr" | "str":
                return Held.TEXT, _unescaped(text)
            case "b":
                return Held.BOOLEAN, text
            case "e":
                return Held.ERROR, text or "#"
            case "d":
                moment = datetime.datetime.fromisoformat(text) if text else None
                return Held.DATE, moment.replace(tzinfo=None) if moment else ""
        if not text:
            return Held.NUMBER, ""
        date = self._book.date(float(text), self._style)
        return (Held.DATE, date) if date is not None else (Held.NUMBER, text)


class _StringsReader:
    """The shared strings: rich text joined, its phonetic guides left out."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self._text: list[str] = []
        self._inside = False
        self._phonetic = 0
        self.parser = _parser()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        name = _local(name)
        if name == "si":
            self._text = []
        elif name == "rPh":
            self._phonetic += 1
        elif name == "t":
            self._inside = not self._phonetic

    def _end(self, name: str) -> None:
        name = _local(name)
        if name == "t":
            self._inside = False
        elif name == "rPh":
            self._phonetic -= 1
        elif name == "si":
            self.strings.append(_unescaped("".join(self._text)))

    def _characters(self, data: str) -> None:
        if self._inside:
            self._text.append(data)


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype  # entities, local or of other files, need one
    return parser


def _unseen(attributes: dict[str, str], size: str, least: float) -> bool:
    """Whether a row or a column is hidden, or so small that nothing of it can be read."""
    if attributes.get("hidden") in ("1", "true"):
        return True
    return size in attributes and not float(attributes[size]) >= least


def _refuse_doctype(*_args: object) -> None:
    raise _DamagedError


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _unescaped(text: str) -> str:
    """Excel writes characters that XML has no place for as `_x000D_`."""
    if "_x" not in text:
        return text
    plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")


# --- refusals ---

DAMAGED = gettext_noop("这不是能打开的 Excel 工作簿（.xlsx），或者文件已损坏。")


def not_xlsx(message: Msgid) -> Refusal:
    return _unreadable("file_not_xlsx", message)


def _other_format(head: bytes, stream: BinaryIO) -> Refusal:
    """What the file seems to be instead, so that people know what to do about it."""
    if head.startswith(_OLE):
        stream.seek(0)
        if "EncryptedPackage".encode("utf-16-le") in stream.read():
            return _unreadable("file_encrypted", gettext_noop("文件设了打开密码，平台打不开。"))
        return not_xlsx(gettext_noop("这是旧格式的 Excel 文件（.xls），平台只收 .xlsx。"))
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<html", b"<!doctype html", b"<table", b"<meta")):
        return not_xlsx(gettext_noop("这是网页，不是 Excel 工作簿，只是改了文件名。"))
    if b"\0" not in head or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return not_xlsx(gettext_noop("这是文本文件（如 CSV），不是 Excel 工作簿，只是改了文件名。"))
    return not_xlsx(DAMAGED)


def _unreadable(code: str, message: str) -> Refusal:
    return Refusal(
        code,
        message,
        found=False,
        required=".xlsx",
        rule="P7",
        next_step=gettext_noop("请下载模板，填好后用 Excel 或 WPS 另存为 .xlsx 再上传。"),
        status=400,
    )


KB = 1024
PACKED = gettext_noop("文件太大，平台不打开：有 %(found)s KB，最多 %(most)s KB。")
UNPACKED = gettext_noop("文件太大，平台不打开：展开后 %(found)s KB，最多 %(most)s KB。")
PARTS = gettext_noop("文件由 %(found)s 个部件组成，最多 %(most)s 个，平台不打开。")


def too_large(message: Msgid, found: int, most: int, unit: int = 1) -> Refusal:
    """`message` says what there is too much of, in units of so many."""
    return Refusal(
        "file_too_large",
        message,
        found=found,
        required=most,
        rule="P7",
        params={"found": -(-found // unit), "most": most // unit},
        next_step=gettext_noop("请把内容复制到模板里，只留模板有的列，再上传。"),
        status=413,
    )


def _too_wide(row: int, column: int) -> Refusal:
    return Refusal(
        "sheet_too_wide",
        gettext_noop("工作表写到了第 %(row)s 行、%(column)s 列，远远超出模板。"),
        found=[row, letter_of(column)],
        required=False,
        rule="P7",
        params={"row": row, "column": letter_of(column)},
        next_step=gettext_noop("请把内容复制到模板里再上传。"),
        status=400,
    )
