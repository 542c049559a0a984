"""The one place where the state of a class, a filing, an enrolment or a lesson changes (STYLE: one function
per move).

The caller holds the lock of the class and saves the row.
"""

from collections.abc import Mapping

from classes.models import Enrolment, Filing, Lesson, TrainingClass
from classes.states import CLASS_MOVES, ENROLMENT_MOVES, FILING_MOVES, LESSON_MOVES
from policy.messages import gettext_noop
from policy.refusals import Refusal

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
    allowed = _MOVES[type(row)][row.state]
    if verb not in allowed:
        raise Refusal(
            "move_refused",
            gettext_noop("%(thing)s%(state)s，不能做这一步。"),
            found=row.state,
            required=[state for state, verbs in _MOVES[type(row)].items() if verb in verbs],
            params={"thing": str(row._meta.verbose_name), "state": row.get_state_display()},
            next_step=gettext_noop("请刷新页面，按现在的状态继续。"),
            details={"verb": verb},
        )
    row.state = allowed[verb]
