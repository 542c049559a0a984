"""A school that recruits: a campaign, an event, and people who fill in the form."""

import datetime
import io
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from classes.models import TrainingClass
from classes.recruitment import actions, privacy
from classes.recruitment.actions import Application, CampaignDetails, Document
from classes.recruitment.models import Campaign, OfflineEvent, Registration
from classes.recruitment.questionnaires import for_course
from config.demo.cast import TRAINEES, Cast, made_up_id_number
from courses.models import Course
from tests.classes.school import School

Apply = Callable[..., Registration]


@pytest.fixture
def school(cast: Cast, catalogue: None, now: datetime.datetime) -> School:
    return School(cast=cast, at=now, course=Course.objects.filter(course_type="GYB").order_by("pk")[0])


@pytest.fixture
def campaign(school: School, now: datetime.datetime) -> Campaign:
    return actions.create_campaign(details=details(school.course), actor=school.cast.manager, at=now)


def details(course: Course, **changes: Any) -> CampaignDetails:
    values: dict[str, Any] = {
        "course": course,
        "planned_from": datetime.date(2026, 10, 12),
        "planned_until": datetime.date(2026, 10, 19),
        "places": 60,
        "description": "全程网上直播。",
    }
    return CampaignDetails(**(values | changes))


@pytest.fixture
def event(campaign: Campaign, school: School, now: datetime.datetime) -> OfflineEvent:
    return actions.create_event(
        campaign=campaign,
        title="社区宣讲会",
        held_on=datetime.date(2026, 9, 5),
        venue="文化路社区",
        recruiter="周文博",
        actor=school.cast.manager,
        at=now,
    )


@pytest.fixture
def apply(campaign: Campaign, now: datetime.datetime) -> Apply:
    """Fill in the form as the n-th made-up person; changes go to the form, the rest to the action."""

    def fill_in(n: int, **changes: Any) -> Registration:
        asked: dict[str, Any] = {
            "campaign": campaign,
            "document": None,
            "event": None,
            "key": uuid.uuid4(),
            "actor": None,
            "at": now + datetime.timedelta(minutes=n),
        }
        asked |= {name: changes.pop(name) for name in list(changes) if name in asked}
        return actions.register(application=application(n, **changes), **asked)

    return fill_in


def application(n: int, **changes: Any) -> Application:
    values: dict[str, Any] = {
        "name": TRAINEES[n] if n < len(TRAINEES) else f"李{chr(0x4E00 + n)}",
        "id_number": made_up_id_number(n),
        "phone": f"1370000{n:04d}",
        "category": "rural_worker",
        "education": "junior",
        "occupation": "务农",
        "wish": "想开早餐店",
        "privacy_version": privacy.current_text(datetime.date(2026, 9, 7)).version,
    }
    return Application(**(values | changes))


def answers(course_type: str = "GYB", **changes: str) -> dict[str, str]:
    """Somebody who begins to think of a business: the stage of awareness."""
    middling = {question.id: question.options[1].id for question in for_course(course_type).questions}
    return middling | {"time": "enough", "device": "phone"} | changes


def able(course_type: str = "GYB") -> dict[str, str]:
    """Somebody with a project, money and time: the start-up stage."""
    return {
        question.id: max(question.options, key=lambda option: option.points).id
        for question in for_course(course_type).questions
    }


@pytest.fixture
def screened(apply: Apply, now: datetime.datetime) -> Apply:
    """Fill in the form and answer the questionnaire."""

    def fill_in(n: int, **changes: Any) -> Registration:
        given = changes.pop("answers", None)
        registration = apply(n, **changes)
        course_type = registration.course.course_type
        actions.answer_questionnaire(
            registration=registration,
            answers=given or answers(course_type),
            actor=None,
            at=registration.submitted_at + datetime.timedelta(minutes=5),
        )
        registration.refresh_from_db()
        return registration

    return fill_in


@pytest.fixture
def draft(school: School) -> TrainingClass:
    """A class whose roster may still change, empty."""
    return school.create()


def photo(size: tuple[int, int] = (640, 480), kind: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#8a8272").save(out, kind, **options)
    return out.getvalue()


def document(**changes: Any) -> Document:
    values: dict[str, Any] = {
        "category": "rural_worker",
        "name": "户口簿",
        "valid_from": datetime.date(2026, 1, 1),
        "valid_until": datetime.date(2027, 1, 1),
        "picture": photo(),
    }
    return Document(**(values | changes))
