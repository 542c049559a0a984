"""Who signs in and answers, and who may see whose time. Who teaches and manages is the class's question."""

from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.utils.translation import gettext_noop

from accounts.models import Bureau, Person, User
from accounts.permissions import roles_of
from accounts.registers.permissions import access_lecturer, office_over_lecturer, offices_of
from accounts.states import Role
from attendance.models import Check, SignIn
from classes.models import Enrolment, Lesson, TrainingClass
from classes.permissions import access_class, access_lesson, can_teach, sees_roster
from classes.queries import classes_visible_to
from classes.states import EnrolmentState
from policy.refusals import Refusal


def own_enrolment(user: User | AnonymousUser, training_class: TrainingClass) -> Enrolment | None:
    """The active place of this account's person on the roster, if they have one."""
    if not isinstance(user, User) or user.person_id is None:
        return None
    return Enrolment.objects.filter(
        training_class=training_class, person_id=user.person_id, state=EnrolmentState.ACTIVE
    ).first()


def require_trainee(user: User, training_class: TrainingClass) -> Enrolment:
    """The actor's own place on the roster: nobody signs in or answers for another.

    Raises Refusal trainee_required (403) for who sees the class otherwise, Http404 for a stranger.
    """
    enrolment = own_enrolment(user, training_class)
    if enrolment is not None:
        return enrolment
    if not classes_visible_to(user).filter(pk=training_class.pk).exists():
        raise Http404
    raise Refusal(
        "trainee_required",
        gettext_noop("签到、签退和应答只能由本班学员本人来做。"),
        found=roles_of(user),
        required=Role.TRAINEE,
        rule="F19",
        next_step=gettext_noop("请用学员本人的账号登录。"),
        status=403,
    )


def access_roomed_lesson(user: User | AnonymousUser, pk: int) -> Lesson:
    """A lesson one signs in to, of a class that this account sees; Http404 otherwise."""
    lesson = access_lesson(user, pk)
    if not lesson.is_roomed:
        raise Http404
    return lesson


def access_check(user: User | AnonymousUser, pk: int) -> Check:
    """A check in a lesson that this account sees; Http404 otherwise."""
    check = Check.objects.filter(pk=pk).first()
    if check is None:
        raise Http404
    check.lesson = access_lesson(user, check.lesson_id)
    return check


def access_sign_in(user: User | AnonymousUser, pk: int) -> SignIn:
    """A sign-in that is one's own, or in a class that one teaches; Http404 otherwise."""
    sign_in = SignIn.objects.select_related("enrolment__person", "face_check").filter(pk=pk).first()
    if sign_in is None or not isinstance(user, User):
        raise Http404
    sign_in.lesson = access_lesson(user, sign_in.lesson_id)
    is_own = sign_in.enrolment.person_id == user.person_id
    if not is_own and not can_teach(user, sign_in.lesson.training_class):
        raise Http404
    return sign_in


def access_times_of_class(user: User | AnonymousUser, pk: int) -> TrainingClass:
    """A class whose attendance table this account may read: its staff, institution, bureau; or Http404."""
    training_class = access_class(user, pk)
    if not sees_roster(user, training_class):
        raise Http404
    return training_class


def access_lecturer_losses(user: User | AnonymousUser, pk: int) -> tuple[Person, Bureau]:
    """A lecturer of the region and the office that decides about them (L5); Http404 for others."""
    person = access_lecturer(user, pk)
    office = office_over_lecturer(user, person)
    if office is None:
        raise Http404
    return person, office


def access_losses(user: User | AnonymousUser) -> list[Bureau]:
    """The offices for which this account looks at what lecturers' classes lost (L5); Http404 for others."""
    offices = offices_of(user)
    if not offices:
        raise Http404
    return offices
