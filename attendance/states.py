"""How a trainee signs in, the states of a sign-in, and the kinds of checks."""

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _


class SignInMethod(models.TextChoices):
    """Two equal ways (ledger, reading 13): the same time counts whichever the trainee takes."""

    FACE = "face", _("人脸签到")
    CODE = "code", _("验证码签到")


class SignInState(models.TextChoices):
    CHECKING = "checking", _("正在核对")
    PENDING = "pending", _("待助教确认")
    ACCEPTED = "accepted", _("已签到")
    REFUSED = "refused", _("没有认出")


# {state: {verb: next state}}. A refused trainee asks again as often as they like: that is a new sign-in.
SIGN_IN_MOVES: Mapping[str, Mapping[str, str]] = {
    SignInState.CHECKING: {
        "accept": SignInState.ACCEPTED,
        "refer": SignInState.PENDING,
        "refuse": SignInState.REFUSED,
    },
    SignInState.PENDING: {"accept": SignInState.ACCEPTED, "refuse": SignInState.REFUSED},
    SignInState.ACCEPTED: {},
    SignInState.REFUSED: {},
}
# A sign-in that may still lead to time, or already does.
LIVE_STATES = (SignInState.CHECKING, SignInState.PENDING, SignInState.ACCEPTED)
DECIDED_STATES = (SignInState.ACCEPTED, SignInState.REFUSED)
# Why a sign-in was refused: the assistant did not see the person they had given the code to.
NOT_CONFIRMED = "not_confirmed"


class CheckKind(models.TextChoices):
    ROLL_CALL = "roll_call", _("在线点名")
    QUESTION = "question", _("随机答题")


class WatchClosing(models.TextChoices):
    """What ended a stretch of watching a video."""

    PAUSED = "paused", _("暂停或播完")
    SEEKED = "seeked", _("跳到别处")
    SILENT = "silent", _("没有收到信号")
    TAKEN_OVER = "taken_over", _("在别的页面接着看")
    LEFT = "left", _("离开")
    IN_LIVE_ROOM = "in_live_room", _("进了直播课堂")
    CLASS_OVER = "class_over", _("已经结班")
