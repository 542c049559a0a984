"""The one place where the state of a version or a material changes. The caller holds the course and saves."""

from collections.abc import Mapping

from courses.models import CourseVersion, Material
from courses.states import MATERIAL_MOVES, VERSION_MOVES
from policy.moves import next_state

_MOVES: Mapping[type, Mapping[str, Mapping[str, str]]] = {
    CourseVersion: VERSION_MOVES,
    Material: MATERIAL_MOVES,
}


def move(row: CourseVersion | Material, verb: str) -> None:
    """Set the state that `verb` leads to; raises Refusal `move_refused` where the table lists none. Saves
    nothing.
    """
    row.state = next_state(row, _MOVES[type(row)], verb)
