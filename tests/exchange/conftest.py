import datetime
from decimal import Decimal

import pytest

from exchange.packages import Column, ColumnType, PackageKind, Sheet

AT = datetime.datetime(2026, 9, 24, 0, 30, 5, 123456, tzinfo=datetime.UTC)


@pytest.fixture
def kind() -> PackageKind:
    """A kind with every type of column, and an optional one."""
    columns = [Column(f"列{held.value}", held, f"一列{held.label}") for held in ColumnType]
    return PackageKind(
        "trial",
        "试验",
        "送出",
        (
            Sheet("明细", "逐行", (*columns, Column("备注", ColumnType.TEXT, "可不填", required=False))),
            Sheet("空表", "没有行", (Column("名称", ColumnType.TEXT, "名称"),)),
        ),
    )


@pytest.fixture
def rows() -> list[list[object]]:
    return [
        [
            "=1+1",
            "41012219800506900X",
            "13900000001",
            datetime.date(2026, 9, 24),
            AT,
            12,
            Decimal("88.71"),
            Decimal("5400"),
            None,
        ],
        [
            "少数民族姓名“古丽·买买提”，第二行\n<b>&amp;</b> 𠮷",
            "410122198005069006",
            "0371-60000097",
            datetime.date(1950, 1, 1),
            datetime.datetime(2026, 2, 28, 15, 59, 59, tzinfo=datetime.UTC),
            0,
            Decimal("0.000001"),
            Decimal("0.05"),
            "00123",
        ],
    ]
