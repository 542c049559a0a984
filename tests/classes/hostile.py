"""Two hundred and more rosters as careless, old, broken or malicious programs make them, and their answers.

`CASES` maps a name to (the file's maker, what has to come of it): the code of a refusal or first fault, with
its cell where it has one ("id_number_form B2"), or the number of rows that are rightly imported.
"""

import datetime
import io
import zipfile
from collections.abc import Callable
from functools import cache
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.formula import ArrayFormula

from classes.rosters import CATEGORY, HEADERS, ID_NUMBER, MOST_BYTES, MOST_ROWS, NAME, SHEET
from config.demo.cast import made_up_id_number
from tests.classes.school import roster_file, saved, trainee_row

Case = tuple[Callable[..., bytes], str | int]
CASES: dict[str, Case] = {}
S = "xl/worksheets/sheet1.xml"
BOOK, STRINGS, STYLES, RELS = (
    "xl/workbook.xml",
    "xl/sharedStrings.xml",
    "xl/styles.xml",
    "xl/_rels/workbook.xml.rels",
)
NUMBER = trainee_row(0)[ID_NUMBER]
WITH_X = next(row[ID_NUMBER] for row in map(trainee_row, range(200)) if row[ID_NUMBER].endswith("X"))
WIDE = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


def case(name: str, expected: str | int, make: Callable[..., bytes]) -> None:
    assert name not in CASES, name
    CASES[name] = (make, expected)


def one(**changes: Any) -> bytes:
    return roster_file([trainee_row(0, **changes)])


def dressed(dress: Any, rows: int = 3) -> bytes:
    return roster_file([trainee_row(n) for n in range(rows)], dress=dress)


SOUND = one()


def parts_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def packed(parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def with_parts(**changes: Any) -> bytes:
    """The sound roster with parts replaced (`{"xl/x.xml": bytes}` under `parts`) or dropped."""
    parts = parts_of(SOUND)
    for name in changes.get("without", ()):
        parts.pop(name, None)
    return packed(parts | changes.get("parts", {}))


def edited(part: str, old: bytes, new: bytes, content: bytes = SOUND) -> bytes:
    parts = parts_of(content)
    assert old in parts[part], (part, old)
    return packed(parts | {part: parts[part].replace(old, new, 1)})


HEAD = "".join(
    f'<c r="{c}1" t="inlineStr"><is><t>{h}</t></is></c>' for c, h in zip("ABCD", HEADERS, strict=True)
)
CELLS = {"A": "王小满", "B": NUMBER, "C": "13900000000", "D": trainee_row(0)[CATEGORY]}


def inline(letter: str, row: int = 2, text: str | None = None) -> str:
    return f'<c r="{letter}{row}" t="inlineStr"><is><t>{CELLS[letter] if text is None else text}</t></is></c>'


def sheet_xml(rows: str, *, before: str = "", after: str = "", head: str = HEAD, doctype: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{doctype}'
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'{before}<sheetData><row r="1">{head}</row>{rows}</sheetData>{after}</worksheet>'
    ).encode()


def hand_made(rows: str, **around: str) -> bytes:
    return with_parts(parts={S: sheet_xml(rows, **around)})


def row_with(**cells: str) -> str:
    """Row 2 with some cells given as XML."""
    return '<row r="2">' + "".join(cells.get(letter, inline(letter)) for letter in "ABCD") + "</row>"


# --- how the file holds the ID number ---

for name, value in {
    "whole number": int(NUMBER[:17] + "0"),
    "scientific": 4.10122198005069e17,
    "fifteen digits and zeros": 410122198005069000,
    "short number": 123,
    "truth": True,
    "negative": -410122198005069006,
    "fraction": 0.5,
}.items():
    case(f"ID as {name}", "id_number_numeric B2", lambda value=value: one(id_number=value))
for name, moment in {
    "date": datetime.date(1980, 5, 6),
    "moment": datetime.datetime(1980, 5, 6, 7, 8),  # noqa: DTZ001
}.items():
    case(f"ID as {name}", "id_number_is_date B2", lambda moment=moment: one(id_number=moment))
for name, formula in {
    "joined": '=CONCATENATE("4101","22")',
    "of another sheet": "=Sheet2!A1",
    "of another file": "='[1]Sheet1'!A1",
    "that calls": '=WEBSERVICE("http://example.invalid/")',
    "that runs": "=cmd|'/C calc'!A0",
    "that links": '=HYPERLINK("http://example.invalid","x")',
    "of text": f'="{NUMBER}"',
}.items():
    case(f"ID as a formula {name}", "cell_formula B2", lambda formula=formula: one(id_number=formula))
case("ID as an array formula", "cell_formula B2", lambda: one(id_number=ArrayFormula("B2:B2", "=C2:C2")))
case(
    "ID as a shared formula's child",
    "cell_formula B2",
    lambda: hand_made(row_with(B=f'<c r="B2" t="str"><f t="shared" si="0"/><v>{NUMBER}</v></c>')),
)
case(
    "ID as a formula with a stored answer",
    "cell_formula B2",
    lambda: hand_made(row_with(B=f'<c r="B2" t="str"><f>A9</f><v>{NUMBER}</v></c>')),
)
for error in ("#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!"):
    case(f"ID shows {error}", "cell_error B2", lambda error=error: one(id_number=error))
case(
    "ID as an ISO date",
    "id_number_is_date B2",
    lambda: hand_made(row_with(B='<c r="B2" t="d"><v>1980-05-06</v></c>')),
)
case("ID as no number at all", "file_not_xlsx", lambda: hand_made(row_with(B='<c r="B2"><v>abc</v></c>')))
case("ID as infinity", "id_number_numeric B2", lambda: hand_made(row_with(B='<c r="B2"><v>1e400</v></c>')))

# --- what the ID number says ---

for name, text in {
    "lower-case x": WITH_X.lower(),
    "full-width digits": WITH_X.translate(WIDE),
    "full-width, lower-case x": WITH_X[:-1].translate(WIDE) + "ｘ",
    "grouped by spaces": f"{NUMBER[:6]} {NUMBER[6:14]} {NUMBER[14:]}",
    "grouped by wide spaces": f"{NUMBER[:6]}　{NUMBER[6:14]}　{NUMBER[14:]}",
    "around it spaces": f"  {NUMBER} ",
    "no-break spaces": f"\u00a0{NUMBER}\u00a0",
    "zero-width space": f"{NUMBER[:6]}\u200b{NUMBER[6:]}",
    "zero-width joiner": f"{NUMBER}\u200d",
    "byte order mark": f"\ufeff{NUMBER}",
    "soft hyphen": f"{NUMBER[:6]}\u00ad{NUMBER[6:]}",
    "right-to-left mark": f"\u200f{NUMBER}",
    "tab": f"{NUMBER}\t",
    "line break": f"{NUMBER}\n",
    "circled digits": NUMBER.replace("1", "①", 1),
}.items():
    case(f"ID with {name}", 1, lambda text=text: one(id_number=text))
for name, text in {
    "an apostrophe": "'" + NUMBER,
    "hyphens": f"{NUMBER[:6]}-{NUMBER[6:14]}-{NUMBER[14:]}",
    "fifteen digits": NUMBER[:6] + NUMBER[8:17],
    "seventeen digits": NUMBER[:17],
    "nineteen digits": NUMBER + "0",
    "the letter O": NUMBER.replace("0", "O", 1),
    "the letter l": NUMBER.replace("1", "l", 1),
    "a Cyrillic Х": NUMBER[:17] + "Х",
    "Arabic digits": NUMBER.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
    "Chinese digits": NUMBER.translate(str.maketrans("0123456789", "〇一二三四五六七八九")),
    "stars": NUMBER[:6] + "********" + NUMBER[14:],
    "a leading zero": "0" + NUMBER[1:],
    "scientific text": "4.10122E+17",
    "two numbers": f"{NUMBER}/{NUMBER}",
    "a word": "无",
    "a name": "王小满",
    "a passport": "E12345678",
    "40,000 digits": "1" * 32_000,
}.items():
    case(f"ID is {name}", "id_number_form B2", lambda text=text: one(id_number=text))
for digit in "0123456789X":
    if digit != NUMBER[17]:
        case(f"ID ends in {digit}", "id_number_checksum B2", lambda d=digit: one(id_number=NUMBER[:17] + d))
for name, day in {
    "30 February": "19800230",
    "month 13": "19801301",
    "month 0": "19800001",
    "day 32": "19800132",
    "day 0": "19800100",
    "1899": "18991231",
}.items():
    case(f"ID of {name}", "id_number_date B2", lambda day=day: one(id_number=f"{NUMBER[:6]}{day}0010"))
for name, text in {
    "nothing": None,
    "spaces": "   ",
    "wide spaces": "　　",
    "zero width": "\u200b\u200b",
}.items():
    case(f"ID of {name} only", "id_number_missing B2", lambda text=text: one(id_number=text))

# --- names, phones, categories ---

for name, text in {
    "padded": "王　芳",
    "with a dot of another kind": "古丽•买买提",
    "with a katakana dot": "古丽・买买提",
    "rare": "𠮷田",
    "from the extensions": "㐀𪚥",
    "compatible": "\uf90a",
    "in letters": "John O'Brien",
    "turned around": "\u202e王小满",
    "with a line break": "王\n小满",
}.items():
    case(f"name {name}", 1, lambda text=text: one(name=text))
for name, text in {
    "a number": 123,
    "a script": "<script>alert(1)</script>",
    "a smile": "王😀",
    "endless": "王" * 41,
    "a command": "@SUM(1+1)*cmd|' /C calc'!A0",
    "a date": datetime.date(2026, 1, 1),
    "true": True,
    "32,000 characters": "王" * 32_000,
    "an ID number": NUMBER,
    "SQL": "'); DROP TABLE accounts_person;--",
}.items():
    case(f"name is {name}", "name_form A2", lambda text=text: one(name=text))
case("name is an error", "cell_error A2", lambda: one(name="#REF!"))
case("name is a formula", "cell_formula A2", lambda: one(name='=CHAR(29579)&"小满"'))
case("name is nothing", "name_missing A2", lambda: one(name="  "))
for name, text in {
    "as a number": 13900000001,
    "in wide digits": "１３９００００００００",
    "grouped": "139 0000 0000",
    "in hyphens": "139-0000-0000",
    "empty": None,
}.items():
    case(f"phone {name}", 1, lambda text=text: one(phone=text))
for name, text in {
    "too short": "1390000",
    "of a landline": "0371-60000097",
    "with a country": "+8613900000000",
    "of letters": "手机没有",
    "a date": datetime.date(2026, 1, 1),
    "a fraction": 1390000000.5,
    "not a number": 1e300,
}.items():
    case(f"phone {name}", "phone_form C2", lambda text=text: one(phone=text))
for name, text in {"padded": " 毕业学年高校毕业生 ", "zero width": "毕业学年\u200b高校毕业生"}.items():
    case(f"category {name}", 1, lambda text=text: one(category=text))
for name, text in {"another": "干部", "a number": 3, "two": "贫困家庭子女、城镇登记失业人员"}.items():
    case(f"category {name}", "category_unknown D2", lambda text=text: one(category=text))
case("category missing", "category_missing D2", lambda: one(category=None))

# --- the same person again ---


def twice(text: str, **changes: Any) -> bytes:
    first = trainee_row(0, id_number=WITH_X)
    return roster_file([first, trainee_row(5), first | {ID_NUMBER: text} | changes])


for name, text in {
    "the same": WITH_X,
    "in lower case": WITH_X.lower(),
    "in wide digits": WITH_X.translate(WIDE),
    "with spaces": f"{WITH_X[:6]} {WITH_X[6:]}",
    "with zero width": f"{WITH_X[:3]}\u200b{WITH_X[3:]}",
    "with a mark": f"\ufeff{WITH_X}",
}.items():
    case(f"a person twice, {name}", "doubled_in_file B4", lambda text=text: twice(text))
case("a person twice under two names", "doubled_in_file B4", lambda: twice(WITH_X, **{NAME: "另一个"}))

# --- headings ---

for header in HEADERS:
    rest = [other for other in HEADERS if other != header]
    case(
        f"no heading {header}",
        "header_missing",
        lambda rest=rest: roster_file([trainee_row(0)], headers=rest),
    )
    case(
        f"heading {header} twice",
        "header_doubled E1",
        lambda header=header: roster_file([trainee_row(0)], headers=[*HEADERS, header]),
    )
case(
    "an unknown heading",
    "header_unknown E1",
    lambda: roster_file([trainee_row(0)], headers=[*HEADERS, "序号"]),
)
case(
    "headings in English",
    "header_unknown A1",
    lambda: roster_file([trainee_row(0)], headers=["name", "id", "phone", "category"]),
)
case("no headings", "header_unknown A1", lambda: roster_file([], headers=list(trainee_row(0).values())))
case("headings padded", 1, lambda: edited(S, "姓名".encode(), " 姓\u200b名　".encode()))
case("headings in another order", 1, lambda: roster_file([trainee_row(0)], headers=HEADERS[::-1]))
for row in (2, 3, 5, 15):
    case(
        f"headings in row {row}",
        f"header_not_first {row}",
        lambda row=row: dressed(lambda s: s.insert_rows(1, row - 1)),
    )
case("headings in row 60", "header_not_first 60", lambda: dressed(lambda s: s.insert_rows(1, 59)))
case(
    "a title above the headings",
    "header_not_first 2",
    lambda: dressed(lambda s: (s.insert_rows(1), s.__setitem__("A1", "2026 年第 7 期花名册"))),
)
case("a heading as a formula", "header_unknown A1", lambda: edited(S, "姓名".encode(), "=姓名".encode()))
case("a note beside", "cell_outside F3", lambda: dressed(lambda s: s.__setitem__("F3", "退出")))
case(
    "60 columns", "sheet_too_wide", lambda: dressed(lambda s: [s.cell(1, n, f"列{n}") for n in range(5, 61)])
)
case(
    "16,384 columns",
    "sheet_too_wide",
    lambda: dressed(lambda s: [s.cell(1, n, f"列{n}") for n in range(5, 16_385)]),
)
for place in ("XFD2", "A1048576", "XFD1048576", "AP2"):
    case(
        f"a stray cell in {place}", "sheet_too_wide", lambda p=place: dressed(lambda s: s.__setitem__(p, "x"))
    )

# --- merged and hidden ---


def wide(first: str, last: str, width: str) -> bytes:
    """Columns of a width in characters."""
    at = {"min": ord(first) - 64, "max": ord(last) - 64}
    columns = f'<cols><col min="{at["min"]}" max="{at["max"]}" width="{width}" customWidth="1"/></cols>'
    return hand_made(row_with(), before=columns)


for area in ("D2:D4", "A2:B2", "A2:A3", "F9:G9", "B2:B1048576", "A1:D1", "A1:XFD1048576"):
    case(
        f"merged {area}",
        f"cells_merged {area.partition(':')[0]}",
        lambda area=area: hand_made(
            row_with(), after=f'<mergeCells count="1"><mergeCell ref="{area}"/></mergeCells>'
        ),
    )
case(
    "200,000 merged ranges",
    "cells_merged A9",
    lambda: hand_made(
        row_with(), after="<mergeCells>" + '<mergeCell ref="A9:B9"/>' * 200_000 + "</mergeCells>"
    ),
)
case("a hidden row", "row_hidden 3", lambda: dressed(lambda s: setattr(s.row_dimensions[3], "hidden", True)))
case(
    "a row of no height",
    "row_hidden 2",
    lambda: edited(S, b'<row r="2"', b'<row r="2" ht="0" customHeight="1"'),
)
for letter in "ABCD":
    case(
        f"hidden column {letter}",
        f"column_hidden {letter}1",
        lambda letter=letter: dressed(lambda s: setattr(s.column_dimensions[letter], "hidden", True)),
    )
    for width in ("0", "0.1", "NaN"):
        case(
            f"column {letter} of width {width}",
            f"column_hidden {letter}1",
            lambda letter=letter, width=width: wide(letter, letter, width),
        )
case("narrow columns", 1, lambda: wide("A", "D", "1.5"))
case("a column of no width beside", 1, lambda: wide("F", "I", "0"))
case(
    "a row of hardly any height",
    "row_hidden 2",
    lambda: edited(S, b'<row r="2"', b'<row r="2" ht="0.75" customHeight="1"'),
)
OTHER = inline("A", text="另一个人")
for name, rows in {
    "a cell that stands there twice": row_with(A=inline("A") + OTHER),
    "a cell that stands there twice, apart": row_with(D=inline("D") + OTHER),
    "a cell that stands there twice, once empty": row_with(A='<c r="A2"/>' + inline("A")),
    "a row that stands there twice": row_with() + row_with(A=OTHER),
    "a row that stands there twice, once empty": '<row r="2"/>' + row_with(),
    "the heading's row again": row_with() + f'<row r="1">{HEAD}</row>',
}.items():
    case(name, "file_not_xlsx", lambda rows=rows: hand_made(rows))
case("cells out of order", 1, lambda: hand_made(row_with(A=inline("B"), B=inline("A"))))
case(
    "a hidden column beside", 3, lambda: dressed(lambda s: setattr(s.column_dimensions["F"], "hidden", True))
)


def sheets(*states: Any) -> bytes:
    """Sheets in these states, the roster the first of them."""
    book = load_workbook(io.BytesIO(SOUND))
    for n, state in enumerate(states[1:]):
        book.create_sheet(f"其他{n}").append(["说明"])
        book.worksheets[n + 1].sheet_state = state
    book.worksheets[0].sheet_state = states[0]
    return saved(book)


case("the roster's sheet hidden", "header_unknown A1", lambda: sheets("hidden", "visible"))
case("the roster's sheet very hidden", "header_unknown A1", lambda: sheets("veryHidden", "visible"))
case("other sheets hidden", 1, lambda: sheets("visible", "hidden", "veryHidden"))
case(
    "every sheet hidden",
    "file_not_xlsx",
    lambda: edited(BOOK, b'state="visible"', b'state="hidden"'),
)

# --- many rows ---


@cache
def many(count: int, phone: str = "13900000000") -> bytes:
    """Distinct people, written once for all tests."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(SHEET)
    sheet.append(list(HEADERS))
    for n in range(count):
        born = datetime.date(1960 + n // 1000, 1 + n % 12, 1 + n % 28)
        number = made_up_id_number(n % 1000, region="410122", born=born).value
        row = trainee_row(0, id_number=number, phone=phone)
        sheet.append([row[header] for header in HEADERS])
    return saved(book)


case("a thousand rows", 1000, lambda: many(1000))
case(f"{MOST_ROWS} rows", MOST_ROWS, lambda: many(MOST_ROWS))
case(f"{MOST_ROWS} bad rows", "phone_form C2", lambda: many(MOST_ROWS, phone="1"))
case("10,001 rows", "too_many_rows", lambda: many(MOST_ROWS + 1))
case("20,000 rows", "too_many_rows", lambda: many(20_000))
case("headings alone", "roster_empty", lambda: roster_file([]))
case("an empty workbook", "header_missing", lambda: saved(Workbook()))
case(
    "5,000 formatted empty rows",
    3,
    lambda: dressed(lambda s: [s.cell(n, 2).__setattr__("number_format", "@") for n in range(5, 5005)]),
)
case("empty rows between", 2, lambda: roster_file([trainee_row(0), {}, {}, trainee_row(1)]))
case("300,000 empty cells", 1, lambda: hand_made(row_with() + '<row r="3">' + "<c/>" * 300_000 + "</row>"))
case("200,000 empty rows", 1, lambda: hand_made(row_with() + "<row/>" * 200_000))

# --- other files ---

for name, content in {
    "nothing": (b"", "file_empty"),
    "CSV": ("姓名,身份证号\n王小满,1\n".encode(), "file_not_xlsx"),
    "CSV with a mark": ("\ufeff姓名,身份证号\n".encode(), "file_not_xlsx"),
    "CSV in GBK": ("姓名,身份证号\n王小满,1\n".encode("gbk"), "file_not_xlsx"),
    "CSV in UTF-16": ("姓名,身份证号\n王小满,1\n".encode("utf-16"), "file_not_xlsx"),
    "a web page": (b"<html><table><tr><td>x</td></tr></table></html>", "file_not_xlsx"),
    "a web page with a mark": (b"\xef\xbb\xbf\r\n<!DOCTYPE html><html></html>", "file_not_xlsx"),
    "XML of 2003": (
        b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
        "file_not_xlsx",
    ),
    "an old .xls": (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4096), "file_not_xlsx"),
    "a password": (
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2048) + "EncryptedPackage".encode("utf-16-le") + bytes(512),
        "file_encrypted",
    ),
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(100), "file_not_xlsx"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "file_not_xlsx"),
    "a program": (b"MZ\x90\x00" + bytes(400), "file_not_xlsx"),
    "JSON": (b'[{"name": "x"}]', "file_not_xlsx"),
    "zeros": (bytes(10_000), "file_not_xlsx"),
    "PK and zeros": (b"PK\x03\x04" + bytes(64), "file_not_xlsx"),
    "an empty zip": (packed({}), "file_not_xlsx"),
    "a Word file": (
        packed({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"}),
        "file_not_xlsx",
    ),
    "an OpenDocument": (
        packed({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<o/>"}),
        "file_not_xlsx",
    ),
    "a binary workbook": (
        packed({"[Content_Types].xml": b"<Types/>", "xl/workbook.bin": b"\x00"}),
        "file_not_xlsx",
    ),
    "junk before": (b"junk" + SOUND, "file_not_xlsx"),
    "too much": (SOUND + bytes(MOST_BYTES), "file_too_large"),
}.items():
    case(f"file: {name}", content[1], lambda data=content[0]: data)
for share in range(1, 10):
    case(f"cut after {share}0 %", "file_not_xlsx", lambda share=share: SOUND[: len(SOUND) * share // 10])
case(
    "one byte of the rows changed",
    "file_not_xlsx",
    lambda: packed(parts_of(SOUND) | {S: parts_of(SOUND)[S].replace(b"</row>", b"</rxw>", 1)}),
)

# --- macros, links, bombs ---

CONTENT_TYPES = "[Content_Types].xml"
MACROS = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
for name, part in {
    "a VBA project": "xl/vbaProject.bin",
    "a VBA project elsewhere": "xl/VBAPROJECT.BIN",
    "ActiveX": "xl/activeX/activeX1.xml",
    "an embedded object": "xl/embeddings/oleObject1.bin",
    "a macro sheet": "xl/macrosheets/sheet1.xml",
}.items():
    case(f"with {name}", "file_has_macros", lambda part=part: with_parts(parts={part: b"x"}))
case(
    ".xlsm renamed",
    "file_has_macros",
    lambda: edited(
        CONTENT_TYPES,
        b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
        MACROS,
    ),
)
case(
    "links to another file",
    "file_has_links",
    lambda: with_parts(parts={"xl/externalLinks/externalLink1.xml": b"<a/>"}),
)
case(
    "a sheet of 50 MB of spaces",
    "file_too_large",
    lambda: with_parts(parts={S: b"<a>" + b" " * 50_000_000 + b"</a>"}),
)
case(
    "strings of 50 MB",
    "file_too_large",
    lambda: with_parts(parts={STRINGS: b"<sst>" + b"<si/>" * 10_000_000 + b"</sst>"}),
)
case(
    "a picture of 50 MB",
    "file_too_large",
    lambda: with_parts(parts={"xl/media/image1.png": bytes(50_000_000)}),
)
case(
    "1,000 files inside",
    "file_too_large",
    lambda: with_parts(parts={f"xl/media/{n}.png": b"x" for n in range(1000)}),
)
case(
    "a zip inside a zip inside a zip",
    1,
    lambda: with_parts(
        parts={"xl/media/image1.png": packed({"a": packed({"b": packed({"c": bytes(1_000_000)})})})}
    ),
)
case("a printer's settings", 1, lambda: with_parts(parts={"xl/printerSettings/printerSettings1.bin": b"x"}))
case("names that climb out", 1, lambda: with_parts(parts={"../../../../tmp/x": b"x", "/etc/passwd": b"x"}))


def lying() -> bytes:
    """A part that says it unpacks to ten bytes and unpacks to fifty million."""
    content = bytearray(with_parts(parts={S: b" " * 15_000_000}))
    size = (15_000_000).to_bytes(4, "little")
    while (at := content.find(size)) >= 0:
        content[at : at + 4] = (10).to_bytes(4, "little")
    return bytes(content)


def flagged() -> bytes:
    """A part that says it is encrypted."""
    content = bytearray(SOUND)
    at = content.find(b"PK\x01\x02")
    content[at + 8] |= 1
    return bytes(content)


case("a part that lies about its size", "file_not_xlsx", lying)
case("a part that says it is encrypted", "file_not_xlsx", flagged)
case("packed by bzip2", "file_not_xlsx", lambda: packed(parts_of(SOUND), zipfile.ZIP_BZIP2))
case("packed by LZMA", "file_not_xlsx", lambda: packed(parts_of(SOUND), zipfile.ZIP_LZMA))
case("not packed at all", 1, lambda: packed(parts_of(SOUND), zipfile.ZIP_STORED))


def doubled_part() -> bytes:
    import warnings

    out = io.BytesIO(SOUND)
    with warnings.catch_warnings(), zipfile.ZipFile(out, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr(S, sheet_xml(row_with(A=inline("A", text="另一个人"))))
    return out.getvalue()


case("a sheet that stands there twice", "file_not_xlsx", doubled_part)

# --- XML ---

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
DOCTYPES = {
    "a file of the machine": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
    "an address": '<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:1/">]>',
    "a foreign DTD": '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">',
    "a parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>',
    "a billion laughs": f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}<!ENTITY e "&l9;">]>',
    "a quadratic blow-up": f'<!DOCTYPE x [<!ENTITY e "{"a" * 100_000}">]>',
}
for name, doctype in DOCTYPES.items():
    case(
        f"the sheet asks for {name}",
        "file_not_xlsx",
        lambda doctype=doctype: hand_made(row_with(A=inline("A", text="&e;" * 100)), doctype=doctype),
    )
for part in (BOOK, STYLES, RELS):
    case(
        f"{part} laughs",
        "file_not_xlsx",
        lambda part=part: with_parts(
            parts={
                part: parts_of(SOUND)[part].replace(b"?>", b"?>" + DOCTYPES["a billion laughs"].encode(), 1)
                if b"?>" in parts_of(SOUND)[part]
                else DOCTYPES["a billion laughs"].encode() + parts_of(SOUND)[part]
            }
        ),
    )
    case(f"{part} broken", "file_not_xlsx", lambda part=part: with_parts(parts={part: b"<broken"}))
case("the sheet broken", "file_not_xlsx", lambda: with_parts(parts={S: b"<worksheet><sheetData><row"}))
case(
    "the sheet in UTF-16",
    1,
    lambda: with_parts(parts={S: sheet_xml(row_with()).decode().replace("UTF-8", "UTF-16").encode("utf-16")}),
)
case(
    "the sheet in GBK",
    "file_not_xlsx",
    lambda: with_parts(parts={S: sheet_xml(row_with()).decode().replace("UTF-8", "GBK").encode("gbk")}),
)
case("bytes that are no UTF-8", "file_not_xlsx", lambda: edited(S, "姓名".encode(), b"\xff\xfe\xfa"))
case("100,000 elements deep", "file_not_xlsx", lambda: hand_made("<a>" * 100_000))
case(
    "10,000 attributes",
    1,
    lambda: hand_made(
        row_with().replace('<row r="2"', '<row r="2" ' + " ".join(f'a{n}="1"' for n in range(10_000)))
    ),
)
case(
    "an attribute of a megabyte",
    1,
    lambda: hand_made(row_with().replace('<row r="2"', f'<row r="2" a="{"x" * 1_000_000}"')),
)
case(
    "comments and CDATA",
    1,
    lambda: hand_made(row_with(A='<c r="A2" t="inlineStr"><is><t><!-- x -->王<![CDATA[小满]]></t></is></c>')),
)
case(
    "prefixed names",
    1,
    lambda: with_parts(
        parts={
            S: sheet_xml(row_with())
            .replace(b"<worksheet xmlns=", b"<x:worksheet xmlns:x=")
            .replace(b"</worksheet", b"</x:worksheet")
            .replace(b"<sheetData", b"<x:sheetData")
            .replace(b"</sheetData", b"</x:sheetData")
            .replace(b"<row", b"<x:row")
            .replace(b"</row", b"</x:row")
            .replace(b"<c ", b"<x:c ")
            .replace(b"</c>", b"</x:c>")
            .replace(b"<is>", b"<x:is>")
            .replace(b"</is>", b"</x:is>")
            .replace(b"<t>", b"<x:t>")
            .replace(b"</t>", b"</x:t>")
        }
    ),
)
case(
    "the strict namespace",
    1,
    lambda: edited(
        S,
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        b"http://purl.oclc.org/ooxml/spreadsheetml/main",
    ),
)
case("rows without numbers", 1, lambda: hand_made(row_with().replace(' r="2"', "")))
case(
    "cells without references",
    1,
    lambda: hand_made("<row>" + "".join(inline(c).replace(f' r="{c}2"', "") for c in "ABCD") + "</row>"),
)
for name, reference in {
    "of another row": "A9",
    "beyond Z": "AAAA2",
    "of no row": "A",
    "of nothing": "!!",
}.items():
    case(
        f"a cell's reference {name}",
        "file_not_xlsx",
        lambda r=reference: hand_made(row_with(A=inline("A").replace("A2", r, 1))),
    )
case(
    "a row's number is a word",
    "file_not_xlsx",
    lambda: hand_made(row_with().replace('<row r="2"', '<row r="two"')),
)
case(
    "rows in the wrong order",
    2,
    lambda: hand_made(
        '<row r="5">'
        + "".join(inline(c, 5) for c in "ABCD")
        + "</row>"
        + '<row r="3">'
        + "".join(inline(c, 3, trainee_row(1)[h]) for c, h in zip("ABCD", HEADERS, strict=True))
        + "</row>"
    ),
)

# --- strings and styles ---


def shared(strings: bytes | None, cell: str = '<c r="A2" t="s"><v>0</v></c>') -> bytes:
    """A name in the shared strings."""
    parts = parts_of(SOUND) | {S: sheet_xml(row_with(A=cell))}
    parts.pop(STRINGS, None)
    if strings is not None:
        parts[STRINGS] = strings
        if b"sharedStrings" not in parts[RELS]:
            relation = (
                b'<Relationship Id="rId99" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/'
                b'sharedStrings" Target="sharedStrings.xml"/></Relationships>'
            )
            parts[RELS] = parts[RELS].replace(b"</Relationships>", relation)
    return packed(parts)


def sst(inside: str, doctype: str = "") -> bytes:
    return f'<?xml version="1.0"?>{doctype}<sst>{inside}</sst>'.encode()


case("a shared string", 1, lambda: shared(sst("<si><t>王小满</t></si>")))
case("rich text", 1, lambda: shared(sst("<si><r><rPr><b/></rPr><t>王</t></r><r><t>小满</t></r></si>")))
case("a phonetic guide", 1, lambda: shared(sst("<si><t>王小满</t><rPh sb='0' eb='1'><t>wáng</t></rPh></si>")))
case(
    "inline rich text",
    1,
    lambda: hand_made(
        row_with(
            A='<c r="A2" t="inlineStr"><is><r><t>王</t></r><r><t>小满</t></r><rPh><t>123</t></rPh></is></c>'
        )
    ),
)
case("text as an answer", 1, lambda: hand_made(row_with(A='<c r="A2" t="str"><v>王小满</v></c>')))
case("escapes", 1, lambda: hand_made(row_with(A=inline("A", text="王_x000D_小_x0007_满"))))
case("escaped halves of a character", 1, lambda: hand_made(row_with(A=inline("A", text="王_xD800_小满"))))
case("shared strings missing", "file_not_xlsx", lambda: shared(None))
case(
    "a shared string out of range",
    "file_not_xlsx",
    lambda: shared(sst("<si><t>x</t></si>"), '<c r="A2" t="s"><v>7</v></c>'),
)
case(
    "a shared string of number -1",
    "file_not_xlsx",
    lambda: shared(sst("<si><t>x</t></si>"), '<c r="A2" t="s"><v>-1</v></c>'),
)
case(
    "a shared string of no number",
    "file_not_xlsx",
    lambda: shared(sst("<si><t>x</t></si>"), '<c r="A2" t="s"><v>x</v></c>'),
)
case(
    "shared strings that laugh",
    "file_not_xlsx",
    lambda: shared(sst("<si><t>&e;</t></si>", DOCTYPES["a billion laughs"])),
)
case("a million empty strings", 1, lambda: shared(sst("<si><t>王小满</t></si>" + "<si/>" * 1_000_000)))
case("no styles", 1, lambda: with_parts(without=[STYLES]))
case("a style that is not there", 1, lambda: edited(S, b'<row r="2"', b'<row s="9999" r="2"'))
case("no sheet behind the name", "file_not_xlsx", lambda: with_parts(without=[S]))
case("no relations", "file_not_xlsx", lambda: with_parts(without=[RELS]))
case("no content types", "file_not_xlsx", lambda: with_parts(without=[CONTENT_TYPES]))
case(
    "a workbook of no sheets",
    "file_not_xlsx",
    lambda: with_parts(parts={BOOK: b"<workbook><sheets/></workbook>"}),
)
case(
    "the sheet behind an address",
    "file_not_xlsx",
    lambda: edited(RELS, b"/xl/worksheets/sheet1.xml", b"http://127.0.0.1:1/x.xml"),
)
case(
    "the sheet behind a climb",
    "file_not_xlsx",
    lambda: edited(RELS, b"/xl/worksheets/sheet1.xml", b"../../../../etc/passwd"),
)
