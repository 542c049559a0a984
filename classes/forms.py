"""Forms of a class: the shape of what was typed. What the norm says about it is the actions' business."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.editions import all_editions
from accounts.models import Institution, Person
from accounts.rows import WHOLE, sent_rows
from accounts.states import Role
from classes.actions import ClassDetails
from classes.models import MODES, MOST_REASON, TrainingClass
from classes.plans import WeekPlan
from classes.queries import staff_of
from classes.reviews import subject_of
from classes.timetables import MOST_LESSONS, LessonDraft, RowFault
from courses.models import Course, CourseVersion
from courses.queries import newest_published, open_to
from courses.states import VersionState
from policy.dates import parse_day
from policy.editions import Gap
from policy.terms import HourKind

WEEKDAYS = [
    ("0", gettext_lazy("周一")),
    ("1", gettext_lazy("周二")),
    ("2", gettext_lazy("周三")),
    ("3", gettext_lazy("周四")),
    ("4", gettext_lazy("周五")),
    ("5", gettext_lazy("周六")),
    ("6", gettext_lazy("周日")),
]


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


class VersionField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic at run time
    def label_from_instance(self, obj: Any) -> str:
        return _("第 %(number)s 版") % {"number": obj.number}


class ClassForm(forms.Form):
    """Step one: what kind of class, when, and by whom."""

    name = forms.CharField(label=gettext_lazy("班级名称"), max_length=80)
    course = forms.ModelChoiceField(
        label=gettext_lazy("课程"), queryset=Course.objects.none(), empty_label=gettext_lazy("请选一门课程")
    )
    course_version = VersionField(
        label=gettext_lazy("课程版本"),
        queryset=CourseVersion.objects.none(),
        required=False,
        empty_label=gettext_lazy("最新的一版"),
        help_text=gettext_lazy("提交备案以后，版本就定下来，不再跟着课程变。"),
    )
    mode = forms.ChoiceField(label=gettext_lazy("培训模式"), choices=MODES, widget=forms.RadioSelect)
    edition = forms.ChoiceField(
        label=gettext_lazy("政策版本"),
        help_text=gettext_lazy("班级从备案到补贴，一直按这个版本算。"),
    )
    starts_on = forms.DateField(
        label=gettext_lazy("开班日期"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    ends_on = forms.DateField(
        label=gettext_lazy("结班日期"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    lecturer = PersonField(
        label=gettext_lazy("讲师"),
        queryset=Person.objects.none(),
        required=False,
        empty_label=gettext_lazy("以后再选"),
    )
    assistant = PersonField(
        label=gettext_lazy("助教"),
        queryset=Person.objects.none(),
        required=False,
        empty_label=gettext_lazy("以后再选"),
        help_text=gettext_lazy("讲师和助教要由两个人分别担任。"),
    )

    # Which field a refusal belongs to, by its code.
    FIELD_OF_CODE = {
        "class_name_missing": "name",
        "class_name_taken": "name",
        "mode_unknown": "mode",
        "edition_unknown": "edition",
        "edition_unset": "course",
        "course_not_published": "course",
        "course_not_open": "course",
        "course_version_unfit": "course_version",
        "edition_not_in_force": "edition",
        "edition_elsewhere": "edition",
        "class_dates_reversed": "ends_on",
        "staff_unknown": "lecturer",
        "assistant_is_lecturer": "assistant",
    }

    def __init__(
        self,
        *args: Any,
        institution: Institution,
        training_class: TrainingClass | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        editions = [edition for edition in all_editions().values() if edition.follows_norm]
        # The platform's pilot courses have no standard hours until an edition gives them (A4).
        types = {
            kind
            for edition in editions
            for kind in edition.course_types
            if edition.parameters["standard_hours", kind].value is not Gap.UNSET
        }
        courses = open_to(institution).filter(course_type__in=types)
        if training_class is not None:
            courses = courses | Course.objects.filter(pk=training_class.course_id)
        self.fields["course"].queryset = courses.order_by("pk")  # type: ignore[attr-defined]
        self._offer_versions(training_class)
        self.fields["edition"].choices = [  # type: ignore[attr-defined]
            (edition.id, edition.title) for edition in editions
        ]
        for name, role in (("lecturer", Role.LECTURER), ("assistant", Role.ASSISTANT)):
            self.fields[name].queryset = staff_of(institution, role)  # type: ignore[attr-defined]

    @classmethod
    def of(cls, training_class: TrainingClass) -> "ClassForm":
        return cls(
            institution=training_class.institution,
            training_class=training_class,
            initial={
                "name": training_class.name,
                "course": training_class.course_id,
                "course_version": training_class.course_version_id,
                "mode": training_class.mode,
                "edition": training_class.edition,
                "starts_on": training_class.starts_on,
                "ends_on": training_class.ends_on,
                "lecturer": training_class.lecturer_id,
                "assistant": training_class.assistant_id,
            },
        )

    def _offer_versions(self, training_class: TrainingClass | None) -> None:
        """A class that exists may take another published version of its course; a new one the newest."""
        if training_class is None:
            del self.fields["course_version"]
            return
        versions = CourseVersion.objects.filter(
            Q(course=training_class.course_id, state=VersionState.PUBLISHED)
            | Q(pk=training_class.course_version_id)
        )
        self.fields["course_version"].queryset = versions.order_by("-number")  # type: ignore[attr-defined]

    @property
    def details(self) -> ClassDetails:
        chosen = dict(self.cleaned_data)
        version = chosen.get("course_version")
        if version is not None and version.course_id != chosen["course"].pk:
            version = None  # of the course that was chosen before
        if "course_version" in chosen:
            chosen["course_version"] = version or newest_published(chosen["course"])
        return ClassDetails(**chosen)


class RosterForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("花名册（.xlsx）"),
        widget=forms.FileInput(
            attrs={"accept": ".xlsx,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
        ),
        help_text=gettext_lazy("用模板填。先给您核对，再导入；要么全部导入，要么一行也不导。"),
        allow_empty_file=True,
    )


class ReceiptForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("回执（.xlsx）"),
        widget=forms.FileInput(
            attrs={"accept": ".xlsx,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
        ),
        help_text=gettext_lazy("省系统的答复，照空白回执的格式。"),
        allow_empty_file=True,
    )


class DecisionForm(forms.Form):
    """The officer's decision; who approves also ticks what the platform cannot judge."""

    decision = forms.ChoiceField(
        label=gettext_lazy("决定"),
        choices=[("approve", gettext_lazy("同意备案")), ("return", pgettext_lazy("verb", "退回补正"))],
        initial="approve",
        widget=forms.RadioSelect,
    )
    number = forms.CharField(
        label=gettext_lazy("备案编号"),
        max_length=40,
        error_messages={"required": gettext_lazy("同意备案要填备案编号。")},
    )
    reason = forms.CharField(
        label=gettext_lazy("意见（机构和监管部门都能看到）"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("退回补正要写明理由，机构照着改。")},
    )
    staff_seen = forms.BooleanField(
        label=gettext_lazy("讲师资格证明（规范 三）我已看过"),
        error_messages={"required": gettext_lazy("这一项平台不能代您判断，请看过以后勾选。")},
    )

    def __init__(self, *args: Any, exceptions: Sequence[Mapping[str, Any]] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        approving = self["decision"].value() != "return"
        self.asked = [exception["code"] for exception in exceptions]
        for exception in exceptions:
            self.fields[f"accept_{exception['code']}"] = forms.BooleanField(
                label=_("认可例外：%(subject)s。理由：%(reason)s")
                % {"subject": subject_of(exception["code"]), "reason": exception["reason"]},
                required=approving,
                error_messages={"required": _("同意备案要逐项认可例外；不认可的，请退回补正。")},
            )
        self.fields["number"].required = self.fields["staff_seen"].required = approving
        self.fields["reason"].required = not approving

    @property
    def approved(self) -> bool:
        return bool(self.cleaned_data["decision"] == "approve")

    @property
    def accepted(self) -> list[str]:
        """The exceptions that were ticked, by code."""
        return [code for code in self.asked if self.cleaned_data.get(f"accept_{code}")]

    @property
    def exception_fields(self) -> list[forms.BoundField]:
        return [self[f"accept_{code}"] for code in self.asked]


class ChangeForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("要改什么，为什么改"),
        max_length=MOST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": gettext_lazy("变更备案要写明理由。")},
    )


class CancelForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("取消的理由"), max_length=MOST_REASON, widget=forms.Textarea(attrs={"rows": 3})
    )


class WeekPlanForm(forms.Form):
    """The outline's hours on certain weekdays, as asked for in the timetable editor."""

    week_days = forms.MultipleChoiceField(
        label=gettext_lazy("星期几上课"),
        choices=WEEKDAYS,
        initial=["0", "2", "4"],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("请至少选一天。")},
    )
    week_from = forms.DateField(
        label=gettext_lazy("从哪天起"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    week_starts = forms.TimeField(
        label=gettext_lazy("开始"),
        initial=datetime.time(19),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    week_ends = forms.TimeField(
        label=gettext_lazy("结束"),
        initial=datetime.time(21, 15),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    week_skips = forms.BooleanField(
        label=gettext_lazy("跳过国务院公布的放假日"), initial=True, required=False
    )

    def __init__(self, *args: Any, lesson_hour: datetime.timedelta, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lesson_hour = lesson_hour

    def clean(self) -> dict[str, Any]:
        sent = super().clean() or {}
        if not self.errors and not self.plan.hours(self.lesson_hour):
            minutes = self.lesson_hour // datetime.timedelta(minutes=1)
            self.add_error(
                "week_ends",
                _("从开始到结束至少要有 1 课时，也就是 %(minutes)s 分钟。") % {"minutes": minutes},
            )
        return sent

    @property
    def plan(self) -> WeekPlan:
        sent = self.cleaned_data
        return WeekPlan(
            weekdays=frozenset(map(int, sent["week_days"])),
            starts=sent["week_starts"].replace(tzinfo=None),
            ends=sent["week_ends"].replace(tzinfo=None),
            first_day=sent["week_from"],
            skips_holidays=sent["week_skips"],
        )


@dataclass
class TimetableRow:
    """One row of the editor as it was typed, and the lesson it says, if it says one."""

    key: str
    day: str
    starts: str
    ends: str
    kind: str
    hours: str
    title: str
    draft: LessonDraft | None = field(default=None, kw_only=True)
    problems: list[str] = field(default_factory=list, kw_only=True)

    @classmethod
    def of(cls, draft: LessonDraft, key: str) -> "TimetableRow":
        starts, ends = timezone.localtime(draft.starts_at), timezone.localtime(draft.ends_at)
        return cls(
            key=key,
            day=starts.date().isoformat(),
            starts=_clock(starts),
            ends=_clock(ends),
            kind=draft.kind.value,
            hours=f"{draft.hours.normalize():f}",
            title=draft.title,
            draft=draft,
        )

    @property
    def date(self) -> datetime.date | None:
        return self.draft.day if self.draft else None


class TimetableForm:
    """The rows of the editor: repeated fields of one form, read without losing what cannot be read.

    A row that is no lesson yet (half a date, no hours) keeps its text and its problem; the others are
    checked.
    """

    FIELDS = ("key", "day", "starts", "ends", "kind", "hours", "title")

    def __init__(self, rows: Sequence[TimetableRow]) -> None:
        self.rows = list(rows)

    @classmethod
    def of(cls, drafts: Sequence[LessonDraft]) -> "TimetableForm":
        return cls([TimetableRow.of(draft, f"r{number}") for number, draft in enumerate(drafts)])

    @classmethod
    def sent(cls, data: QueryDict) -> "TimetableForm":
        """The rows of a request; raises Refusal `form_cut_off` (400)."""
        rows = [TimetableRow(*cells) for cells in sent_rows(data, cls.FIELDS, most=MOST_LESSONS)]
        for row in rows:
            row.draft = _read(row)
        return cls(rows)

    @classmethod
    def kept(cls, cells: object) -> "TimetableForm | None":
        """The rows as `cells` wrote them down, or None where that is no such list."""
        if not isinstance(cells, list) or not all(
            isinstance(row, list)
            and len(row) == len(cls.FIELDS) - 1
            and all(type(cell) is str for cell in row)
            for row in cells
        ):
            return None
        data = QueryDict(f"{WHOLE}=1", mutable=True)
        data.setlist("key", [f"r{number}" for number in range(len(cells))])
        for place, name in enumerate(cls.FIELDS[1:]):
            data.setlist(name, [row[place] for row in cells])
        return cls.sent(data)

    @property
    def cells(self) -> list[list[str]]:
        """The text of every row, to be kept for taking a change back."""
        return [[getattr(row, name) for name in self.FIELDS[1:]] for row in self.rows]

    @property
    def drafts(self) -> list[LessonDraft]:
        return [row.draft for row in self.rows if row.draft is not None]

    @property
    def is_readable(self) -> bool:
        return all(row.draft is not None for row in self.rows)

    def show(self, faults: Sequence[RowFault]) -> None:
        """Put each fault on the row it is about; faults count the rows that could be read."""
        readable = [row for row in self.rows if row.draft is not None]
        for fault in faults:
            body = fault.render(_)
            readable[fault.row].problems.append(_("%(message)s%(next)s") % body)


def _read(row: TimetableRow) -> LessonDraft | None:
    """The lesson that a row says; None where it says none, with everything that is wrong on the row."""
    span, hours = _span(row), _hours(row.hours)
    if span is None:
        row.problems.append(_("请填好日期、开始和结束时间。"))
    if hours is None:
        row.problems.append(_("请填课时数。"))
    if row.kind not in set(map(str, HourKind)):
        row.problems.append(_("请选课时类别。"))
        row.kind = HourKind.LIVE  # what is no kind cannot be shown as chosen
    if span is None or hours is None or row.problems:
        return None
    return LessonDraft(
        starts_at=span[0], ends_at=span[1], kind=HourKind(row.kind), hours=hours, title=row.title
    )


def _span(row: TimetableRow) -> tuple[datetime.datetime, datetime.datetime] | None:
    try:
        day = parse_day(row.day)
        starts, ends = (
            timezone.make_aware(
                datetime.datetime.combine(day, datetime.time.fromisoformat(text).replace(tzinfo=None))
            )
            for text in (row.starts, row.ends)
        )
    except (ValueError, OverflowError):
        return None
    return (starts, ends) if 1900 < day.year < 2200 else None


def _hours(text: str) -> Decimal | None:
    try:
        hours = Decimal(text)
    except InvalidOperation:
        return None
    return hours if hours.is_finite() and abs(hours) <= 1000 else None


def _clock(moment: datetime.datetime) -> str:
    return moment.strftime("%H:%M:%S" if moment.second else "%H:%M")
