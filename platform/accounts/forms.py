"""Shapes of input for signing in and activating an account."""

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.forms import AuthenticationForm
from django.core.validators import MaxLengthValidator, ProhibitNullCharactersValidator
from django.utils.translation import gettext_lazy as _

from accounts.models import User


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
    """The code from the institution and the first password, twice."""

    code = forms.CharField(label=_("激活码"), max_length=120)
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
