"""The one place where the state of a class, a filing, an enrolment or a lesson changes (STYLE: one function
per move).

The caller holds the lock of the class and saves the row.
"""

from collections.abc import Mapping

from classes.models import Enrolment, Filing, Lesson, TrainingClass
from classes.states import CLASS_MOVES, ENROLMENT_MOVES, FILING_MOVES, LESSON_MOVES
from policy.moves import next_state

_MOVES: Mapping[type, Mapping[str, Mapping[str, str]]] = {
    TrainingClass: CLASS_MOVES,
    Filing: FILING_MOVES,
    Enrolment: ENROLMENT_MOVES,
    Lesson: LESSON_MOVES,
}


def move(row: TrainingClass | Filing | Enrolment | Lesson, verb: str) -> None:
    """Set the state that `verb` leads to; raises Refusal `move_refused` where the table lists none. Saves
    nothing.
    """
    row.state = next_state(row, _MOVES[type(row)], verb)
