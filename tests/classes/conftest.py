import datetime

import pytest

from config.demo.cast import Cast
from courses.models import Course
from tests.classes.school import School


@pytest.fixture
def school(cast: Cast, catalogue: None, now: datetime.datetime) -> School:
    """The manager's school with the catalogue loaded."""
    return School(cast=cast, at=now, course=Course.objects.get(course_type="GYB"))
