"""Managers, officers and supervision accounts: the operator opens them, hands out codes, and ends them again.

An account holds one office: whoever changes to another body gets a new account there, so that nobody decides
on what they filed, and a read-only account stays one.
"""

import datetime

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext_noop

import audit
from accounts import actions
from accounts.actions import (
    IssuedCode,
    account_subject,
    check_username,
    grant_role,
    record_membership,
    username_taken,
)
from accounts.models import Bureau, Institution, Membership, User
from accounts.permissions import require_role
from accounts.states import Department, Role
from policy.refusals import Refusal

OFFICE_ROLES = (Role.MANAGER, Role.OFFICER, Role.REGULATOR)


def roles_at(body: Institution | Bureau) -> tuple[Role, ...]:
    """The offices that a body has: a finance bureau looks and pays, and decides nothing here (Q1)."""
    if isinstance(body, Institution):
        return (Role.MANAGER,)
    return (Role.OFFICER, Role.REGULATOR) if body.department == Department.HRSS else (Role.REGULATOR,)


def accounts(*, search: str = "", role: str = "") -> QuerySet[User]:
    """Accounts with an office, or that had one, by part of user name, name or body.

    Anybody else's is found by its whole user name alone: the operator helps whom no single body may help.
    """
    held = Membership.objects.filter(user=OuterRef("pk"))
    offices = held.filter(role__in=OFFICE_ROLES)
    found = User.objects.exclude(Exists(held.filter(role=Role.OPERATOR))).select_related(
        "person", "activation"
    )
    shown = Q(Exists(offices)) | Q(person=None)
    if role in OFFICE_ROLES:
        shown = Q(Exists(offices.filter(role=role)))
    if search:
        at_body = offices.filter(Q(institution__name__icontains=search) | Q(bureau__name__icontains=search))
        named = Q(username__icontains=search) | Q(display_name__icontains=search) | Q(Exists(at_body))
        shown = shown & named | Q(username=search)
    return (
        found.filter(shown)
        .prefetch_related("memberships__institution", "memberships__bureau")
        .order_by("username")
    )


def holders_of(body: Institution | Bureau) -> QuerySet[Membership]:
    """Who holds an office at a body."""
    return (
        body.memberships.filter(role__in=OFFICE_ROLES)
        .select_related("user__person", "user__activation", "institution", "bureau")
        .order_by("role", "user__username")
    )


def access_account(user: User, pk: int) -> User:
    """Any account but an operator's, for the operator; raises Refusal `role_required` (403), Http404."""
    require_role(user, Role.OPERATOR)
    found = User.objects.select_related("person", "activation").filter(pk=pk).first()
    if found is None or found.has_role(Role.OPERATOR):
        raise Http404
    return found


def access_office(user: User, pk: int) -> Membership:
    """An office that somebody holds, for the operator; raises Refusal `role_required` (403), Http404."""
    require_role(user, Role.OPERATOR)
    found = (
        Membership.objects.filter(role__in=OFFICE_ROLES)
        .select_related("user__person", "institution", "bureau")
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    return found


def open_office(
    *,
    actor: User,
    body: Institution | Bureau,
    role: Role,
    username: str,
    name: str,
    at: datetime.datetime,
) -> tuple[Membership, IssuedCode]:
    """Open an account that holds an office at a body, and return the code for its first password.

    Raises Refusal `role_required` (403), `role_not_of_body`, `username_form`, `username_taken`.
    """
    require_role(actor, Role.OPERATOR)
    check_username(username)
    if role not in roles_at(body):
        raise Refusal(
            "role_not_of_body",
            gettext_noop("这个单位没有这样的角色。"),
            found=role,
            required=[str(one.label) for one in roles_at(body)],
            rule="Q1",
            next_step=gettext_noop("请换一个角色，或者到别的单位页面登记。"),
        )
    with transaction.atomic():
        try:
            with transaction.atomic():
                user = User.objects.create_user(username=username, password=None, display_name=name)
        except IntegrityError:
            raise username_taken() from None
        audit.record(
            "account.created",
            actor_id=actor.pk,
            subject=account_subject(user),
            facts={"user": user.pk},
            at=at,
        )
        membership = grant_role(
            user=user,
            role=role,
            institution=body if isinstance(body, Institution) else None,
            bureau=body if isinstance(body, Bureau) else None,
        )
        record_membership("role.granted", membership, actor=actor, at=at)
        issued = actions.issue_activation(user=user, actor=actor, at=at)
    return membership, issued


def end_office(*, membership: Membership, actor: User, at: datetime.datetime) -> None:
    """Take an office away, and suspend the account that has no other; what was done with it stays.

    Raises Refusal `role_required` (403), Http404 where the office has ended already.
    """
    with transaction.atomic():
        membership = access_office(actor, membership.pk)
        user = membership.user
        record_membership("role.revoked", membership, actor=actor, at=at)
        membership.delete()
        if not user.memberships.exists():
            actions.suspend_account(user=user, actor=actor, at=at)


def issue_code(*, user: User, actor: User, at: datetime.datetime) -> IssuedCode:
    """A new code for an account without a password.

    Raises Refusal `role_required` (403), `account_active`, `account_suspended`, Http404.
    """
    return actions.issue_activation(user=access_account(actor, user.pk), actor=actor, at=at)


def reset(*, user: User, actor: User, at: datetime.datetime) -> IssuedCode:
    """End what an account is signed in with, and return the code for a new password.

    Raises Refusal `role_required` (403), `account_suspended`, Http404.
    """
    return actions.reset_access(user=access_account(actor, user.pk), actor=actor, at=at)


def suspend(*, user: User, actor: User, at: datetime.datetime) -> None:
    """Let nobody in by this account; raises Refusal `role_required` (403), Http404."""
    actions.suspend_account(user=access_account(actor, user.pk), actor=actor, at=at)


def restore(*, user: User, actor: User, at: datetime.datetime) -> None:
    """Let this account in again; raises Refusal `role_required` (403), `account_without_role`, Http404."""
    user = access_account(actor, user.pk)
    if not user.memberships.exists():
        raise Refusal(
            "account_without_role",
            gettext_noop("这个账号已经没有任何职务，恢复了也做不了什么。"),
            found=False,
            required=True,
            rule="P7",
            next_step=gettext_noop("请到机构或部门的页面给他开一个新账号。"),
        )
    actions.restore_account(user=user, actor=actor, at=at)
