"""What people type about a claim: the shape of it. What it must say is judged by the actions."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from subsidies.actions import claims, objections
from subsidies.models import PublicNotice

ROWS = {"rows": 5}


class ReturnForm(forms.Form):
    reason = forms.CharField(
        label=_("退回理由"),
        help_text=_("机构会看到。写清楚第几行、哪里不符、要补什么；不要写身份证号和手机号。"),
        max_length=claims.MAX_CHARACTERS,
        widget=forms.Textarea(attrs=ROWS),
    )


class DecisionForm(forms.Form):
    approved = forms.TypedChoiceField(
        label=_("核定结论"),
        choices=[("yes", _("同意核定")), ("no", _("不予补贴"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("理由"),
        required=False,
        help_text=_("不予补贴必须写理由。机构会看到；不要写身份证号和手机号。"),
        max_length=claims.MAX_CHARACTERS,
        widget=forms.Textarea(attrs=ROWS),
    )


class AnswerForm(forms.Form):
    upheld = forms.TypedChoiceField(
        label=_("异议是否成立"),
        choices=[("yes", _("成立，这一行不付款")), ("no", _("不成立"))],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    answer = forms.CharField(
        label=_("答复"),
        help_text=_("公示页会全文显示，任何人都能看到。不要写姓名、身份证号和手机号，用“第几行”来说。"),
        max_length=claims.MAX_CHARACTERS,
        widget=forms.Textarea(attrs=ROWS),
    )


class ObjectionForm(forms.Form):
    line = forms.TypedChoiceField(label=_("对哪一行有异议"), coerce=lambda value: int(value) or None)
    text = forms.CharField(
        label=_("异议内容"),
        help_text=_("哪一处不对、您是怎么知道的。不会公开，只有人社部门的经办人员能看到。"),
        min_length=objections.MIN_CHARACTERS,
        max_length=objections.MAX_CHARACTERS,
        widget=forms.Textarea(attrs=ROWS),
    )
    contact = forms.CharField(
        label=_("怎么联系您"),
        required=False,
        help_text=_("留了才能单独回复您，加密保存，不会公开。"),
        max_length=objections.MAX_CONTACT_CHARACTERS,
    )

    def __init__(self, notice: PublicNotice, lines: list[Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.notice = notice
        choices: list[tuple[str, str]] = [("0", str(_("整份公示")))]
        choices += [(str(line.n), str(_("第 %(n)s 行") % {"n": line.n})) for line in lines]
        field = self.fields["line"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices
