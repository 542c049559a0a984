"""Where a course comes from (H1, H2), and the lives of its versions and materials.

Each table reads {state: {verb: next state}}; a verb that a state does not list is refused.
`tests/test_states.py` walks every (state, verb) pair.
"""

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _


class Origin(models.TextChoices):
    PILOT = "pilot", _("试点机构开发")
    PLATFORM = "platform", _("平台开发")
    CONVERTED = "converted", _("线下课程改造")
    INSTITUTION = "institution", _("机构自建")


class VersionState(models.TextChoices):
    DRAFT = "draft", _("草稿")
    PUBLISHED = "published", _("已发布")
    RETIRED = "retired", _("已停用")


# What was published never becomes a draft again: classes were filed with it. It can only be retired, and
# then no new class takes it.
VERSION_MOVES: Mapping[str, Mapping[str, str]] = {
    VersionState.DRAFT: {"publish": VersionState.PUBLISHED},
    VersionState.PUBLISHED: {"retire": VersionState.RETIRED},
    VersionState.RETIRED: {},
}


class MaterialKind(models.TextChoices):
    SLIDES = "slides", _("课件")
    VIDEO = "video", _("点播视频")


class MaterialState(models.TextChoices):
    WAITING = "waiting", _("处理中")
    READY = "ready", _("可以用")
    FAILED = "failed", _("没有处理好")


MATERIAL_MOVES: Mapping[str, Mapping[str, str]] = {
    MaterialState.WAITING: {"finish": MaterialState.READY, "fail": MaterialState.FAILED},
    MaterialState.READY: {},
    MaterialState.FAILED: {},
}
