"""Giving trainees on a roster the codes with which they set their first password."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from accounts.actions import IssuedCode, issue_activation, reset_access
from accounts.models import User
from classes import permissions, queries
from classes.models import Enrolment, TrainingClass
from policy.messages import gettext_noop
from policy.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Slip:
    """One trainee's slip: who, and the code that is shown this once."""

    enrolment: Enrolment
    issued: IssuedCode


def issue_codes(
    *,
    training_class: TrainingClass,
    actor: User,
    at: datetime.datetime,
    enrolment: Enrolment | None = None,
) -> Sequence[Slip]:
    """New codes for everybody on the roster who has no password yet, or for one of them; older ones end.

    Whose account is not the class's to open is left out of a whole class, and refused alone. Raises Refusal
    `not_the_manager` and `account_of_others` (403), `account_active`, `nobody_to_activate`.
    """
    permissions.require_manage(actor, training_class)
    with transaction.atomic():
        roster = queries.roster_of(training_class)
        if enrolment is not None:
            one = roster.get(pk=enrolment.pk)
            permissions.require_trainee_account(one.person.user, training_class)
            return [Slip(one, issue_activation(user=one.person.user, actor=actor, at=at))]
        waiting = [one for one in roster if _waits(one.person.user)]
        others = permissions.accounts_of_others(training_class, [one.person_id for one in waiting])
        waiting = [one for one in waiting if one.person_id not in others]
        # Locked in one order whoever asks, so that two sheets at once wait for each other.
        waiting.sort(key=lambda one: one.person.user.pk)
        slips = [Slip(one, issue_activation(user=one.person.user, actor=actor, at=at)) for one in waiting]
    if not slips:
        raise Refusal(
            "nobody_to_activate",
            gettext_noop("花名册上没有要激活的账号。"),
            found=False,
            required=True,
            rule="P7",
            next_step=gettext_noop("请学员用用户名和密码登录。"),
        )
    return sorted(slips, key=lambda slip: (slip.enrolment.person.name_pinyin, slip.enrolment.pk))


def reset_password(*, enrolment: Enrolment, actor: User, at: datetime.datetime) -> Slip:
    """The slip of a trainee who lost the password: the old one and every session end with it.

    Raises Refusal `not_the_manager` and `account_of_others` (403).
    """
    training_class = enrolment.training_class
    permissions.require_manage(actor, training_class)
    one = queries.roster_of(training_class).get(pk=enrolment.pk)
    permissions.require_trainee_account(one.person.user, training_class)
    return Slip(one, reset_access(user=one.person.user, actor=actor, at=at))


def _waits(user: User) -> bool:
    return user.is_active and not user.has_usable_password()
