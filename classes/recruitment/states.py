"""States of a campaign, a registration and a piece of category evidence, and the moves between them.

Each table reads {state: {verb: next state}}; a verb that a state does not list is refused.
"""

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _


class CampaignState(models.TextChoices):
    OPEN = "open", _("正在招生")
    CLOSED = "closed", _("停止招生")

    @property
    def look(self) -> str:
        return "now" if self == CampaignState.OPEN else "still"


CAMPAIGN_MOVES: Mapping[str, Mapping[str, str]] = {
    CampaignState.OPEN: {"close": CampaignState.CLOSED},
    CampaignState.CLOSED: {"reopen": CampaignState.OPEN},
}


class RegistrationState(models.TextChoices):
    SUBMITTED = "submitted", _("待筛选")
    SCREENED = "screened", _("待分班")
    WAITING = "waiting", _("候补中")
    ASSIGNED = "assigned", _("已分班")
    REJECTED = "rejected", _("未录取")
    WITHDRAWN = "withdrawn", _("已撤回")

    @property
    def look(self) -> str:
        return {
            RegistrationState.SUBMITTED: "look",
            RegistrationState.SCREENED: "look",
            RegistrationState.WAITING: "now",
            RegistrationState.ASSIGNED: "ok",
            RegistrationState.REJECTED: "stop",
            RegistrationState.WITHDRAWN: "still",
        }[self]


# F1: nobody is put in a class before the screening.
REGISTRATION_MOVES: Mapping[str, Mapping[str, str]] = {
    RegistrationState.SUBMITTED: {
        "screen": RegistrationState.SCREENED,
        "reject": RegistrationState.REJECTED,
        "withdraw": RegistrationState.WITHDRAWN,
    },
    RegistrationState.SCREENED: {
        "screen": RegistrationState.SCREENED,
        "assign": RegistrationState.ASSIGNED,
        "wait": RegistrationState.WAITING,
        "reject": RegistrationState.REJECTED,
        "withdraw": RegistrationState.WITHDRAWN,
    },
    RegistrationState.WAITING: {
        "assign": RegistrationState.ASSIGNED,
        "reject": RegistrationState.REJECTED,
        "withdraw": RegistrationState.WITHDRAWN,
    },
    RegistrationState.ASSIGNED: {"release": RegistrationState.SCREENED},
    RegistrationState.REJECTED: {"reopen": RegistrationState.SUBMITTED},
    RegistrationState.WITHDRAWN: {},
}
# Still in the running: these count as "already registered".
LIVE_STATES = (
    RegistrationState.SUBMITTED,
    RegistrationState.SCREENED,
    RegistrationState.WAITING,
    RegistrationState.ASSIGNED,
)


class EvidenceState(models.TextChoices):
    WAITING = "waiting", _("待核对")
    ACCEPTED = "accepted", _("核对相符")
    REFUSED = "refused", _("不予采用")

    @property
    def look(self) -> str:
        return {"waiting": "look", "accepted": "ok", "refused": "stop"}[self.value]


EVIDENCE_MOVES: Mapping[str, Mapping[str, str]] = {
    EvidenceState.WAITING: {"accept": EvidenceState.ACCEPTED, "refuse": EvidenceState.REFUSED},
    EvidenceState.ACCEPTED: {"refuse": EvidenceState.REFUSED},
    EvidenceState.REFUSED: {"accept": EvidenceState.ACCEPTED},
}


class Source(models.TextChoices):
    """Where a registration comes from (I4)."""

    CAMPAIGN = "campaign", _("推介页面")
    EVENT = "event", _("线下活动")
    STAFF = "staff", _("机构代填")
    ROSTER = "roster", _("花名册导入")


class Stage(models.TextChoices):
    """What the screening finds a person ready for (F5)."""

    AWARENESS = "awareness", _("意识阶段")
    START_UP = "start_up", _("创办阶段")
    NOT_YET = "not_yet", _("暂不适合")

    @property
    def look(self) -> str:
        return {"awareness": "now", "start_up": "ok", "not_yet": "look"}[self.value]


class Education(models.TextChoices):
    PRIMARY = "primary", _("小学及以下")
    JUNIOR = "junior", _("初中")
    SENIOR = "senior", _("高中、中专、技校")
    COLLEGE = "college", _("大专、高职")
    UNIVERSITY = "university", _("本科及以上")
