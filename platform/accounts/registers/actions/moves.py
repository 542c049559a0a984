"""The one place where the state of a qualification changes. The caller holds the row's lock and saves it."""

from accounts.registers.models import Qualification
from accounts.registers.states import QUALIFICATION_MOVES
from policy.moves import next_state


def move(qualification: Qualification, verb: str) -> None:
    """Set the state that `verb` leads to; raises Refusal `move_refused` where the table lists none."""
    qualification.state = next_state(qualification, QUALIFICATION_MOVES, verb)
