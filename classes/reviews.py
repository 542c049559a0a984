"""A filing as an officer reads it: found, required, last time, rule, result; and what changed since
last time.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.editions import all_editions
from accounts.editions import edition as find_edition
from classes.checks import check_draft
from classes.models import Filing, TrainingClass
from classes.states import EDITABLE_STATES
from classes.timetables import drafts_of
from policy.refusals import Refusal
from policy.terms import HourKind, Mode, TraineeCategory

# What each finding is called in a table, and on which side of the figure the law stands.
SUBJECTS = {
    "total_hours": (gettext_lazy("总课时"), "≥"),
    "live_share": (gettext_lazy("直播课时"), "≥"),
    "offline_share": (gettext_lazy("线下课时"), "≥"),
    "homework_exam_share": (gettext_lazy("作业和考试"), "≤"),
    "quality_tutoring_share": (gettext_lazy("质量监督评估和辅导"), "≤"),
    "on_demand_share": (gettext_lazy("点播"), "≤"),
    "outside_mode": (gettext_lazy("这种模式没有的课时"), "≤"),
    "mode_parts": (gettext_lazy("线上和线下两部分"), ""),
    "outline_covers_hours": (gettext_lazy("大纲与课时对应"), "≥"),
    "least_quality_tutoring_share": (gettext_lazy("辅导课时占比"), "≥"),
    "filing_lead": (gettext_lazy("提前备案"), ""),
    "calendar_unpublished": (gettext_lazy("提前备案"), ""),
    "roster_filled": (gettext_lazy("花名册人数"), "≥"),
    "class_size": (gettext_lazy("班级人数"), "≤"),
    "lecturer": (gettext_lazy("讲师"), "≥"),
    "assistant": (gettext_lazy("助教"), "≥"),
    "edition_in_force": (gettext_lazy("政策版本"), ""),
    "institution_designated": (gettext_lazy("定点机构"), ""),
    "timetable_rows": (gettext_lazy("课表时间"), "≤"),
    "daily_hours": (gettext_lazy("每天课时"), "≤"),
    "lecturer_free": (gettext_lazy("讲师时间冲突"), "≤"),
    "assistant_free": (gettext_lazy("助教时间冲突"), "≤"),
    "trainees_free": (gettext_lazy("学员时间冲突"), "≤"),
    "edition_unset": (gettext_lazy("政策版本的空缺"), ""),
}


def name_findings(subjects: Mapping[str, tuple[Any, str]]) -> None:
    """Name the findings of a floor above: {code: (lazy name, sign beside the required figure)}."""
    SUBJECTS.update(subjects)


def subject_of(code: str) -> str:
    """What a finding is called in tables and headlines, in the reader's language."""
    return str(SUBJECTS[code][0]) if code in SUBJECTS else code


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """One row of the check: a finding with the same finding of the submission before."""

    code: str
    subject: str
    sign: str
    finding: Mapping[str, Any]
    before: Mapping[str, Any] | None
    exception: Mapping[str, Any] | None = None  # asked for in this submission
    remedy: Mapping[str, str] | None = None  # the page on which the reader mends it

    @property
    def blocks(self) -> bool:
        """Whether it stands in the way of filing, unless it is excepted."""
        return not self.finding["passed"] and self.finding["outcome"] != "noted"

    @property
    def is_noted(self) -> bool:
        """Whether it is only a hint: nothing stops for it, and nothing has passed either."""
        return bool(self.finding["outcome"] == "noted")

    @property
    def is_in_order(self) -> bool:
        """Whether it passed, with nothing to look at."""
        return bool(self.finding["passed"]) and not self.is_noted and self.exception is None

    @property
    def place(self) -> str:
        """Where in the norm the rule stands; the whole citation is too long for a table."""
        return str(self.finding["citation"]).partition("：")[0]

    @property
    def changed(self) -> bool:
        return self.before is not None and self.before["actual"] != self.finding["actual"]


@dataclass(frozen=True, slots=True)
class Difference:
    """What one part of the filing said before, and what it says now."""

    part: str
    old: str
    new: str


def current_findings(
    training_class: TrainingClass, filing: Filing | None, *, today: date
) -> tuple[list[dict[str, Any]], bool]:
    """What stands in the way of filing, as JSON, and whether that is judged today.

    While the class can be edited its last submission's findings say nothing of what it has become; once it
    is filed those of the submission stand as they were kept.
    """
    if filing is not None and training_class.state not in EDITABLE_STATES:
        return filing.findings, False
    check = check_draft(training_class, drafts_of(training_class.lessons.all()), filed_on=today)
    return [finding.render(_) for finding in check.findings], True


def review_lines(
    findings: Iterable[Mapping[str, Any]],
    before: Filing | None,
    exceptions: Iterable[Mapping[str, Any]] = (),
) -> list[ReviewLine]:
    """The findings in the order in which they were judged, beside those of the submission before."""
    asked = {exception["code"]: exception for exception in exceptions}
    earlier = {finding["code"]: finding for finding in before.findings} if before else {}
    return [
        ReviewLine(
            finding["code"],
            subject_of(finding["code"]),
            SUBJECTS.get(finding["code"], ("", ""))[1],
            finding,
            earlier.get(finding["code"]),
            asked.get(finding["code"]),
        )
        for finding in findings
    ]


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """Everything in which two snapshots differ, part by part."""
    found = [
        Difference(str(part), *pair)
        for part, pair in (
            (_("班级名称"), (old["class"]["name"], new["class"]["name"])),
            (_("培训模式"), (_mode(old), _mode(new))),
            (_("开班日期"), (_day(old, "starts_on"), _day(new, "starts_on"))),
            (_("结班日期"), (_day(old, "ends_on"), _day(new, "ends_on"))),
            (_("政策版本"), (edition_title(old), edition_title(new))),
            (_("课程"), (old["course"]["name"], new["course"]["name"])),
            (_("课程版本"), (_version(old), _version(new))),
            (_("讲师"), (_staff(old, "lecturer"), _staff(new, "lecturer"))),
            (_("助教"), (_staff(old, "assistant"), _staff(new, "assistant"))),
            (_("机构"), (old["institution"]["name"], new["institution"]["name"])),
            (_("申请的例外"), (_exceptions(old), _exceptions(new))),
        )
        if pair[0] != pair[1]
    ]
    return [*found, *_timetable_differences(old, new), *_roster_differences(old, new)]


def _exceptions(snapshot: Mapping[str, Any]) -> str:
    return _("；").join(
        _("%(subject)s：%(reason)s") % {"subject": subject_of(one["code"]), "reason": one["reason"]}
        for one in snapshot.get("exceptions", [])
    ) or _("没有")


def _version(snapshot: Mapping[str, Any]) -> str:
    """第 2 版; filings older than versions have none."""
    version = snapshot["course"].get("version")
    return _("第 %(number)s 版") % {"number": version["number"]} if version else _("没有")


def _timetable_differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    before, after = ({_lesson_key(row): row for row in snapshot["timetable"]} for snapshot in (old, new))
    gone = [row for key, row in before.items() if key not in after]
    come = [row for key, row in after.items() if key not in before]
    if gone or come:
        yield Difference(
            _("课表"),
            _("；").join(map(_lesson, gone)) or _("没有"),
            _("；").join(map(_lesson, come)) or _("没有"),
        )


def _roster_differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    before, after = ({row["enrolment"]: row for row in snapshot["roster"]} for snapshot in (old, new))
    gone = [row["name"] for key, row in before.items() if key not in after]
    come = [row["name"] for key, row in after.items() if key not in before]
    if gone or come:
        yield Difference(
            _("花名册"),
            _("%(count)s 人") % {"count": len(before)} + _removed(gone),
            _("%(count)s 人") % {"count": len(after)} + _added(come),
        )
    for key in sorted(before.keys() & after.keys()):
        was, now = _person(before[key]), _person(after[key])
        if was != now:
            yield Difference(_("学员"), was, now)
        if before[key]["category"] != after[key]["category"]:
            yield Difference(
                after[key]["name"], _category(before[key]["category"]), _category(after[key]["category"])
            )


def full_subsidy(filing: Filing) -> Decimal | None:
    """What would be paid if everybody passed, where the edition gives a rate (F17)."""
    snapshot = filing.snapshot
    try:
        rate = find_edition(snapshot["class"]["edition"]).money(
            "subsidy_rate", snapshot["course"]["course_type"]
        )
    except Refusal:
        return None
    return rate * len(snapshot["roster"])


def _lesson_key(row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["starts_at"], row["ends_at"], row["kind"], row["hours"], row["title"]


def _lesson(row: Mapping[str, Any]) -> str:
    return _("%(day)s %(clock)s %(kind)s %(hours)s 课时 %(title)s") % {
        "day": date_format(date.fromisoformat(row["starts_at"][:10])),
        "clock": row["starts_at"][11:16],
        "kind": _(HourKind(row["kind"]).label),
        "hours": f"{Decimal(row['hours']).normalize():f}",
        "title": row["title"],
    }


def _person(row: Mapping[str, Any]) -> str:
    return _("%(name)s，身份证号 %(id_number)s") % {"name": row["name"], "id_number": row["id_number"]}


def _removed(names: list[str]) -> str:
    return _("，移出 %(names)s") % {"names": _("、").join(names)} if names else ""


def _added(names: list[str]) -> str:
    return _("，新增 %(names)s") % {"names": _("、").join(names)} if names else ""


def _day(snapshot: Mapping[str, Any], which: str) -> str:
    return date_format(date.fromisoformat(snapshot["class"][which]))


def edition_title(snapshot: Mapping[str, Any]) -> str:
    """The title of the edition under which a class was filed; an edition that is gone keeps its id."""
    known = all_editions().get(snapshot["class"]["edition"])
    return known.title if known else str(snapshot["class"]["edition"])


def _mode(snapshot: Mapping[str, Any]) -> str:
    return _(Mode(snapshot["class"]["mode"]).label)


def _staff(snapshot: Mapping[str, Any], role: str) -> str:
    person = snapshot["staff"][role]
    return str(person["name"]) if person else _("没有")


def _category(code: str) -> str:
    return _(TraineeCategory(code).label)
