"""What classes tell the catalogue, which cannot know them: who reads materials, what starts next."""

import datetime
from collections.abc import Iterable

from django.utils.translation import gettext as _

from accounts.models import User
from classes.models import TrainingClass
from classes.queries import classes_visible_to
from classes.states import ClassState
from courses import offers, permissions
from courses.models import Course, CourseVersion
from courses.offers import Offer
from policy.terms import Mode


def reads_materials(user: User, version: CourseVersion) -> bool:
    """The people of classes with this version, as long as their class was not cancelled: institution, staff,
    trainees, and the office that decides.
    """
    return (
        classes_visible_to(user).filter(course_version=version).exclude(state=ClassState.CANCELLED).exists()
    )


def next_classes(course: Course, today: datetime.date) -> Iterable[Offer]:
    """Approved classes of the course that have not begun, whatever their version."""
    classes = TrainingClass.objects.filter(
        course=course, state=ClassState.APPROVED, starts_on__gte=today
    ).select_related("institution")
    for one in classes.order_by("starts_on", "pk")[: offers.MOST_SHOWN]:
        yield Offer(one.institution_id, one.institution.name, one.starts_on, _(Mode(one.mode).label))


def register() -> None:
    permissions.register_reader(reads_materials)
    offers.register(next_classes)
