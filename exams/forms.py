"""The shape of what people send on this app's pages."""

from django import forms
from django.utils.translation import gettext_lazy as _

from classes.models import Lesson, TrainingClass
from policy.terms import HourKind


class ExamForm(forms.Form):
    """Which lesson the exam is sat in, and for how long."""

    lesson = forms.ModelChoiceField(
        label=_("安排在哪节考试课"), queryset=Lesson.objects.none(), empty_label=None
    )
    minutes = forms.IntegerField(
        label=_("答卷时限（分钟）"),
        required=False,
        min_value=1,
        max_value=1440,
        help_text=_("不填就是整节课。"),
    )

    def __init__(self, *args: object, training_class: TrainingClass, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # passed on as they came
        lesson = self.fields["lesson"]
        assert isinstance(lesson, forms.ModelChoiceField)
        lesson.queryset = training_class.lessons.filter(kind=HourKind.EXAM)

    @property
    def seconds_allowed(self) -> int | None:
        minutes: int | None = self.cleaned_data["minutes"]
        return None if minutes is None else minutes * 60


class CourseworkForm(forms.Form):
    """A trainee's own work, as plain text."""

    text = forms.CharField(
        label=_("作业内容"),
        max_length=100_000,  # the action says how long it may be; this only bounds what is read
        widget=forms.Textarea(attrs={"rows": 12}),
        error_messages={"required": _("请先写作业内容。")},
    )


class ScoreForm(forms.Form):
    """A score out of a hundred and what to say about the work."""

    score = forms.IntegerField(
        label=_("评分"),
        min_value=0,
        max_value=100,
        help_text=_("0 到 100 分。"),
        error_messages={
            "required": _("请填写评分。"),
            "min_value": _("评分要在 0 到 100 之间。"),
            "max_value": _("评分要在 0 到 100 之间。"),
        },
    )
    comment = forms.CharField(
        label=_("评语"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 4})
    )
