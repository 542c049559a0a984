"""Who signs in, who asks, who confirms, who may see whose time."""

from classes.permissions import access_class, access_enrolment, access_lesson, can_teach
from django.http import Http404
from django.utils.translation import gettext_noop

from accounts.models import User
from attendance.models import Check, SignIn
from classes.models import Enrolment, TrainingClass
from classes.states import EnrolmentState
from policy.refusals import Refusal


def own_enrolment(user: User, training_class: TrainingClass) -> Enrolment | None:
    """The active place of this account's person on the roster, if they have one."""
    if user.person_id is None:
        return None
    return Enrolment.objects.filter(
        training_class=training_class, person_id=user.person_id, state=EnrolmentState.ACTIVE
    ).first()


def require_trainee(user: User, training_class: TrainingClass) -> Enrolment:
    """The actor's own place on the roster: nobody signs in for another.

    Raises Refusal trainee_required (403).
    """
    enrolment = own_enrolment(user, training_class)
    if enrolment is None:
        raise Refusal(
            "trainee_required",
            gettext_noop("签到、签退和应答只能由本班学员本人来做。"),
            rule="F19",
            next_step=gettext_noop("请用学员本人的账号登录。"),
            status=403,
        )
    return enrolment


def require_teacher(user: User, training_class: TrainingClass) -> None:
    """Refuse all but the class's lecturer and assistant: teacher_required, 403 (F20, F21)."""
    if not can_teach(user, training_class):
        raise Refusal(
            "teacher_required",
            gettext_noop("点名、提问和确认签到由本班讲师或助教来做。"),
            rule="F20",
            next_step=gettext_noop("请联系本班讲师或助教。"),
            status=403,
        )


def access_check(user: User, pk: int) -> Check:
    """The check in a lesson this account may see; Http404 otherwise."""
    check = Check.objects.select_related("lesson__training_class").filter(pk=pk).first()
    if check is None:
        raise Http404
    access_lesson(user, check.lesson_id)
    return check


def access_sign_in(user: User, pk: int) -> SignIn:
    """A sign-in that is one's own, or in a class where one teaches; Http404 otherwise."""
    sign_in = (
        SignIn.objects.select_related("enrolment__person", "lesson__training_class", "face_check")
        .filter(pk=pk)
        .first()
    )
    if sign_in is None:
        raise Http404
    access_lesson(user, sign_in.lesson_id)
    own = user.person_id is not None and sign_in.enrolment.person_id == user.person_id
    if not own and not can_teach(user, sign_in.lesson.training_class):
        raise Http404
    return sign_in


def access_time_of(user: User, pk: int) -> Enrolment:
    """An enrolment whose time this account may read, a trainee only their own; Http404 otherwise."""
    enrolment = access_enrolment(user, pk)
    if sees_all_times(user, enrolment.training_class) or enrolment.person_id == user.person_id:
        return enrolment
    raise Http404


def access_times_of_class(user: User, pk: int) -> TrainingClass:
    """A class whose attendance table this account may read: its staff, institution, bureau; or Http404."""
    training_class = access_class(user, pk)
    if not sees_all_times(user, training_class):
        raise Http404
    return training_class


def sees_all_times(user: User, training_class: TrainingClass) -> bool:
    """Whether somebody who may see the class is more to it than one of its trainees."""
    return can_teach(user, training_class) or own_enrolment(user, training_class) is None
