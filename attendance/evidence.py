"""What this app leaves in the evidence log. Times are server times; lengths are whole microseconds."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from attendance.states import NOT_CONFIRMED, CheckKind, SignInMethod, WatchClosing
from audit.kinds import Digest, Kind, register
from identity.faces.problems import PROBLEMS
from identity.states import CheckState

# Reasons of which the person in front of the camera is told as "you", or which no screen tells.
_REASONS = {
    NOT_CONFIRMED: _("助教没有在课堂里看到本人"),
    CheckState.GREY.value: _("人脸核对拿不准"),
    "consent_missing": _("本人没有同意使用人脸，或者已经撤回"),
    "face_not_enrolled": _("没有录入人脸，或者录入的已经到期删除"),
    "face_unlike_enrolled": _("这次拍的和以前录入的不像同一个人"),
}


def _reason(code: str) -> str:
    """Why a sign-in was referred or refused: where its face check stands, or what was wrong with it."""
    if code in _REASONS:
        return str(_REASONS[code])
    if code in PROBLEMS:
        return gettext(PROBLEMS[code].message).removesuffix(gettext("。"))
    return str(CheckState(code).label) if code in CheckState.values else code


def _answer_sentence(facts: Mapping[str, Any]) -> str:
    """A roll call has no right or wrong; both ways an answer proves that its person was there."""
    if facts.get("correct") is None:
        return gettext("学员应答点名")
    return gettext("学员答题，答对了") if facts["correct"] else gettext("学员答题，答错了")


register(
    Kind(
        "attendance.sign_in_asked",
        sentence=_("学员签到：{method}"),
        schema={"sign_in": int, "method": SignInMethod},
    ),
    Kind(
        "attendance.sign_in_accepted",
        sentence=_("签到通过，学时从 {counts_from} 算起"),
        schema={"sign_in": int, "method": SignInMethod, "counts_from": datetime},
    ),
    Kind(
        "attendance.sign_in_referred",
        sentence=_("签到转给助教确认：{reason}"),
        schema={"sign_in": int, "reason": str},
        words={"reason": _reason},
    ),
    Kind(
        "attendance.sign_in_refused",
        sentence=_("签到没有通过：{reason}"),
        schema={"sign_in": int, "method": SignInMethod, "reason": str},
        words={"reason": _reason},
    ),
    Kind("attendance.signed_out", sentence=_("学员签退"), schema={"sign_in": int}),
    Kind(
        "attendance.check_opened",
        sentence=_("发起检查：{kind}，限时到 {due_at}"),
        schema={
            "check": int,
            "kind": CheckKind,
            "due_at": datetime,
            "prompt": str,
            "options": list[str],
            "correct": int | None,
            "asked": list[int],
        },
    ),
    Kind(
        "attendance.check_answered",
        sentence=_answer_sentence,
        schema={"check": int, "option": int | None, "correct": bool | None},
    ),
    Kind(
        "attendance.check_closed",
        sentence=_("检查截止：{kind}，应答 {answered} 人，未应答 {missed_count} 人"),
        schema={"check": int, "kind": CheckKind, "answered": int, "missed_count": int, "missed": list[int]},
    ),
    Kind(
        "losses.reviewed",
        sentence=_("核查学员流失：没有发现授课效果较差"),
        schema={
            "review": int,
            "person": int,
            "opened_on": date,
            "classes": list[int],
            "ground": Digest,
            "bureau": int,
        },
    ),
    Kind(
        "attendance.unit_credited",
        sentence=_("作业、考试计入 {hours} 课时"),
        schema={"lesson": int, "source": str, "hours": Decimal},
    ),
    Kind(
        "attendance.watched",
        sentence=_("点播 {started_at} 到 {last_seen_at}，{closing}"),
        schema={
            "material": int,
            "connection": str,
            "started_at": datetime,
            "last_seen_at": datetime,
            "from_ms": int,
            "to_ms": int,
            "heartbeats": int,
            "longest_gap_ms": int,
            "closing": WatchClosing,
        },
    ),
    Kind(
        "attendance.concluded",
        sentence=_(
            "考勤结论，合格：{passed}；计入 {credited_microseconds} 微秒，应学 {required_microseconds} 微秒"
        ),
        schema={
            "edition": str,
            "credited_microseconds": int,
            "required_microseconds": int,
            "by_kind": dict[str, int],
            "passed": bool,
            "reasons": list,
        },
    ),
)
