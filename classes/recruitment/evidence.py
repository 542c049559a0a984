"""What this app leaves in the evidence log, in the chain `institution/<id>`.

Who registered enters as a salted commitment; a reason or a note as its digest.
"""

import datetime

from django.utils.translation import gettext_lazy as _

from audit.kinds import Commitment, Digest, Kind, register
from classes.recruitment.states import CampaignState, EvidenceState, RegistrationState, Source, Stage
from policy.terms import TraineeCategory

_CAMPAIGN = {
    "campaign": int,
    "course": int,
    "planned_from": datetime.date,
    "planned_until": datetime.date,
    "places": int,
    "state": CampaignState,
}


def register_kinds() -> None:
    """Make this app's kinds known to the log."""
    register(
        Kind(
            "campaign.saved", sentence=_("招生项目：计划 {planned_from} 开班，{places} 人"), schema=_CAMPAIGN
        ),
        Kind("campaign.moved", sentence=_("招生项目：{state}"), schema=_CAMPAIGN),
        Kind(
            "campaign.event_created",
            sentence=_("线下招生活动，{held_on}，活动码 {code}"),
            schema={"campaign": int, "event": int, "code": str, "held_on": datetime.date},
        ),
        Kind(
            "registration.received",
            sentence=_("收到报名，来源：{source}"),
            schema={
                "registration": int,
                "campaign": int,
                "course": int,
                "source": Source,
                "event": str | None,
                "privacy": str,
                "privacy_text": Digest,
                "applicant": Commitment,
            },
        ),
        Kind(
            "registration.screened",
            sentence=_("学员筛选：{score} 分，{stage}"),
            schema={
                "registration": int,
                "screening": int,
                "questionnaire": str,
                "score": int,
                "stage": Stage,
                "course": int | None,
                "answers": Digest,
            },
        ),
        Kind(
            "registration.rejudged",
            sentence=_("筛选结果由 {found} 改判为 {stage}"),
            schema={
                "registration": int,
                "screening": int,
                "found": Stage,
                "stage": Stage,
                "course": int | None,
                "reason": Digest,
            },
        ),
        Kind(
            "registration.noted",
            sentence=_("写了一条备注"),
            schema={"registration": int, "text": Digest},
        ),
        Kind(
            "registration.moved",
            sentence=_("报名：{state}"),
            schema={
                "registration": int,
                "state": RegistrationState,
                "class_id": int | None,
                "enrolment": int | None,
                "reason": Digest | None,
            },
        ),
        Kind(
            "registration.activation_issued",
            sentence=_("向学员出示账号激活码"),
            schema={"registration": int, "user": int},
        ),
        Kind(
            "category_evidence.handed_in",
            sentence=_("提交类别证明：{category}"),
            schema={
                "evidence": int,
                "category": TraineeCategory,
                "valid_from": datetime.date | None,
                "valid_until": datetime.date | None,
                "picture": Digest | None,
            },
        ),
        Kind(
            "category_evidence.checked",
            sentence=_("核对类别证明：{state}"),
            schema={"evidence": int, "state": EvidenceState, "reason": Digest},
        ),
        Kind(
            "category_evidence.seen",
            sentence=_("打开类别证明的照片"),
            schema={"evidence": int},
        ),
        Kind(
            "category_evidence.destroyed",
            sentence=_("销毁类别证明的照片"),
            schema={"evidence": int, "picture": Digest},
        ),
    )
