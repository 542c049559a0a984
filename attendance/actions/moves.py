"""The one place where the state of a sign-in changes; the caller locks its enrolment and saves."""

from django.utils.translation import gettext_noop

from attendance.models import SignIn
from attendance.states import SIGN_IN_MOVES, SignInState
from policy.refusals import Refusal


def move_sign_in(sign_in: SignIn, verb: str) -> None:
    """Set the state that `verb` leads to; raises Refusal `sign_in_decided` where the table lists none."""
    moves = SIGN_IN_MOVES[sign_in.state]
    if verb not in moves:
        raise Refusal(
            "sign_in_decided",
            gettext_noop("这次签到已经有结果了，不能再改。"),
            found=SignInState(sign_in.state),
            required=SignInState.PENDING,
            rule="P14",
            next_step=gettext_noop("学员可以重新签到。"),
        )
    sign_in.state = moves[verb]
