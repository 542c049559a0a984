"""Everything that writes a class: its details, roster, timetable, filing and lessons.

Every function takes `actor` and `at`, opens its own transaction, locks the class first, judges, writes, and
leaves evidence in the chain `class/<id>`. A step that is not allowed raises `Refusal` and leaves nothing
behind.
"""

from classes.actions.activations import Slip, issue_codes, reset_password
from classes.actions.classes import ClassDetails, cancel_class, create_class, finish_class, update_class
from classes.actions.enrolments import enrol, free_places
from classes.actions.feeds import end_feed, issue_feed
from classes.actions.filing import (
    decide_filing,
    submit_filing,
    supersede_filing,
    withdraw_filing,
)
from classes.actions.lessons import close_lesson, open_lesson
from classes.actions.packages import read_package, retry_package, write_package
from classes.actions.receipts import apply_receipt, discard_receipt, read_receipt_file, upload_receipt
from classes.actions.roster import RosterImport, import_roster, remove_trainee
from classes.actions.timetable import set_timetable

__all__ = [
    "ClassDetails",
    "RosterImport",
    "Slip",
    "apply_receipt",
    "cancel_class",
    "close_lesson",
    "create_class",
    "decide_filing",
    "discard_receipt",
    "end_feed",
    "enrol",
    "finish_class",
    "free_places",
    "import_roster",
    "issue_codes",
    "issue_feed",
    "open_lesson",
    "read_package",
    "read_receipt_file",
    "remove_trainee",
    "reset_password",
    "retry_package",
    "set_timetable",
    "submit_filing",
    "supersede_filing",
    "update_class",
    "upload_receipt",
    "withdraw_filing",
    "write_package",
]
