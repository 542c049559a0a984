"""Purposes, and the life of a face check."""

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _


class ConsentPurpose(models.TextChoices):
    FACE = "face", _("人脸核对")


class Purpose(models.TextChoices):
    """What a face is shown for."""

    ENROL = "enrol", _("录入人脸")
    SIGN_IN = "sign_in", _("签到")
    SIGN_OUT = "sign_out", _("签退")
    RANDOM = "random", _("随机核对")
    MAKE_UP = "make_up", _("看回放核对")
    EXAM = "exam", _("考试核对")


class CheckState(models.TextChoices):
    """Where a check stands. Accepted and confirmed checks prove the person; nothing else does."""

    PENDING = "pending", _("正在核对")
    ACCEPTED = "accepted", _("核对通过")
    GREY = "grey", _("等人核对")
    REJECTED = "rejected", _("没认出来")
    UNUSABLE = "unusable", _("照片不能用")
    CONFIRMED = "confirmed", _("人工核对：是本人")
    DENIED = "denied", _("人工核对：不是本人")
    LAPSED = "lapsed", _("到期没有人核对")


class CheckVerb(models.TextChoices):
    ACCEPT = "accept"
    DOUBT = "doubt"
    REJECT = "reject"
    SPOIL = "spoil"  # the frames cannot be used
    CONFIRM = "confirm"  # a person says: the same
    DENY = "deny"
    LAPSE = "lapse"  # the frame had to be deleted before anyone looked


CHECK_MOVES: Mapping[str, Mapping[str, str]] = {
    CheckState.PENDING: {
        CheckVerb.ACCEPT: CheckState.ACCEPTED,
        CheckVerb.DOUBT: CheckState.GREY,
        CheckVerb.REJECT: CheckState.REJECTED,
        CheckVerb.SPOIL: CheckState.UNUSABLE,
    },
    CheckState.ACCEPTED: {},
    CheckState.GREY: {
        CheckVerb.CONFIRM: CheckState.CONFIRMED,
        CheckVerb.DENY: CheckState.DENIED,
        CheckVerb.LAPSE: CheckState.LAPSED,
    },
    CheckState.REJECTED: {},
    CheckState.UNUSABLE: {},
    CheckState.CONFIRMED: {},
    CheckState.DENIED: {},
    CheckState.LAPSED: {},
}

PROVEN = frozenset({CheckState.ACCEPTED, CheckState.CONFIRMED})


class Outcome(models.TextChoices):
    """What the engine said, whatever a person decided later."""

    ACCEPT = "accept", _("通过")
    GREY = "grey", _("拿不准")
    REJECT = "reject", _("没认出来")
    UNUSABLE = "unusable", _("照片不能用")


OUTCOME_OF: dict[CheckState, Outcome] = {
    CheckState.ACCEPTED: Outcome.ACCEPT,
    CheckState.GREY: Outcome.GREY,
    CheckState.CONFIRMED: Outcome.GREY,
    CheckState.DENIED: Outcome.GREY,
    CheckState.LAPSED: Outcome.GREY,
    CheckState.REJECTED: Outcome.REJECT,
    CheckState.UNUSABLE: Outcome.UNUSABLE,
}


class Destroyed(models.TextChoices):
    """Why a template is gone."""

    WITHDRAWN = "withdrawn", _("撤回同意")
    REPLACED = "replaced", _("重新录入")
    EXPIRED = "expired", _("到期")
