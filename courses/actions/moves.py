"""The one place where the state of a version or a material changes. The caller holds the course and saves."""

from collections.abc import Mapping

from courses.models import CourseVersion, Material
from courses.states import MATERIAL_MOVES, VERSION_MOVES
from policy.messages import gettext_noop
from policy.refusals import Refusal

_MOVES: Mapping[type, Mapping[str, Mapping[str, str]]] = {
    CourseVersion: VERSION_MOVES,
    Material: MATERIAL_MOVES,
}


def move(row: CourseVersion | Material, verb: str) -> None:
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
