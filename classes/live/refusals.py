"""Refusals that more than one step of the live room gives."""

from django.utils.translation import gettext_noop

from classes.states import LessonState
from policy.refusals import Refusal


def lesson_closed(state: str) -> Refusal:
    return Refusal(
        "lesson_closed",
        gettext_noop("这节课已经结束。"),
        found=LessonState(state),
        required=LessonState.OPEN,
        rule="M6",
        next_step=gettext_noop("可以看回放，也可以在班级页面看自己的学时。"),
    )
