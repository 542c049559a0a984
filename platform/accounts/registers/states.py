"""States of a lecturer's qualification, and the words of the registers.

The table reads {state: {verb: next state}}; a verb that a state does not list is refused.
"""

from collections.abc import Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _


class QualificationState(models.TextChoices):
    DRAFT = "draft", _("填写中")
    SUBMITTED = "submitted", _("待确认")
    CONFIRMED = "confirmed", _("已确认")
    RETURNED = "returned", _("退回补正")


QUALIFICATION_MOVES: Mapping[str, Mapping[str, str]] = {
    QualificationState.DRAFT: {"submit": QualificationState.SUBMITTED},
    QualificationState.SUBMITTED: {
        "confirm": QualificationState.CONFIRMED,
        "return": QualificationState.RETURNED,
        "withdraw": QualificationState.DRAFT,
    },
    QualificationState.RETURNED: {"submit": QualificationState.SUBMITTED},
    # What an office has confirmed stays; against a lecturer it has the disqualification (L5, L6).
    QualificationState.CONFIRMED: {},
}
# The institution may still change it.
OPEN_STATES = (QualificationState.DRAFT, QualificationState.RETURNED)


class Route(models.TextChoices):
    """The two ways to become a lecturer (T1, T2)."""

    CERTIFICATE = "certificate", _("讲师培训合格证")
    EXPERIMENT = "experiment", _("师资试验班")


class DocumentKind(models.TextChoices):
    CERTIFICATE = "certificate", _("河南省创业培训讲师培训合格证")
    EXPERIENCE = "experience", _("创业培训工作经历证明")
    ONLINE_SKILLS = "online_skills", _("互联网授课技能证明")
    EXPERIMENT = "experiment", _("全省互联网+创业培训师资试验班合格证明")
    GOOD_EFFECT = "good_effect", _("授课效果证明")
    CONTRACT = "contract", _("讲师聘用合同")
    DESIGNATION = "designation", _("定点机构文件")
    CONDITION = "condition", _("平台条件证明")


# What has to be there before an office is asked; the contract shows who really teaches (I5).
REQUIRED_DOCUMENTS: Mapping[str, tuple[DocumentKind, ...]] = {
    Route.CERTIFICATE: (DocumentKind.CERTIFICATE, DocumentKind.EXPERIENCE, DocumentKind.ONLINE_SKILLS),
    Route.EXPERIMENT: (DocumentKind.EXPERIMENT, DocumentKind.GOOD_EFFECT),
}


class MeasureKind(models.TextChoices):
    """What an office may order, and against whom (L5, L6, Q8, Q9)."""

    DISQUALIFICATION = "disqualification", _("取消讲师资格")
    RECTIFICATION = "rectification", _("责令限期改正")
    CANCELLATION = "cancellation", _("取消培训资格")


class Ground(models.TextChoices):
    """The sentence of the norm that a measure rests on, by its ledger row."""

    LOSS = "L5", _("授课效果较差，连续两次学员流失 50 % 及以上")
    DISORDER = "L6", _("影响正常培训秩序，连续两次造成不良影响")
    BREACH = "Q8", _("违反规定、培训质量差或者评价较低")
    CANCELLED = "Q9", _("情节严重，取消培训资格")


GROUNDS: Mapping[str, tuple[Ground, ...]] = {
    MeasureKind.DISQUALIFICATION: (Ground.LOSS, Ground.DISORDER),
    MeasureKind.RECTIFICATION: (Ground.BREACH,),
    MeasureKind.CANCELLATION: (Ground.CANCELLED,),
}
