"""Forms of the catalogue: the shape of what was typed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.rows import sent_rows
from courses.actions import CourseDetails
from courses.models import HOUR_KINDS, Course
from courses.outlines import MOST_UNITS, UnitDraft
from courses.states import Origin
from policy.terms import COURSE_TYPES, OTHER, HourKind
from policy.words import whole_number


class CourseForm(forms.Form):
    """What is said about a course. An institution's own has no choice of origin."""

    name = forms.CharField(label=gettext_lazy("课程名称"), max_length=80)
    course_type = forms.ChoiceField(
        label=gettext_lazy("课程类型"),
        help_text=gettext_lazy(
            "不是 GYB、也不是 SYB 的课程可以录入，但政策版本没有给出课时和补贴标准，不能备案。"
        ),
    )
    origin = forms.ChoiceField(
        label=gettext_lazy("来源"),
        choices=[choice for choice in Origin.choices if choice[0] != Origin.INSTITUTION],
    )
    original = forms.CharField(
        label=gettext_lazy("线下原课程"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("由线下课程改造的，写上原来那门课的名称。"),
    )
    summary = forms.CharField(
        label=gettext_lazy("这门课讲什么"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    audience = forms.CharField(
        label=gettext_lazy("适合谁学"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    FIELD_OF_CODE = {
        "course_name_missing": "name",
        "course_name_taken": "name",
        "course_type_missing": "course_type",
        "course_type_fixed": "course_type",
        "course_origin_unknown": "origin",
        "course_original_missing": "original",
        "course_text_too_long": "summary",
    }

    def __init__(self, *args: Any, of_institution: bool, course_type: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        types = [(code, _(name)) for code, name in COURSE_TYPES.items()]
        other = course_type if course_type and course_type not in COURSE_TYPES else OTHER
        self.fields["course_type"].choices = [*types, (other, _("其他"))]  # type: ignore[attr-defined]
        if of_institution:
            del self.fields["origin"], self.fields["original"]

    @classmethod
    def of(cls, course: Course, data: QueryDict | None = None) -> "CourseForm":
        initial = {
            "name": course.name,
            "course_type": course.course_type,
            "origin": course.origin,
            "original": course.converted_from.name if course.converted_from else "",
            "summary": course.summary,
            "audience": course.audience,
        }
        return cls(
            data,
            of_institution=course.institution_id is not None,
            course_type=course.course_type,
            initial=initial,
        )

    @property
    def details(self) -> CourseDetails:
        return CourseDetails(**{"origin": Origin.INSTITUTION.value, **self.cleaned_data})


class SlidesForm(forms.Form):
    title = forms.CharField(label=gettext_lazy("名称"), max_length=120)
    file = forms.FileField(
        label=gettext_lazy("课件（PDF）"),
        widget=forms.FileInput(attrs={"accept": ".pdf,application/pdf"}),
        help_text=gettext_lazy("最多 300 页、60 MB。字体要嵌在文件里，手机上才和电脑上一样。"),
        allow_empty_file=True,
    )


class VideoForm(forms.Form):
    title = forms.CharField(label=gettext_lazy("名称"), max_length=120)
    file = forms.FileField(
        label=gettext_lazy("视频（MP4）"),
        widget=forms.FileInput(attrs={"accept": ".mp4,video/mp4"}),
        help_text=gettext_lazy("H.264 画面、AAC 声音，最长 4 小时、2 GB。"),
        allow_empty_file=True,
    )
    captions = forms.FileField(
        label=gettext_lazy("字幕（.vtt）"),
        widget=forms.FileInput(attrs={"accept": ".vtt,text/vtt"}),
        required=False,
        allow_empty_file=True,
    )


@dataclass
class OutlineRow:
    """One line of the outline as it was typed."""

    kind: str
    hours: str
    title: str
    problems: list[str] = field(default_factory=list, kw_only=True)


class OutlineForm:
    """The lines of the editor: repeated fields of one form. It works without scripts: adding, removing and
    moving a line send the form and get it back.
    """

    kinds = HOUR_KINDS

    def __init__(self, rows: Sequence[OutlineRow], notes: str = "") -> None:
        self.rows, self.notes = list(rows), notes

    @classmethod
    def of(cls, units: Sequence[UnitDraft], notes: str) -> "OutlineForm":
        return cls(
            [OutlineRow(unit.kind.value, f"{unit.hours.normalize():f}", unit.title) for unit in units], notes
        )

    @classmethod
    def sent(cls, data: QueryDict) -> "OutlineForm":
        """The lines of a request; raises Refusal `form_cut_off` (400)."""
        rows = [OutlineRow(*cells) for cells in sent_rows(data, ("kind", "hours", "title"), most=MOST_UNITS)]
        return cls(rows, data.get("notes", "").replace("\0", "").strip()[:2000])

    def change(self, wish: str) -> bool:
        """Do what a button of the editor asks for (`add`, `remove-3`, `up-3`); False for any other."""
        verb, _dash, place = wish.partition("-")
        if verb == "add":
            self.rows.append(OutlineRow(HourKind.LIVE.value, "1", ""))
            return True
        row = whole_number(place)
        if verb not in ("remove", "up") or row is None or row >= len(self.rows):
            return False
        if verb == "remove":
            del self.rows[row]
        elif row:
            self.rows[row - 1], self.rows[row] = self.rows[row], self.rows[row - 1]
        return True

    def units(self) -> list[UnitDraft] | None:
        """The lines as data; None where one cannot be read, which then says so. Empty lines are dropped."""
        self.rows = [row for row in self.rows if row.title or row.hours not in ("", "1")]
        found = [_read(row) for row in self.rows]
        return None if None in found else [unit for unit in found if unit is not None]


def _read(row: OutlineRow) -> UnitDraft | None:
    try:
        hours = Decimal(row.hours)
    except InvalidOperation:
        hours = Decimal("NaN")
    if not hours.is_finite() or abs(hours) > 1000:
        row.problems.append(_("请填课时数。"))
    if row.kind not in set(map(str, HourKind)):
        row.problems.append(_("请选课时类别。"))
        row.kind = HourKind.LIVE.value
    if not row.title:
        row.problems.append(_("请写上这一行教什么。"))
    if row.problems:
        return None
    return UnitDraft(kind=HourKind(row.kind), hours=hours, title=row.title)
