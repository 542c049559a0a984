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
    # "revise": what was filed has to change, so it is filed and approved anew (F7, F9).
    ClassState.APPROVED: {
        "start": ClassState.RUNNING,
        "revise": ClassState.DRAFT,
        "cancel": ClassState.CANCELLED,
    },
    ClassState.RUNNING: {"finish": ClassState.FINISHED},
    ClassState.FINISHED: {},
    ClassState.CANCELLED: {},
}


class Change(models.TextChoices):
    """How what is filed (course and version, mode, edition, dates, staff, roster, timetable) may change."""

    FREE = "free", _("可以直接改")
    WITHDRAW = "withdraw", _("先撤回备案，再改")
    REFILE = "refile", _("要办变更备案，重新提交、重新审核")
    FIXED = "fixed", _("不能再改")


# The norm gives no way to change a filed class but to file it: before the first lesson by filing anew, with
# its own five working days; once training has begun what was filed stands, since the hours that count are
# those of the last approved timetable (LEDGER, ambiguities 6, 11 and 15).
CHANGES: Mapping[str, Change] = {
    ClassState.DRAFT: Change.FREE,
    ClassState.SUBMITTED: Change.WITHDRAW,
    ClassState.RETURNED: Change.FREE,
    ClassState.APPROVED: Change.REFILE,
    ClassState.RUNNING: Change.FIXED,
    ClassState.FINISHED: Change.FIXED,
    ClassState.CANCELLED: Change.FIXED,
}
# In these states roster, timetable and staff may still change.
EDITABLE_STATES = tuple(state for state in ClassState if CHANGES[state] is Change.FREE)
# Only what was filed is shown to the trainees on its roster: until then it is the institution's draft.
FILED_STATES = (ClassState.APPROVED, ClassState.RUNNING, ClassState.FINISHED)


class FilingState(models.TextChoices):
    SUBMITTED = "submitted", _("待审核")
    RETURNED = "returned", _("退回补正")
    APPROVED = "approved", _("已通过")
    WITHDRAWN = "withdrawn", _("已撤回")
    SUPERSEDED = "superseded", _("已变更")


FILING_MOVES: Mapping[str, Mapping[str, str]] = {
    FilingState.SUBMITTED: {
        "approve": FilingState.APPROVED,
        "return": FilingState.RETURNED,
        "withdraw": FilingState.WITHDRAWN,
    },
    FilingState.RETURNED: {},
    FilingState.APPROVED: {"supersede": FilingState.SUPERSEDED},
    FilingState.WITHDRAWN: {},
    FilingState.SUPERSEDED: {},
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


class LessonStanding(models.TextChoices):
    """What is true of a lesson at a moment. The live room opens and closes lessons; the others just pass."""

    AHEAD = "ahead", _("未开始")
    UNDER_WAY = "under_way", _("进行中")
    OVER = "over", _("已结束")
    NOT_HELD = "not_held", _("没有开课")

    @property
    def look(self) -> str:
        return {
            LessonStanding.AHEAD: "still",
            LessonStanding.UNDER_WAY: "now",
            LessonStanding.OVER: "ok",
            LessonStanding.NOT_HELD: "look",
        }[self]


LESSON_MOVES: Mapping[str, Mapping[str, str]] = {
    LessonState.PLANNED: {"open": LessonState.OPEN},
    LessonState.OPEN: {"close": LessonState.CLOSED},
    LessonState.CLOSED: {},
}
