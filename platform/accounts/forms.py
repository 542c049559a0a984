"""Shapes of input for signing in and activating an account."""

import re
from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.forms import AuthenticationForm
from django.core.validators import MaxLengthValidator, ProhibitNullCharactersValidator
from django.utils.translation import gettext_lazy as _

from accounts.id_numbers import IdNumber, parse
from accounts.models import User
from accounts.refusals import rendered
from accounts.states import Role
from policy.refusals import Refusal

_PHONE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
_SPACE_IN_NAME = re.compile(r"(?<=[^A-Za-z])\s+(?=[^A-Za-z])")


class SignInForm(AuthenticationForm):
    """User name and password; the same words whether the account exists or not."""

    error_messages = {
        "invalid_login": _("用户名或密码不对，请再输一次。"),
        "inactive": _("用户名或密码不对，请再输一次。"),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Refuse a name that no account can have before anything is looked up or counted."""
        super().__init__(*args, **kwargs)
        field = self.fields["username"]
        longest = User._meta.get_field("username").max_length
        assert isinstance(field, forms.CharField)
        assert longest
        field.max_length = longest
        field.widget.attrs["maxlength"] = longest
        field.validators = [
            MaxLengthValidator(longest, _("用户名最多 %(limit_value)d 个字符，请检查后再输一次。")),
            ProhibitNullCharactersValidator(message=_("用户名里有不能用的字符，请检查后再输一次。")),
        ]


class ActivationForm(forms.Form):
    """User name and code from the institution, and the first password, twice."""

    username = forms.CharField(
        label=_("用户名"),
        max_length=40,
        help_text=_("在单子上，例如 t00000012。"),
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    code = forms.CharField(
        label=_("激活码"),
        max_length=40,
        help_text=_("10 位字母和数字，大小写、短横都不要紧。"),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autocapitalize": "characters"}),
    )
    password = forms.CharField(
        label=_("新密码"), widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), strip=False
    )
    repeated = forms.CharField(
        label=_("再输一次"), widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), strip=False
    )

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        password_validation.validate_password(password)
        return password

    def clean_repeated(self) -> str:
        if self.cleaned_data["repeated"] != self.cleaned_data.get("password"):
            raise forms.ValidationError(_("两次输入的密码不一样。"))
        return str(self.cleaned_data["repeated"])


class StaffForm(forms.Form):
    """A lecturer or an assistant of the manager's own institution."""

    role = forms.ChoiceField(
        label=_("角色"),
        choices=[(Role.LECTURER.value, Role.LECTURER.label), (Role.ASSISTANT.value, Role.ASSISTANT.label)],
    )
    name = forms.CharField(label=_("姓名"), max_length=40, help_text=_("与身份证一致。"))
    id_number = forms.CharField(
        label=_("身份证号"), max_length=18, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    phone = forms.CharField(
        label=_("手机号"),
        max_length=11,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )

    def clean_name(self) -> str:
        return _SPACE_IN_NAME.sub("", self.cleaned_data["name"].strip())

    def clean_id_number(self) -> IdNumber:
        try:
            return parse(self.cleaned_data["id_number"])
        except Refusal as refusal:
            raise forms.ValidationError(rendered(refusal)["message"]) from None

    def clean_phone(self) -> str:
        phone: str = self.cleaned_data["phone"]
        if phone and not _PHONE.fullmatch(phone):
            raise forms.ValidationError(_("手机号应为 11 位数字，以 1 开头。"))
        return phone
