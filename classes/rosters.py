"""Reading a roster from an .xlsx file, and the template for it. Knows files and rows, not the database.

The file comes from outside and is opened with suspicion: its size packed and unpacked, macros, links to
other files, document types inside its XML are refused before a parser sees it, and no formula is ever
computed. What a cell holds is judged as Excel stored it: an ID number that became a number has lost its
last digits and is never repaired.
"""

import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import column_index_from_string, get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from accounts.id_numbers import IdNumber, mask, parse
from policy.classes import parse_category
from policy.messages import Translate, gettext_noop, untranslated
from policy.refusals import Refusal
from policy.terms import TraineeCategory

MOST_BYTES = 2 * 1024 * 1024
MOST_BYTES_UNPACKED = 4 * 1024 * 1024
MOST_FILES_INSIDE = 100
MOST_ROWS = 200
# Rows and columns that a sheet may reach, empty but formatted cells included.
LAST_ROW = 3000
LAST_COLUMN = 40
MOST_CELLS_IN_A_RANGE = 20_000

SHEET = "花名册"
NAME, ID_NUMBER, PHONE, CATEGORY = "姓名", "身份证号", "手机号", "学员类别"
HEADERS = (NAME, ID_NUMBER, PHONE, CATEGORY)
TEMPLATE_ROWS = 60  # the larger of the two class sizes (F11); more rows can be added by hand

_NAME = re.compile(r"[㐀-䶿一-鿿豈-﫿〇\U00020000-\U0003FFFFA-Za-z·' .-]{1,40}")
_PHONE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
_HAN = r"㐀-䶿一-鿿豈-﫿〇\U00020000-\U0003FFFF"
_DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
# The ranges that openpyxl writes out cell by cell.
_WIDE_RANGE = re.compile(
    rb"""<(?:\w+:)?(?:mergeCell|hyperlink)\b[^>]*?\bref\s*=\s*["']\$?([A-Z]{1,3})\$?(\d+):\$?([A-Z]{1,3})\$?(\d+)""",
    re.IGNORECASE,
)
_SPACE_IN_NAME = re.compile(rf"(?<=[{_HAN}·])\s+(?=[{_HAN}·])")


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


def read_roster(content: bytes) -> RosterSheet:
    """Read the roster sheet of an .xlsx file.

    Raises Refusal for a file that is not opened at all: `file_empty`, `file_too_large`,
    `file_not_xlsx`, `file_has_macros`, `file_has_links`. Everything else is a fault with its place:
    `header_missing`, `header_doubled`, `header_unknown`, `roster_empty`, `too_many_rows`,
    `sheet_too_wide`, `cells_merged`, `row_hidden`, `cell_formula`, `cell_error`, `cell_outside`,
    `name_missing`, `name_form`, `id_number_missing`, `id_number_numeric`, `id_number_form`,
    `id_number_date`, `id_number_checksum`, `phone_form`, `category_missing`, `category_unknown`,
    `doubled_in_file`.
    """
    sheet = _roster_sheet(_open(content))
    faults = list(_sheet_faults(sheet))
    if faults:
        return RosterSheet(sheet.title, 0, (), tuple(faults), {})
    columns, faults = _columns(sheet)
    if faults:
        return RosterSheet(sheet.title, 0, (), tuple(faults), columns)
    return _read_rows(sheet, columns)


# --- the file ---


def _open(content: bytes) -> Workbook:
    if not content:
        raise _unreadable("file_empty", gettext_noop("文件是空的，一个字节也没有。"))
    if len(content) > MOST_BYTES:
        raise _too_large(len(content), MOST_BYTES)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            _inspect(package)
        workbook = load_workbook(io.BytesIO(content), data_only=False, keep_links=False)
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
        zipfile.LargeZipFile,
    ):
        # openpyxl has no error of its own for a damaged file: it stumbles where the damage is.
        raise _unreadable(
            "file_not_xlsx", gettext_noop("这不是能打开的 Excel 工作簿（.xlsx），或者文件已损坏、设了密码。")
        ) from None
    return workbook


def _inspect(package: zipfile.ZipFile) -> None:
    """Refuse what a roster has no use for, by the package's own table of contents, before anything is
    parsed.
    """
    files = package.infolist()
    unpacked = sum(file.file_size for file in files)
    if len(files) > MOST_FILES_INSIDE or unpacked > MOST_BYTES_UNPACKED:
        raise _too_large(unpacked, MOST_BYTES_UNPACKED)
    names = {file.filename for file in files}
    if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
        raise zipfile.BadZipFile
    active = ("vbaproject", "xl/activex/", "xl/embeddings/")
    if any(part in name.lower() for name in names for part in active) or (
        b"macroEnabled" in package.read("[Content_Types].xml")
    ):
        raise _unreadable("file_has_macros", gettext_noop("文件里有宏或嵌入的程序，平台不接收。"))
    if any(name.startswith("xl/externalLinks/") for name in names):
        raise _unreadable("file_has_links", gettext_noop("文件里有指向别的文件的链接。"))
    for file in files:
        if file.filename.lower().endswith((".xml", ".rels")):
            _inspect_part(package.read(file))


def _inspect_part(xml: bytes) -> None:
    """Small files can ask for much: entities that multiply, ranges that name a whole sheet."""
    if _DOCTYPE.search(xml) or b"\x00" in xml:
        raise zipfile.BadZipFile
    for match in _WIDE_RANGE.finditer(xml):
        left, top, right, bottom = (part.decode() for part in match.groups())
        rows = int(bottom) - int(top) + 1
        columns = column_index_from_string(right.upper()) - column_index_from_string(left.upper()) + 1
        if rows * columns > MOST_CELLS_IN_A_RANGE:
            raise _too_large(rows * columns, MOST_CELLS_IN_A_RANGE)


def _roster_sheet(workbook: Workbook) -> Worksheet:
    sheets = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
    named = [sheet for sheet in sheets if sheet.title.strip() == SHEET]
    if not sheets:
        raise _unreadable("file_not_xlsx", gettext_noop("工作簿里没有能看到的工作表。"))
    return (named or sheets)[0]


def _unreadable(code: str, message: str) -> Refusal:
    return Refusal(
        code,
        message,
        required=".xlsx",
        rule="P7",
        next_step=gettext_noop("请下载花名册模板，填好后用 Excel 或 WPS 另存为 .xlsx 再上传。"),
        status=400,
    )


def _too_large(found: int, most: int) -> Refusal:
    return Refusal(
        "file_too_large",
        gettext_noop("文件太大，平台不打开：展开后 %(found)s KB，最多 %(most)s KB。"),
        found=found,
        required=most,
        rule="P7",
        params={"found": found // 1024, "most": most // 1024},
        next_step=gettext_noop("请把名单复制到花名册模板里，只留四列，再上传。"),
        status=413,
    )


# --- the sheet ---


def _sheet_faults(sheet: Worksheet) -> Iterator[RosterFault]:
    if sheet.max_column > LAST_COLUMN or sheet.max_row > LAST_ROW:
        yield _about_sheet(
            Refusal(
                "sheet_too_wide",
                gettext_noop("工作表用到了 %(rows)s 行、%(columns)s 列，远远超出一份花名册。"),
                found=[sheet.max_row, sheet.max_column],
                required=[MOST_ROWS, len(HEADERS)],
                rule="P7",
                params={"rows": sheet.max_row, "columns": sheet.max_column},
                next_step=gettext_noop("请把名单复制到花名册模板里再上传。"),
            )
        )
        return
    for merged in sheet.merged_cells.ranges:
        yield RosterFault(
            merged.min_row,
            get_column_letter(merged.min_col),
            "",
            Refusal(
                "cells_merged",
                gettext_noop("%(range)s 是合并的单元格，分不清属于哪一行。"),
                found=merged.coord,
                rule="P7",
                params={"range": merged.coord},
                next_step=gettext_noop("请取消合并，每人一行。"),
            ),
        )


def _columns(sheet: Worksheet) -> tuple[dict[str, str], list[RosterFault]]:
    """Find the four headers in row 1, in any order; returns {header: column letter} and what is wrong."""
    columns: dict[str, str] = {}
    faults: list[RosterFault] = []
    for cell in _cells(next(sheet.iter_rows(max_row=1))):
        title = _text(cell.value)
        if not title:
            continue
        if title not in HEADERS:
            faults.append(
                _fault(
                    cell,
                    title[:20],
                    Refusal(
                        "header_unknown",
                        gettext_noop("表头“%(header)s”不在花名册模板里。"),
                        found=title[:20],
                        required=list(HEADERS),
                        rule="P7",
                        params={"header": title[:20]},
                        next_step=gettext_noop("第 1 行只写：姓名、身份证号、手机号、学员类别。"),
                    ),
                )
            )
        elif title in columns:
            faults.append(
                _fault(
                    cell,
                    title,
                    Refusal(
                        "header_doubled",
                        gettext_noop("表头“%(header)s”出现了两次。"),
                        found=title,
                        rule="P7",
                        params={"header": title},
                        next_step=gettext_noop("请删掉多余的一列。"),
                    ),
                )
            )
        else:
            columns[title] = cell.column_letter
    faults += [
        RosterFault(
            1,
            "",
            header,
            Refusal(
                "header_missing",
                gettext_noop("第 1 行没有“%(header)s”这一列。"),
                required=header,
                rule="P7",
                params={"header": header},
                next_step=gettext_noop("请用花名册模板，不要改第 1 行。"),
            ),
        )
        for header in HEADERS
        if header not in columns
    ]
    return columns, faults


def _read_rows(sheet: Worksheet, columns: dict[str, str]) -> RosterSheet:
    rows: list[RosterRow] = []
    faults: list[RosterFault] = []
    first_row_of: dict[str, int] = {}
    read = 0
    for row in sheet.iter_rows(min_row=2):
        cells = _cells(row)
        filled = [cell for cell in cells if _text(cell.value)]
        if not filled:
            continue
        read += 1
        if read > MOST_ROWS:
            faults.append(_too_many_rows())
            break
        number = filled[0].row
        sound, wrong = _read_row(sheet, number, cells, columns)
        if sound is not None:
            first = first_row_of.setdefault(sound.id_number.value, number)
            if first != number:
                wrong.append(_doubled(number, columns[ID_NUMBER], sound, first))
        faults += wrong
        if sound is not None and not wrong:
            rows.append(sound)
    if not read:
        faults.append(_no_rows())
    return RosterSheet(sheet.title, read, tuple(rows), tuple(faults), columns)


def _read_row(
    sheet: Worksheet, number: int, cells: Sequence[Cell], columns: dict[str, str]
) -> tuple[RosterRow | None, list[RosterFault]]:
    by_letter = {cell.column_letter: cell for cell in cells}
    cell_of = {header: by_letter[letter] for header, letter in columns.items()}
    name = _name(cell_of[NAME].value) if isinstance(cell_of[NAME].value, str) else ""
    faults: list[RosterFault] = []
    if sheet.row_dimensions[number].hidden:
        faults.append(_hidden(number, name))
    for letter, cell in by_letter.items():
        header = next((title for title, column in columns.items() if column == letter), "")
        refusal = _stored_wrongly(cell, header)
        if refusal is not None:
            faults.append(_fault(cell, header, refusal, name))
    if faults:
        return None, faults

    values: dict[str, Any] = {}
    for header, read_cell in (
        (NAME, _read_name),
        (ID_NUMBER, _read_id_number),
        (PHONE, _read_phone),
        (CATEGORY, _read_category),
    ):
        try:
            values[header] = read_cell(_text(cell_of[header].value))
        except Refusal as refusal:
            faults.append(_fault(cell_of[header], header, refusal, name))
    if faults:
        return None, faults
    return (
        RosterRow(number, values[NAME], values[ID_NUMBER], values[PHONE], values[CATEGORY]),
        [],
    )


# --- the cell ---


def _cells(row: Sequence[Cell | MergedCell]) -> list[Cell]:
    """A row without the hollow parts of merged cells; those were refused before."""
    return [cell for cell in row if isinstance(cell, Cell)]


def _stored_wrongly(cell: Cell, header: str) -> Refusal | None:
    """What Excel itself stored in a way that cannot be read as it was meant."""
    if cell.value is None:
        return None
    if cell.data_type == "f":
        return Refusal(
            "cell_formula",
            gettext_noop("单元格是公式，平台不执行公式。"),
            rule="P7",
            next_step=gettext_noop("请复制后用“选择性粘贴”粘贴为数值。"),
        )
    if cell.data_type == "e":
        return Refusal(
            "cell_error",
            gettext_noop("单元格显示为错误值。"),
            rule="P7",
            next_step=gettext_noop("请重新输入这一格。"),
        )
    if not header and _text(cell.value):
        return Refusal(
            "cell_outside",
            gettext_noop("这一格在花名册的四列以外。"),
            rule="P7",
            next_step=gettext_noop("请清空这一格。"),
        )
    if header == ID_NUMBER and not isinstance(cell.value, str):
        return Refusal(
            "id_number_numeric",
            gettext_noop("身份证号被 Excel 存成了数字，后三位已丢失。"),
            required=18,
            rule="P7",
            next_step=gettext_noop("请把这一列设为“文本”，重新输入 18 位。"),
        )
    return None


def _text(value: object) -> str:
    """The text of a cell without invisible characters; a whole number reads without its decimal point."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = unicodedata.normalize("NFKC", str(value))
    return "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Cc") or c == "\t").strip()


def _name(value: object) -> str:
    # Two-character names are often padded with a space to look like three.
    return _SPACE_IN_NAME.sub("", _text(value).replace("•", "·").replace("・", "·"))


def _read_name(text: str) -> str:
    if not text:
        raise _missing("name_missing", gettext_noop("没有姓名。"), gettext_noop("请填上与身份证一致的姓名。"))
    name = _name(text)
    if not _NAME.fullmatch(name):
        raise Refusal(
            "name_form",
            gettext_noop("姓名里有不该有的字符，或者超过 40 个字。"),
            found=len(name),
            required=40,
            rule="P7",
            next_step=gettext_noop("请填与身份证一致的姓名。"),
        )
    return name


def _read_id_number(text: str) -> IdNumber:
    if not text:
        raise _missing(
            "id_number_missing", gettext_noop("没有身份证号。"), gettext_noop("请照身份证填 18 位号码。")
        )
    return parse(text)


def _read_phone(text: str) -> str:
    if text and not _PHONE.fullmatch(text):
        raise Refusal(
            "phone_form",
            gettext_noop("手机号应为 11 位数字，以 1 开头。"),
            found=len(text),
            required=11,
            rule="P7",
            next_step=gettext_noop("请重新输入手机号；没有手机的，空着。"),
        )
    return text


def _read_category(text: str) -> TraineeCategory:
    if not text:
        raise Refusal(
            "category_missing",
            gettext_noop("没有选学员类别。"),
            required=[category.label for category in TraineeCategory],
            rule="S6",
            next_step=gettext_noop("请从下拉列表的五类中选一类。"),
        )
    return parse_category(text)


def _missing(code: str, message: str, next_step: str) -> Refusal:
    return Refusal(code, message, rule="P7", next_step=next_step)


# --- faults ---


def _fault(cell: Cell, header: str, refusal: Refusal, name: str = "") -> RosterFault:
    return RosterFault(cell.row, cell.column_letter, header, refusal, name, _shown(cell.value, header))


def _shown(value: object, header: str) -> str:
    # A formula over several cells is an object of openpyxl's, with the formula as its text.
    text = _text(getattr(value, "text", value))[:40]
    if header == ID_NUMBER and len(text) > 10 and not text.startswith("="):
        return mask(text)
    return text


def _about_sheet(refusal: Refusal) -> RosterFault:
    return RosterFault(None, "", "", refusal)


def _too_many_rows() -> RosterFault:
    return _about_sheet(
        Refusal(
            "too_many_rows",
            gettext_noop("花名册超过 %(most)s 行。"),
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
    faults.
    """
    workbook = _open(content)
    sheet = _roster_sheet(workbook)
    red = PatternFill("solid", fgColor="FBEAE7")
    for fault in faults:
        body = fault.render(translate)
        cell = sheet[f"{fault.column or 'A'}{fault.row or 1}"]
        if isinstance(cell, Cell):
            cell.fill = red
            earlier = f"{cell.comment.text}\n" if cell.comment else ""
            cell.comment = Comment(f"{earlier}{body['message']}{body['next']}", "豫创", width=260, height=120)
    return _saved(workbook)


def _saved(workbook: Workbook) -> bytes:
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()
