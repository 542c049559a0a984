"""What an operator and a manager should set up before anything else can happen."""

import datetime
from collections.abc import Iterator

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Bureau, Institution, Membership, User
from accounts.start import Task
from accounts.states import Department, Role


def first_steps_for(user: User, now: datetime.datetime) -> Iterator[Task]:
    """Whom a platform, or a school, still lacks: shown until they are there."""
    if user.has_role(Role.OPERATOR):
        yield from _of_the_platform()
    for held in user.active_memberships:
        if held.role == Role.MANAGER and held.institution is not None:
            yield from _of_a_school(held.institution)


def _of_the_platform() -> Iterator[Task]:
    officers = Membership.objects.filter(bureau=OuterRef("pk"), role=Role.OFFICER)
    if not Bureau.objects.filter(Exists(officers), department=Department.HRSS).exists():
        yield Task(
            title=_("登记人社部门，给经办人员开账号"),
            detail=_("没有经办人员，备案和补贴没有人审核。"),
            url=reverse("accounts:bureaus"),
            icon="building-bank",
            action=_("去登记部门"),
        )
    managers = Membership.objects.filter(institution=OuterRef("pk"), role=Role.MANAGER)
    waiting = Institution.objects.exclude(Exists(managers)).count()
    if waiting:
        yield Task(
            title=_("%(count)s 家机构还没有机构管理员") % {"count": waiting},
            detail=_("开了账号，机构才能进来办班。"),
            url=reverse("accounts:institutions"),
            icon="building-community",
            action=_("去开账号"),
        )
    elif not Institution.objects.exists():
        yield Task(
            title=_("登记第一家定点机构"),
            detail=_("登记以后给它开机构管理员账号。"),
            url=reverse("accounts:institution_create"),
            icon="building-community",
            action=_("登记机构"),
        )


def _of_a_school(institution: Institution) -> Iterator[Task]:
    if not institution.memberships.filter(role=Role.LECTURER).exists():
        yield Task(
            title=_("登记讲师和助教"),
            detail=_("登记了才能给培训班选讲师。"),
            url=reverse("accounts:staff"),
            icon="users",
            action=_("去登记"),
        )
