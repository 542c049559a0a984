"""A lecturer who is new at the school, and somebody who can be asked to confirm them."""

import datetime
from dataclasses import dataclass
from typing import Any

import pytest

from accounts.actions import find_or_create_person, grant_role, record_membership
from accounts.models import Person, User
from accounts.registers import actions
from accounts.registers.actions import Order, QualificationDetails
from accounts.registers.models import Measure, Qualification
from accounts.registers.states import REQUIRED_DOCUMENTS, Ground, MeasureKind, Route
from accounts.states import Role
from config.demo.cast import Cast, made_up_id_number
from config.demo.registers import paper
from courses.models import Course
from tests.classes.school import School


@dataclass
class Registers:
    """What a school and its office do with the registers, in one word each."""

    cast: Cast
    at: datetime.datetime
    novice: Person

    def details(self, **changes: Any) -> QualificationDetails:
        values: dict[str, Any] = {
            "route": Route.CERTIFICATE,
            "number": "豫创培师 2024-0007",
            "certified_on": datetime.date(2024, 9, 1),
            "training_since": datetime.date(2024, 9, 1),
        }
        return QualificationDetails(**(values | changes))

    def entered(self, **changes: Any) -> Qualification:
        return actions.enter_qualification(
            person=self.novice,
            institution=self.cast.school,
            details=self.details(**changes),
            actor=self.cast.manager,
            at=self.at,
        )

    def complete(self, **changes: Any) -> Qualification:
        """A draft with all its papers."""
        row = self.entered(**changes)
        for kind in REQUIRED_DOCUMENTS[row.route]:
            actions.add_to_qualification(
                qualification=row,
                kind=kind,
                paper=paper(str(kind.label)[:60]),
                actor=self.cast.manager,
                at=self.at,
            )
        return row

    def submitted(self, **changes: Any) -> Qualification:
        return actions.submit_qualification(
            qualification=self.complete(**changes), actor=self.cast.manager, at=self.at
        )

    def confirmed(self, **changes: Any) -> Qualification:
        return actions.decide_qualification(
            qualification=self.submitted(**changes),
            confirmed=True,
            reason="",
            actor=self.cast.officer,
            at=self.at,
        )

    def disqualify(self, person: Person | None = None, **changes: Any) -> Measure:
        values: dict[str, Any] = {
            "kind": MeasureKind.DISQUALIFICATION,
            "row": Ground.LOSS,
            "ground": "第 5 期、第 6 期两个班学员流失都超过一半，授课效果较差。",
            "since": self.at.date(),
        }
        return actions.disqualify_lecturer(
            person=person or self.trainer,
            order=Order(**(values | changes)),
            actor=self.cast.officer,
            at=self.at,
        )

    def order(self, **changes: Any) -> Measure:
        values: dict[str, Any] = {
            "kind": MeasureKind.RECTIFICATION,
            "row": Ground.BREACH,
            "ground": "两个班的每日意见反馈表收集不全。",
            "since": self.at.date(),
            "deadline": self.at.date() + datetime.timedelta(days=7),
        }
        actor = changes.pop("actor", self.cast.officer)
        return actions.order_institution(
            institution=self.cast.school, order=Order(**(values | changes)), actor=actor, at=self.at
        )

    def end(self, measure: Measure, *, days: int = 0) -> Measure:
        return actions.end_measure(
            measure=measure,
            reason="已经改正。",
            actor=self.cast.officer,
            at=self.at + datetime.timedelta(days=days),
        )

    @property
    def trainer(self) -> Person:
        assert self.cast.trainer.person is not None
        return self.cast.trainer.person


@pytest.fixture
def registers(cast: Cast, now: datetime.datetime) -> Registers:
    novice = find_or_create_person(name="丁一鸣", id_number=made_up_id_number(60, region="410102"), at=now)
    user = User.objects.create_user("novice", None, person=novice)
    role = grant_role(user=user, role=Role.LECTURER, institution=cast.school)
    record_membership("role.granted", role, actor=None, at=now)
    return Registers(cast, now, novice)


@pytest.fixture
def school(cast: Cast, catalogue: None, now: datetime.datetime) -> School:
    return School(cast=cast, at=now, course=Course.objects.get(course_type="GYB"))


@pytest.fixture
def provincial(cast: Cast, now: datetime.datetime) -> User:
    """An officer of the provincial bureau."""
    user = User.objects.create_user("provincial", None, display_name="省厅经办")
    role = grant_role(user=user, role=Role.OFFICER, bureau=cast.regulator.bureau)
    record_membership("role.granted", role, actor=None, at=now)
    return user
