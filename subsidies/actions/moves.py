"""The one place where the state of a claim or an objection changes; the caller locks it and saves."""

from django.utils.translation import gettext_noop

from policy.refusals import Refusal
from subsidies.models import Claim, Objection
from subsidies.states import CLAIM_MOVES, OBJECTION_MOVES, ClaimState, ObjectionState


def move_claim(claim: Claim, verb: str) -> None:
    """Set the state that `verb` leads to; raises Refusal `claim_move` where the table lists none."""
    moves = CLAIM_MOVES[claim.state]
    if verb not in moves:
        raise Refusal(
            "claim_move",
            gettext_noop("补贴申请现在是“%(state)s”，不能做这一步。"),
            found=ClaimState(claim.state),
            required=[ClaimState(state) for state, verbs in CLAIM_MOVES.items() if verb in verbs],
            rule="F16",
            params={"state": claim.get_state_display()},
            next_step=gettext_noop("请刷新页面，看现在该谁办理。"),
        )
    claim.state = moves[verb]


def move_objection(objection: Objection, verb: str) -> None:
    """Set the state that `verb` leads to; raises Refusal `objection_answered` where the table lists none."""
    moves = OBJECTION_MOVES[objection.state]
    if verb not in moves:
        raise Refusal(
            "objection_answered",
            gettext_noop("这件异议已经答复过了。"),
            found=ObjectionState(objection.state),
            required=True,
            rule="Q6",
            next_step=gettext_noop("请刷新页面查看答复。"),
        )
    objection.state = moves[verb]
