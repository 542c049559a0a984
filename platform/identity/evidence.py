"""What this app leaves in the evidence log: engines, scores, outcomes; never a face, never a code."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from audit.kinds import Digest, Kind, register
from identity.states import ConsentPurpose, Destroyed, Outcome, Purpose


def _percent(permille: int) -> str:
    return f"{permille // 10}.{permille % 10}"


register(
    Kind(
        "consent.given",
        sentence=_("本人同意{purpose}"),
        schema={"consent": int, "purpose": ConsentPurpose, "version": str, "text": Digest},
    ),
    Kind(
        "consent.withdrawn",
        sentence=_("本人撤回同意：{purpose}"),
        schema={"consent": int, "purpose": ConsentPurpose},
    ),
    Kind(
        "face.enrolled",
        sentence=_("录入人脸特征，{frames} 张照片"),
        schema={
            "template": Digest,
            "engine": str,
            "frames": int,
            "consent": int,
            "likeness_permille": int | None,
        },
    ),
    Kind(
        "face.destroyed",
        sentence=_("销毁人脸特征：{because}"),
        schema={"template": Digest, "engine": str, "because": Destroyed},
    ),
    Kind(
        "face.checked",
        sentence=_("人脸核对（{purpose}）：{outcome}，相似度 {score_permille} %"),
        schema={
            "check": int,
            "purpose": Purpose,
            "outcome": Outcome,
            "problem": str | None,
            "engine": str,
            "score_permille": int | None,
            "template": Digest | None,
        },
        words={"score_permille": _percent},
    ),
    Kind("face.picture_seen", sentence=_("为人工核对打开照片"), schema={"check": int}),
    Kind(
        "face.reviewed",
        sentence=_("人工核对：是本人 {same_person}"),
        schema={"check": int, "same_person": bool},
    ),
    Kind("face.lapsed", sentence=_("照片已删除，没有人核对"), schema={"check": int}),
    Kind(
        "code.issued",
        sentence=_("发出一次性验证码，有效到 {expires_at}"),
        schema={"code": int, "person": int, "expires_at": datetime},
    ),
    Kind("code.redeemed", sentence=_("用验证码核对本人"), schema={"code": int, "person": int}),
)
