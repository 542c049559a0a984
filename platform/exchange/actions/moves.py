"""The one place where the state of a package or a receipt changes. The caller holds the row and saves."""

from collections.abc import Mapping

from exchange.models import Package, Receipt
from exchange.states import PACKAGE_MOVES, RECEIPT_MOVES
from policy.moves import next_state

_MOVES: Mapping[type, Mapping[str, Mapping[str, str]]] = {Package: PACKAGE_MOVES, Receipt: RECEIPT_MOVES}


def move(row: Package | Receipt, verb: str) -> None:
    """Set the state that `verb` leads to; raises Refusal `move_refused` where the table lists none. Saves
    nothing.
    """
    row.state = next_state(row, _MOVES[type(row)], verb)
