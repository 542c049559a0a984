"""Why pictures cannot be used, in words the person in front of the camera can act on."""

from dataclasses import dataclass

from policy.messages import gettext_noop
from policy.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Problem:
    """Source strings: translate them where they are shown."""

    message: str
    next_step: str


PROBLEMS: dict[str, Problem] = {
    "frames_missing": Problem(
        gettext_noop("没有收到照片。"), gettext_noop("请允许浏览器使用摄像头，再拍一次。")
    ),
    "frames_too_many": Problem(
        gettext_noop("照片太多。"), gettext_noop("请用页面上的摄像头拍，一次最多 8 张。")
    ),
    "image_unreadable": Problem(
        gettext_noop("这张照片打不开。"), gettext_noop("请重新拍一张，只收 JPEG 或 PNG 格式。")
    ),
    "image_too_big": Problem(
        gettext_noop("照片太大。"), gettext_noop("请用页面上的摄像头拍，或者缩小以后再传。")
    ),
    "image_too_small": Problem(
        gettext_noop("照片太小，看不清脸。"), gettext_noop("请用页面上的摄像头重新拍。")
    ),
    "image_too_dark": Problem(gettext_noop("光线有点暗。"), gettext_noop("请面向窗户或灯，再拍一次。")),
    "no_face": Problem(
        gettext_noop("照片里没有找到脸。"), gettext_noop("请正对摄像头，把脸放进框里，不要遮住脸。")
    ),
    "several_faces": Problem(
        gettext_noop("画面里不止一个人。"), gettext_noop("请让旁边的人先离开画面，再拍一次。")
    ),
    "face_too_small": Problem(
        gettext_noop("脸离摄像头太远。"), gettext_noop("请靠近一点，让脸占满框，再拍一次。")
    ),
    "frames_differ": Problem(
        gettext_noop("这几张照片不像同一个人。"), gettext_noop("请一个人对着摄像头，从头再拍一次。")
    ),
    "frames_expired": Problem(gettext_noop("照片放得太久，没有核对就已删除。"), gettext_noop("请再拍一次。")),
    "consent_missing": Problem(
        gettext_noop("您没有同意使用人脸，或者已经撤回。"),
        gettext_noop("请先看说明再决定，也可以用验证码签到，学时一样算。"),
    ),
    "face_not_enrolled": Problem(
        gettext_noop("您还没有录入人脸，或者录入的已经到期删除。"),
        gettext_noop("请先录入人脸，也可以用验证码签到，学时一样算。"),
    ),
    "face_unlike_enrolled": Problem(
        gettext_noop("这次拍的和您以前录入的不像同一个人，原来的没有换掉。"),
        gettext_noop("请换个亮的地方再拍，也可以用验证码签到，学时一样算。"),
    ),
}


def unusable(code: str, *, found: object = None, required: object = None, status: int = 422) -> Refusal:
    """Build the refusal for a problem; `code` is a key of PROBLEMS."""
    problem = PROBLEMS[code]
    if found is None and required is None:
        found, required = False, True
    return Refusal(
        code,
        problem.message,
        found=found,
        required=required,
        rule="P14",
        next_step=problem.next_step,
        status=status,
    )
