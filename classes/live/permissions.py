"""Who may see a room, be in it, lead it."""

from dataclasses import dataclass

from django.http import Http404
from django.utils.translation import gettext_noop

from accounts.models import User
from accounts.permissions import roles_of
from accounts.states import Role
from classes.live.states import RoomRole
from classes.models import Lesson
from classes.permissions import access_lesson, can_attend
from policy.refusals import Refusal


def access_room(user: User, pk: int) -> Lesson:
    """The lesson whose room this is, for those who may see its class; Http404 for strangers and lessons
    without a room.
    """
    lesson = access_lesson(user, pk)
    if not lesson.is_roomed:
        raise Http404
    return lesson


def room_role(user: User, lesson: Lesson) -> RoomRole | None:
    """What this person is in the room: the class's lecturer, its assistant, a trainee on its roster, or
    nobody.
    """
    training_class = lesson.training_class
    if user.person_id is None:
        return None
    if user.person_id == training_class.lecturer_id:
        return RoomRole.LECTURER
    if user.person_id == training_class.assistant_id:
        return RoomRole.ASSISTANT
    return RoomRole.TRAINEE if can_attend(user, training_class) else None


def can_enter(user: User, lesson: Lesson) -> bool:
    """Whether this person takes part in the lesson: its lecturer, its assistant, an active trainee."""
    return room_role(user, lesson) is not None


@dataclass(frozen=True)
class Participant:
    """Somebody who belongs in a room, and as what."""

    person_id: int
    role: RoomRole


def require_member(user: User, lesson: Lesson) -> Participant:
    """Return who this is in the room; raises Refusal `not_in_class` (403), Http404 for a stranger."""
    role = room_role(user, lesson)
    if role is not None and user.person_id is not None:
        return Participant(user.person_id, role)
    access_lesson(user, lesson.pk)
    raise Refusal(
        "not_in_class",
        gettext_noop("这个课堂只有本班的讲师、助教和在册学员能进。"),
        found=roles_of(user),
        required=[Role.LECTURER, Role.ASSISTANT, Role.TRAINEE],
        rule="P8",
        next_step=gettext_noop("需要查看上课情况，请打开班级页面。"),
        status=403,
    )
