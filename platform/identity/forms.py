"""The shape of what people send on this app's pages."""

from django import forms
from django.utils.translation import gettext_lazy as _


class ConsentForm(forms.Form):
    """A tick that is never set beforehand, and the version that was on the screen."""

    version = forms.CharField(max_length=40, widget=forms.HiddenInput)
    agreed = forms.BooleanField(
        label=_("我看完了上面的说明，单独同意平台用人脸核对是不是我本人"),
        error_messages={"required": _("同意的话请先打勾；不同意也可以，用验证码签到，学时一样算。")},
    )


class ReviewForm(forms.Form):
    """A person's word on a check in doubt; nothing is chosen beforehand."""

    same_person = forms.TypedChoiceField(
        label=_("照片上的人"),
        choices=[("yes", _("是本人")), ("no", _("不是本人"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
        error_messages={"required": _("请选一项。看不清的，可以先在课堂里请学员打开摄像头再核对。")},
    )
