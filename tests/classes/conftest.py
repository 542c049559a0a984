import datetime

import pytest

from config.demo.cast import Cast
from courses.actions import load_catalogue
from courses.models import Course
from tests.classes.school import School


@pytest.fixture
def school(cast: Cast, now: datetime.datetime) -> School:
    """The manager's school with the catalogue loaded."""
    load_catalogue(at=now)
    return School(cast=cast, at=now, course=Course.objects.get(course_type="GYB"))
