"""Whose face it is, and who may look when the engine is in doubt.

This floor does not know classes. The floor that does registers, for the first part of a subject (`class`),
who is in charge of it; without that nobody is.
"""

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.http import Http404

from accounts.models import Person, User
from accounts.permissions import roles_of
from accounts.states import Role
from identity.models import FaceCheck
from identity.states import CheckState
from policy.messages import gettext_noop
from policy.refusals import Refusal

InCharge = Callable[[User, str], bool]

_in_charge: dict[str, InCharge] = {}


def register_in_charge(kind: str, judge: InCharge) -> None:
    """Let `judge(user, subject)` answer for subjects that begin with `kind/`; call it from ready()."""
    _in_charge[kind] = judge


def is_in_charge(user: User, subject: str) -> bool:
    """Whether this lecturer or assistant vouches for people in what `subject` names."""
    judge = _in_charge.get(subject.partition("/")[0])
    return bool(user.is_active and judge and judge(user, subject))


def is_own(user: User | AnonymousUser, person: Person) -> bool:
    return isinstance(user, User) and user.is_active and user.person_id == person.pk


def can_review(user: User, check: FaceCheck) -> bool:
    """In charge of what the check serves, and not the one who is checked."""
    return not is_own(user, check.person) and is_in_charge(user, check.subject)


def require_own(user: User, person: Person) -> None:
    """Raises Refusal `not_yourself` (403): a face, a consent and a code belong to the person alone."""
    if not is_own(user, person):
        raise Refusal(
            "not_yourself",
            gettext_noop("人脸和验证码只能由本人来办。"),
            found=roles_of(user),
            required=Role.TRAINEE,
            rule="P7",
            next_step=gettext_noop("请本人用自己的账号登录。"),
            status=403,
        )


def require_in_charge(user: User, subject: str, person: Person) -> None:
    """Raises Refusal `not_in_charge` (403) for all but the class's staff, and for the person."""
    if is_own(user, person) or not is_in_charge(user, subject):
        raise Refusal(
            "not_in_charge",
            gettext_noop("这一步要由这个班的讲师或者助教来做，也不能给自己做。"),
            found=roles_of(user),
            required=[Role.LECTURER, Role.ASSISTANT],
            rule="P7",
            next_step=gettext_noop("请联系这个班的助教。"),
            status=403,
        )


def access_own_check(user: User | AnonymousUser, pk: int) -> FaceCheck:
    """One's own check by its id; anybody else's is not there (Http404)."""
    person_id = user.person_id if isinstance(user, User) else None
    check = FaceCheck.objects.filter(pk=pk, person_id=person_id).first() if person_id else None
    if check is None:
        raise Http404
    return check


def access_check_to_review(user: User | AnonymousUser, pk: int) -> FaceCheck:
    """A check in doubt that this user may decide, or one already decided by them; otherwise Http404."""
    check = FaceCheck.objects.select_related("person").filter(pk=pk).first()
    if check is None or not isinstance(user, User) or not can_review(user, check):
        raise Http404
    if check.state not in (CheckState.GREY, CheckState.CONFIRMED, CheckState.DENIED, CheckState.LAPSED):
        raise Http404
    return check


def own_person(user: User | AnonymousUser) -> tuple[User, Person]:
    """The account and its human being; raises Refusal `person_required` (403) for an office's account."""
    if isinstance(user, User) and user.person is not None:
        return user, user.person
    raise Refusal(
        "person_required",
        gettext_noop("这个账号是单位的，没有登记本人，用不到人脸核对。"),
        found=False,
        required=True,
        rule="P7",
        next_step=gettext_noop("请用学员自己的账号登录。"),
        status=403,
    )
