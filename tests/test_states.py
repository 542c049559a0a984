"""The whole (state, verb) grid of everything that has states.

An app adds its tables to GRIDS: whose states they are, which verb leads where, and how a move is refused.
Every verb is tried in every state; a verb that the table does not list has to be refused and leave the row
as it was. What has states and is missing here fails.
"""

import ast
import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps

from accounts.registers.actions.moves import move as move_qualification
from accounts.registers.models import Qualification
from accounts.registers.states import QUALIFICATION_MOVES, QualificationState
from attendance.actions.moves import move_sign_in
from attendance.models import SignIn
from attendance.states import SIGN_IN_MOVES, SignInState
from classes.actions.moves import move as move_in_class
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
from exams.actions.moves import move as move_in_exam
from exams.models import Attempt, Certificate
from exams.states import ATTEMPT_MOVES, CERTIFICATE_MOVES, AttemptState, CertificateState
from exchange.actions.moves import move as move_exchanged
from exchange.models import Package, Receipt
from exchange.states import PACKAGE_MOVES, RECEIPT_MOVES, PackageState, ReceiptState
from identity.actions.moves import move_check
from identity.models import FaceCheck
from identity.states import CHECK_MOVES, CheckState
from policy.refusals import Refusal
from subsidies.actions.moves import move_claim, move_objection
from subsidies.models import Claim, Objection
from subsidies.states import CLAIM_MOVES, OBJECTION_MOVES, ClaimState, ObjectionState
from tests.test_architecture import modules


@dataclass(frozen=True)
class Grid:
    """One table of moves, the function that makes them (unsaved rows will do), and its refusal's code."""

    model: type[Any]
    states: type[enum.Enum]
    moves: Mapping[str, Mapping[str, str]]
    move: Callable[[Any, str], None]
    code: str = "move_refused"

    @property
    def verbs(self) -> set[str]:
        return {verb for verbs in self.moves.values() for verb in verbs}


GRIDS = [
    Grid(Qualification, QualificationState, QUALIFICATION_MOVES, move_qualification),
    Grid(FaceCheck, CheckState, CHECK_MOVES, move_check, "check_not_in_doubt"),
    Grid(TrainingClass, ClassState, CLASS_MOVES, move_in_class),
    Grid(Filing, FilingState, FILING_MOVES, move_in_class),
    Grid(Enrolment, EnrolmentState, ENROLMENT_MOVES, move_in_class),
    Grid(Lesson, LessonState, LESSON_MOVES, move_in_class),
    Grid(Campaign, CampaignState, CAMPAIGN_MOVES, move_in_recruitment),
    Grid(Registration, RegistrationState, REGISTRATION_MOVES, move_in_recruitment),
    Grid(CategoryEvidence, EvidenceState, EVIDENCE_MOVES, move_in_recruitment),
    Grid(Package, PackageState, PACKAGE_MOVES, move_exchanged),
    Grid(Receipt, ReceiptState, RECEIPT_MOVES, move_exchanged),
    Grid(CourseVersion, VersionState, VERSION_MOVES, move_course),
    Grid(Material, MaterialState, MATERIAL_MOVES, move_course),
    Grid(SignIn, SignInState, SIGN_IN_MOVES, move_sign_in, "sign_in_decided"),
    Grid(Attempt, AttemptState, ATTEMPT_MOVES, move_in_exam),
    Grid(Certificate, CertificateState, CERTIFICATE_MOVES, move_in_exam),
    Grid(Claim, ClaimState, CLAIM_MOVES, move_claim, "claim_move"),
    Grid(Objection, ObjectionState, OBJECTION_MOVES, move_objection, "objection_answered"),
]


PAIRS = [
    pytest.param(grid, state.value, verb, id=f"{grid.model.__name__}-{state.value}-{verb}")
    for grid in GRIDS
    for state in grid.states
    for verb in sorted(grid.verbs)
]


def each(grid: Grid) -> str:
    return grid.model.__name__


@pytest.mark.parametrize(("grid", "state", "verb"), PAIRS)
def test_a_verb_moves_only_from_the_states_that_list_it(grid: Grid, state: str, verb: str):
    row = grid.model(state=state)
    expected = grid.moves[state].get(verb)
    if expected is None:
        with pytest.raises(Refusal) as refused:
            grid.move(row, verb)
        assert (refused.value.code, refused.value.found) == (grid.code, state)
        assert row.state == state
    else:
        grid.move(row, verb)
        assert row.state == expected


@pytest.mark.parametrize("grid", GRIDS, ids=each)
def test_every_state_has_its_line_and_every_move_leads_to_a_state(grid: Grid):
    states = {state.value for state in grid.states}
    assert set(grid.moves) == states
    assert {after for verbs in grid.moves.values() for after in verbs.values()} <= states


@pytest.mark.parametrize("grid", GRIDS, ids=each)
def test_every_state_but_the_first_can_be_reached(grid: Grid):
    first = next(iter(grid.states)).value
    reached, waiting = {first}, [first]
    while waiting:
        for after in grid.moves[waiting.pop()].values():
            if after not in reached:
                reached.add(after)
                waiting.append(after)
    assert reached == {state.value for state in grid.states}


@pytest.mark.parametrize("grid", GRIDS, ids=each)
def test_a_row_holds_the_states_of_its_grid(grid: Grid):
    field = grid.model._meta.get_field("state")
    assert [value for value, _label in field.choices] == [state.value for state in grid.states]


def test_every_enum_of_states_and_every_table_of_moves_is_in_a_grid():
    enums, tables = [], []
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and node.name.endswith("State"):
                enums.append(node.name)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                tables += [name.id for name in targets if isinstance(name, ast.Name) and "MOVES" in name.id]
    assert sorted(enums) == sorted(grid.states.__name__ for grid in GRIDS)
    # `_MOVES` only gathers the tables of an app for its move function.
    assert len([name for name in tables if name != "_MOVES"]) == len({id(grid.moves) for grid in GRIDS})


def test_every_model_with_a_state_is_in_a_grid():
    with_a_state = {
        model
        for model in apps.get_models()
        if any(field.name == "state" for field in model._meta.concrete_fields)
    }
    assert with_a_state == {grid.model for grid in GRIDS}
