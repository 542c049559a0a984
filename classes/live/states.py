"""What the room tells apart: how a stretch of presence ended, who one is in a room, which leg of media it
is.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Closing(models.TextChoices):
    """Why a stretch of presence ended; it always ends at the last heartbeat."""

    LEFT = "left", _("离开课堂")
    SILENT = "silent", _("断线")
    TAKEN_OVER = "taken_over", _("换了设备")
    LESSON_CLOSED = "lesson_closed", _("课次结束")


class RoomRole(models.TextChoices):
    LECTURER = "lecturer", _("讲师")
    ASSISTANT = "assistant", _("助教")
    TRAINEE = "trainee", _("学员")


class PeerKind(models.TextChoices):
    PUBLISH = "publish", _("发送")
    WATCH = "watch", _("接收")
