"""The one place where the state of a sitting or a certificate changes; the caller locks it and saves."""

from collections.abc import Mapping

from exams.models import Attempt, Certificate
from exams.states import ATTEMPT_MOVES, CERTIFICATE_MOVES
from policy.moves import next_state

_MOVES: Mapping[type, Mapping[str, Mapping[str, str]]] = {
    Attempt: ATTEMPT_MOVES,
    Certificate: CERTIFICATE_MOVES,
}


def move(row: Attempt | Certificate, verb: str) -> None:
    """Set the state that `verb` leads to; raises Refusal `move_refused` where the table lists none."""
    row.state = next_state(row, _MOVES[type(row)], verb)
