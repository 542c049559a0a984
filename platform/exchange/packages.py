"""Packages as data: kinds, sheets and typed columns. Knows no file format and no app.

Everything else derives from a kind: what the adapter writes and checks, the data dictionary inside each
package (数据字典), the tables of docs/exchange-format.md, and the digest of each sheet. Names and meanings
are Chinese whoever asks: the files are documents for offices.
"""

import datetime
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from policy.messages import gettext_noop
from policy.refusals import Refusal

FORMAT = "yuchuang-exchange-2"
LEGAL_ZONE = ZoneInfo("Asia/Shanghai")
# What a cell of a spreadsheet can hold without losing anything.
MOST_CHARACTERS = 32_000
MOST_DIGITS = 15
MOST_ROWS = 1_000_000

DICTIONARY, MANIFEST = "数据字典", "校验"

Value = str | int | Decimal | datetime.date | None
_UNCLEAN = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]|^\\s|\\s$")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_ID_NUMBER = re.compile(r"[1-9][0-9]{16}[0-9X]", re.ASCII)
_MOST = 10**MOST_DIGITS
_PHONE = re.compile(r"\+?[0-9-]{5,20}", re.ASCII)


class ColumnType(StrEnum):
    """What a column holds. The labels stand in the data dictionary."""

    TEXT = "text"
    ID_NUMBER = "id_number"
    PHONE = "phone"
    DATE = "date"
    DATETIME = "datetime"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"

    @property
    def label(self) -> str:
        return _LABELS[self][0]

    @property
    def stored(self) -> str:
        """How a cell holds it, in words."""
        return _LABELS[self][1]

    @property
    def is_text(self) -> bool:
        """Whether cells hold text: numbers of people and phones would lose digits as numbers."""
        return self in (ColumnType.TEXT, ColumnType.ID_NUMBER, ColumnType.PHONE)


_LABELS = {
    ColumnType.TEXT: ("文本", "文本"),
    ColumnType.ID_NUMBER: ("身份证号", "文本，18 位，末位可以是 X"),
    ColumnType.PHONE: ("电话", "文本"),
    ColumnType.DATE: ("日期", "日期，yyyy-mm-dd"),
    ColumnType.DATETIME: ("日期时间", "日期，yyyy-mm-dd hh:mm:ss，北京时间"),
    ColumnType.INTEGER: ("整数", "数字"),
    ColumnType.DECIMAL: ("小数", "数字，最多 6 位小数"),
    ColumnType.MONEY: ("金额", "数字，元，2 位小数"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its header, what it holds, and what that means to who reads the file."""

    name: str
    type: ColumnType
    meaning: str
    required: bool = True
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    name: str
    meaning: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class PackageKind:
    """One kind of file that is exchanged. `name` is stable and for programs."""

    name: str
    title: str
    direction: str
    sheets: tuple[Sheet, ...]

    def sheet(self, name: str) -> Sheet:
        return next(sheet for sheet in self.sheets if sheet.name == name)


@dataclass(frozen=True, slots=True)
class SheetDigest:
    """How many rows a sheet has, and the SHA-256 of its canonical content."""

    name: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a package is and holds; the same goes into the package itself, without `file`."""

    kind: str
    reference: str
    made_at: datetime.datetime
    sheets: tuple[SheetDigest, ...]
    file_sha256: str = ""
    file_bytes: int = 0

    def as_json(self) -> dict[str, Any]:
        """The manifest file that goes with a package."""
        return {
            "format": FORMAT,
            "kind": self.kind,
            "reference": self.reference,
            "made_at": self.made_at.astimezone(LEGAL_ZONE).isoformat(),
            "file": {"sha256": self.file_sha256, "bytes": self.file_bytes},
            "sheets": [{"name": s.name, "rows": s.rows, "sha256": s.sha256} for s in self.sheets],
        }


# --- the kinds ---

_kinds: dict[str, PackageKind] = {}


def register(*kinds: PackageKind) -> None:
    """Make kinds known; call it from `AppConfig.ready()`."""
    for kind in kinds:
        names = [sheet.name for sheet in kind.sheets]
        if len(set(names)) < len(names) or {DICTIONARY, MANIFEST} & set(names):
            raise ValueError(f"{kind.name}: every sheet needs a name of its own")
        for sheet in kind.sheets:
            headers = [column.name for column in sheet.columns]
            if len(set(headers)) < len(headers):
                raise ValueError(f"{kind.name}, {sheet.name}: a header stands twice")
        _kinds[kind.name] = kind


def kinds() -> list[PackageKind]:
    return [_kinds[name] for name in sorted(_kinds)]


def kind_named(name: str) -> PackageKind:
    return _kinds[name]


# --- what is derived from a kind ---

_T = ColumnType.TEXT
DICTIONARY_SHEET = Sheet(
    DICTIONARY,
    "每张工作表每一列的含义",
    (
        Column("工作表", _T, "工作表的名字"),
        Column("列", _T, "Excel 里的列号"),
        Column("名称", _T, "第 1 行写的名称"),
        Column("类型", _T, "这一列的数据类型"),
        Column("存成", _T, "单元格里怎么存"),
        Column("必填", _T, "是或否"),
        Column("可填", _T, "只能填其中之一", required=False),
        Column("含义", _T, "这一列说的是什么"),
    ),
)
MANIFEST_SHEET = Sheet(
    MANIFEST,
    "格式、编号，和每张工作表的行数与摘要",
    (
        Column("项目", _T, "格式、种类、编号、数据时间，或工作表的名字"),
        Column("内容", _T, "项目的值；工作表是行数"),
        Column("SHA-256", _T, "工作表内容的摘要", required=False),
    ),
)


def dictionary_rows(kind: PackageKind) -> list[tuple[str, ...]]:
    """The rows of the data dictionary."""
    return [
        (
            sheet.name,
            chr(ord("A") + index),
            column.name,
            column.type.label,
            column.type.stored,
            "是" if column.required else "否",
            "、".join(column.choices),
            column.meaning,
        )
        for sheet in kind.sheets
        for index, column in enumerate(sheet.columns)
    ]


def manifest_rows(manifest: Manifest) -> list[tuple[str, ...]]:
    """The rows of the manifest sheet."""
    return [
        ("格式", FORMAT, ""),
        ("种类", manifest.kind, ""),
        ("编号", manifest.reference, ""),
        ("数据时间", manifest.made_at.astimezone(LEGAL_ZONE).isoformat(), ""),
        *((sheet.name, str(sheet.rows), sheet.sha256) for sheet in manifest.sheets),
    ]


# --- values ---


def _number_text(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


# The one text that stands for a value in digests; text stands for itself.
_CANONICAL: Mapping[ColumnType, Callable[[Any], str]] = {
    ColumnType.DATE: datetime.date.isoformat,
    ColumnType.DATETIME: datetime.datetime.isoformat,
    ColumnType.INTEGER: str,
    ColumnType.DECIMAL: _number_text,
    ColumnType.MONEY: _number_text,
}


BATCH = 500
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class SheetHash:
    """SHA-256 over a sheet's canonical content: RFC 8785 JSON of its rows, the header first, each an array of
    canonical texts.
    """

    def __init__(self, sheet: Sheet) -> None:
        self.name, self.rows = sheet.name, 0
        self._digest, self._before = hashlib.sha256(), b"["
        self._waiting: list[Sequence[str]] = [[column.name for column in sheet.columns]]
        self._others = [
            (index, _CANONICAL[column.type])
            for index, column in enumerate(sheet.columns)
            if not column.type.is_text
        ]

    def row(self, values: Sequence[Value]) -> None:
        """Add a row of checked values."""
        texts: list[Any] = list(values)
        for index, canonical in self._others:
            if (value := texts[index]) is not None:
                texts[index] = canonical(value)
        self._waiting.append(["" if text is None else text for text in texts] if None in texts else texts)
        self.rows += 1
        if len(self._waiting) >= BATCH:
            self._hash()

    def result(self) -> SheetDigest:
        """The digest; nothing may be added afterwards."""
        self._hash()
        self._digest.update(b"]")
        return SheetDigest(self.name, self.rows, self._digest.hexdigest())

    def _hash(self) -> None:
        if self._waiting:
            # For arrays of strings this is RFC 8785's own form, from the C encoder.
            self._digest.update(self._before + _dumps(self._waiting)[1:-1].encode())
            self._before, self._waiting = b",", []


Check = Callable[[Any], Value]


def checked_rows(sheet: Sheet, rows: Iterable[Sequence[Value]]) -> Iterator[list[Any]]:
    """The rows in the form in which a package holds them.

    Raises Refusal `package_value` with sheet, row, column (500: what we hold is not fit to be sent).
    """
    checks = [_check_of(column) for column in sheet.columns]
    for number, row in enumerate(rows, start=1):
        if number > MOST_ROWS:
            raise _unfit(sheet, number, sheet.columns[0], gettext_noop("行数太多"))
        try:
            values = [check(value) for check, value in zip(checks, row, strict=True)]
        except _UnfitError:
            # Walked again, slowly, to say where.
            for column, check, value in zip(sheet.columns, checks, row, strict=True):
                try:
                    check(value)
                except _UnfitError as error:
                    raise _unfit(sheet, number, column, error.why) from None
            raise
        yield values


class _UnfitError(Exception):
    def __init__(self, why: str) -> None:
        self.why = why


def _unfit(sheet: Sheet, number: int, column: Column, why: str) -> Refusal:
    return Refusal(
        "package_value",
        gettext_noop("材料包的“%(sheet)s”第 %(row)s 行“%(column)s”不能写进去：%(why)s。"),
        found=why,
        required=column.name,
        rule="F8",
        params={"sheet": sheet.name, "row": number + 1, "column": column.name, "why": why},
        next_step=gettext_noop("请把这条信息告诉平台运营。"),
        status=500,
    )


def _check_of(column: Column) -> Check:
    check, choices, required = _CHECKS[column.type], column.choices, column.required

    def checked(value: Any) -> Value:
        held = None if value is None or value == "" else check(value)
        if held is None or held == "":
            if required:
                raise _UnfitError(gettext_noop("没有内容"))
            return None
        if choices and held not in choices:
            raise _UnfitError(gettext_noop("不在可填的范围里"))
        return held

    def plain_text(value: Any) -> Value:
        # Nearly every cell of a large package passes here.
        if (
            type(value) is str
            and 0 < len(value) <= MOST_CHARACTERS
            and value.isprintable()
            and value[0] != " " != value[-1]
        ):
            return value
        return checked(value)

    def plain_integer(value: Any) -> Value:
        return value if type(value) is int and -_MOST < value < _MOST else checked(value)

    def plain_date(value: Any) -> Value:
        return value if type(value) is datetime.date and value.year > 1900 else checked(value)

    def plain_id_number(value: Any) -> Value:
        return value if type(value) is str and _ID_NUMBER.fullmatch(value) else checked(value)

    def plain_phone(value: Any) -> Value:
        return value if type(value) is str and _PHONE.fullmatch(value) else checked(value)

    plain: Mapping[ColumnType, Check] = {
        ColumnType.TEXT: plain_text,
        ColumnType.INTEGER: plain_integer,
        ColumnType.DATE: plain_date,
        ColumnType.ID_NUMBER: plain_id_number,
        ColumnType.PHONE: plain_phone,
    }
    return checked if choices else plain.get(column.type, checked)


def clean_text(value: str) -> str:
    """Text without what a sheet cannot hold; lines end in \\n, nothing stands around it."""
    if _UNCLEAN.search(value):
        value = _CONTROL.sub("", value.replace("\r\n", "\n").replace("\r", "\n")).strip()
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _UnfitError(gettext_noop("不是文本"))
    text = clean_text(value)
    if len(text) > MOST_CHARACTERS:
        raise _UnfitError(gettext_noop("太长"))
    return text


def _id_number(value: Any) -> str:
    if not isinstance(value, str) or not _ID_NUMBER.fullmatch(value):
        raise _UnfitError(gettext_noop("不是 18 位身份证号"))
    return value


def _phone(value: Any) -> str:
    if not isinstance(value, str) or not _PHONE.fullmatch(value):
        raise _UnfitError(gettext_noop("不是电话号码"))
    return value


def _date(value: Any) -> datetime.date:
    if not isinstance(value, datetime.date) or isinstance(value, datetime.datetime) or value.year < 1901:
        raise _UnfitError(gettext_noop("不是日期"))
    return value


def _datetime(value: Any) -> datetime.datetime:
    """Cells have no zone: the wall clock of Henan, to the second."""
    if not isinstance(value, datetime.datetime) or value.tzinfo is None or value.year < 1901:
        raise _UnfitError(gettext_noop("不是带时区的时间"))
    return value.astimezone(LEGAL_ZONE).replace(tzinfo=None, microsecond=0)


def _integer(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= _MOST:
        raise _UnfitError(gettext_noop("不是 15 位以内的整数"))
    return value


def _decimal_to(places: int) -> Check:
    unit, most = Decimal(1).scaleb(-places), Decimal(10) ** (MOST_DIGITS - places)

    def check(value: Any) -> Decimal:
        if not isinstance(value, Decimal | int) or isinstance(value, bool):
            raise _UnfitError(gettext_noop("不是小数"))
        number = Decimal(value)
        if not number.is_finite() or abs(number) >= most:
            raise _UnfitError(gettext_noop("数字太大"))
        cut = number.quantize(unit)
        if cut != number:
            raise _UnfitError(gettext_noop("小数位太多"))
        return cut

    return check


_CHECKS: Mapping[ColumnType, Check] = {
    ColumnType.TEXT: _text,
    ColumnType.ID_NUMBER: _id_number,
    ColumnType.PHONE: _phone,
    ColumnType.DATE: _date,
    ColumnType.DATETIME: _datetime,
    ColumnType.INTEGER: _integer,
    ColumnType.DECIMAL: _decimal_to(6),
    ColumnType.MONEY: _decimal_to(2),
}
