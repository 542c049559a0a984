"""Forms of the registers: the shape of what was typed. What the norm says of it is the actions' business."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from accounts import pictures
from accounts.refusals import rendered
from accounts.registers.actions import Order, Paper, QualificationDetails
from accounts.registers.models import PlatformReport, Qualification
from accounts.registers.states import DocumentKind, Ground, MeasureKind, Route
from policy.citations import citation_of
from policy.classes import PLATFORM_CONDITIONS, PlatformField
from policy.refusals import Refusal

# Which field a refusal is about, where the form judges it late.
FIELD_OF_REFUSAL = {
    "qualification_number": "number",
    "training_since_missing": "training_since",
    "document_kind": "kind",
    "document_missing": "name",
    "document_dates_reversed": "valid_until",
    "picture_unreadable": "photo",
    "picture_too_big": "photo",
    "picture_too_small": "photo",
    "reason_missing": "reason",
    "ground_missing": "ground",
    "measure_backdated": "since",
    "deadline_missing": "deadline",
    "deadline_reversed": "deadline",
}


def show_refusal(form: forms.Form, refusal: Refusal) -> None:
    """Put a refusal on the form, beside the field that the mistake belongs to."""
    body = rendered(refusal)
    field = FIELD_OF_REFUSAL.get(refusal.code) or refusal.field
    form.add_error(field if field in form.fields else None, body["message"] + (body["details"]["next"] or ""))


def _date() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class QualificationForm(forms.Form):
    route = forms.ChoiceField(
        label=_("按哪一条取得资格"),
        choices=[
            (Route.CERTIFICATE, _("持讲师培训合格证，从事创业培训 2 年以上，掌握互联网授课技能")),
            (Route.EXPERIMENT, _("全省互联网+创业培训师资试验班培训合格，授课效果较好")),
        ],
        widget=forms.RadioSelect,
    )
    number = forms.CharField(label=_("证书编号"), max_length=60)
    certified_on = forms.DateField(label=_("发证日期"), widget=_date())
    training_since = forms.DateField(
        label=_("从事创业培训起"),
        widget=_date(),
        required=False,
        help_text=_("按合格证取得资格的要填，满 2 年算到开班那天。"),
    )

    def __init__(self, *args: Any, qualification: Qualification | None = None, **kwargs: Any) -> None:
        if qualification is not None:
            names = ("route", "number", "certified_on", "training_since")
            kwargs.setdefault("initial", {name: getattr(qualification, name) for name in names})
        super().__init__(*args, **kwargs)

    @property
    def details(self) -> QualificationDetails:
        return QualificationDetails(**self.cleaned_data)


class PaperForm(forms.Form):
    """A document with its picture."""

    name = forms.CharField(label=_("材料名称"), max_length=60)
    number = forms.CharField(label=_("文号或编号"), max_length=60, required=False)
    valid_from = forms.DateField(label=_("有效期起"), widget=_date(), required=False)
    valid_until = forms.DateField(label=_("有效期止"), widget=_date(), required=False)
    photo = forms.FileField(
        label=_("材料照片"),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png"}),
        help_text=_("JPEG 或 PNG，8 MB 以内。照片加密保存，拍摄地点等附加信息会去掉。"),
    )

    def clean_photo(self) -> UploadedFile[Any]:
        photo: UploadedFile[Any] = self.cleaned_data["photo"]
        if (photo.size or 0) > pictures.MAX_BYTES:
            raise forms.ValidationError(_("照片太大。请把照片缩小到 8 MB 以内再传。"))
        return photo

    @property
    def paper(self) -> Paper:
        data = self.cleaned_data
        return Paper(
            name=data["name"],
            number=data["number"],
            valid_from=data["valid_from"],
            valid_until=data["valid_until"],
            picture=data["photo"].read(),
        )


class QualificationPaperForm(PaperForm):
    kind = forms.ChoiceField(
        label=_("材料种类"),
        choices=[
            (kind.value, kind.label)
            for kind in DocumentKind
            if kind not in (DocumentKind.DESIGNATION, DocumentKind.CONDITION)
        ],
    )

    field_order = ["kind", "name", "number", "valid_from", "valid_until", "photo"]


class ConditionPaperForm(PaperForm):
    """The evidence of one row of a condition of the platform."""

    row = forms.ChoiceField(label=_("平台条件"))

    field_order = ["row", "name", "number", "valid_from", "valid_until", "photo"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["row"].choices = [  # type: ignore[attr-defined]
            (row, f"{row} {citation_of(row)}") for one in PLATFORM_CONDITIONS for row in one.rows
        ]


class DecisionForm(forms.Form):
    """Confirm or return a qualification."""

    confirmed = forms.ChoiceField(
        label=_("决定"),
        choices=[("yes", _("确认资格")), ("no", _("退回补正"))],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("退回理由"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}), required=False
    )
    seen = forms.BooleanField(label=_("材料都已看过，确认以后不能撤回"), required=False)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("confirmed") == "yes" and not data.get("seen"):
            self.add_error("seen", _("确认以前请先看过材料，再勾选。"))
        return data


class _OrderForm(forms.Form):
    ground = forms.CharField(label=_("事实和理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 4}))
    since = forms.DateField(label=_("生效日期"), widget=_date(), help_text=_("今天或以后。"))
    sure = forms.BooleanField(label=_("已核对，登记以后不能删改，只能解除"))


class DisqualificationForm(_OrderForm):
    row = forms.ChoiceField(
        label=_("依据"),
        choices=[(row.value, row.label) for row in (Ground.LOSS, Ground.DISORDER)],
        widget=forms.RadioSelect,
    )
    is_announced = forms.BooleanField(
        label=_("情节严重，在全省通报"), required=False, help_text=_("姓名、理由和日期会公开。")
    )

    field_order = ["row", "ground", "since", "is_announced", "sure"]

    @property
    def order(self) -> Order:
        data = self.cleaned_data
        return Order(
            kind=MeasureKind.DISQUALIFICATION,
            row=data["row"],
            ground=data["ground"],
            since=data["since"],
            is_announced=data["is_announced"],
        )


class InstitutionOrderForm(_OrderForm):
    kind = forms.ChoiceField(
        label=_("措施"),
        choices=[(kind.value, kind.label) for kind in (MeasureKind.RECTIFICATION, MeasureKind.CANCELLATION)],
        widget=forms.RadioSelect,
    )
    deadline = forms.DateField(
        label=_("改正期限"), widget=_date(), required=False, help_text=_("责令改正的要填，到期当天还算按期。")
    )

    field_order = ["kind", "ground", "since", "deadline", "sure"]

    @property
    def order(self) -> Order:
        data = self.cleaned_data
        return Order(
            kind=data["kind"],
            row=Ground.BREACH if data["kind"] == MeasureKind.RECTIFICATION else Ground.CANCELLED,
            ground=data["ground"],
            since=data["since"],
            deadline=data["deadline"],
        )


class EndForm(forms.Form):
    reason = forms.CharField(label=_("解除理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))
    sure = forms.BooleanField(label=_("已核对，今天起解除"))


class ReportForm(forms.Form):
    """The five facts of N2."""

    name = forms.CharField(label=_("平台名称"), max_length=80)
    legal_representative = forms.CharField(label=_("法定代表人"), max_length=40)
    address = forms.CharField(label=_("地址"), max_length=200)
    contact_person = forms.CharField(label=_("联系人"), max_length=40)
    contact_details = forms.CharField(
        label=_("联系方式"), max_length=80, help_text=_("会公开，请填单位电话或邮箱。")
    )

    def __init__(self, *args: Any, report: PlatformReport | None = None, **kwargs: Any) -> None:
        if report is not None:
            kwargs.setdefault(
                "initial", {field.value: getattr(report, field.value) for field in PlatformField}
            )
        super().__init__(*args, **kwargs)

    @property
    def given(self) -> dict[PlatformField, str]:
        return {PlatformField(name): value for name, value in self.cleaned_data.items()}
