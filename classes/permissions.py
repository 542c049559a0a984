"""Who may see, manage, teach, attend and decide.

`access_*` fetches for a person or raises Http404: to a stranger a class does not exist. `require_*` is
for actions: who sees the class but may not do this hears why (Refusal, 403); a stranger gets Http404
there too.
"""

from collections.abc import Iterable

from django.contrib.auth.models import AnonymousUser
from django.http import Http404

from accounts.models import Bureau, Institution, Membership, User
from accounts.permissions import covers, roles_of
from accounts.states import Department, Role
from classes.models import Enrolment, Filing, Lesson, TrainingClass
from classes.queries import classes_visible_to, offices_of, receipts_of
from classes.states import CHANGES, EDITABLE_STATES, Change, ClassState, EnrolmentState
from exchange.models import Receipt
from policy.messages import gettext_noop
from policy.refusals import Refusal


def managed_institution(user: User | AnonymousUser) -> Institution | None:
    """The institution whose classes this account manages, if any."""
    if not isinstance(user, User):
        return None
    return next((m.institution for m in user.active_memberships if m.role == Role.MANAGER), None)


def access_class(user: User | AnonymousUser, pk: int) -> TrainingClass:
    """Return the class when this person may see it; raises Http404 for everybody else."""
    found = (
        classes_visible_to(user)
        .select_related("institution__region", "course", "lecturer", "assistant")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    return found


def access_lesson(user: User | AnonymousUser, pk: int) -> Lesson:
    """Return the lesson of a class that this person may see, or raise Http404."""
    lesson = (
        Lesson.objects.select_related(
            "training_class__institution__region",
            "training_class__course",
            "training_class__lecturer",
            "training_class__assistant",
        )
        .filter(pk=pk, training_class__in=classes_visible_to(user).order_by())
        .first()
    )
    if lesson is None:
        raise Http404
    return lesson


def access_enrolment(user: User | AnonymousUser, pk: int) -> Enrolment:
    """Return an enrolment that this person may see, or raise Http404.

    Who runs, teaches or supervises the class sees all of its enrolments; a trainee sees only their own.
    """
    enrolment = (
        Enrolment.objects.select_related(
            "person", "training_class__institution__region", "training_class__course"
        )
        .filter(pk=pk, training_class__in=classes_visible_to(user).order_by())
        .first()
    )
    if enrolment is None or not isinstance(user, User):
        raise Http404
    if enrolment.person_id != user.person_id and not sees_roster(user, enrolment.training_class):
        raise Http404
    return enrolment


def access_filing(user: User | AnonymousUser, pk: int) -> Filing:
    """Return a filing to who manages its class or decides on it; raises Http404 for everybody else."""
    filing = (
        Filing.objects.select_related(
            "training_class__institution__region", "training_class__course", "package"
        )
        .filter(pk=pk, training_class__in=classes_visible_to(user).order_by())
        .first()
    )
    if filing is None or not sees_filing(user, filing.training_class):
        raise Http404
    return filing


def can_manage(user: User | AnonymousUser, training_class: TrainingClass) -> bool:
    """Whether the account manages the institution that runs this class."""
    return isinstance(user, User) and any(
        m.role == Role.MANAGER and m.institution_id == training_class.institution_id
        for m in user.active_memberships
    )


def can_teach(user: User | AnonymousUser, training_class: TrainingClass) -> bool:
    """Whether the person is this class's lecturer or its assistant."""
    return (
        isinstance(user, User)
        and user.person_id is not None
        and user.person_id in (training_class.lecturer_id, training_class.assistant_id)
    )


def can_attend(user: User | AnonymousUser, training_class: TrainingClass) -> bool:
    """Whether the person is on the active roster of this class."""
    return (
        isinstance(user, User)
        and user.person_id is not None
        and Enrolment.objects.filter(
            training_class=training_class, person_id=user.person_id, state=EnrolmentState.ACTIVE
        ).exists()
    )


def can_decide(user: User | AnonymousUser, training_class: TrainingClass) -> bool:
    """Whether the account is an officer of a human-resources bureau that covers the institution's
    region.

    An institution can never decide its own filing: an officer's membership is of a bureau alone.
    """
    return isinstance(user, User) and any(
        m.role == Role.OFFICER
        and m.bureau is not None
        and m.bureau.department == Department.HRSS
        and covers(m.bureau.region, training_class.institution.region)
        for m in user.active_memberships
    )


def sees_roster(user: User | AnonymousUser, training_class: TrainingClass) -> bool:
    """Whether the person may see who is in the class: everybody who sees the class except its trainees."""
    return (
        can_manage(user, training_class)
        or can_teach(user, training_class)
        or can_decide(user, training_class)
        or (isinstance(user, User) and user.has_role(Role.OPERATOR))
    )


def sees_filing(user: User | AnonymousUser, training_class: TrainingClass) -> bool:
    """Whether the person may see the filing: the institution, the office and the operator."""
    return (
        can_manage(user, training_class)
        or can_decide(user, training_class)
        or (isinstance(user, User) and user.has_role(Role.OPERATOR))
    )


def require_manage(user: User, training_class: TrainingClass) -> None:
    """Raise unless the account manages this class: Refusal `not_the_manager` (403), Http404 for a
    stranger.
    """
    if can_manage(user, training_class):
        return
    _hide_from_strangers(user, training_class)
    raise Refusal(
        "not_the_manager",
        gettext_noop("这一步要由本机构的管理员来做。"),
        found=roles_of(user),
        required=Role.MANAGER,
        next_step=gettext_noop("请换用机构管理员的账号登录。"),
        status=403,
    )


def require_teach(user: User, training_class: TrainingClass) -> None:
    """Raise unless the person teaches or assists: Refusal `not_the_staff` (403), Http404 for a
    stranger.
    """
    if can_teach(user, training_class):
        return
    _hide_from_strangers(user, training_class)
    raise Refusal(
        "not_the_staff",
        gettext_noop("这一步要由本班的讲师或助教来做。"),
        found=roles_of(user),
        required=[Role.LECTURER, Role.ASSISTANT],
        rule="F13",
        next_step=gettext_noop("请联系本班的讲师或助教。"),
        status=403,
    )


def require_decide(user: User, training_class: TrainingClass) -> None:
    """Raise unless the officer may decide: Refusal `not_the_office` (403), Http404 for a stranger."""
    if can_decide(user, training_class):
        return
    _hide_from_strangers(user, training_class)
    raise Refusal(
        "not_the_office",
        gettext_noop("备案要由机构所在地人力资源和社会保障部门的经办人员决定。"),
        found=roles_of(user),
        required=Role.OFFICER,
        rule="F9",
        next_step=gettext_noop("请等经办人员答复。"),
        status=403,
    )


def require_office(user: User) -> Bureau:
    """The office for which an officer acts; raises Refusal `not_an_office` (403) for everybody else.

    An institution can never bring its own approval: receipts enter through an office alone.
    """
    office = next(iter(offices_of(user).values()), None)
    if office is None:
        raise Refusal(
            "not_an_office",
            gettext_noop("回执只能由人力资源和社会保障部门的经办人员上传。"),
            found=roles_of(user),
            required=Role.OFFICER,
            rule="F8",
            next_step=gettext_noop("请把回执交给当地的经办人员。"),
            status=403,
        )
    return office


def access_receipt(user: User | AnonymousUser, pk: int) -> Receipt:
    """Return a receipt to an officer of the office that has it; raises Http404 for everybody else."""
    receipt = receipts_of(user).filter(pk=pk).first()
    if receipt is None:
        raise Http404
    return receipt


def require_trainee_account(user: User, training_class: TrainingClass) -> None:
    """Raise Refusal `account_of_others` (403) unless a class may open the account of somebody on its roster.

    A roster names anybody whose ID number a school knows. Who holds an office elsewhere, or learns at another
    school, must not lose their account by that: the first never, the second only once an office approved the
    class.
    """
    if user.person_id not in accounts_of_others(training_class, [user.person_id]):
        return
    raise Refusal(
        "account_of_others",
        gettext_noop("这个人的账号还有别的职务，或者还在别的机构学习，激活码不能由这个班发。"),
        found=roles_of(user),
        required=Role.TRAINEE,
        rule="P7",
        next_step=gettext_noop(
            "请本人向原来的单位要，或者带身份证找平台运营；本班备案通过以后，学员的可以由本班发。"
        ),
        status=403,
    )


_WAY_TO_CHANGE = {
    Change.FREE: "",
    Change.WITHDRAW: gettext_noop("还在审核的，可以先撤回备案再改。"),
    Change.REFILE: gettext_noop("还没有上第一次课的，可以在备案页办变更备案，重新提交。"),
    Change.FIXED: gettext_noop("已经开始培训的班，按备案的内容上完；有特殊情况请联系经办人员。"),
}


def accounts_of_others(training_class: TrainingClass, people: Iterable[int | None]) -> set[int]:
    """Those of these people (keys) whose account is more than a trainee's of this class."""
    people = list(people)
    offices = Membership.objects.filter(user__person__in=people).exclude(role=Role.TRAINEE)
    in_office = {person for person in offices.values_list("user__person", flat=True) if person}
    return in_office | learners_elsewhere(training_class, people)


def learners_elsewhere(training_class: TrainingClass, people: Iterable[int | None]) -> set[int]:
    """Those of these people who are on another school's roster while no office has approved this class."""
    if training_class.state in (ClassState.APPROVED, ClassState.RUNNING, ClassState.FINISHED):
        return set()
    elsewhere = Enrolment.objects.filter(person__in=list(people), state=EnrolmentState.ACTIVE).exclude(
        training_class__institution=training_class.institution_id
    )
    return set(elsewhere.values_list("person_id", flat=True))


def require_editable(training_class: TrainingClass) -> None:
    """Raise Refusal `class_not_editable` unless roster, timetable and staff may still change."""
    if training_class.state in EDITABLE_STATES:
        return
    raise Refusal(
        "class_not_editable",
        gettext_noop("班级%(state)s，备案的内容不能再改。"),
        found=ClassState(training_class.state),
        required=list(EDITABLE_STATES),
        rule="F9",
        params={"state": training_class.get_state_display()},
        next_step=_WAY_TO_CHANGE[CHANGES[ClassState(training_class.state)]],
    )


def _hide_from_strangers(user: User, training_class: TrainingClass) -> None:
    if not classes_visible_to(user).filter(pk=training_class.pk).exists():
        raise Http404
