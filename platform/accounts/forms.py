"""Shapes of input for signing in and activating an account."""

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.forms import AuthenticationForm
from django.core.validators import MaxLengthValidator, ProhibitNullCharactersValidator
from django.utils.translation import gettext_lazy as _

from accounts.bodies import InstitutionDetails
from accounts.id_numbers import MOST_TYPED, IdNumber, parse
from accounts.models import Bureau, Institution, Region, User
from accounts.names import parse_name
from accounts.offices import roles_at
from accounts.phones import parse_phone
from accounts.refusals import rendered
from accounts.states import Department, RegionLevel, Role
from policy.refusals import Refusal


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
        label=_("身份证号"), max_length=MOST_TYPED, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    phone = forms.CharField(
        label=_("手机号"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )

    def clean_name(self) -> str:
        try:
            return parse_name(self.cleaned_data["name"])
        except Refusal as refusal:
            raise forms.ValidationError(rendered(refusal)["message"]) from None

    def clean_id_number(self) -> IdNumber:
        try:
            return parse(self.cleaned_data["id_number"])
        except Refusal as refusal:
            raise forms.ValidationError(rendered(refusal)["message"]) from None

    def clean_phone(self) -> str:
        try:
            return parse_phone(self.cleaned_data["phone"], rule="P7", optional=True)
        except Refusal as refusal:
            raise forms.ValidationError(rendered(refusal)["message"]) from None


# Which field a refusal is about, where an action judges it.
FIELD_OF_REFUSAL = {
    "credit_code_invalid": "credit_code",
    "designation_reversed": "designated_until",
    "institution_exists": "name",
    "bureau_exists": "name",
    "role_not_of_body": "role",
    "username_form": "username",
    "username_taken": "username",
}


def show_refusal(form: forms.Form, refusal: Refusal) -> None:
    """Put a refusal on the form, beside the field it is about."""
    body = rendered(refusal)
    field = FIELD_OF_REFUSAL.get(refusal.code) or refusal.field
    form.add_error(field if field in form.fields else None, body["message"] + (body["details"]["next"] or ""))


class RegionField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    """A division of Henan, a county after the name of its city."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.parent.name} {obj.name}" if obj.level == RegionLevel.COUNTY else str(obj.name)


def _date() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class InstitutionForm(forms.Form):
    """What is known of a designated institution; its credit code is asked for once."""

    name = forms.CharField(label=_("机构名称"), max_length=80, help_text=_("与办学许可证或营业执照一致。"))
    credit_code = forms.CharField(
        label=_("统一社会信用代码"),
        max_length=18,
        help_text=_("18 位，登记以后不能改。"),
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "autocomplete": "off"}),
    )
    region = RegionField(
        label=_("所在地"),
        queryset=Region.objects.exclude(level=RegionLevel.PROVINCE).select_related("parent"),
        empty_label=_("请选择县（市、区）"),
        help_text=_("备案和补贴由这里的人社部门办理。"),
    )
    designated_from = forms.DateField(label=_("定点起"), required=False, widget=_date())
    designated_until = forms.DateField(
        label=_("定点止"), required=False, widget=_date(), help_text=_("含这一天；没有期限就不填。")
    )
    address = forms.CharField(label=_("地址"), max_length=200, required=False)
    contact = forms.CharField(label=_("联系人"), max_length=40, required=False)
    contact_phone = forms.CharField(
        label=_("联系电话"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel"}),
    )

    def __init__(self, *args: Any, institution: Institution | None = None, **kwargs: Any) -> None:
        """With `institution`, the form changes it and begins with what is known."""
        if institution is not None:
            known = {name: getattr(institution, name) for name in InstitutionDetails.__slots__}
            kwargs["initial"] = known | {"region": institution.region_id}
        super().__init__(*args, **kwargs)
        if institution is not None:
            del self.fields["credit_code"]

    @property
    def details(self) -> InstitutionDetails:
        return InstitutionDetails(**{name: self.cleaned_data[name] for name in InstitutionDetails.__slots__})


class BureauForm(forms.Form):
    """An office of a department for a region; only its name may change later."""

    name = forms.CharField(
        label=_("名称"), max_length=80, help_text=_("全称，例如：洛阳市人力资源和社会保障局。")
    )
    department = forms.ChoiceField(
        label=_("部门"), choices=Department.choices, widget=forms.RadioSelect, initial=Department.HRSS
    )
    region = RegionField(
        label=_("辖区"),
        queryset=Region.objects.select_related("parent"),
        empty_label=_("请选择辖区"),
        help_text=_("省管全省，市管所属县（市、区）。部门和辖区登记以后不能改。"),
    )

    def __init__(self, *args: Any, bureau: Bureau | None = None, **kwargs: Any) -> None:
        """With `bureau`, the form renames it."""
        if bureau is not None:
            kwargs["initial"] = {"name": bureau.name}
        super().__init__(*args, **kwargs)
        if bureau is not None:
            del self.fields["department"], self.fields["region"]


class OfficeForm(forms.Form):
    """Somebody who gets an account at an institution or a bureau."""

    role = forms.ChoiceField(label=_("角色"), widget=forms.RadioSelect)
    name = forms.CharField(label=_("姓名"), max_length=40)
    username = forms.CharField(
        label=_("用户名"),
        max_length=40,
        help_text=_("小写字母开头，可以有数字、点、短横。"),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, body: Institution | Bureau, **kwargs: Any) -> None:
        """Offer the roles that the body has."""
        super().__init__(*args, **kwargs)
        choice = self.fields["role"]
        assert isinstance(choice, forms.ChoiceField)
        roles = roles_at(body)
        choice.choices = [(role.value, role.label) for role in roles]
        choice.initial = roles[0].value
        if Role.REGULATOR in roles:
            self.fields["name"].help_text = _("监管账号也可以写用途，例如：省厅监管账号。")

    def clean_username(self) -> str:
        return str(self.cleaned_data["username"]).strip().lower()
