"""Roles, departments and the states of an institution."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    TRAINEE = "trainee", _("学员")
    LECTURER = "lecturer", _("讲师")
    ASSISTANT = "assistant", _("助教")
    MANAGER = "manager", _("机构管理员")
    OFFICER = "officer", _("经办人员")
    REGULATOR = "regulator", _("监管账号")
    OPERATOR = "operator", _("平台运营")


# Which body a role acts for; a membership must name exactly that one (Membership's constraint).
INSTITUTION_ROLES = (Role.LECTURER, Role.ASSISTANT, Role.MANAGER)
BUREAU_ROLES = (Role.OFFICER, Role.REGULATOR)
FREE_ROLES = (Role.TRAINEE, Role.OPERATOR)


class Department(models.TextChoices):
    """The two kinds of bodies that supervise (Q1)."""

    HRSS = "hrss", _("人力资源和社会保障")
    FINANCE = "finance", _("财政")


class RegionLevel(models.IntegerChoices):
    PROVINCE = 1, _("省")
    CITY = 2, _("省辖市")
    COUNTY = 3, _("县（市、区）")
