"""Receipts as the province would send them, and as it should not."""

import io
from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from openpyxl import Workbook

from classes.models import Filing
from classes.packages import (
    APPROVED,
    CLASS_NAME,
    CREDIT_CODE,
    DAY,
    FILING_RECEIPT,
    NUMBER,
    REASON,
    RECEIPT_SHEET,
    REFERENCE,
    RESULT,
    RETURNED,
    TRAINEES,
    filed_values,
    reference_of,
)

HEADERS = [column.name for column in FILING_RECEIPT.sheets[0].columns]


def receipt_row(filing: Filing, *, approved: bool = True, **changes: Any) -> dict[str, Any]:
    """The province's answer to a filing; `changes` by the names below."""
    row: dict[str, Any] = {
        REFERENCE: reference_of(filing),
        **filed_values(filing),
        RESULT: APPROVED if approved else RETURNED,
        NUMBER: f"豫创备〔2026〕{filing.pk:04d} 号" if approved else None,
        REASON: None if approved else "课表第 3 节与另一个班重",
        DAY: timezone.localdate(filing.submitted_at),
    }
    names = {
        "reference": REFERENCE,
        "name": CLASS_NAME,
        "credit_code": CREDIT_CODE,
        "trainees": TRAINEES,
        "result": RESULT,
        "number": NUMBER,
        "reason": REASON,
        "day": DAY,
    }
    return row | {names[name]: value for name, value in changes.items()}


def receipt_file(rows: Sequence[dict[str, Any]], headers: Sequence[str] = HEADERS) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = RECEIPT_SHEET
    sheet.append(list(headers))
    for row in rows:
        sheet.append([row.get(header) for header in headers])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
