"""Which conditions of 规范 一 this platform fulfils by what it does, and where one can count it (P6-P25).

Registered when the platform starts; what is missing here (registration, credit, archives by trainee,
follow-up services) is shown by documents that the operator puts on file. Each sentence names only what is
there.
"""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership
from accounts.registers.queries import PlatformFunction, register_function
from accounts.states import Role
from attendance.models import Verdict
from audit.models import Entry, Root
from classes.live.models import Recording, RoomEvent
from classes.models import Enrolment, Lesson, TrainingClass
from classes.states import LessonState
from exams.models import Attempt, Submission
from exams.states import AttemptState
from exchange.models import Package
from identity.models import FaceCheck
from policy.terms import HourKind
from supervision.models import Look


def _counted(said: Any, unit: Any, model: type[Model], **only: Any) -> PlatformFunction:
    return PlatformFunction(said, unit, lambda: model._default_manager.filter(Q(**only)).count())


FUNCTIONS: Mapping[str, PlatformFunction] = {
    "P6": _counted(
        _("直播课堂、回放、点播、作业和考试都在平台上进行。"),
        _("已上完 %(n)s 节课"),
        Lesson,
        state=LessonState.CLOSED,
    ),
    "P7": _counted(_("学员凭身份证号实名报名，每人一份。"), _("实名学员 %(n)s 人次"), Enrolment),
    "P8": _counted(_("学员按班管理，每班有花名册。"), _("%(n)s 个班"), TrainingClass),
    "P9": _counted(_("学时由服务器逐秒记录，按规则计算。"), _("考勤结论 %(n)s 份"), Verdict),
    "P10": _counted(_("每一步都有留痕，前后相连，不能改、不能删。"), _("留痕 %(n)s 条"), Entry),
    "P12": _counted(
        _("结业考试在线上进行，限时、逐题保存。"),
        _("交卷 %(n)s 份"),
        Attempt,
        state=AttemptState.SUBMITTED,
    ),
    "P13": _counted(_("培训成果在线提交，由讲师审阅评分。"), _("成果 %(n)s 份"), Submission),
    "P14": _counted(_("人脸识别签到，另有效力相同的其他方式。"), _("核验 %(n)s 次"), FaceCheck),
    "P15": _counted(
        _("课表里有质量监督评估课，出勤单独统计。"),
        _("质量监督评估 %(n)s 节"),
        Lesson,
        kind=HourKind.QUALITY,
    ),
    "P16": _counted(_("网页直播，断线自动重连，可只听声音。"), _("直播录像 %(n)s 段"), Recording),
    "P17": _counted(_("文字提问、举手、点名、随机答题。"), _("课堂互动 %(n)s 次"), RoomEvent),
    "P18": _counted(
        _("为各级部门开设监管账号，只读。"), _("监管账号 %(n)s 个"), Membership, role=Role.REGULATOR
    ),
    "P19": _counted(_("监管账号随时可以查看，每次查看都留痕。"), _("查看 %(n)s 次"), Look),
    "P20": _counted(_("个人信息加密保存，留痕每日签名，可随时校验。"), _("签名 %(n)s 份"), Root),
    "P21": _counted(_("按固定格式生成省系统的数据包，带校验和。"), _("数据包 %(n)s 个"), Package),
    "P23": _counted(_("按班登记和统计线上学习时长。"), _("考勤结论 %(n)s 份"), Verdict),
    "P24": _counted(
        _("按班登记和统计考试合格情况。"), _("交卷 %(n)s 份"), Attempt, state=AttemptState.SUBMITTED
    ),
    "P25": _counted(_("按班登记和统计出勤情况。"), _("考勤合格 %(n)s 人次"), Verdict, passed=True),
}


def register() -> None:
    """Tell the registers."""
    register_function(FUNCTIONS)
