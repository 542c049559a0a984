"""Who may see a room, be in it, lead it."""

from django.http import Http404
from django.utils.translation import gettext_noop

from accounts.models import User
from classes.live.states import RoomRole
from classes.models import Lesson
from classes.permissions import access_lesson, can_attend, can_teach
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


def can_lead(user: User, lesson: Lesson) -> bool:
    """Whether this person opens and closes the room, publishes, and runs checks: lecturer or assistant (F20,
    F21).
    """
    return can_teach(user, lesson.training_class)


def require_member(user: User, lesson: Lesson) -> RoomRole:
    """This person's role in the room; raises Refusal `not_in_class` (403)."""
    role = room_role(user, lesson)
    if role is None:
        raise Refusal(
            "not_in_class",
            gettext_noop("这个课堂只有本班的讲师、助教和在册学员能进。"),
            next_step=gettext_noop("需要查看上课情况，请打开班级页面。"),
            status=403,
        )
    return role


def require_leader(user: User, lesson: Lesson) -> None:
    """Raises Refusal `leader_required` (403) unless this person is the class's lecturer or assistant."""
    if not can_lead(user, lesson):
        raise Refusal(
            "leader_required",
            gettext_noop("这一步要由本班的讲师或助教来做。"),
            next_step=gettext_noop("请让讲师或助教操作。"),
            rule="F13",
            status=403,
        )
