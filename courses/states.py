"""Where a course comes from (H1, H2)."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Origin(models.TextChoices):
    PILOT = "pilot", _("试点机构开发")
    PLATFORM = "platform", _("平台开发")
    CONVERTED = "converted", _("线下课程改造")
