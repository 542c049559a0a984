"""A school's own lecturers and assistants: its manager adds them, hands them a code, and ends it again."""

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext_noop

import audit
from accounts.actions import (
    IssuedCode,
    account_subject,
    find_or_create_person,
    grant_role,
    issue_activation,
    person_username,
    record_membership,
    reset_access,
)
from accounts.id_numbers import IdNumber
from accounts.models import Institution, Membership, User
from accounts.permissions import require_role, roles_of
from accounts.states import Role
from policy.refusals import Refusal

STAFF_ROLES = (Role.LECTURER, Role.ASSISTANT)


def own_institution(user: User) -> Institution:
    """The institution that a manager manages; raises Refusal `role_required` (403) for everybody else."""
    require_role(user, Role.MANAGER)
    return next(
        held.institution for held in user.active_memberships if held.role == Role.MANAGER and held.institution
    )


def staff_of(institution: Institution) -> QuerySet[Membership]:
    """The lecturers and assistants of an institution, in the order of their names."""
    return (
        Membership.objects.filter(institution=institution, role__in=STAFF_ROLES)
        .select_related("user__person", "user__activation")
        .order_by("user__person__name_pinyin", "pk")
    )


def accounts_of_others(institution: Institution) -> set[int]:
    """The accounts of its staff (keys) that are more than its own: it hands out no code for them."""
    return set(
        Membership.objects.exclude(institution=institution, role__in=STAFF_ROLES)
        .filter(user__in=staff_of(institution).order_by().values("user"))
        .values_list("user_id", flat=True)
    )


def access_staff(user: User, pk: int) -> Membership:
    """One of them, for the manager of their institution; raises Http404 for anybody else's."""
    found = staff_of(own_institution(user)).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def add_staff(
    *, actor: User, name: str, id_number: IdNumber, phone: str, role: Role, at: datetime.datetime
) -> tuple[Membership, IssuedCode | None]:
    """Give a person a role at the actor's institution, with an account and a code where they have none.

    Somebody who signs in already, or holds an office elsewhere, gets no code here. Raises Refusal
    `role_required` (403), `name_differs`, which is on record (decision 19); `role` is one of STAFF_ROLES
    (ValueError).
    """
    institution = own_institution(actor)
    if role not in STAFF_ROLES:
        raise ValueError(role)
    try:
        return _appoint(institution, name, id_number, phone, role, actor=actor, at=at)
    except Refusal as refusal:
        if refusal.code == "name_differs":
            audit.record(
                "staff.name_differs",
                actor_id=actor.pk,
                subject=f"institution/{institution.pk}",
                facts={"role": role},
                at=at,
            )
        raise


def _appoint(
    institution: Institution,
    name: str,
    id_number: IdNumber,
    phone: str,
    role: Role,
    *,
    actor: User,
    at: datetime.datetime,
) -> tuple[Membership, IssuedCode | None]:
    with transaction.atomic():
        person = find_or_create_person(name=name, id_number=id_number, phone=phone, at=at)
        user = User.objects.select_for_update().filter(person=person).first()
        if user is None:
            user = User.objects.create_user(username=person_username(person), password=None, person=person)
            audit.record(
                "account.created",
                actor_id=actor.pk,
                subject=account_subject(user),
                facts={"user": user.pk},
                at=at,
            )
        known = Membership.objects.filter(user=user, role=role, institution=institution).exists()
        membership = grant_role(user=user, role=role, institution=institution)
        if not known:
            record_membership("role.granted", membership, actor=actor, at=at)
        theirs = not user.has_usable_password() and _only_of(user, institution)
        issued = issue_activation(user=user, actor=actor, at=at) if theirs else None
    return membership, issued


def issue_code(*, membership: Membership, actor: User, at: datetime.datetime) -> IssuedCode:
    """A new code for one of the staff. Raises Refusal `account_of_others` (403), `account_active`."""
    return issue_activation(user=_own_account(membership, actor), actor=actor, at=at)


def reset(*, membership: Membership, actor: User, at: datetime.datetime) -> IssuedCode:
    """The code for a new password, the old one ends. Raises Refusal `account_of_others` (403)."""
    return reset_access(user=_own_account(membership, actor), actor=actor, at=at)


@dataclass(frozen=True, slots=True)
class Engagement:
    """Something that names a member of the staff and is not over yet: what it is, how far it is, its page."""

    name: str
    state: str
    url: str


EngagementProvider = Callable[[Membership], Iterable[Engagement]]
_engagements: list[EngagementProvider] = []


def register_engagements(provider: EngagementProvider) -> EngagementProvider:
    """Let an app above this one say in what somebody is still needed, in `AppConfig.ready()`."""
    if provider not in _engagements:
        _engagements.append(provider)
    return provider


def engagements_of(membership: Membership) -> list[Engagement]:
    """Everything that still names this member of the staff in this role."""
    return [one for provider in _engagements for one in provider(membership)]


def end_staff(*, membership: Membership, actor: User, at: datetime.datetime) -> None:
    """Take the role away; the account and what was done with it stay."""
    with transaction.atomic():
        membership = access_staff(actor, membership.pk)
        record_membership("role.revoked", membership, actor=actor, at=at)
        membership.delete()


def _own_account(membership: Membership, actor: User) -> User:
    membership = access_staff(actor, membership.pk)
    if _only_of(membership.user, own_institution(actor)):
        return membership.user
    raise Refusal(
        "account_of_others",
        gettext_noop("这个人的账号还有别的职务，或者也是学员，激活码不能由本机构发。"),
        found=roles_of(membership.user),
        required=[Role.LECTURER, Role.ASSISTANT],
        rule="P7",
        next_step=gettext_noop("请本人向先开账号的单位要，或者带身份证找平台运营。"),
        status=403,
    )


def _only_of(user: User, institution: Institution) -> bool:
    """Whether the account teaches or assists here and is nothing else: then it is the institution's to open.

    Anybody with an ID number can be entered as staff; who learns or works elsewhere must not lose their
    account by that.
    """
    return not user.memberships.exclude(institution=institution, role__in=STAFF_ROLES).exists()
