"""A roster file as a school would send it, filled with made-up people."""

import io
from collections.abc import Sequence

from openpyxl import Workbook

from classes.rosters import CATEGORY, HEADERS, ID_NUMBER, NAME, PHONE, SHEET
from config.demo.cast import TRAINEES, made_up_id_number
from policy.terms import TraineeCategory

SURNAMES = "张王李赵刘陈杨黄周吴徐孙胡朱高林何郭马罗"
COUNTIES = ("410122", "410181", "410182", "410183", "410184")
GIVEN = [
    "国栋",
    "秀兰",
    "建设",
    "玉芬",
    "保国",
    "桂芳",
    "新民",
    "春梅",
    "长顺",
    "爱玲",
    "红军",
    "金凤",
    "铁山",
    "素云",
    "志刚",
    "巧珍",
    "文斌",
    "喜梅",
    "德厚",
    "香莲",
]


def people(count: int, *, first: int = 0) -> list[tuple[str, str, str]]:
    """(name, ID number, phone) of `count` made-up trainees; numbers 0 to 29 are the cast's."""
    found = []
    for serial in range(first, first + count):
        cast_member = serial < len(TRAINEES)
        name = (
            TRAINEES[serial]
            if cast_member
            else SURNAMES[serial % 20] + GIVEN[(serial * 7 + serial // 20) % 20]
        )
        region = "410105" if cast_member else COUNTIES[serial // 100 % len(COUNTIES)]
        found.append((name, made_up_id_number(serial, region=region).value, f"138{serial:08d}"))
    return found


def roster_file(rows: Sequence[tuple[str, str, str]]) -> bytes:
    """The rows in the template's columns, categories taking turns."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = SHEET
    sheet.append(HEADERS)
    categories = list(TraineeCategory)
    for n, (name, id_number, phone) in enumerate(rows):
        values = {NAME: name, ID_NUMBER: id_number, PHONE: phone, CATEGORY: categories[(n + 3) % 5].label}
        sheet.append([values[header] for header in HEADERS])
        for cell in sheet[sheet.max_row]:
            cell.number_format = "@"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
