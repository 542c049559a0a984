"""Every state of a sign-in against every verb."""

import pytest

from attendance.states import DECIDED_STATES, LIVE_STATES, SIGN_IN_MOVES, SignInState

VERBS = ("accept", "refer", "refuse")
ALLOWED = {
    (SignInState.CHECKING, "accept"): SignInState.ACCEPTED,
    (SignInState.CHECKING, "refer"): SignInState.PENDING,
    (SignInState.CHECKING, "refuse"): SignInState.REFUSED,
    (SignInState.PENDING, "accept"): SignInState.ACCEPTED,
    (SignInState.PENDING, "refuse"): SignInState.REFUSED,
}


@pytest.mark.parametrize("state", SignInState)
@pytest.mark.parametrize("verb", VERBS)
def test_the_whole_grid(state: SignInState, verb: str) -> None:
    assert SIGN_IN_MOVES[state].get(verb) == ALLOWED.get((state, verb))


def test_every_state_is_live_or_refused_and_only_decided_ones_rest() -> None:
    assert set(SignInState) == {*LIVE_STATES, SignInState.REFUSED}
    assert {state for state, moves in SIGN_IN_MOVES.items() if not moves} == set(DECIDED_STATES)
