"""What people are told about their time: plain words for states and reasons, in the active language."""

import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from attendance.models import SignIn
from attendance.states import CheckKind, SignInMethod, SignInState
from attendance.trace import Reason, Stretch
from identity.wording import Words, words_of


def sign_in_words(sign_in: SignIn) -> Words:
    """Where a sign-in stands, and what the trainee can do now."""
    if sign_in.signed_out_at is not None:
        return Words(
            _("您已签退，%(time)s 以后的时间不再计入。") % {"time": _clock(sign_in.signed_out_at)},
            _("要接着上课，请再签到一次。"),
        )
    match sign_in.state:
        case SignInState.ACCEPTED:
            return Words(
                _("签到好了，学时从 %(time)s 算起。") % {"time": _clock(sign_in.requested_at)},
                _("下课时记得签退。"),
            )
        case SignInState.PENDING if sign_in.method == SignInMethod.CODE:
            return Words(
                _("验证码对了，等助教在课堂里看到您就确认。"),
                _("您可以先进课堂，打开摄像头。这段时间先记着，确认后照算。"),
            )
        case SignInState.PENDING:
            return Words(_("已交给助教看，您可以先上课，这段时间先记着。"))
        case SignInState.CHECKING:
            return Words(_("正在核对，请等几秒钟。"))
    if sign_in.face_check is not None:
        return words_of(sign_in.face_check)
    return Words(_("助教没有在课堂里看到您，这次签到没有确认。"), _("请和助教联系，可以再签到一次。"))


# Each reason twice: as the trainee reads it, and as everybody else does.
_REASONS: dict[Reason, tuple[str, str]] = {
    Reason.NOT_SIGNED_IN: (
        gettext_noop("%(since)s 到 %(until)s 您在课堂里，但还没有签到。签到以后才开始算学时。"),
        gettext_noop("%(since)s 到 %(until)s 在课堂里，但没有签到。"),
    ),
    Reason.SIGN_IN_WAITS: (
        gettext_noop("%(since)s 到 %(until)s 您在课堂里，签到还在等助教确认，确认后会算进来。"),
        gettext_noop("%(since)s 到 %(until)s 在课堂里，签到还在等助教确认。"),
    ),
    Reason.SIGNED_OUT: (
        gettext_noop("%(out)s 您签退了，后面没有算。"),
        gettext_noop("%(out)s 已签退。"),
    ),
    Reason.NOT_SEEN_AT_ALL: (
        gettext_noop("这节课平台没有收到您的信号。"),
        gettext_noop("这节课没有收到信号。"),
    ),
    Reason.CAME_LATE: (
        gettext_noop("%(until)s 您才进课堂，前面没有算。"),
        gettext_noop("%(until)s 才进课堂。"),
    ),
    Reason.LINE_LOST: (
        gettext_noop("%(since)s 到 %(until)s 网断了，平台没有收到您的信号。"),
        gettext_noop("%(since)s 到 %(until)s 断线，没有收到信号。"),
    ),
    Reason.LEFT: (
        gettext_noop("%(since)s 到 %(until)s 您离开了课堂。"),
        gettext_noop("%(since)s 到 %(until)s 离开了课堂。"),
    ),
    Reason.CHANGED_DEVICE: (
        gettext_noop("%(since)s 到 %(until)s 您在换设备，中间没有收到信号。"),
        gettext_noop("%(since)s 到 %(until)s 换设备，中间没有收到信号。"),
    ),
    Reason.LESSON_ENDED: (
        gettext_noop("%(since)s 下课了，比课表早。"),
        gettext_noop("%(since)s 下课，比课表早。"),
    ),
}
_MISSED = (
    gettext_noop(
        "%(times)s %(what)s时没有应答。上一次确认您在课堂是 %(since)s，从那时到 %(until)s 没法证明您在。"
    ),
    gettext_noop("%(times)s %(what)s时没有应答。上一次确认在课堂是 %(since)s，从那时到 %(until)s 没有证实。"),
)


def reason_words(stretch: Stretch, *, to_self: bool = True) -> str:
    """Why a stretch of a lesson was not credited, said to its trainee or to somebody else."""
    whose = 0 if to_self else 1
    places = {
        "since": _clock(stretch.starts_at, "m"),
        "until": _clock(stretch.ends_at, "m"),
        "out": _clock(stretch.signed_out_at or stretch.starts_at, "m"),
    }
    if stretch.reason is Reason.NONE:
        return ""
    if stretch.reason is not Reason.CHECK_MISSED:
        return _(_REASONS[stretch.reason][whose]) % places
    if not stretch.missed:
        return ""
    kinds = {check.kind for check in stretch.missed}
    what = {frozenset([CheckKind.ROLL_CALL]): _("点名"), frozenset([CheckKind.QUESTION]): _("提问")}
    places |= {
        "times": _("、").join(_clock(check.opened_at, "m") for check in stretch.missed),
        "what": what.get(frozenset(map(CheckKind, kinds)), _("点名和提问")),
        "until": _clock(stretch.missed[-1].due_at, "m"),
    }
    return _(_MISSED[whose]) % places


def remark_words(code: str, times: int = 1) -> str:
    """A remark on one lesson or on several, for those who run the class."""
    match code:
        case "not_signed_in":
            return ngettext("%(n)s 节没有签到", "%(n)s 节没有签到", times) % {"n": times}
        case "not_signed_out":
            return ngettext("%(n)s 节没有签退", "%(n)s 节没有签退", times) % {"n": times}
        case "checks_missed":
            return ngettext("%(n)s 次没有应答", "%(n)s 次没有应答", times) % {"n": times}
        case "not_whole":
            return ngettext("%(n)s 节没有听满", "%(n)s 节没有听满", times) % {"n": times}
        case "not_handed_in":
            return ngettext("%(n)s 次没有提交", "%(n)s 次没有提交", times) % {"n": times}
    return ""


def _clock(moment: datetime.datetime, form: str = "s") -> str:
    return timezone.localtime(moment).strftime("%H:%M" if form == "m" else "%H:%M:%S")
