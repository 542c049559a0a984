"""Everything that writes attendance.

Locks: class → lesson → check → enrolment → person → room → evidence chain. `announce` comes before
`audit.record`; where another app's action records evidence first, the room is locked before it is called.
"""

from attendance.actions.checks import answer_check, ask_question, call_roll, close_due_checks
from attendance.actions.losses import find_teaching_sound
from attendance.actions.sign_in import (
    confirm_sign_in,
    issue_sign_in_code,
    refuse_sign_in,
    settle_sign_in,
    sign_in_by_code,
    sign_in_by_face,
    sign_out,
)
from attendance.actions.units import credit_unit
from attendance.actions.verdicts import conclude_attendance
from attendance.actions.watching import Beat, beat_watch, close_silent_watches, end_watch, open_watch

__all__ = [
    "Beat",
    "answer_check",
    "ask_question",
    "beat_watch",
    "call_roll",
    "close_due_checks",
    "close_silent_watches",
    "conclude_attendance",
    "confirm_sign_in",
    "credit_unit",
    "end_watch",
    "find_teaching_sound",
    "issue_sign_in_code",
    "open_watch",
    "refuse_sign_in",
    "settle_sign_in",
    "sign_in_by_code",
    "sign_in_by_face",
    "sign_out",
]
