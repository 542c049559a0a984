"""What the demo shows on the days after it was loaded."""

import datetime

import pytest

from classes.states import ClassState, LessonState
from config.demo.cast import Cast
from config.demo.stages import build_live
from courses.actions import load_catalogue
from exams.actions.bank import load_question_bank

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("hours", [4, 20, 24, 28])
def test_the_next_start_has_its_people_whatever_the_hour(cast: Cast, now: datetime.datetime, hours: int):
    """The class of the earlier start would still have had them for days."""
    load_catalogue(at=now)
    load_question_bank()
    first = build_live(cast, now=now, most=1)
    assert build_live(cast, now=now + datetime.timedelta(hours=hours), most=1) != first


def test_a_later_start_has_a_lesson_under_way_again(cast: Cast, now: datetime.datetime):
    load_catalogue(at=now)
    load_question_bank()
    first = build_live(cast, now=now, most=1)
    assert build_live(cast, now=now + datetime.timedelta(hours=2), most=1) == first
    later = now + datetime.timedelta(days=3)
    second = build_live(cast, now=later, most=1)
    assert second != first
    assert build_live(cast, now=later, most=1) == second
    for training_class, moment in ((first, now), (second, later)):
        training_class.refresh_from_db()
        assert training_class.state == ClassState.RUNNING
        assert training_class.enrolments.filter(person=cast.learner.person).exists()
        assert training_class.lessons.get(starts_at__lte=moment, ends_at__gt=moment).state == LessonState.OPEN
