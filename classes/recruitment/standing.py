"""Where an applicant stands in the six stages, and what comes next, in their words (F1)."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from classes.recruitment.models import Registration
from classes.recruitment.states import RegistrationState
from classes.states import ClassState

STAGES = 6


@dataclass(frozen=True, slots=True)
class Standing:
    """`stage` is 1 to 6, in the order of F1; `over` when nothing more follows."""

    stage: int
    next: str
    over: bool = False


def next_for_office(registration: Registration) -> str:
    """What comes next with a registration, in words for the institution that answers it."""
    state = registration.status
    if state != RegistrationState.ASSIGNED:
        return {
            RegistrationState.SUBMITTED: _("学员还没有回答筛选问卷，筛选以后才能分班。"),
            RegistrationState.SCREENED: _("筛选已完成，请分班、放入候补名单或者答复不录取。"),
            RegistrationState.WAITING: _("学员在候补名单上，有空名额按先后递补。"),
            RegistrationState.REJECTED: _("已答复不录取。"),
            RegistrationState.WITHDRAWN: _("学员已撤回报名，证明照片已经销毁。"),
        }[state]
    training_class = registration.training_class
    assert training_class is not None  # a constraint: assigned is on a roster
    if training_class.state == ClassState.CANCELLED:
        return _("“%(name)s”取消了，请和学员联系，另行安排。") % {"name": training_class.name}
    return _("已分到“%(name)s”，在这个班的花名册上。") % {"name": training_class.name}


def standing_of(registration: Registration) -> Standing:
    """The stage a registration has come to and the next step, without any personal data."""
    state = registration.status
    if state == RegistrationState.SUBMITTED:
        return Standing(2, _("请回答筛选问卷；回答过的，机构会在这里答复。"))
    if state == RegistrationState.SCREENED and registration.fitting_course is None:
        return Standing(2, _("筛选结果是暂时不适合参加，机构会在这里答复您。"))
    if state == RegistrationState.SCREENED:
        return Standing(2, _("筛选已完成，机构正在安排班级。"))
    if state == RegistrationState.WAITING:
        return Standing(2, _("班里名额满了，您在候补名单上。有空名额就按先后递补。"))
    if state == RegistrationState.REJECTED:
        return Standing(2, _("这次没有录取：%(reason)s") % {"reason": registration.reason}, over=True)
    if state == RegistrationState.WITHDRAWN:
        return Standing(1, _("您已撤回报名，证明照片已经销毁。"), over=True)
    training_class = registration.training_class
    assert training_class is not None  # a constraint: assigned is on a roster
    class_state = training_class.state
    if class_state == ClassState.CANCELLED:
        return Standing(3, _("这个班取消了，机构会和您联系。"), over=True)
    if class_state in (ClassState.APPROVED, ClassState.RUNNING):
        return Standing(4, _("开班备案已通过，请照课表签到上课。"))
    if class_state == ClassState.FINISHED:
        return Standing(5, _("培训已结束，请看考试和证书。"))
    return Standing(
        3,
        _("已分到“%(name)s”，机构正在办理开班备案，备案通过以前不上课。") % {"name": training_class.name},
    )
