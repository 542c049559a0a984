"""Forms of recruitment: the shape of what was typed. What the norm says about it is the actions' business."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import id_numbers, pictures
from accounts.models import Institution, Person
from accounts.names import parse_name
from accounts.phones import parse_phone
from accounts.refusals import rendered
from classes.models import CATEGORIES, TrainingClass
from classes.recruitment import queries
from classes.recruitment.actions import Application, CampaignDetails, Document
from classes.recruitment.models import Campaign, Registration
from classes.recruitment.questionnaires import Questionnaire
from classes.recruitment.states import Education, Stage
from courses.models import Course
from courses.queries import open_to
from policy.refusals import Refusal


def show_refusal(form: forms.Form, refusal: Refusal, field: str | None = None) -> None:
    """Put a refusal on the form, beside `field` when the mistake belongs to one."""
    body, field = rendered(refusal), field or refusal.field
    form.add_error(field if field in form.fields else None, body["message"] + (body["details"]["next"] or ""))


# Which field a refusal is about, where the form judges it late.
FIELD_OF_REFUSAL = {
    "name_form": "name",
    "phone_form": "phone",
    "occupation_missing": "occupation",
    "document_missing": "document",
    "document_dates_reversed": "valid_until",
    "picture_unreadable": "photo",
    "picture_too_big": "photo",
    "picture_too_small": "photo",
    "reason_missing": "reason",
    "note_missing": "text",
    "campaign_dates_reversed": "planned_until",
    "campaign_places": "places",
}


def _date() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class DocumentFields(forms.Form):
    """The document that shows the category; a photo of it comes with it or later."""

    document = forms.CharField(
        label=_("证明材料名称"),
        max_length=60,
        required=False,
        help_text=_("例如：就业创业证、学生证、毕业证、户口簿、低保证、脱贫户证明。"),
    )
    valid_from = forms.DateField(label=_("材料有效期起"), widget=_date(), required=False)
    valid_until = forms.DateField(label=_("材料有效期止"), widget=_date(), required=False)
    photo = forms.FileField(
        label=_("材料照片"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png"}),
        help_text=_("JPEG 或 PNG，8 MB 以内。照片加密保存，拍摄地点等附加信息会去掉。"),
    )

    def clean_photo(self) -> UploadedFile[Any] | None:
        photo: UploadedFile[Any] | None = self.cleaned_data["photo"]
        if photo is not None and (photo.size or 0) > pictures.MAX_BYTES:
            raise forms.ValidationError(_("照片太大。请把照片缩小到 8 MB 以内再传。"))
        return photo

    def document_as(self, category: str) -> Document | None:
        """The document, when anything about one was given."""
        data = self.cleaned_data
        photo: UploadedFile[Any] | None = data["photo"]
        if not data["document"] and photo is None:
            return None
        return Document(
            category=category,
            name=data["document"],
            valid_from=data["valid_from"],
            valid_until=data["valid_until"],
            picture=photo.read() if photo is not None else None,
        )


class RegistrationForm(DocumentFields):
    """学员报名表 (M1). A signed-in person's own name and ID number are not asked again."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    privacy_version = forms.CharField(max_length=40, widget=forms.HiddenInput)
    name = forms.CharField(label=_("姓名"), max_length=40, help_text=_("和身份证上一样。"))
    id_number = forms.CharField(
        label=_("身份证号"),
        max_length=id_numbers.MOST_TYPED,
        help_text=_("18 位，加密保存。"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )
    phone = forms.CharField(
        label=_("手机号"),
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"}),
    )
    category = forms.ChoiceField(
        label=_("您属于哪一类"),
        choices=CATEGORIES,
        widget=forms.RadioSelect,
        help_text=_("只能选一类，补贴按这一类核对。"),
    )
    education = forms.ChoiceField(label=_("文化程度"), choices=[("", _("请选择")), *Education.choices])
    occupation = forms.CharField(
        label=_("现在做什么"), max_length=60, help_text=_("例如：务农、打工、待业、在校。")
    )
    wish = forms.CharField(
        label=_("想学什么、想做什么"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    agree = forms.BooleanField(label=_("我已看过上面的告知书，同意机构为报名处理这些信息"))

    field_order = [
        *("key", "privacy_version", "name", "id_number", "phone", "category", "education", "occupation"),
        *("wish", "document", "valid_from", "valid_until", "photo", "agree"),
    ]

    def __init__(
        self, *args: Any, person: Person | None = None, by_staff: bool = False, **kwargs: Any
    ) -> None:
        kwargs.setdefault("initial", {})
        kwargs["initial"].setdefault("key", uuid.uuid4())
        if person is not None:
            kwargs["initial"].setdefault("phone", person.open_phone())
        super().__init__(*args, **kwargs)
        self.person = person
        if person is not None:
            del self.fields["name"], self.fields["id_number"]
        if by_staff:
            self.fields["agree"].label = _("学员本人已看过告知书，并当面同意")
            self.fields["category"].label = _("学员类别")

    def clean_name(self) -> str:
        return str(self._checked(parse_name, "name"))

    def clean_id_number(self) -> id_numbers.IdNumber:
        found: id_numbers.IdNumber = self._checked(id_numbers.parse, "id_number")
        return found

    def clean_phone(self) -> str:
        return str(self._checked(partial(parse_phone, rule="M1"), "phone"))

    def _checked(self, judge: Any, field: str) -> Any:
        try:
            return judge(self.cleaned_data[field])
        except Refusal as refusal:
            body = rendered(refusal)
            raise forms.ValidationError(body["message"] + body["details"]["next"]) from None

    @property
    def application(self) -> Application:
        data = self.cleaned_data
        person = self.person
        return Application(
            name=person.name if person else data["name"],
            id_number=id_numbers.IdNumber(person.open_id_number()) if person else data["id_number"],
            phone=data["phone"],
            category=data["category"],
            education=data["education"],
            occupation=data["occupation"],
            wish=data["wish"],
            privacy_version=data["privacy_version"],
        )


class EventCodeForm(forms.Form):
    """The code from a poster."""

    code = forms.CharField(
        label=_("活动码"),
        max_length=12,
        help_text=_("6 位字母和数字，在海报或传单上。"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )

    def clean_code(self) -> str:
        return plain_code(self.cleaned_data["code"])


class LookupForm(forms.Form):
    """Registration number and phone: enough to hear where one stands, and nothing more."""

    number = forms.CharField(
        label=_("报名号"), max_length=12, widget=forms.TextInput(attrs={"autocapitalize": "characters"})
    )
    phone = forms.CharField(
        label=_("报名时填的手机号"), max_length=20, widget=forms.TextInput(attrs={"inputmode": "tel"})
    )

    def clean_number(self) -> str:
        return plain_code(self.cleaned_data["number"])


def plain_code(text: str) -> str:
    """A code as typed by people: case, spaces and dashes do not matter."""
    return "".join(text.split()).replace("-", "").upper()


class QuestionnaireForm(forms.Form):
    """One screening questionnaire, one radio group per question."""

    def __init__(self, *args: Any, questionnaire: Questionnaire, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number, question in enumerate(questionnaire.questions, start=1):
            self.fields[question.id] = forms.ChoiceField(
                label=f"{number}. {question.text}",
                choices=[(option.id, option.text) for option in question.options],
                widget=forms.RadioSelect,
            )


def _courses(institution: Institution, *kept: int | None) -> QuerySet[Course]:
    """What an institution may recruit for, and what was chosen before."""
    chosen = Course.objects.filter(Q(pk__in=open_to(institution).values("pk")) | Q(pk__in=kept))
    return chosen.order_by("course_type", "name")


class CampaignForm(forms.Form):
    """What a manager decides about a campaign."""

    course = forms.ModelChoiceField(
        label=_("课程"), queryset=Course.objects.none(), empty_label=_("请选一门课程")
    )
    planned_from = forms.DateField(label=_("计划开班"), widget=_date())
    planned_until = forms.DateField(label=_("计划结班"), widget=_date())
    places = forms.IntegerField(label=_("计划人数"), min_value=1, max_value=10_000)
    description = forms.CharField(
        label=_("招生说明"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("学员会在推介页面看到。"),
    )

    def __init__(
        self, *args: Any, institution: Institution, campaign: Campaign | None = None, **kwargs: Any
    ) -> None:
        if campaign is not None:
            names = ("course", "planned_from", "planned_until", "places", "description")
            kwargs.setdefault("initial", {name: getattr(campaign, name) for name in names})
        super().__init__(*args, **kwargs)
        kept = [campaign.course_id] if campaign is not None else []
        self.fields["course"].queryset = _courses(institution, *kept)  # type: ignore[attr-defined]

    @property
    def details(self) -> CampaignDetails:
        return CampaignDetails(**self.cleaned_data)


class EventForm(forms.Form):
    """An offline event: when, where, by whom."""

    title = forms.CharField(label=_("活动名称"), max_length=60)
    held_on = forms.DateField(label=_("日期"), widget=_date())
    venue = forms.CharField(label=_("地点"), max_length=120)
    recruiter = forms.CharField(
        label=_("招生人员"), max_length=40, help_text=_("本机构负责这次活动的人。机构要自主招生。")
    )


class AssignForm(forms.Form):
    """A class of the institution whose roster may still change."""

    training_class = forms.ModelChoiceField(
        label=_("分到哪个班"), queryset=TrainingClass.objects.none(), empty_label=_("请选一个班")
    )

    def __init__(self, *args: Any, institution: Institution, course_type: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["training_class"]
        field.queryset = queries.classes_to_fill(institution.pk, course_type)  # type: ignore[attr-defined]
        field.label_from_instance = _class_label  # type: ignore[attr-defined]


def _class_label(training_class: TrainingClass) -> str:
    return _("%(name)s（%(course)s，在册 %(count)s 人）") % {
        "name": training_class.name,
        "course": training_class.course.name,
        "count": training_class.trainees,  # type: ignore[attr-defined]  # annotated
    }


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("理由"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}), required=False
    )


class NoteForm(forms.Form):
    text = forms.CharField(label=_("备注"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))


class RejudgeForm(forms.Form):
    """Another stage and course than the questionnaire found, with a reason."""

    stage = forms.ChoiceField(label=_("改判为"), choices=Stage.choices, widget=forms.RadioSelect)
    course = forms.ModelChoiceField(
        label=_("适合的课程"),
        queryset=Course.objects.none(),
        required=False,
        empty_label=_("暂时没有适合的课程"),
    )
    reason = forms.CharField(label=_("改判理由"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, registration: Registration, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"course": registration.fitting_course_id or registration.course_id})
        super().__init__(*args, **kwargs)
        self.fields["course"].queryset = _courses(  # type: ignore[attr-defined]
            registration.institution, registration.course_id, registration.fitting_course_id
        )


class LateDocumentForm(DocumentFields):
    """A document handed in after the registration."""

    category = forms.ChoiceField(label=_("学员类别"), choices=CATEGORIES)

    field_order = ["category", "document", "valid_from", "valid_until", "photo"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["document"].required = True
