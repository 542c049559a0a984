"""Reading a roster from an .xlsx file, and the template for it. Knows files and rows, not the database.

The file comes from outside: `exchange.xlsx.cells` opens it with suspicion and reads cells as the file holds
them. What a cell holds is judged as Excel stored it: an ID number that became a number has lost its last
digits and is never repaired.
"""

import datetime
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell as WrittenCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from accounts.id_numbers import IdNumber, mask, parse
from accounts.names import parse_name, tidy_name
from accounts.phones import parse_phone
from exchange.xlsx.cells import (
    DAMAGED,
    KB,
    UNPACKED,
    Book,
    Cell,
    Held,
    Limits,
    Row,
    SheetPart,
    not_xlsx,
    open_book,
    place_of,
    too_large,
)
from exchange.xlsx.tables import table_file
from policy.classes import parse_category
from policy.messages import Translate, gettext_noop, untranslated
from policy.refusals import Refusal
from policy.terms import TraineeCategory

MOST_BYTES = 2 * 1024 * 1024
MOST_ROWS = 10_000
LIMITS = Limits(packed=MOST_BYTES, unpacked=16 * 1024 * 1024, last_row=30_000, last_column=40)
# A file that is marked cell by cell goes through openpyxl, which holds all of it in memory.
MOST_BYTES_MARKED = 6 * 1024 * 1024
MOST_CELLS_IN_A_RANGE = 20_000
# How far below row 1 a heading is looked for, to say where it is.
HEADING_SOUGHT_TO = 20

SHEET = "花名册"
NAME, ID_NUMBER, PHONE, CATEGORY = "姓名", "身份证号", "手机号", "学员类别"
HEADERS = (NAME, ID_NUMBER, PHONE, CATEGORY)
TEMPLATE_ROWS = 60  # the larger of the two class sizes (F11); more rows can be added by hand

_DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
# The ranges that openpyxl writes out cell by cell.
_WIDE_RANGE = re.compile(
    rb"""<(?:\w+:)?(?:mergeCell|hyperlink)\b[^>]*?\bref\s*=\s*["']\$?([A-Z]{1,3})\$?(\d+):\$?([A-Z]{1,3})\$?(\d+)""",
    re.IGNORECASE,
)
_WIDE = gettext_noop("一处合并或链接占了 %(found)s 个单元格，最多 %(most)s 个，平台不打开。")
_UNSEEN = ("Cf", "Cc", "Co", "Cn")


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One trainee as the file names them, all cells sound."""

    row: int
    name: str
    id_number: IdNumber
    phone: str
    category: TraineeCategory


@dataclass(frozen=True, slots=True)
class RosterFault:
    """What is wrong with one cell, in Excel's own row and column; both are empty when it is about the
    whole sheet.

    `written` is what the cell holds, masked where it is an ID number: enough to find it, too little to
    use.
    """

    row: int | None
    column: str
    header: str
    refusal: Refusal
    name: str = ""
    written: str = ""

    @property
    def code(self) -> str:
        return self.refusal.code

    def render(self, translate: Translate = untranslated) -> dict[str, Any]:
        """Return the JSON form {row, column, header, code, message, next, name, written}."""
        body = self.refusal.render(translate)
        return {
            "row": self.row,
            "column": self.column,
            "header": self.header,
            "code": body["code"],
            "message": body["message"],
            "next": body["details"]["next"],
            "name": self.name,
            "written": self.written,
        }


@dataclass(frozen=True, slots=True)
class RosterSheet:
    """What a file holds: sound rows, faults, and how many rows were read."""

    title: str
    read: int
    rows: tuple[RosterRow, ...]
    faults: tuple[RosterFault, ...]
    columns: dict[str, str]

    @property
    def is_cut_off(self) -> bool:
        """Whether there were more rows than are read."""
        return any(fault.refusal.code == "too_many_rows" for fault in self.faults)


def read_roster(content: bytes) -> RosterSheet:
    """Read the roster sheet of an .xlsx file.

    Raises Refusal for a file that is not opened at all: `file_empty`, `file_too_large`, `file_not_xlsx`,
    `file_encrypted`, `file_has_macros`, `file_has_links`. Everything else is a fault with its place:
    `header_missing`, `header_not_first`, `header_doubled`, `header_unknown`, `roster_empty`, `too_many_rows`,
    `sheet_too_wide`, `cells_merged`, `row_hidden`, `column_hidden`, `cell_formula`, `cell_error`,
    `cell_outside`, `name_missing`, `name_form`, `id_number_missing`, `id_number_numeric`, `id_number_form`,
    `id_number_region`, `id_number_date`, `id_number_checksum`, `phone_form`, `category_missing`,
    `category_unknown`, `doubled_in_file`.
    """
    with open_book(content, LIMITS) as book:
        part = _roster_sheet(book.sheets)
        try:
            return _read_sheet(book, part)
        except Refusal as refusal:
            if refusal.code != "sheet_too_wide":
                raise
            return RosterSheet(part.name, 0, (), (_about_sheet(refusal),), {})


def _roster_sheet(sheets: Sequence[SheetPart]) -> SheetPart:
    visible = [sheet for sheet in sheets if sheet.visible]
    named = [sheet for sheet in visible if sheet.name.strip() == SHEET]
    if not visible:
        raise not_xlsx(gettext_noop("工作簿里没有能看到的工作表。"))
    return (named or visible)[0]


# --- the sheet ---


def _read_sheet(book: Book, part: SheetPart) -> RosterSheet:
    rows = book.rows(part)
    heading = next(rows, None)
    columns, faults = _columns(heading, rows)
    if faults:
        return RosterSheet(part.name, 0, (), tuple(faults), columns)
    sheet = _read_rows(part, columns, rows)
    whole = [*_merged(part), *_hidden_columns(part, columns)]
    return RosterSheet(part.name, 0, (), tuple(whole), columns) if whole else sheet


def _merged(part: SheetPart) -> Iterator[RosterFault]:
    for reference in part.merged:
        row, column = _first_place(reference)
        yield RosterFault(
            row,
            column,
            "",
            Refusal(
                "cells_merged",
                gettext_noop("%(range)s 是合并的单元格，分不清属于哪一行。"),
                found=reference,
                required=False,
                rule="P7",
                params={"range": reference},
                next_step=gettext_noop("请取消合并，每人一行。"),
            ),
        )


def _first_place(reference: str) -> tuple[int | None, str]:
    first = reference.partition(":")[0].replace("$", "")
    try:
        return place_of(first)[0], first.rstrip("0123456789")
    except ValueError:
        return None, ""


def _hidden_columns(part: SheetPart, columns: dict[str, str]) -> Iterator[RosterFault]:
    for header, letter in columns.items():
        index = column_index_from_string(letter)
        if any(first <= index <= last for first, last in part.hidden_columns):
            yield RosterFault(
                1,
                letter,
                header,
                Refusal(
                    "column_hidden",
                    gettext_noop("“%(header)s”这一列被隐藏了，看不到的内容不导入。"),
                    found=True,
                    required=False,
                    rule="P7",
                    params={"header": header},
                    next_step=gettext_noop("请取消隐藏，核对后再上传。"),
                ),
            )


def _columns(heading: Row | None, below: Iterator[Row]) -> tuple[dict[str, str], list[RosterFault]]:
    """Find the four headers in row 1, in any order; returns {header: column letter} and what is wrong."""
    cells = heading.cells if heading is not None and heading.number == 1 else ()
    columns: dict[str, str] = {}
    faults: list[RosterFault] = []
    for cell in cells:
        title = _text(cell)
        if not title:
            continue
        if title not in HEADERS:
            faults.append(_fault(cell, title[:20], _header_unknown(title[:20])))
        elif title in columns:
            faults.append(_fault(cell, title, _header_doubled(title)))
        else:
            columns[title] = cell.letter
    missing = [header for header in HEADERS if header not in columns]
    if not missing:
        return columns, faults
    elsewhere = _heading_elsewhere(heading, below)
    if elsewhere:
        return columns, [_header_not_first(elsewhere)]
    return columns, faults + [_header_missing(header) for header in missing]


def _heading_elsewhere(first: Row | None, below: Iterator[Row]) -> int:
    """The row further down that looks like the heading, or 0."""
    for row in (first, *(next(below, None) for _ in range(HEADING_SOUGHT_TO))):
        if (
            row is not None
            and row.number > 1
            and len({_text(cell) for cell in row.cells} & set(HEADERS)) >= 3
        ):
            return row.number
    return 0


def _read_rows(part: SheetPart, columns: dict[str, str], below: Iterator[Row]) -> RosterSheet:
    rows: list[RosterRow] = []
    faults: list[RosterFault] = []
    first_row_of: dict[str, int] = {}
    read = 0
    for row in below:
        if not any(_text(cell) or cell.held is Held.FORMULA for cell in row.cells):
            continue
        read += 1
        if read > MOST_ROWS:
            faults = [_too_many_rows()]
            rows = []
            break
        sound, wrong = _read_row(row, columns)
        if sound is not None:
            first = first_row_of.setdefault(sound.id_number.value, row.number)
            if first != row.number:
                wrong.append(_doubled(row.number, columns[ID_NUMBER], sound, first))
        faults += wrong
        if sound is not None and not wrong:
            rows.append(sound)
    if not read:
        faults.append(_no_rows())
    return RosterSheet(part.name, read, tuple(rows), tuple(faults), columns)


def _read_row(row: Row, columns: dict[str, str]) -> tuple[RosterRow | None, list[RosterFault]]:
    header_at = {letter: header for header, letter in columns.items()}
    cell_of = {header_at[cell.letter]: cell for cell in row.cells if cell.letter in header_at}
    name_cell = cell_of.get(NAME)
    name = tidy_name(_text(name_cell)) if name_cell is not None and name_cell.held is Held.TEXT else ""
    faults: list[RosterFault] = []
    if row.hidden:
        faults.append(_hidden(row.number, name))
    for cell in row.cells:
        header = header_at.get(cell.letter, "")
        refusal = _stored_wrongly(cell, header)
        if refusal is not None:
            faults.append(_fault(cell, header, refusal, name))
    if faults:
        return None, faults

    values: dict[str, Any] = {}
    for header, read_cell in _READERS:
        found = cell_of.get(header)
        try:
            values[header] = read_cell(_text(found) if found is not None else "")
        except Refusal as refusal:
            written = _shown(found, header) if found is not None else ""
            faults.append(RosterFault(row.number, columns[header], header, refusal, name, written))
    if faults:
        return None, faults
    return (
        RosterRow(row.number, values[NAME], values[ID_NUMBER], values[PHONE], values[CATEGORY]),
        [],
    )


# --- the cell ---


def _stored_wrongly(cell: Cell, header: str) -> Refusal | None:
    """What Excel itself stored in a way that cannot be read as it was meant."""
    if cell.held is Held.FORMULA:
        return Refusal(
            "cell_formula",
            gettext_noop("单元格是公式，平台不执行公式。"),
            found=True,
            required=False,
            rule="P7",
            next_step=gettext_noop("请复制后用“选择性粘贴”粘贴为数值。"),
        )
    if cell.held is Held.ERROR:
        return Refusal(
            "cell_error",
            gettext_noop("单元格显示为错误值。"),
            found=True,
            required=False,
            rule="P7",
            next_step=gettext_noop("请重新输入这一格。"),
        )
    if not header and _text(cell):
        return Refusal(
            "cell_outside",
            gettext_noop("这一格在花名册的四列以外。"),
            found=False,
            required=True,
            rule="P7",
            next_step=gettext_noop("请清空这一格。"),
        )
    if header == ID_NUMBER and cell.held is Held.DATE:
        return Refusal(
            "id_number_is_date",
            gettext_noop("身份证号这一格是日期。"),
            found=Held.DATE.value,
            required=18,
            rule="P7",
            next_step=gettext_noop("请把这一列设为“文本”，重新输入 18 位。"),
        )
    if header == ID_NUMBER and cell.held is not Held.TEXT:
        return Refusal(
            "id_number_numeric",
            gettext_noop("身份证号被 Excel 存成了数字，后三位已丢失。"),
            found=False,
            required=18,
            rule="P7",
            next_step=gettext_noop("请把这一列设为“文本”，重新输入 18 位。"),
        )
    return None


def _text(cell: Cell) -> str:
    """The text of a cell without invisible characters; a whole number reads without its decimal point."""
    if isinstance(cell.value, datetime.datetime):
        return f"{cell.value:%Y-%m-%d}"
    if cell.held is Held.NUMBER:
        number = float(cell.value)
        return str(int(number)) if number.is_integer() else cell.value
    text = unicodedata.normalize("NFKC", cell.value)
    if not text.isprintable():
        text = "".join(
            c for c in text if unicodedata.category(c) not in ("Cf", "Cc", "Co", "Cn") or c == "\t"
        )
    return text.strip()


def _read_name(text: str) -> str:
    if not text:
        raise _missing("name_missing", gettext_noop("没有姓名。"), gettext_noop("请填上与身份证一致的姓名。"))
    return parse_name(text)


def _read_id_number(text: str) -> IdNumber:
    if not text:
        raise _missing(
            "id_number_missing", gettext_noop("没有身份证号。"), gettext_noop("请照身份证填 18 位号码。")
        )
    return parse(text)


def _read_phone(text: str) -> str:
    return parse_phone(text, rule="P7", optional=True)


def _read_category(text: str) -> TraineeCategory:
    if not text:
        raise Refusal(
            "category_missing",
            gettext_noop("没有选学员类别。"),
            found=[],
            required=[category.label for category in TraineeCategory],
            rule="S6",
            next_step=gettext_noop("请从下拉列表的五类中选一类。"),
        )
    return parse_category(text)


_READERS = (
    (NAME, _read_name),
    (ID_NUMBER, _read_id_number),
    (PHONE, _read_phone),
    (CATEGORY, _read_category),
)


def _missing(code: str, message: str, next_step: str) -> Refusal:
    return Refusal(code, message, found=False, required=True, rule="P7", next_step=next_step)


# --- faults ---


def _fault(cell: Cell, header: str, refusal: Refusal, name: str = "") -> RosterFault:
    return RosterFault(cell.row, cell.letter, header, refusal, name, _shown(cell, header))


def _shown(cell: Cell, header: str) -> str:
    """What the cell holds, masked where it is about an ID number, wherever a careless hand put it."""
    text = _text(cell)[:40] if cell.held is not Held.FORMULA else str(cell.value)[:40]
    if header == ID_NUMBER and len(text) > 10 and cell.held is not Held.FORMULA:
        return mask(text)
    return _ID_IN_TEXT.sub(lambda found: mask(found[0]), text)


_ID_IN_TEXT = re.compile(r"[1-9][0-9]{16}[0-9Xx]", re.ASCII)


def _header_unknown(title: str) -> Refusal:
    return Refusal(
        "header_unknown",
        gettext_noop("表头“%(header)s”不在花名册模板里。"),
        found=title,
        required=list(HEADERS),
        rule="P7",
        params={"header": title},
        next_step=gettext_noop("第 1 行只写：姓名、身份证号、手机号、学员类别。"),
    )


def _header_doubled(title: str) -> Refusal:
    return Refusal(
        "header_doubled",
        gettext_noop("表头“%(header)s”出现了两次。"),
        found=title,
        required=True,
        rule="P7",
        params={"header": title},
        next_step=gettext_noop("请删掉多余的一列。"),
    )


def _header_missing(header: str) -> RosterFault:
    return RosterFault(
        1,
        "",
        header,
        Refusal(
            "header_missing",
            gettext_noop("第 1 行没有“%(header)s”这一列。"),
            found=False,
            required=header,
            rule="P7",
            params={"header": header},
            next_step=gettext_noop("请用花名册模板，不要改第 1 行。"),
        ),
    )


def _header_not_first(row: int) -> RosterFault:
    return RosterFault(
        row,
        "",
        "",
        Refusal(
            "header_not_first",
            gettext_noop("表头在第 %(row)s 行，应当在第 1 行。"),
            found=row,
            required=1,
            rule="P7",
            params={"row": row},
            next_step=gettext_noop("请删掉表头上面的标题和空行。"),
        ),
    )


def _about_sheet(refusal: Refusal) -> RosterFault:
    return RosterFault(None, "", "", refusal)


def _too_many_rows() -> RosterFault:
    return _about_sheet(
        Refusal(
            "too_many_rows",
            gettext_noop("花名册超过 %(most)s 行。"),
            found=f"{MOST_ROWS + 1}+",
            required=MOST_ROWS,
            rule="F11",
            params={"most": MOST_ROWS},
            next_step=gettext_noop("请分班，每班一份花名册。"),
        )
    )


def _no_rows() -> RosterFault:
    return _about_sheet(
        Refusal(
            "roster_empty",
            gettext_noop("表里除了表头没有学员。"),
            found=0,
            required=1,
            rule="P7",
            next_step=gettext_noop("请从第 2 行起填写学员，每人一行。"),
        )
    )


def _hidden(row: int, name: str) -> RosterFault:
    return RosterFault(
        row,
        "",
        "",
        Refusal(
            "row_hidden",
            gettext_noop("这一行被隐藏了，看不到的学员不导入。"),
            found=True,
            required=False,
            rule="P7",
            next_step=gettext_noop("请取消隐藏，核对后删掉或留下这一行。"),
        ),
        name,
    )


def _doubled(row: int, column: str, trainee: RosterRow, first: int) -> RosterFault:
    return RosterFault(
        row,
        column,
        ID_NUMBER,
        Refusal(
            "doubled_in_file",
            gettext_noop("和第 %(first)s 行是同一个人。"),
            found=first,
            required=True,
            rule="P7",
            params={"first": first},
            next_step=gettext_noop("请删掉其中一行。"),
        ),
        trainee.name,
        trainee.id_number.masked,
    )


# --- files that we write ---


def template_workbook() -> bytes:
    """The empty roster for download: four text columns, categories to choose from, a sheet that
    explains.
    """
    workbook = Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    sheet.title = SHEET
    for column, (header, width) in enumerate(zip(HEADERS, (14, 24, 16, 36), strict=True), start=1):
        cell = sheet.cell(1, column, header)
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="E9F0F7")
        cell.alignment = Alignment(horizontal="center")
        letter = get_column_letter(column)
        sheet.column_dimensions[letter].width = width
        sheet.column_dimensions[letter].number_format = "@"
        for row in range(2, TEMPLATE_ROWS + 2):
            sheet.cell(row, column).number_format = "@"
    sheet.freeze_panes = "A2"
    choices = DataValidation(
        type="list",
        formula1='"' + ",".join(category.label for category in TraineeCategory) + '"',
        allow_blank=True,
        showErrorMessage=True,
        errorTitle="学员类别",
        error="请从五类中选一类。",
    )
    sheet.add_data_validation(choices)
    choices.add(f"D2:D{MOST_ROWS + 1}")
    _explain(workbook.create_sheet("填写说明"))
    return _saved(workbook)


def _explain(sheet: Worksheet) -> None:
    sheet.column_dimensions["A"].width = 14
    sheet.column_dimensions["B"].width = 84
    lines = [
        ("项目", "怎么填"),
        (NAME, "与身份证完全一致。少数民族姓名的间隔号用“·”。"),
        (ID_NUMBER, "18 位，末位可以是 X。这一列已设为文本，请直接输入，不要改成数字。"),
        (PHONE, "11 位手机号；没有手机的空着。"),
        (CATEGORY, "从下拉列表选一类：" + "、".join(category.label for category in TraineeCategory) + "。"),
        ("人数", "创业意识培训（GYB）每班不超过 60 人，创办企业培训（SYB）每班不超过 30 人。"),
        ("导入", "要么全部导入，要么一行也不导。有错的单元格，平台会逐个告诉您在哪一行哪一列、怎么改。"),
        ("不要", "不要合并单元格，不要隐藏行，不要用公式，不要改第 1 行。"),
    ]
    for row, (item, how) in enumerate(lines, start=1):
        sheet.cell(row, 1, item).font = Font(bold=True)
        cell = sheet.cell(row, 2, how)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        cell.font = Font(bold=row == 1)


def marked_workbook(content: bytes, faults: Sequence[RosterFault], translate: Translate) -> bytes:
    """The same file with every faulty cell red and a note that says what to do; for `read_roster`'s
    faults. Raises Refusal `file_too_large`, `file_not_xlsx` where the file can be read but not edited.
    """
    workbook = _editable(content)
    with open_book(content, LIMITS) as book:
        title = _roster_sheet(book.sheets).name
    sheet = workbook[title]
    red = PatternFill("solid", fgColor="FBEAE7")
    for fault in faults:
        body = fault.render(translate)
        cell = sheet[f"{fault.column or 'A'}{fault.row or 1}"]
        if isinstance(cell, WrittenCell):
            cell.fill = red
            earlier = f"{cell.comment.text}\n" if cell.comment else ""
            cell.comment = Comment(f"{earlier}{body['message']}{body['next']}", "豫创", width=260, height=120)
    return _saved(workbook)


def _editable(content: bytes) -> Workbook:
    """Open a file to edit it, when it is small enough for that and names no range that is not."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            unpacked = sum(file.file_size for file in package.infolist())
            if unpacked > MOST_BYTES_MARKED:
                raise too_large(UNPACKED, unpacked, MOST_BYTES_MARKED, KB)
            for file in package.infolist():
                if file.filename.lower().endswith((".xml", ".rels")):
                    _inspect_part(package.read(file))
        return load_workbook(io.BytesIO(content), data_only=False, keep_links=False)
    except (
        zipfile.BadZipFile,
        InvalidFileException,
        ParseError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        OSError,
        NotImplementedError,
        RuntimeError,
        EOFError,
    ):
        # openpyxl has no error of its own for a damaged file: it stumbles where the damage is.
        raise not_xlsx(DAMAGED) from None


def _inspect_part(xml: bytes) -> None:
    """Small files can ask for much: entities that multiply, ranges that name a whole sheet."""
    if _DOCTYPE.search(xml) or b"\x00" in xml:
        raise zipfile.BadZipFile
    for match in _WIDE_RANGE.finditer(xml):
        left, top, right, bottom = (part.decode() for part in match.groups())
        rows = int(bottom) - int(top) + 1
        columns = column_index_from_string(right.upper()) - column_index_from_string(left.upper()) + 1
        if rows * columns > MOST_CELLS_IN_A_RANGE:
            raise too_large(_WIDE, rows * columns, MOST_CELLS_IN_A_RANGE)


def faults_workbook(faults: Sequence[RosterFault], translate: Translate) -> bytes:
    """The list of what is wrong, one fault a row, to be sent on to who keeps the roster."""
    headers = [
        translate(gettext_noop("行")),
        translate(gettext_noop("列")),
        translate(gettext_noop("表头")),
        translate(gettext_noop("学员")),
        translate(gettext_noop("表里写的")),
        translate(gettext_noop("哪里不对")),
        translate(gettext_noop("怎么改")),
    ]
    rows = (
        [
            "" if body["row"] is None else str(body["row"]),
            *(body[part] for part in ("column", "header", "name", "written", "message", "next")),
        ]
        for body in (fault.render(translate) for fault in faults)
    )
    return table_file(translate(gettext_noop("要改的地方")), headers, rows)


def _saved(workbook: Workbook) -> bytes:
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()
