"""The one place where the state of a face check changes; the caller locks its person and saves."""

from identity.models import FaceCheck
from identity.states import CHECK_MOVES, CheckState
from policy.messages import gettext_noop
from policy.refusals import Refusal


def move_check(check: FaceCheck, verb: str) -> None:
    """Set the state that `verb` leads to; raises Refusal `check_not_in_doubt` where the table lists none."""
    moves = CHECK_MOVES[check.state]
    if verb not in moves:
        raise not_in_doubt(check)
    check.state = moves[verb]


def not_in_doubt(check: FaceCheck) -> Refusal:
    """What to answer whoever asks for a check that no person has to look at."""
    return Refusal(
        "check_not_in_doubt",
        gettext_noop("这次核对不用人工看，或者已经有人看过了。"),
        found=CheckState(check.state),
        required=CheckState.GREY,
        rule="P14",
        next_step=gettext_noop("请回到列表，看下一个。"),
    )
