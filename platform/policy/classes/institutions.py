"""Institutions and platforms: who may run a class at all (I1, I5, Q8, Q9, P0-P5, N2)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from policy.editions import Edition
from policy.findings import Finding, Outcome
from policy.messages import Msgid, gettext_noop


class MeasureKind(StrEnum):
    """What an office may order against an institution or a platform (Q8, Q9)."""

    RECTIFICATION = "rectification"
    CANCELLATION = "cancellation"

    @property
    def label(self) -> Msgid:
        return _MEASURES[self]


@dataclass(frozen=True, slots=True)
class MeasureRecord:
    """An order and how it stands. `ended_on` is the day it was accepted as done or was lifted."""

    kind: MeasureKind
    since: date
    deadline: date | None = None
    ended_on: date | None = None

    def is_open_on(self, day: date) -> bool:
        return self.since <= day and (self.ended_on is None or day < self.ended_on)

    def is_open_between(self, first: date, last: date) -> bool:
        """Whether it is open on any day from `first` to `last`, both included."""
        return self.since <= last and (self.ended_on is None or first < self.ended_on)


def judge_institution(
    edition: Edition,
    *,
    designated: bool,
    measures: Sequence[MeasureRecord],
    starts_on: date,
    ends_on: date | None = None,
    filed_on: date | None = None,
) -> tuple[Finding, Finding, Finding]:
    """Judge whether an institution may file a class: designated on every day of it (I1), corrected in time
    (Q8), not struck off (Q9).

    An open rectification past its deadline blocks new filings, judged on the day of filing (`filed_on`; the
    first day of the class where it is not given); the deadline itself is still in time. Cancellation works
    from its own date, on the filing as well as on every day of the class
    (`ends_on`; the first day where it is not given). The same orders on a platform are judged the same way.
    """
    day = filed_on or starts_on
    last = ends_on or starts_on
    return (
        Finding(
            code="institution_designated",
            row="I1",
            passed=designated,
            required=last,
            actual=designated,
            message=(
                gettext_noop("%(starts)s 开班到 %(ends)s 结班，每天都是定点创业培训机构。")
                if designated
                else gettext_noop("%(starts)s 开班到 %(ends)s 结班，有的日子不是定点创业培训机构，不能备案。")
            ),
            params={"starts": starts_on, "ends": last},
        ),
        _rectified(edition, measures, day),
        _not_cancelled(measures, day, starts_on, last),
    )


def _rectified(edition: Edition, measures: Sequence[MeasureRecord], day: date) -> Finding:
    reading = edition.reading("open_rectification")
    waiting = [m for m in measures if m.kind is MeasureKind.RECTIFICATION and m.is_open_on(day)]
    overdue = [m for m in waiting if m.deadline is not None and m.deadline < day]
    blocking = overdue or (waiting if reading.code == "while_open" else [])
    outcome = Outcome.FAILED if blocking else Outcome.NOTED if waiting else Outcome.PASSED
    deadline = min((m.deadline for m in blocking or waiting if m.deadline is not None), default=None)
    return Finding(
        code="rectification",
        row="Q8",
        passed=outcome is not Outcome.FAILED,
        required=deadline,
        actual=len(waiting),
        message=(
            gettext_noop("限期改正到 %(deadline)s 为止，还没有改正，不能提交新的备案。")
            if overdue
            else gettext_noop("责令改正还没有完成，完成以前不能提交新的备案。")
            if blocking
            else gettext_noop("正在限期改正，期限到 %(deadline)s；到期没有改正的，不能再提交新的备案。")
            if waiting and deadline
            else gettext_noop("正在改正，没有写明期限。")
            if waiting
            else gettext_noop("没有未完成的责令改正。")
        ),
        params={"deadline": deadline},
        reading=reading,
        outcome=outcome,
    )


def _not_cancelled(
    measures: Sequence[MeasureRecord], filed_on: date, starts_on: date, ends_on: date
) -> Finding:
    struck = [
        m
        for m in measures
        if m.kind is MeasureKind.CANCELLATION
        and (m.is_open_on(filed_on) or m.is_open_between(starts_on, ends_on))
    ]
    since = min((m.since for m in struck), default=None)
    return Finding(
        code="training_qualification",
        row="Q9",
        passed=not struck,
        required=None,
        actual=since,
        message=(
            gettext_noop("培训资格自 %(since)s 起取消，不能备案，也不能申请补贴。")
            if struck
            else gettext_noop("没有取消培训资格的记录。")
        ),
        params={"since": since},
    )


class IndependenceFact(StrEnum):
    """What is recorded about who really trains, so that 转包、分包、委托 can show (I5)."""

    RECRUITER = "recruiter"
    VENUE = "venue"
    LECTURER_CONTRACT = "lecturer_contract"
    PAYER = "payer"
    DEVICE = "device"
    BANK_ACCOUNT = "bank_account"

    @property
    def label(self) -> Msgid:
        return _INDEPENDENCE[self]


# What an institution has to put on record itself; devices and accounts are only compared.
RECORDED_FACTS = (
    IndependenceFact.RECRUITER,
    IndependenceFact.VENUE,
    IndependenceFact.LECTURER_CONTRACT,
    IndependenceFact.PAYER,
)


def judge_independence(
    edition: Edition,
    *,
    recorded: Collection[IndependenceFact],
    shared: Mapping[IndependenceFact, int],
) -> Finding:
    """Judge the signs of handing the training on to others (I5). Only ever noted: software cannot prove it.

    `recorded` are the facts on file for the class; `shared` says with how many other institutions each of
    them is the same.
    """
    missing = [fact for fact in RECORDED_FACTS if fact not in recorded]
    same = {fact: others for fact, others in shared.items() if others}
    quiet = not missing and not same
    return Finding(
        code="independence",
        row="I5",
        passed=True,
        required=0,
        actual=len(same),
        message=(
            gettext_noop("招生人、场地、讲师合同和付款方都有记录，没有与其他机构相同的。")
            if quiet
            else gettext_noop("与其他机构相同的：%(same)s。请核查是否转包、分包或者委托。")
            if same
            else gettext_noop("还没有记录：%(missing)s。")
        ),
        params={"same": [fact.label for fact in same], "missing": [fact.label for fact in missing]},
        reading=edition.reading("independence"),
        outcome=Outcome.PASSED if quiet else Outcome.NOTED,
    )


@dataclass(frozen=True, slots=True)
class PlatformCondition:
    """One of the nine conditions of 规范 一, with the ledger rows that make it up."""

    number: int
    label: Msgid
    rows: tuple[str, ...]


PLATFORM_CONDITIONS: tuple[PlatformCondition, ...] = (
    PlatformCondition(1, gettext_noop("在中国境内依法登记，已在工信部门备案"), ("P1", "P2")),
    PlatformCondition(2, gettext_noop("已投入实际运营，财务制度和管理制度规范"), ("P3", "P4")),
    PlatformCondition(3, gettext_noop("社会信用良好，没有不良记录"), ("P5",)),
    PlatformCondition(
        4,
        gettext_noop("技术条件：实名报名、分班、学时管控、全过程追溯、电子档案"),
        ("P6", "P7", "P8", "P9", "P10", "P11"),
    ),
    PlatformCondition(
        5, gettext_noop("结业考试、成果审阅、人脸识别考勤、质量监督评估"), ("P12", "P13", "P14", "P15")
    ),
    PlatformCondition(6, gettext_noop("直播流畅，互动多样"), ("P16", "P17")),
    PlatformCondition(7, gettext_noop("开设监管账号，接受监督管理"), ("P18", "P19")),
    PlatformCondition(8, gettext_noop("数据安全完整，能导入省系统"), ("P20", "P21")),
    PlatformCondition(9, gettext_noop("提供后续服务，分类登记和统计"), ("P22", "P23", "P24", "P25", "P26")),
)


def judge_platform(conditions: Mapping[str, bool]) -> tuple[Finding, ...]:
    """Judge whether a platform is eligible: all nine conditions at the same time (P0-P5).

    `conditions` says for each ledger row P1-P26 whether it is met and evidenced on the day asked about; a row
    that is not named is not. Returns the finding on P0, then one for each condition (row: its first one).
    """
    findings = [_condition(condition, conditions) for condition in PLATFORM_CONDITIONS]
    met = sum(finding.passed for finding in findings)
    return (
        Finding(
            code="platform_eligible",
            row="P0",
            passed=met == len(PLATFORM_CONDITIONS),
            required=len(PLATFORM_CONDITIONS),
            actual=met,
            message=gettext_noop("线上培训平台要同时符合 %(required)s 项基本条件，现在符合 %(met)s 项。"),
            params={"required": len(PLATFORM_CONDITIONS), "met": met},
        ),
        *findings,
    )


def _condition(condition: PlatformCondition, conditions: Mapping[str, bool]) -> Finding:
    met = [row for row in condition.rows if conditions.get(row, False)]
    passed = len(met) == len(condition.rows)
    missing = [row for row in condition.rows if row not in met]
    return Finding(
        code=f"platform_condition_{condition.number}",
        row=condition.rows[0] if passed else missing[0],
        passed=passed,
        required=list(condition.rows),
        actual=met,
        message=(
            gettext_noop("条件%(number)s：%(condition)s，已有证明。")
            if passed
            else gettext_noop("条件%(number)s：%(condition)s，还缺证明。")
        ),
        params={"number": condition.number, "condition": condition.label},
    )


class PlatformField(StrEnum):
    """The five facts about a platform that are reported to the province (N2)."""

    NAME = "name"
    LEGAL_REPRESENTATIVE = "legal_representative"
    ADDRESS = "address"
    CONTACT_PERSON = "contact_person"
    CONTACT_DETAILS = "contact_details"

    @property
    def label(self) -> Msgid:
        return _PLATFORM_FIELDS[self]


def judge_platform_report(fields: Mapping[PlatformField, str]) -> Finding:
    """Judge that a platform's report to the province is whole: five facts, none of them blank (N2)."""
    missing = [field for field in PlatformField if not fields.get(field, "").strip()]
    return Finding(
        code="platform_report",
        row="N2",
        passed=not missing,
        required=len(PlatformField),
        actual=len(PlatformField) - len(missing),
        message=(
            gettext_noop("报省备案的平台情况还缺：%(missing)s。")
            if missing
            else gettext_noop("报省备案的平台情况五项齐全。")
        ),
        params={"missing": [field.label for field in missing]},
    )


_MEASURES = {
    MeasureKind.RECTIFICATION: gettext_noop("责令限期改正"),
    MeasureKind.CANCELLATION: gettext_noop("取消培训资格"),
}
_INDEPENDENCE = {
    IndependenceFact.RECRUITER: gettext_noop("招生人"),
    IndependenceFact.VENUE: gettext_noop("场地"),
    IndependenceFact.LECTURER_CONTRACT: gettext_noop("讲师合同"),
    IndependenceFact.PAYER: gettext_noop("付款方"),
    IndependenceFact.DEVICE: gettext_noop("设备"),
    IndependenceFact.BANK_ACCOUNT: gettext_noop("银行账户"),
}
_PLATFORM_FIELDS = {
    PlatformField.NAME: gettext_noop("平台名称"),
    PlatformField.LEGAL_REPRESENTATIVE: gettext_noop("法定代表人"),
    PlatformField.ADDRESS: gettext_noop("地址"),
    PlatformField.CONTACT_PERSON: gettext_noop("联系人"),
    PlatformField.CONTACT_DETAILS: gettext_noop("联系方式"),
}
