"""The whole (state, verb) grid of everything that has states.

An app adds its tables to GRIDS: which states there are, which verb leads where, and which states end a
life. Every verb is tried in every state; a verb that the table does not list has to be refused and
leave the row as it was.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from classes.actions.moves import move
from classes.models import Enrolment, Filing, Lesson, TrainingClass
from classes.recruitment.actions.moves import move as move_in_recruitment
from classes.recruitment.models import Campaign, CategoryEvidence, Registration
from classes.recruitment.states import (
    CAMPAIGN_MOVES,
    EVIDENCE_MOVES,
    REGISTRATION_MOVES,
    CampaignState,
    EvidenceState,
    RegistrationState,
)
from classes.states import (
    CLASS_MOVES,
    ENROLMENT_MOVES,
    FILING_MOVES,
    LESSON_MOVES,
    ClassState,
    EnrolmentState,
    FilingState,
    LessonState,
)
from courses.actions.moves import move as move_course
from courses.models import CourseVersion, Material
from courses.states import MATERIAL_MOVES, VERSION_MOVES, MaterialState, VersionState
from exchange.actions import move as move_exchanged
from exchange.models import Package, Receipt
from exchange.states import PACKAGE_MOVES, RECEIPT_MOVES, PackageState, ReceiptState
from policy.refusals import Refusal


@dataclass(frozen=True)
class Grid:
    """One table of moves. `attempt` takes (state, verb), returns the state after, and lets a Refusal
    through.
    """

    name: str
    states: type
    moves: Mapping[str, Mapping[str, str]]
    attempt: Callable[[str, str], str] | None = None

    @property
    def verbs(self) -> set[str]:
        return {verb for verbs in self.moves.values() for verb in verbs}


def moved(model: type[Any], move: Callable[[Any, str], None] = move) -> Callable[[str, str], str]:
    """Try a verb on an unsaved row: the move itself needs no database."""

    def attempt(state: str, verb: str) -> str:
        row = model(state=state)
        try:
            move(row, verb)
        except Refusal:
            assert row.state == state
            raise
        return str(row.state)

    return attempt


GRIDS = [
    Grid("class", ClassState, CLASS_MOVES, moved(TrainingClass)),
    Grid("filing", FilingState, FILING_MOVES, moved(Filing)),
    Grid("enrolment", EnrolmentState, ENROLMENT_MOVES, moved(Enrolment)),
    Grid("lesson", LessonState, LESSON_MOVES, moved(Lesson)),
    Grid("campaign", CampaignState, CAMPAIGN_MOVES, moved(Campaign, move_in_recruitment)),
    Grid("registration", RegistrationState, REGISTRATION_MOVES, moved(Registration, move_in_recruitment)),
    Grid("category evidence", EvidenceState, EVIDENCE_MOVES, moved(CategoryEvidence, move_in_recruitment)),
    Grid("package", PackageState, PACKAGE_MOVES, moved(Package, move_exchanged)),
    Grid("receipt", ReceiptState, RECEIPT_MOVES, moved(Receipt, move_exchanged)),
    Grid("course version", VersionState, VERSION_MOVES, moved(CourseVersion, move_course)),
    Grid("material", MaterialState, MATERIAL_MOVES, moved(Material, move_course)),
]


def pairs() -> Iterator[Any]:
    for grid in GRIDS:
        for state in grid.states:  # type: ignore[attr-defined]  # every states class is an enum
            for verb in sorted(grid.verbs):
                yield pytest.param(grid, state, verb, id=f"{grid.name}-{state}-{verb}")


@pytest.mark.parametrize(("grid", "state", "verb"), pairs())
def test_a_verb_moves_only_from_the_states_that_list_it(grid, state, verb):
    if grid.attempt is None:
        return
    expected = grid.moves[state].get(verb)
    if expected is None:
        with pytest.raises(Refusal) as refused:
            grid.attempt(state, verb)
        assert refused.value.code == "move_refused"
        assert refused.value.found == state
    else:
        assert grid.attempt(state, verb) == expected


@pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: grid.name)
def test_every_state_has_its_line_and_every_move_leads_to_a_state(grid):
    states = set(grid.states)
    assert set(grid.moves) == states
    assert {after for verbs in grid.moves.values() for after in verbs.values()} <= states


@pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: grid.name)
def test_every_state_but_the_first_can_be_reached(grid):
    first = next(iter(grid.states))
    reached, waiting = {first}, [first]
    while waiting:
        for after in grid.moves[waiting.pop()].values():
            if after not in reached:
                reached.add(after)
                waiting.append(after)
    assert reached == set(grid.states)
