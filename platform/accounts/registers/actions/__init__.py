"""All writes of the registers."""

from accounts.registers.actions.documents import (
    CONDITION_ROWS,
    Paper,
    add_to_institution,
    add_to_platform,
    add_to_qualification,
    open_picture,
    retire_document,
)
from accounts.registers.actions.measures import Order, disqualify_lecturer, end_measure, order_institution
from accounts.registers.actions.platform import save_report
from accounts.registers.actions.qualifications import (
    QualificationDetails,
    change_qualification,
    decide_qualification,
    enter_qualification,
    submit_qualification,
    withdraw_qualification,
)

__all__ = [
    "CONDITION_ROWS",
    "Order",
    "Paper",
    "QualificationDetails",
    "add_to_institution",
    "add_to_platform",
    "add_to_qualification",
    "change_qualification",
    "decide_qualification",
    "disqualify_lecturer",
    "end_measure",
    "enter_qualification",
    "open_picture",
    "order_institution",
    "retire_document",
    "save_report",
    "submit_qualification",
    "withdraw_qualification",
]
