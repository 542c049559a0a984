"""The package of an approved filing for the provincial system: one .xlsx with four sheets.

班级 the class, 花名册 the trainees with their ID numbers in full (as text), 课表 the timetable, 校验
how many rows each sheet has and the SHA-256 of its canonical content, so that whoever reads it back can
tell that nothing was changed.
"""

import datetime
import hashlib
import io
from collections.abc import Sequence

import rfc8785
from django.utils import timezone
from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from classes.models import Filing
from classes.queries import roster_of
from policy.terms import HourKind, Mode, TraineeCategory, course_type_name

FORMAT = "yuchuang-filing-1"


def package_workbook(filing: Filing) -> bytes:
    """Return the .xlsx of an approved filing. Documents for offices stay Chinese, whoever asks."""
    sheets: list[tuple[str, Sequence[str], list[list[str]]]] = [
        ("班级", ("项目", "内容"), _class_rows(filing)),
        ("花名册", ("序号", "姓名", "身份证号", "手机号", "学员类别"), _roster_rows(filing)),
        ("课表", ("序号", "开始", "结束", "课时类别", "课时", "内容"), _timetable_rows(filing)),
    ]
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    workbook.properties.creator = "豫创"
    workbook.properties.created = workbook.properties.modified = timezone.make_naive(
        filing.decided_at or filing.submitted_at, datetime.UTC
    )
    for title, head, rows in sheets:
        _write(workbook.create_sheet(title), head, rows)
    proof = [["格式", FORMAT, ""]] + [
        [title, str(len(rows)), _digest(head, rows)] for title, head, rows in sheets
    ]
    _write(workbook.create_sheet("校验"), ("工作表", "行数", "SHA-256"), proof)
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def _class_rows(filing: Filing) -> list[list[str]]:
    filed = filing.snapshot
    staff = {role: person["name"] if person else "" for role, person in filed["staff"].items()}
    return [
        ["备案编号", filing.number],
        ["机构名称", filed["institution"]["name"]],
        ["统一社会信用代码", filed["institution"]["credit_code"]],
        ["班级名称", filed["class"]["name"]],
        ["课程", filed["course"]["name"]],
        ["培训类型", str(course_type_name(filed["course"]["course_type"]))],
        ["培训模式", str(Mode(filed["class"]["mode"]).label)],
        ["开班日期", filed["class"]["starts_on"]],
        ["结班日期", filed["class"]["ends_on"]],
        ["讲师", staff["lecturer"]],
        ["助教", staff["assistant"]],
        ["学员人数", str(len(filed["roster"]))],
        ["总课时", filed["total"]],
        *[[f"其中：{HourKind(kind).label}", hours] for kind, hours in filed["hours"].items()],
        ["政策版本", filed["class"]["edition"]],
        ["提交时间", _moment(filing.submitted_at.isoformat())],
        ["同意时间", _moment(filing.decided_at.isoformat()) if filing.decided_at else ""],
    ]


def _roster_rows(filing: Filing) -> list[list[str]]:
    return [
        [
            str(number),
            enrolment.person.name,
            enrolment.person.open_id_number(),
            enrolment.person.open_phone(),
            str(TraineeCategory(enrolment.category).label),
        ]
        for number, enrolment in enumerate(roster_of(filing.training_class), start=1)
    ]


def _timetable_rows(filing: Filing) -> list[list[str]]:
    return [
        [
            str(number),
            _moment(lesson["starts_at"]),
            _moment(lesson["ends_at"]),
            str(HourKind(lesson["kind"]).label),
            lesson["hours"],
            lesson["title"],
        ]
        for number, lesson in enumerate(filing.snapshot["timetable"], start=1)
    ]


def _moment(iso: str) -> str:
    moment = datetime.datetime.fromisoformat(iso)
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M:%S")


def _digest(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return hashlib.sha256(rfc8785.dumps([list(head), *[list(row) for row in rows]])).hexdigest()


def _write(sheet: Worksheet, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Everything is written as text: an ID number must never become a number."""
    for column, title in enumerate(head, start=1):
        cell = sheet.cell(1, column, title)
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="E9F0F7")
    for row, values in enumerate(rows, start=2):
        for column, value in enumerate(values, start=1):
            text = sheet.cell(row, column, ILLEGAL_CHARACTERS_RE.sub("", value))
            if isinstance(text, Cell):
                text.data_type = "s"  # also what looks like a formula or a number
            text.number_format = "@"
            text.alignment = Alignment(wrap_text=column == len(values), vertical="top")
    for column, title in enumerate(head, start=1):
        longest = max([len(title), *(len(row[column - 1]) for row in rows)])
        sheet.column_dimensions[get_column_letter(column)].width = min(8 + longest * 1.6, 60)
    sheet.freeze_panes = "A2"
