"""What is exchanged with the provincial system about a filing, as data (docs/exchange-format.md).

`FILING` is what goes out when a class is filed, `FILING_RECEIPT` what comes back. Rows are taken from the
filing's frozen snapshot; only ID numbers and phones, which a snapshot does not hold in full, are opened.
"""

import datetime
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import override

from classes.models import Enrolment, Filing
from classes.reviews import edition_title, subject_of
from exchange.gateway import Rows
from exchange.models import Package, ReceiptRow
from exchange.packages import Column, ColumnType, PackageKind, Sheet, Value, register
from exchange.problems import said
from exchange.states import Outcome, PackageState
from policy.messages import gettext_noop
from policy.refusals import Refusal
from policy.terms import HourKind, Mode, TraineeCategory, course_type_name

TEXT, INTEGER, DECIMAL = ColumnType.TEXT, ColumnType.INTEGER, ColumnType.DECIMAL
APPROVED, RETURNED = "同意备案", "退回补正"
REFERENCE, CLASS_NAME, CREDIT_CODE, TRAINEES = "备案包编号", "班级名称", "统一社会信用代码", "学员人数"
EXCEPTIONS = "申请的例外"
RESULT, NUMBER, REASON, DAY = "办理结果", "备案编号", "理由", "办理日期"
RECEIPT_SHEET = "备案回执"
# A row of a receipt that says what was decided already does no harm; any other that is not accepted does.
DECIDED_BEFORE = "decided_before"

_KINDS = tuple(str(kind.label) for kind in HourKind)
_MODES = tuple(str(mode.label) for mode in Mode)
_CATEGORIES = tuple(str(category.label) for category in TraineeCategory)
_KEY = Column(REFERENCE, TEXT, "平台给这次备案的编号，回执照抄")
_REFERENCE = re.compile(r"BA-([0-9]{8,12})", re.ASCII)

FILING = PackageKind(
    "filing",
    "开班备案材料包",
    "平台 → 省系统",
    (
        Sheet(
            "班级",
            "备案的班级，一行",
            (
                _KEY,
                Column("机构名称", TEXT, "定点创业培训机构全称"),
                Column(CREDIT_CODE, TEXT, "机构的统一社会信用代码（GB 32100）"),
                Column("行政区划代码", TEXT, "机构所在县（市、区）（GB/T 2260）"),
                Column(CLASS_NAME, TEXT, "机构内不重复"),
                Column("课程", TEXT, "课程目录里的名称"),
                Column("培训类型", TEXT, "创业意识培训、创办企业培训等"),
                Column("培训模式", TEXT, "全程直播，或线上线下结合", choices=_MODES),
                Column("开班日期", ColumnType.DATE, "第一天上课"),
                Column("结班日期", ColumnType.DATE, "最后一天"),
                Column("讲师", TEXT, "姓名"),
                Column("助教", TEXT, "姓名"),
                Column(TRAINEES, INTEGER, "花名册的行数"),
                Column("总课时", DECIMAL, "各类课时之和"),
                *(Column(f"{kind}课时", DECIMAL, f"其中{kind}", required=False) for kind in _KINDS),
                Column("政策版本", TEXT, "按哪个版本的规范备案"),
                Column("提交时间", ColumnType.DATETIME, "机构提交备案，提前的工作日从这天算起"),
            ),
        ),
        Sheet(
            "花名册",
            "每名学员一行",
            (
                _KEY,
                Column("序号", INTEGER, "从 1 起"),
                Column("姓名", TEXT, "与身份证一致"),
                Column("身份证号", ColumnType.ID_NUMBER, "完整号码"),
                Column("手机号", ColumnType.PHONE, "没有手机的空着", required=False),
                Column("学员类别", TEXT, "五类之一", choices=_CATEGORIES),
            ),
        ),
        Sheet(
            "课表",
            "每节课一行",
            (
                _KEY,
                Column("序号", INTEGER, "从 1 起，按开始时间"),
                Column("开始", ColumnType.DATETIME, "开始时间"),
                Column("结束", ColumnType.DATETIME, "结束时间"),
                Column("课时类别", TEXT, "这节课算哪一类课时", choices=_KINDS),
                Column("课时", DECIMAL, "这节课的课时"),
                Column("内容", TEXT, "课次的名称"),
            ),
        ),
        Sheet(
            EXCEPTIONS,
            "规范写明“原则上”、机构申请例外的要求，每项一行；没有申请的，只有第 1 行",
            (
                _KEY,
                Column("序号", INTEGER, "从 1 起"),
                Column("要求", TEXT, "达不到的要求叫什么"),
                Column("应为", TEXT, "规范要求的数"),
                Column("实际", TEXT, "这个班的数"),
                Column("依据", TEXT, "规范的出处"),
                Column("理由", TEXT, "机构写的理由"),
            ),
        ),
    ),
)

FILING_RECEIPT = PackageKind(
    "filing-receipt",
    "开班备案回执",
    "省系统 → 平台",
    (
        Sheet(
            RECEIPT_SHEET,
            "每次备案一行",
            (
                _KEY,
                Column(CLASS_NAME, TEXT, "照抄材料包，用来核对"),
                Column(CREDIT_CODE, TEXT, "照抄材料包，用来核对"),
                Column(TRAINEES, INTEGER, "照抄材料包，用来核对"),
                Column(RESULT, TEXT, "省系统的决定", choices=(APPROVED, RETURNED)),
                Column(NUMBER, TEXT, "同意的，填省系统的备案编号", required=False),
                Column(REASON, TEXT, "退回的，写清楚要改什么", required=False),
                Column(DAY, ColumnType.DATE, "省系统作出决定的日期"),
            ),
        ),
    ),
)

RECONCILIATION_SHEET = "核对结果"
RECONCILIATION = PackageKind(
    "filing-reconciliation",
    "开班备案回执核对结果",
    "平台 → 经办人员",
    (
        Sheet(
            RECONCILIATION_SHEET,
            "回执的每一行",
            (
                Column("行", INTEGER, "回执里的行号"),
                Column(REFERENCE, TEXT, "回执里写的", required=False),
                Column("核对结果", TEXT, "可以办理、不能办理、查不到、与备案不一致、重复"),
                Column("说明", TEXT, "为什么，怎么办", required=False),
                Column("不一致", TEXT, "哪一列，备案是什么，回执是什么", required=False),
            ),
        ),
    ),
)


def register_kinds() -> None:
    """Make this app's kinds known to the exchange."""
    register(FILING, FILING_RECEIPT, RECONCILIATION)


def reference_of(filing: Filing) -> str:
    """The number under which a filing goes to the province and comes back."""
    return f"BA-{filing.pk:08d}"


def filing_id_of(reference: str) -> int | None:
    """The filing that a reference names, if it is one of ours in form."""
    match = _REFERENCE.fullmatch(reference)
    return int(match[1]) if match else None


def filed_values(filing: Filing) -> dict[str, str | int]:
    """What a receipt has to repeat unchanged."""
    filed = filing.snapshot
    return {
        CLASS_NAME: filed["class"]["name"],
        CREDIT_CODE: filed["institution"]["credit_code"],
        TRAINEES: len(filed["roster"]),
    }


def rows_total(filing: Filing) -> int:
    filed = filing.snapshot
    return 1 + len(filed["roster"]) + len(filed["timetable"]) + len(filing.exceptions)


def filing_rows(filing: Filing) -> Mapping[str, Rows]:
    """The package's rows by sheet, as they were filed."""
    reference = reference_of(filing)
    return {
        "班级": [_class_row(filing, reference)],
        "花名册": _roster_rows(filing, reference),
        "课表": [
            (
                reference,
                number,
                datetime.datetime.fromisoformat(lesson["starts_at"]),
                datetime.datetime.fromisoformat(lesson["ends_at"]),
                str(HourKind(lesson["kind"]).label),
                Decimal(lesson["hours"]),
                lesson["title"],
            )
            for number, lesson in enumerate(filing.snapshot["timetable"], start=1)
        ],
        EXCEPTIONS: _exception_rows(filing, reference),
    }


def manifest_of(filing: Filing) -> dict[str, Any]:
    """The manifest file of a filing's package; raises Refusal `package_not_ready` until it is written."""
    package = filing.package
    if package is None or package.state != PackageState.WRITTEN:
        raise not_ready(package)
    manifest: dict[str, Any] = package.manifest
    return manifest


def not_ready(package: Package | None) -> Refusal:
    return Refusal(
        "package_not_ready",
        gettext_noop("备案材料包还没有生成。"),
        found=package.state if package else None,
        required=PackageState.WRITTEN.value,
        rule="F8",
        next_step=gettext_noop("请过一会儿再来下载。"),
    )


def _class_row(filing: Filing, reference: str) -> tuple[Value, ...]:
    filed = filing.snapshot
    staff = {role: person["name"] if person else None for role, person in filed["staff"].items()}
    return (
        reference,
        filed["institution"]["name"],
        filed["institution"]["credit_code"],
        str(filing.training_class.institution.region.code),
        filed["class"]["name"],
        filed["course"]["name"],
        str(course_type_name(filed["course"]["course_type"])),
        str(Mode(filed["class"]["mode"]).label),
        datetime.date.fromisoformat(filed["class"]["starts_on"]),
        datetime.date.fromisoformat(filed["class"]["ends_on"]),
        staff["lecturer"],
        staff["assistant"],
        len(filed["roster"]),
        Decimal(filed["total"]),
        *(Decimal(filed["hours"][kind]) if kind in filed["hours"] else None for kind in HourKind),
        edition_title(filing.snapshot),
        filing.submitted_at,
    )


def _roster_rows(filing: Filing, reference: str) -> Rows:
    filed = filing.snapshot["roster"]
    enrolments = Enrolment.objects.select_related("person").in_bulk([row["enrolment"] for row in filed])
    for number, row in enumerate(filed, start=1):
        person = enrolments[row["enrolment"]].person
        yield (
            reference,
            number,
            row["name"],
            person.open_id_number(),
            person.open_phone(),
            str(TraineeCategory(row["category"]).label),
        )


def _exception_rows(filing: Filing, reference: str) -> Rows:
    """What was asked for. What the office made of it is the decision, which is taken afterwards."""
    with override(settings.LANGUAGE_CODE):
        subjects = [subject_of(asked["code"]) for asked in filing.exceptions]
    for number, (asked, subject) in enumerate(zip(filing.exceptions, subjects, strict=True), start=1):
        yield (
            reference,
            number,
            subject,
            str(asked["required"]),
            str(asked["actual"]),
            asked["citation"],
            asked["reason"],
        )


_OUTCOMES = {
    Outcome.ACCEPTED: "可以办理",
    Outcome.REFUSED: "不能办理",
    Outcome.UNKNOWN: "查不到",
    Outcome.CHANGED: "与备案不一致",
    Outcome.DUPLICATE: "重复",
}


def reconciliation_row(row: ReceiptRow) -> tuple[Value, ...]:
    """A row of the report that goes back to who has to mend the receipt."""
    why = "".join(f"{problem['message']}{problem['next']}" for problem in map(said, row.problems))
    differences = "；".join(
        f"{one['column']}：备案是“{one['filed']}”，回执是“{one['sent']}”" for one in row.differences
    )
    return (
        row.number,
        row.reference or None,
        _OUTCOMES[Outcome(row.outcome)],
        why or None,
        differences or None,
    )
