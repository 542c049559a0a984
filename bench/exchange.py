"""How fast packages are written and rosters read, and in how much memory.

    python bench/exchange.py [rows]

Prints one JSON line. Every measurement runs in a process of its own, so that peak memory is its own: a
package of 100,000 rows and one of a tenth through our adapter (digests, typed columns, dictionary, manifest
and all), the same rows through plain openpyxl (typed cells and nothing else), and a roster of 10,000 rows
through our reader, openpyxl and calamine.
"""

import base64
import datetime
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "platform")]

ROSTER_ROWS = 10_000
AT = datetime.datetime(2026, 9, 24, 8, 30, tzinfo=datetime.UTC)
KEYS = ("YUCHUANG_DATA_KEY", "YUCHUANG_INDEX_KEY", "YUCHUANG_SIGNING_KEY")
DATABASES = ("DATABASE_URL", "DATABASE_OWNER_URL", "SUPERVISION_DATABASE_URL", "LOOKS_DATABASE_URL")
CHECK = "10X98765432"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def id_number(n: int) -> str:
    body = f"410122{1970 + n % 30}{1 + n % 12:02d}{1 + n % 28:02d}{n % 1000:03d}"
    return body + CHECK[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]


def kind():
    """A sheet of twenty columns with every type."""
    from exchange.packages import Column, ColumnType, PackageKind, Sheet

    types = {
        "行": ColumnType.INTEGER,
        "姓名": ColumnType.TEXT,
        "身份证号": ColumnType.ID_NUMBER,
        "手机号": ColumnType.PHONE,
        "出生日期": ColumnType.DATE,
        "报名时间": ColumnType.DATETIME,
        "学时占比": ColumnType.DECIMAL,
        "金额": ColumnType.MONEY,
        **{f"说明{n}": ColumnType.TEXT for n in range(8)},
        **{f"数{n}": ColumnType.INTEGER for n in range(4)},
    }
    columns = tuple(Column(name, held, "") for name, held in types.items())
    return PackageKind("bench", "测量", "out", (Sheet("明细", "", columns),))


def rows(count: int) -> Iterator[list[object]]:
    day = datetime.date(1990, 1, 1)
    share, money = Decimal("88.71"), Decimal("200.00")
    for n in range(count):
        yield [
            n,
            "张三李四"[n % 3 : n % 3 + 2],
            f"41012219900101{n % 10000:04d}",
            f"139{n % 10**8:08d}",
            day + datetime.timedelta(days=n % 9000),
            AT + datetime.timedelta(seconds=n),
            share,
            money,
            *(f"第 {n % 97} 期培训班备注 {k}" for k in range(8)),
            n % 7,
            n % 11,
            n % 13,
            n % 17,
        ]


def write_ours(count: int) -> None:
    from exchange.xlsx.gateway import XlsxGateway

    with tempfile.TemporaryFile() as stream:
        XlsxGateway().write_package(kind(), {"明细": rows(count)}, stream, reference="bench", made_at=AT)


def write_openpyxl(count: int) -> None:
    """As people write it: a workbook, append, save. No digest, no formats but those of dates."""
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.append([column.name for column in kind().sheets[0].columns])
    for row in rows(count):
        row[5] = row[5].replace(tzinfo=None)
        sheet.append(row)
    with tempfile.TemporaryFile() as stream:
        book.save(stream)


def roster(count: int) -> Path:
    from openpyxl import Workbook

    from classes.rosters import HEADERS

    book = Workbook(write_only=True)
    sheet = book.create_sheet("花名册")
    sheet.append(list(HEADERS))
    for n in range(count):
        sheet.append(["李" + chr(0x4E00 + n % 5000), id_number(n), f"139{n:08d}", "城镇登记失业人员"])
    path = Path(tempfile.mkdtemp()) / "roster.xlsx"
    book.save(path)
    return path


def read_ours(path: str) -> int:
    from classes.rosters import read_roster

    return read_roster(Path(path).read_bytes()).read


def cells_ours(path: str) -> int:
    from classes.rosters import LIMITS
    from exchange.xlsx.cells import open_book

    with open_book(Path(path).read_bytes(), LIMITS) as book:
        return sum(1 for _row in book.rows(book.sheets[0])) - 1


def cells_openpyxl(path: str) -> int:
    from openpyxl import load_workbook

    return (
        sum(1 for _row in load_workbook(path, read_only=True).worksheets[0].iter_rows(values_only=True)) - 1
    )


def cells_calamine(path: str) -> int:
    from python_calamine import CalamineWorkbook

    return len(CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()) - 1


def set_up() -> None:
    """Django with the settings of tests; neither database nor Redis is asked for anything."""
    import django

    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "YUCHUANG_MODE": "test",
        "YUCHUANG_SECRET_KEY": "only-for-measuring-" * 3,
        **{name: base64.b64encode(bytes(32)).decode() for name in KEYS},
        **dict.fromkeys(DATABASES, "postgres:///nowhere"),
        "REDIS_URL": "redis://nowhere",
    }
    django.setup()


def measured(work: str, argument: str) -> dict[str, float]:
    """Run one of the functions above in its own process: seconds without imports, peak memory in MiB."""
    answer = subprocess.run(
        [sys.executable, __file__, work, argument], capture_output=True, text=True, check=True, env=os.environ
    )
    return json.loads(answer.stdout)


def child(work: str, argument: str) -> None:
    set_up()
    # What is imported on first use is no part of the work.
    import python_calamine  # noqa: F401

    from exchange.xlsx import gateway  # noqa: F401

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin, worked = time.perf_counter(), time.process_time()
    result = globals()[work](int(argument) if argument.isdecimal() else argument)
    seconds, worked = time.perf_counter() - begin, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(
            {
                "seconds": round(seconds, 3),
                "cpu_s": round(worked, 3),
                "peak_mib": peak // 1024,
                "added_mib": (peak - before) // 1024,
                "rows": result,
            }
        )
    )


def main(count: int) -> None:
    set_up()
    ours, small, plain = (
        measured("write_ours", str(count)),
        measured("write_ours", str(count // 10)),
        measured("write_openpyxl", str(count)),
    )
    path = roster(ROSTER_ROWS)
    reading = {
        work: measured(work, str(path))
        for work in ("read_ours", "cells_ours", "cells_openpyxl", "cells_calamine")
    }
    faster = plain["cpu_s"] / ours["cpu_s"]  # a machine shared with others disturbs seconds, not these
    print(
        json.dumps(
            {
                "rows": count,
                "package_s": ours["seconds"],
                "package_cpu_s": ours["cpu_s"],
                "package_added_mib": ours["added_mib"],
                "tenth_added_mib": small["added_mib"],
                "openpyxl_s": plain["seconds"],
                "openpyxl_cpu_s": plain["cpu_s"],
                "openpyxl_added_mib": plain["added_mib"],
                "times_faster": round(faster, 1),
                "at_least_5_times": faster >= 5,
                "memory_flat": ours["added_mib"] - small["added_mib"] <= 16,
                "roster_rows": reading["read_ours"]["rows"],
                "roster_s": reading["read_ours"]["seconds"],
                "roster_cpu_s": reading["read_ours"]["cpu_s"],
                "roster_added_mib": reading["read_ours"]["added_mib"],
                "cells_ours_cpu_s": reading["cells_ours"]["cpu_s"],
                "cells_openpyxl_cpu_s": reading["cells_openpyxl"]["cpu_s"],
                "cells_calamine_cpu_s": reading["cells_calamine"]["cpu_s"],
            }
        )
    )


if __name__ == "__main__":
    if len(sys.argv) == 3:
        child(sys.argv[1], sys.argv[2])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
