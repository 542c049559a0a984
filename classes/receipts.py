"""Reconciling the province's answers with what was filed: what each row of a receipt is, and why.

Reads only. `classes.actions.receipts` keeps what is found and applies it.
"""

import datetime
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from accounts.models import Bureau
from accounts.permissions import region_prefix
from classes.decisions import judge_decision
from classes.models import Filing
from classes.packages import (
    APPROVED,
    CLASS_NAME,
    DAY,
    DECIDED_BEFORE,
    NUMBER,
    REASON,
    RECEIPT_SHEET,
    RECONCILIATION,
    RECONCILIATION_SHEET,
    REFERENCE,
    RESULT,
    filed_values,
    filing_id_of,
    reconciliation_row,
)
from classes.states import FilingState
from exchange.actions import Judged
from exchange.gateway import ReadPackage, ReadRow, gateway
from exchange.models import Receipt, ReceiptRow
from exchange.problems import source_of
from exchange.states import Outcome
from policy.messages import gettext_noop
from policy.refusals import Refusal
from policy.words import bare, one_spelling

MOST_ROWS = 5000


def receipt_rows(read: ReadPackage) -> Sequence[ReadRow]:
    """The rows of a receipt that can be reconciled at all.

    Raises Refusal (400) with the file's first fault: `sheet_missing`, `header_missing`, `header_unknown`,
    `cells_merged`, `column_hidden`; `receipt_altered`, `receipt_empty`, `receipt_too_long`.
    """
    if read.faults:
        raise read.faults[0].refusal
    if read.claimed and read.claimed != read.digests:
        raise _whole(
            "receipt_altered",
            gettext_noop("文件的内容和它的校验对不上，可能在路上被改过。"),
            gettext_noop("请向省系统重新取一份。"),
        )
    rows = read.rows[RECEIPT_SHEET]
    if not rows:
        raise _whole(
            "receipt_empty",
            gettext_noop("回执里除了表头没有内容。"),
            gettext_noop("请核对是不是拿错了文件。"),
        )
    if len(rows) > MOST_ROWS:
        raise _whole(
            "receipt_too_long",
            gettext_noop("回执超过 %(most)s 行。"),
            gettext_noop("请分成几份上传。"),
            most=MOST_ROWS,
        )
    return rows


def reconcile(
    rows: Sequence[ReadRow], *, office: Bureau, at: datetime.datetime
) -> list[tuple[Judged, Filing | None]]:
    """Judge every row against the filings that this office decides on; others' are unknown to it."""
    ids = [filing_id_of(str(row.values.get(REFERENCE) or "")) or 0 for row in rows]
    filings = (
        Filing.objects.filter(
            pk__in=ids,
            training_class__institution__region__code__startswith=region_prefix(office.region),
        )
        .select_related("training_class")
        .in_bulk()
    )
    numbers = {number_of(row.values) for row in rows} - {""}
    taken = dict(Filing.objects.filter(number__in=numbers).values_list("number", "training_class"))
    first_row: dict[int, int] = {}
    judged = []
    for row in rows:
        filing = filings.get(filing_id_of(str(row.values.get(REFERENCE) or "")) or 0)
        earlier = first_row.setdefault(filing.pk, row.number) if filing else row.number
        judged.append((_judge(row, filing, earlier, taken, at), filing))
        number = number_of(row.values)
        if filing and number:
            taken.setdefault(number, filing.training_class_id)
    return judged


def blocks(row: Judged) -> bool:
    """Whether a row stands in the way of applying the receipt."""
    return row.outcome != Outcome.ACCEPTED and not any(
        problem.get("code") == DECIDED_BEFORE for problem in row.problems
    )


def number_of(values: Mapping[str, Any]) -> str:
    """The filing number that a row gives, as it is kept; empty where it shows none."""
    return one_spelling(str(values.get(NUMBER) or ""))


def decision_of(values: Mapping[str, Any]) -> tuple[bool, str, str]:
    """(approved, reason, number) of a row that can be read."""
    return values[RESULT] == APPROVED, bare(str(values.get(REASON) or "")), number_of(values)


def day_of(values: Mapping[str, Any]) -> datetime.date:
    """The day on which the province decided, of a row that can be read; ISO text once it was judged."""
    return datetime.date.fromisoformat(str(values[DAY]))


def _judge(
    row: ReadRow, filing: Filing | None, earlier: int, taken: Mapping[str, int], at: datetime.datetime
) -> Judged:
    def found(
        outcome: Outcome, problems: Sequence[Refusal] = (), differences: Sequence[Mapping[str, str]] = ()
    ) -> Judged:
        return Judged(
            number=row.number,
            reference=str(row.values.get(REFERENCE) or ""),
            values={name: _json(value) for name, value in row.values.items()},
            outcome=outcome,
            subject=filing.subject if filing else "",
            problems=[source_of(problem) for problem in problems],
            differences=differences,
        )

    if row.faults:
        return found(Outcome.REFUSED, [fault.refusal for fault in row.faults])
    if filing is None:
        return found(Outcome.UNKNOWN, [_unknown()])
    if earlier != row.number:
        return found(Outcome.DUPLICATE, [_doubled(earlier)])
    differences = list(_differences(row, filing))
    if differences:
        return found(Outcome.CHANGED, [_changed()], differences)
    approved, reason, number = decision_of(row.values)
    if filing.state != FilingState.SUBMITTED:
        target = FilingState.APPROVED if approved else FilingState.RETURNED
        same = filing.state == target and (filing.number == number or not approved)
        return found(Outcome.DUPLICATE, [_before()]) if same else found(Outcome.REFUSED, [_otherwise(filing)])
    if approved and taken.get(number, filing.training_class_id) != filing.training_class_id:
        return found(Outcome.REFUSED, [_taken(number)])
    try:
        judge_decision(
            filing, approved=approved, reason=reason, number=number, at=at, decided_on=day_of(row.values)
        )
    except Refusal as refusal:
        return found(Outcome.REFUSED, [refusal])
    return found(Outcome.ACCEPTED)


def _differences(row: ReadRow, filing: Filing) -> Iterator[dict[str, str]]:
    for column, filed in filed_values(filing).items():
        sent = row.values[column]
        if sent != filed:
            yield {"column": column, "filed": str(filed), "sent": str(sent)}


def _json(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime.date) else value


def _whole(code: str, message: str, next_step: str, **params: object) -> Refusal:
    return Refusal(
        code, message, found=False, required=True, rule="F8", params=params, next_step=next_step, status=400
    )


def _unknown() -> Refusal:
    return Refusal(
        "filing_unknown",
        gettext_noop("本辖区没有这个编号的备案。"),
        found=False,
        required=True,
        rule="F8",
        next_step=gettext_noop("请核对编号，或者看是不是别处的回执。"),
    )


def _doubled(first: int) -> Refusal:
    return Refusal(
        "doubled_in_file",
        gettext_noop("和第 %(first)s 行是同一次备案。"),
        found=False,
        required=True,
        rule="F8",
        params={"first": first},
        next_step=gettext_noop("请向省系统核对，只留一行。"),
    )


def _changed() -> Refusal:
    return Refusal(
        "filed_values_differ",
        gettext_noop("回执写的和当初备案的不一样。"),
        found=True,
        required=False,
        rule="F8",
        next_step=gettext_noop("请核对省系统办理的是不是这次备案。"),
    )


def _before() -> Refusal:
    return Refusal(
        DECIDED_BEFORE,
        gettext_noop("已经按同样的结果办理过，不再重复办理。"),
        found=True,
        required=False,
        rule="F8",
        next_step=gettext_noop("不用处理。"),
    )


def _otherwise(filing: Filing) -> Refusal:
    return Refusal(
        "filing_already_decided",
        gettext_noop("这次备案%(state)s，不能再作决定。"),
        found=FilingState(filing.state),
        required=FilingState.SUBMITTED,
        rule="F9",
        params={"state": filing.get_state_display()},
        next_step=gettext_noop("请与省系统核对，再决定怎么办。"),
    )


def _taken(number: str) -> Refusal:
    return Refusal(
        "filing_number_taken",
        gettext_noop("备案编号“%(number)s”已经用过。"),
        found=number,
        required=False,
        rule="F8",
        params={"number": number},
        next_step=gettext_noop("请核对编号。"),
    )


def reconciliation_file(receipt: Receipt) -> bytes:
    """The report of a receipt as a file, in Chinese as all documents for offices."""
    stream = io.BytesIO()
    gateway().write_package(
        RECONCILIATION,
        {RECONCILIATION_SHEET: map(reconciliation_row, receipt.rows.all())},
        stream,
        reference=f"HZ-{receipt.pk:08d}",
        made_at=receipt.applied_at or receipt.uploaded_at,
    )
    return stream.getvalue()


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A row of a receipt as the page shows it."""

    row: ReceiptRow

    def _value(self, column: str) -> str:
        return str(self.row.values.get(column) or "")

    @property
    def class_name(self) -> str:
        return self._value(CLASS_NAME)

    @property
    def result(self) -> str:
        return self._value(RESULT)

    @property
    def number(self) -> str:
        return number_of(self.row.values)

    @property
    def reason(self) -> str:
        return bare(self._value(REASON))

    @property
    def is_in_the_way(self) -> bool:
        return self.row.outcome != Outcome.ACCEPTED and not any(
            problem.get("code") == DECIDED_BEFORE for problem in self.row.problems
        )
