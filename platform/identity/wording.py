"""What a person is told about a check of theirs: how it went, and what they can do now."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from identity import queries
from identity.faces.problems import PROBLEMS
from identity.models import FaceCheck
from identity.states import CheckState, Purpose


@dataclass(frozen=True, slots=True)
class Words:
    message: str
    next_step: str = ""


def words_of(check: FaceCheck) -> Words:
    """The two sentences for where a check stands, in the active language."""
    enrolling = check.purpose == Purpose.ENROL
    match CheckState(check.state):
        case CheckState.PENDING:
            return Words(_("正在核对，请等几秒钟。"))
        case CheckState.ACCEPTED if enrolling and queries.enrolled_anew(check.person):
            return Words(
                _("人脸录好了。"),
                _(
                    "以前的人脸信息已经删除，没法比对，下一次签到要由助教核对；也可以用验证码签到，学时一样算。"
                ),
            )
        case CheckState.ACCEPTED if enrolling:
            return Words(_("人脸录好了。"), _("以后签到对着摄像头看一下就行。"))
        case CheckState.ACCEPTED:
            return Words(_("核对好了，是您本人。"))
        case CheckState.GREY:
            return Words(_("已交给助教看，您可以先上课，这段时间先记着。"))
        case CheckState.REJECTED if enrolling:
            return _problem("face_unlike_enrolled")
        case CheckState.REJECTED:
            return Words(_("这次没认出来。"), _("可以再试，次数不限；也可以用验证码签到，学时一样算。"))
        case CheckState.UNUSABLE:
            return _problem(check.problem)
        case CheckState.CONFIRMED:
            return Words(_("助教看过了，是您本人。"))
        case CheckState.DENIED:
            return Words(_("助教看过照片，没有认定是您本人。"), _("请和助教联系，也可以用验证码签到。"))
        case CheckState.LAPSED:
            return Words(_("照片已经到期删除，没有人核对。"), _("请和助教联系。"))


def _problem(code: str) -> Words:
    problem = PROBLEMS[code]
    return Words(_(problem.message), _(problem.next_step))
