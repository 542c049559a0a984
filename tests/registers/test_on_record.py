"""Institutions, offices, qualifications and measures that were changed past the log are found."""

import pytest
from django.db import connection

from audit.reconciliation import differences
from tests.registers.conftest import Registers

INSTITUTION, BUREAU = "accounts_institution", "accounts_bureau"
QUALIFICATION, MEASURE = "registers_qualification", "registers_measure"


def attack(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select current_user")
        assert cursor.fetchone() == ("yuchuang_app",)
        cursor.execute(sql)


@pytest.fixture
def kept(registers: Registers) -> Registers:
    """One of everything: confirmed, ordered, ended."""
    registers.confirmed()
    registers.end(registers.order())
    registers.disqualify()
    assert differences() == []
    return registers


@pytest.mark.parametrize(
    ("table", "change", "what", "words"),
    [
        (INSTITUTION, "designated_until = '2099-01-01'", "定点机构的登记", "定点止 2099"),
        (INSTITUTION, "designated_from = '2010-01-01'", "定点机构的登记", "定点起 2010"),
        (INSTITUTION, "region_id = '410700'", "定点机构的登记", "地区代码 410700"),
        (BUREAU, "region_id = '410000'", "管理部门的登记", "地区代码 410000"),
        (BUREAU, "department = 'hrss'", "管理部门的登记", "部门"),
        (QUALIFICATION, "number = 'FORGED-1'", "讲师资格", "证书编号 FORGED-1"),
        (QUALIFICATION, "training_since = '2001-01-01'", "讲师资格", "从事创业培训起 2001"),
        (QUALIFICATION, "state = 'submitted'", "讲师资格", "状态"),
        (MEASURE, "since = '2030-01-01', deadline = null, ended_on = null", "管理措施", "生效日期 2030"),
        (MEASURE, "is_announced = not is_announced", "管理措施", "全省通报"),
    ],
)
def test_what_was_changed_past_the_log_is_found(
    kept: Registers, table: str, change: str, what: str, words: str
):
    attack(f"update {table} set {change} where id = (select max(id) from {table})")
    [found] = [one for one in differences() if one.row.startswith(f"{table}/")]
    assert (str(found.what), found.code) == (what, "differs")
    assert words in found.says
    assert found in differences(found.chain)


@pytest.mark.parametrize("table", [QUALIFICATION, MEASURE])
def test_what_was_taken_away_is_found(kept: Registers, table: str):
    attack(
        "delete from registers_documentkey; delete from registers_documentfile;"
        " delete from registers_document;"
        f" delete from {table} where id = (select max(id) from {table})"
    )
    [found] = [one for one in differences() if one.row.startswith(f"{table}/")]
    assert found.code == "gone"
