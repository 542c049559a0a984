"""The shape of what people send on this app's pages."""

from django import forms
from django.utils.translation import gettext_lazy as _

from attendance.models import GROUND_LENGTH


class CodeForm(forms.Form):
    """The digits the assistant gave; pasting them is fine (WCAG 3.3.8)."""

    code = forms.CharField(
        label=_("助教给您的 6 位数字"),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
        error_messages={"required": _("请把助教给您的 6 位数字填在这里。")},
    )


class LossReviewForm(forms.Form):
    """What an official found who looked into a lecturer's lost trainees, and of which case."""

    opened_on = forms.DateField(widget=forms.HiddenInput)
    ground = forms.CharField(
        label=_("核查情况"),
        max_length=GROUND_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("写明怎么核查的、学员为什么没有学完、结论是什么。"),
        error_messages={"required": _("请写明核查情况。")},
    )
    sure = forms.BooleanField(
        label=_("已核查，没有发现授课效果较差"),
        error_messages={"required": _("请确认已经核查。")},
    )
