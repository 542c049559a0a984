"""The one place where the state of a campaign, a registration or a piece of evidence changes.

The caller holds the row's lock and saves it.
"""

from collections.abc import Mapping

from classes.recruitment.models import Campaign, CategoryEvidence, Registration
from classes.recruitment.states import CAMPAIGN_MOVES, EVIDENCE_MOVES, REGISTRATION_MOVES
from policy.moves import next_state

_MOVES: Mapping[type, Mapping[str, Mapping[str, str]]] = {
    Campaign: CAMPAIGN_MOVES,
    Registration: REGISTRATION_MOVES,
    CategoryEvidence: EVIDENCE_MOVES,
}


def move(row: Campaign | Registration | CategoryEvidence, verb: str) -> None:
    """Set the state that `verb` leads to; raises Refusal `move_refused` where the table lists none. Saves
    nothing.
    """
    row.state = next_state(row, _MOVES[type(row)], verb)
