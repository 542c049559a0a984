"""Moves between states: the one question that every table {state: {verb: next state}} answers."""

from collections.abc import Mapping
from typing import Any, Protocol

from policy.messages import gettext_noop
from policy.refusals import Refusal


class Stateful(Protocol):
    """A row that has a state by which people know it."""

    @property
    def state(self) -> str: ...
    @property
    def _meta(self) -> Any: ...
    def get_state_display(self) -> str: ...


def next_state(row: Stateful, moves: Mapping[str, Mapping[str, str]], verb: str) -> str:
    """The state that `verb` leads to from where the row is; raises Refusal `move_refused` where the table
    lists none.
    """
    allowed = moves[row.state]
    if verb not in allowed:
        raise Refusal(
            "move_refused",
            gettext_noop("%(thing)s%(state)s，不能做这一步。"),
            found=_named(row.state, moves),
            required=[state for state, verbs in moves.items() if verb in verbs],
            params={"thing": str(row._meta.verbose_name), "state": row.get_state_display()},
            next_step=gettext_noop("请刷新页面，按现在的状态继续。"),
            details={"verb": verb},
        )
    return allowed[verb]


def _named(state: str, moves: Mapping[str, Mapping[str, str]]) -> str:
    """The row's state as the table's own member, which knows its words; a row may hold the bare code."""
    return next((known for known in moves if known == state), state)
