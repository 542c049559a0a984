"""The shape of what people send on this app's pages."""

from django import forms
from django.utils.translation import gettext_lazy as _


class CodeForm(forms.Form):
    """The digits the assistant gave; pasting them is fine (WCAG 3.3.8)."""

    code = forms.CharField(
        label=_("助教给您的 6 位数字"),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
        error_messages={"required": _("请把助教给您的 6 位数字填在这里。")},
    )
