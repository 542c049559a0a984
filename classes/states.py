"""States of a class, a filing, an enrolment and a lesson, and the moves between them.

Each table reads {state: {verb: next state}}; a verb that a state does not list is refused.
`tests/test_states.py` walks every (state, verb) pair.
"""

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _


class ClassState(models.TextChoices):
    DRAFT = "draft", _("草稿")
    SUBMITTED = "submitted", _("待审核")
    RETURNED = "returned", _("退回补正")
    APPROVED = "approved", _("已备案")
    RUNNING = "running", _("培训中")
    FINISHED = "finished", _("已结班")
    CANCELLED = "cancelled", _("已取消")


# F1: promotion and screening come before a class exists; assessment and follow-up after it finished.
CLASS_MOVES: Mapping[str, Mapping[str, str]] = {
    ClassState.DRAFT: {"submit": ClassState.SUBMITTED, "cancel": ClassState.CANCELLED},
    ClassState.SUBMITTED: {
        "approve": ClassState.APPROVED,
        "return": ClassState.RETURNED,
        "withdraw": ClassState.DRAFT,
    },
    ClassState.RETURNED: {"submit": ClassState.SUBMITTED, "cancel": ClassState.CANCELLED},
    ClassState.APPROVED: {"start": ClassState.RUNNING, "cancel": ClassState.CANCELLED},
    ClassState.RUNNING: {"finish": ClassState.FINISHED},
    ClassState.FINISHED: {},
    ClassState.CANCELLED: {},
}
# In these states roster, timetable and staff may still change.
EDITABLE_STATES = (ClassState.DRAFT, ClassState.RETURNED)
# Only what was filed is shown to the trainees on its roster: until then it is the institution's draft.
FILED_STATES = (ClassState.APPROVED, ClassState.RUNNING, ClassState.FINISHED)


class FilingState(models.TextChoices):
    SUBMITTED = "submitted", _("待审核")
    RETURNED = "returned", _("退回补正")
    APPROVED = "approved", _("已通过")
    WITHDRAWN = "withdrawn", _("已撤回")


FILING_MOVES: Mapping[str, Mapping[str, str]] = {
    FilingState.SUBMITTED: {
        "approve": FilingState.APPROVED,
        "return": FilingState.RETURNED,
        "withdraw": FilingState.WITHDRAWN,
    },
    FilingState.RETURNED: {},
    FilingState.APPROVED: {},
    FilingState.WITHDRAWN: {},
}


class EnrolmentState(models.TextChoices):
    ACTIVE = "active", _("在册")
    LEFT = "left", _("已退出")


ENROLMENT_MOVES: Mapping[str, Mapping[str, str]] = {
    EnrolmentState.ACTIVE: {"leave": EnrolmentState.LEFT},
    EnrolmentState.LEFT: {"rejoin": EnrolmentState.ACTIVE},
}


class LessonState(models.TextChoices):
    PLANNED = "planned", _("未开始")
    OPEN = "open", _("进行中")
    CLOSED = "closed", _("已结束")


LESSON_MOVES: Mapping[str, Mapping[str, str]] = {
    LessonState.PLANNED: {"open": LessonState.OPEN},
    LessonState.OPEN: {"close": LessonState.CLOSED},
    LessonState.CLOSED: {},
}
