"""A desk that an assistant is in charge of, and a trainee who has consented and enrolled."""

import datetime

import pytest
from time_machine import TimeMachineFixture

from accounts.models import Person, User
from accounts.states import Role
from identity import actions, consent_texts, permissions
from identity.models import FaceTemplate
from identity.states import ConsentPurpose, Purpose
from tests.identity.pictures import burst

DESK = "desk/1"


def shown_text(at: datetime.datetime) -> str:
    """The version of the text that is on the screen at `at`."""
    return consent_texts.current_text(ConsentPurpose.FACE, on=at.date()).version


@pytest.fixture(autouse=True)
def _desk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The floor above says who is in charge; here the assistants are, of every desk."""
    monkeypatch.setitem(permissions._in_charge, "desk", lambda user, subject: user.has_role(Role.ASSISTANT))


@pytest.fixture(autouse=True)
def _clock(time_machine: TimeMachineFixture, now: datetime.datetime) -> None:
    """Edges read the clock; let it stand at the moment the actions are given."""
    time_machine.move_to(now.astimezone(datetime.UTC), tick=False)


@pytest.fixture
def person(learner: User) -> Person:
    assert learner.person
    return learner.person


@pytest.fixture
def consented(person: Person, learner: User, now: datetime.datetime) -> Person:
    actions.give_consent(person=person, actor=learner, at=now, text_version=shown_text(now))
    return person


@pytest.fixture
def enrolled(consented: Person, learner: User, now: datetime.datetime) -> FaceTemplate:
    return actions.enrol_face(person=consented, frames=burst("person_b_1"), actor=learner, at=now)


@pytest.fixture
def sign_in(person: Person, learner: User, now: datetime.datetime) -> dict[str, object]:
    """What every check of these tests has in common."""
    return {"person": person, "purpose": Purpose.SIGN_IN, "subject": DESK, "actor": learner, "at": now}
