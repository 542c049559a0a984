"""Packages: what is written is read back equal, the same content is the same file, nothing slips through."""

import datetime
import hashlib
import io
import json
import shutil
import subprocess
import zipfile
from decimal import Decimal
from typing import Any

import pytest
import rfc8785
from openpyxl import load_workbook

from exchange.gateway import gateway
from exchange.packages import FORMAT, ColumnType, Manifest
from policy.refusals import Refusal
from tests.exchange.conftest import AT


def written(kind, rows, **changes: Any) -> tuple[bytes, Manifest]:
    stream = io.BytesIO()
    sheets = {"明细": rows, "空表": []}
    options: dict[str, Any] = {"reference": "YC-1", "made_at": AT} | changes
    manifest = gateway().write_package(kind, sheets, stream, **options)
    return stream.getvalue(), manifest


def as_read(row):
    """What a row is after the journey: moments by the wall clock of Henan, to the second."""
    return [
        value.astimezone(datetime.timezone(datetime.timedelta(hours=8))).replace(tzinfo=None, microsecond=0)
        if isinstance(value, datetime.datetime)
        else value
        for value in row
    ]


def test_a_package_is_read_back_equal(kind, rows):
    content, manifest = written(kind, rows)
    read = gateway().read_receipt(kind, content)
    assert read.all_faults == []
    assert [list(row.values.values()) for row in read.rows["明细"]] == [as_read(row) for row in rows]
    assert [row.number for row in read.rows["明细"]] == [2, 3]
    assert read.rows["空表"] == ()
    assert read.digests == manifest.sheets == read.claimed


def test_the_same_content_is_the_same_file_and_another_row_another(kind, rows):
    first, manifest = written(kind, rows)
    again, same = written(kind, rows)
    assert first == again
    assert manifest == same
    assert manifest.file_sha256 == hashlib.sha256(first).hexdigest()
    assert manifest.file_bytes == len(first)
    rows[0][5] = 13
    other, changed = written(kind, rows)
    assert changed.sheets[0].sha256 != manifest.sheets[0].sha256
    assert changed.sheets[1] == manifest.sheets[1]
    assert other != first


def test_cells_hold_numbers_of_people_as_text_and_dates_as_dates(kind, rows):
    content, _manifest = written(kind, rows)
    sheet = load_workbook(io.BytesIO(content))["明细"]
    held = [(cell.data_type, cell.number_format) for cell in sheet[2]][:8]
    assert held == [
        ("s", "@"),
        ("s", "@"),
        ("s", "@"),
        ("d", "yyyy-mm-dd"),
        ("d", "yyyy-mm-dd hh:mm:ss"),
        ("n", "0"),
        ("n", "0.######"),
        ("n", "#,##0.00"),
    ]
    assert sheet["A2"].value == "=1+1"
    assert sheet["A1"].font.bold
    assert sheet.freeze_panes == "A2"


def test_the_digest_is_rfc_8785_of_the_rows(kind, rows):
    _content, manifest = written(kind, rows)
    texts = [
        [column.name for column in kind.sheets[0].columns],
        [
            "=1+1",
            "41012219800506900X",
            "13900000001",
            "2026-09-24",
            "2026-09-24T08:30:05",
            "12",
            "88.71",
            "5400",
            "",
        ],
        [
            rows[1][0],
            "410122198005069006",
            "0371-60000097",
            "1950-01-01",
            "2026-02-28T23:59:59",
            "0",
            "0.000001",
            "0.05",
            "00123",
        ],
    ]
    assert manifest.sheets[0].sha256 == hashlib.sha256(rfc8785.dumps(texts)).hexdigest()
    assert manifest.sheets[1].sha256 == hashlib.sha256(rfc8785.dumps([["名称"]])).hexdigest()


def test_a_batch_boundary_does_not_show_in_the_digest(kind, rows):
    many = [[*rows[0][:5], n, *rows[0][6:]] for n in range(1100)]
    content, manifest = written(kind, many)
    assert manifest.sheets[0].rows == 1100
    assert gateway().read_receipt(kind, content).digests == manifest.sheets


def test_the_package_explains_itself(kind, rows):
    content, manifest = written(kind, rows)
    book = load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["明细", "空表", "数据字典", "校验"]
    dictionary = [[cell.value for cell in row] for row in book["数据字典"].iter_rows(min_row=2)]
    assert [row[:3] for row in dictionary] == [
        *(["明细", chr(65 + n), f"列{held.value}"] for n, held in enumerate(ColumnType)),
        ["明细", "I", "备注"],
        ["空表", "A", "名称"],
    ]
    assert [row[5] for row in dictionary] == ["是"] * 8 + ["否", "是"]
    proof = [[cell.value for cell in row] for row in book["校验"].iter_rows(min_row=2)]
    assert proof == [
        ["格式", FORMAT, None],
        ["种类", "trial", None],
        ["编号", "YC-1", None],
        ["数据时间", "2026-09-24T08:30:05.123456+08:00", None],
        ["明细", "2", manifest.sheets[0].sha256],
        ["空表", "0", manifest.sheets[1].sha256],
    ]
    assert book.properties.created == datetime.datetime(2026, 9, 24, 0, 30, 5)  # noqa: DTZ001  as the file holds it
    assert json.loads(json.dumps(manifest.as_json()))["file"]["sha256"] == manifest.file_sha256


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (0, None),
        (0, " "),
        (0, 1),
        (0, "字" * 40_000),
        (1, "410122198005069"),
        (1, "41012219800506900x"),
        (1, 410122198005069006),
        (2, "手机"),
        (3, AT),
        (3, "2026-09-24"),
        (4, datetime.datetime(2026, 9, 24)),  # noqa: DTZ001
        (4, datetime.date(2026, 9, 24)),
        (5, True),
        (5, 10**15),
        (6, Decimal("0.0000001")),
        (6, 0.5),
        (7, Decimal("0.005")),
        (7, Decimal("NaN")),
    ],
)
def test_a_value_that_is_not_of_its_type_is_never_written(kind, rows, column, value):
    rows[1][column] = value
    with pytest.raises(Refusal) as refused:
        written(kind, rows)
    assert refused.value.code == "package_value"
    assert refused.value.params["row"] == 3
    assert refused.value.params["column"] == kind.sheets[0].columns[column].name


def test_what_a_sheet_cannot_hold_is_taken_out_of_texts(kind, rows):
    rows[0][0] = " \x00甲\x0b乙\r\n丙\ud800 "
    content, _manifest = written(kind, rows)
    assert gateway().read_receipt(kind, content).rows["明细"][0].values["列text"] == "甲乙\n丙"


def test_progress_is_told_up_to_the_last_row(kind, rows):
    heard: list[int] = []
    written(kind, [rows[0]] * 2500, progress=heard.append)
    assert heard == [1000, 2000, 2500]


# --- what comes in ---


def edited(content: bytes, edit) -> bytes:
    book = load_workbook(io.BytesIO(content))
    edit(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def faults_after(kind, rows, edit) -> list[tuple[str, int | None, str, str]]:
    content, _manifest = written(kind, rows)
    read = gateway().read_receipt(kind, edited(content, edit))
    return [(fault.sheet, fault.row, fault.column, fault.refusal.code) for fault in read.all_faults]


def put(place, value):
    def edit(book):
        book["明细"][place] = value

    return edit


@pytest.mark.parametrize(
    ("place", "value", "code"),
    [
        ("B2", 410122198005069006, "cell_not_text"),
        ("A2", None, "value_missing"),
        ("A3", "=1+1", "cell_formula"),
        ("C2", "#N/A", "cell_error"),
        ("D2", "2026-09-24", "cell_not_date"),
        ("D2", datetime.datetime(2026, 9, 24, 1), "cell_not_date"),  # noqa: DTZ001
        ("D2", 46289, None),  # the cell is still formatted as a date, which is what makes it one
        ("F2", "12", "cell_not_number"),
        ("F2", 1.5, "cell_not_number"),
        ("H2", 0.005, "cell_not_number"),
        ("H3", 1e15, "cell_not_number"),
        ("K2", "旁注", "cell_outside"),
        ("A1", "别的", "header_unknown"),
    ],
)
def test_a_wrong_cell_is_told_with_its_place(kind, rows, place, value, code):
    told = [
        (f"{column}{row}", code) for _sheet, row, column, code in faults_after(kind, rows, put(place, value))
    ]
    assert told[:1] == ([(place, code)] if code else [])


def test_a_missing_sheet_is_told(kind, rows):
    def edit(book):
        del book["空表"]

    assert faults_after(kind, rows, edit) == [("空表", None, "", "sheet_missing")]


def test_hidden_and_merged_parts_are_told(kind, rows):
    def edit(book):
        sheet = book["明细"]
        sheet.row_dimensions[3].hidden = True
        sheet.column_dimensions["B"].hidden = True
        sheet.merge_cells("J5:J9")
        book["空表"].sheet_state = "hidden"

    assert {code for _sheet, _row, _column, code in faults_after(kind, rows, edit)} == {
        "row_hidden",
        "column_hidden",
        "cells_merged",
        "sheet_missing",
    }


def test_a_changed_cell_shows_against_the_manifest(kind, rows):
    content, _manifest = written(kind, rows)
    read = gateway().read_receipt(kind, edited(content, put("I3", "00124")))
    assert read.all_faults == []
    assert [mine == theirs for mine, theirs in zip(read.digests, read.claimed, strict=True)] == [False, True]


@pytest.mark.skipif(not shutil.which("soffice"), reason="needs LibreOffice Calc (soffice)")
def test_a_package_survives_libreoffice(kind, rows, tmp_path):
    content, manifest = written(kind, rows)
    (tmp_path / "package.xlsx").write_bytes(content)
    subprocess.run(
        [
            "soffice",
            f"-env:UserInstallation=file://{tmp_path}/profile",
            "--headless",
            "--convert-to",
            "xlsx:Calc MS Excel 2007 XML",
            "--outdir",
            str(tmp_path / "out"),
            str(tmp_path / "package.xlsx"),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    converted = (tmp_path / "out" / "package.xlsx").read_bytes()
    assert converted != content
    with zipfile.ZipFile(io.BytesIO(converted)) as archive:
        assert b"LibreOffice" in archive.read("docProps/app.xml")
    read = gateway().read_receipt(kind, converted)
    assert read.all_faults == []
    assert [list(row.values.values()) for row in read.rows["明细"]] == [as_read(row) for row in rows]
    assert read.digests == manifest.sheets == read.claimed
