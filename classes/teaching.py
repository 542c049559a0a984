"""What classes tell the floors below, which cannot know them: who reads materials, what starts next, which
classes need a member of the staff.
"""

import datetime
from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import staff
from accounts.models import Membership, User
from accounts.staff import Engagement
from accounts.states import Role
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


_UNFINISHED = (
    ClassState.DRAFT,
    ClassState.RETURNED,
    ClassState.SUBMITTED,
    ClassState.APPROVED,
    ClassState.RUNNING,
)


def classes_of_staff(membership: Membership) -> Iterable[Engagement]:
    """The institution's classes that are not over and name this person in this role (F13, F14)."""
    if membership.user.person_id is None or membership.role not in (Role.LECTURER, Role.ASSISTANT):
        return
    place = "lecturer" if membership.role == Role.LECTURER else "assistant"
    classes = TrainingClass.objects.filter(
        institution=membership.institution_id, state__in=_UNFINISHED, **{place: membership.user.person_id}
    )
    for one in classes.order_by("starts_on", "pk"):
        yield Engagement(one.name, str(one.get_state_display()), reverse("classes:detail", args=[one.pk]))


def register() -> None:
    staff.register_engagements(classes_of_staff)
    permissions.register_reader(reads_materials)
    offers.register(next_classes)
