"""What the norm says about a class as it stands: asked while the timetable is drafted, and again when
it is filed.

One list of findings serves the editor, the submission and the officer's review, so they cannot drift
apart.
"""

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from accounts.calendars import calendar
from accounts.editions import edition as find_edition
from classes.bookings import Clash, Part, clashes_of
from classes.models import TrainingClass
from classes.states import EnrolmentState
from classes.timetables import LessonDraft, RowFault, hours_by_kind, row_faults
from courses.outlines import hours_of
from policy.calendar import earliest_start
from policy.classes import judge_class_size, judge_edition, judge_outline, judge_staff, judge_start
from policy.editions import Edition
from policy.findings import Finding, all_pass
from policy.lessons import judge_daily_hours
from policy.messages import Translate, gettext_noop, untranslated
from policy.refusals import Refusal
from policy.terms import HourKind
from policy.timetable import TimetableDecision, check_timetable

# Findings of floors above: `provider(training_class, filed_on)`, asked whenever a class is judged.
FindingProvider = Callable[[TrainingClass, datetime.date], Iterable[Finding]]
_providers: list[FindingProvider] = []


def register_findings(provider: FindingProvider) -> FindingProvider:
    """Add a provider of findings, in `AppConfig.ready()`; registering the same one again changes nothing.

    A provider only reads. What each of its findings is called in tables: `classes.reviews.name_findings`.
    """
    if provider not in _providers:
        _providers.append(provider)
    return provider


@dataclass(frozen=True, slots=True)
class ClassCheck:
    """All findings on a class with one timetable, filed on one day."""

    timetable: TimetableDecision | None
    findings: tuple[Finding, ...]
    faults: tuple[RowFault, ...]
    earliest: datetime.date | None
    outline_hours: Decimal
    clashes: tuple[Clash, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the class may be filed: no finding fails (a waivable one fails too) and no row is
        wrong.
        """
        return all_pass(self.findings) and not self.faults

    @property
    def failed(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.blocks]

    def render(self, translate: Translate = untranslated) -> dict[str, Any]:
        """Return the JSON form {passed, findings, faults, least_live_hours, earliest_start}."""
        return {
            "passed": self.passed,
            "findings": [finding.render(translate) for finding in self.findings],
            "faults": [fault.render(translate) for fault in self.faults],
            "least_live_hours": self.timetable.least_live_hours if self.timetable else None,
            "earliest_start": self.earliest.isoformat() if self.earliest else None,
        }


def check_draft(
    training_class: TrainingClass,
    drafts: Sequence[LessonDraft],
    *,
    filed_on: datetime.date,
    trainees: int | None = None,
) -> ClassCheck:
    """Judge a class with this timetable as if it were filed on `filed_on`; reads, never writes.

    A rule that cannot be applied (an unset number, an unpublished calendar) is a failing finding with
    the refusal's code: it blocks the filing as firmly as a broken rule, and the other findings are
    still shown.
    """
    edition = find_edition(training_class.edition)
    course = training_class.course
    if trainees is None:
        trainees = training_class.enrolments.filter(state=EnrolmentState.ACTIVE).count()
    faults = row_faults(
        drafts,
        starts_on=training_class.starts_on,
        ends_on=training_class.ends_on,
        lesson_hour_seconds=_lesson_hour(edition),
    )
    findings: list[Finding] = []
    timetable: TimetableDecision | None = None
    try:
        timetable = check_timetable(
            edition, course_type=course.course_type, mode=training_class.mode, hours=hours_by_kind(drafts)
        )
        findings += timetable.findings
    except Refusal as refusal:
        findings.append(Finding.of_refusal(refusal))
    outline = hours_of(training_class.course_version)
    findings.append(_outline(edition, drafts, outline))
    earliest: datetime.date | None = None
    try:
        working = calendar()
        earliest = earliest_start(edition, filed_on, calendar=working).date
        findings.append(
            judge_start(
                edition,
                starts_on=training_class.starts_on,
                submitted_on=filed_on,
                approved_on=None,
                calendar=working,
            )[0]
        )
    except Refusal as refusal:
        findings.append(Finding.of_refusal(refusal))
    findings.append(judge_edition(edition, starts_on=training_class.starts_on))
    findings.append(_roster(trainees))
    for judged in (_size(edition, course.course_type, trainees), _staff(edition, training_class)):
        findings += judged
    findings.append(_rows(faults))
    findings += findings_of_days(edition, drafts)
    clashes = clashes_of(training_class, drafts)
    findings += [_free(part, clashes) for part in Part]
    for provider in _providers:
        findings += provider(training_class, filed_on)
    return ClassCheck(
        timetable=timetable,
        findings=tuple(findings),
        faults=tuple(faults),
        earliest=earliest,
        outline_hours=sum(outline.values(), Decimal(0)),
        clashes=tuple(clashes),
    )


def _lesson_hour(edition: Edition) -> int:
    """Seconds in a lesson hour, or 0 where the edition leaves it open: then the finding on hours says
    so.
    """
    return edition.lesson_hour_seconds if edition.is_set("lesson_hour") else 0


def _size(edition: Edition, course_type: str, trainees: int) -> Iterable[Finding]:
    try:
        return [judge_class_size(edition, course_type, trainees)]
    except Refusal as refusal:
        return [Finding.of_refusal(refusal)]


def _staff(edition: Edition, training_class: TrainingClass) -> Iterable[Finding]:
    try:
        return judge_staff(
            edition,
            lecturers=[training_class.lecturer_id] if training_class.lecturer_id else [],
            assistants=[training_class.assistant_id] if training_class.assistant_id else [],
        )
    except Refusal as refusal:
        return [Finding.of_refusal(refusal)]


def _outline(edition: Edition, drafts: Sequence[LessonDraft], outline: Mapping[HourKind, Decimal]) -> Finding:
    """A2: the outline of the class's course version covers every filed hour."""
    return judge_outline(
        edition,
        {kind: Fraction(hours) for kind, hours in hours_by_kind(drafts).items()},
        {kind: Fraction(hours) for kind, hours in outline.items()},
    )


def _roster(trainees: int) -> Finding:
    return Finding(
        code="roster_filled",
        row="P8",
        passed=trainees > 0,
        required=1,
        actual=trainees,
        message=gettext_noop("花名册有 %(count)s 名学员，每人一个类别，身份证号都已核对。")
        if trainees
        else gettext_noop("花名册还是空的，请先导入学员。"),
        params={"count": trainees},
    )


def _rows(faults: Sequence[RowFault]) -> Finding:
    """P9: the rows fit into the class's dates, into each other and into the length of a lesson hour."""
    return Finding(
        code="timetable_rows",
        row="P9",
        passed=not faults,
        required=0,
        actual=len(faults),
        message=gettext_noop("每节课的时间够、不重叠，都在起止日期内。")
        if not faults
        else gettext_noop("课表里有 %(count)s 处时间或内容要改。"),
        params={"count": len(faults)},
    )


def findings_of_days(edition: Edition, drafts: Sequence[LessonDraft]) -> Iterable[Finding]:
    """I3: no day is longer than the technical standards allow; nothing where the edition gives no limit,
    because the norm itself knows none.
    """
    if not edition.is_set("daily_hours_cap"):
        return []
    days: dict[datetime.date, Fraction] = {}
    for draft in drafts:
        days[draft.day] = days.get(draft.day, Fraction(0)) + Fraction(draft.hours)
    return [judge_daily_hours(edition, days)]


# Who has to be free, under which row: one lecturer and one assistant of the class (F13, F14), and of a
# trainee's time the same second counts once (M6, ambiguity 6).
_FREE = {
    Part.LECTURER: ("lecturer_free", "F13", gettext_noop("讲师在这些时间没有别的课。")),
    Part.ASSISTANT: ("assistant_free", "F14", gettext_noop("助教在这些时间没有别的课。")),
    Part.TRAINEE: ("trainees_free", "M6", gettext_noop("学员在这些时间没有别的课。")),
}


def _free(part: Part, clashes: Sequence[Clash]) -> Finding:
    """Nobody of this part is booked by another filed class while this one needs them."""
    code, row, free = _FREE[part]
    met = [clash for clash in clashes if clash.part is part]
    first = met[0] if met else None
    return Finding(
        code=code,
        row=row,
        passed=not met,
        required=0,
        actual=len(met),
        message=free
        if first is None
        else gettext_noop("有 %(count)s 处时间冲突：%(when)s“%(title)s”，%(person)s这时要上“%(class)s”的课。")
        if first.elsewhere
        else gettext_noop(
            "有 %(count)s 处时间冲突：%(when)s“%(title)s”，%(person)s这时已排在别的机构的培训班。"
        ),
        params={
            "count": len(met),
            "when": first.when,
            "title": first.title,
            "person": first.person,
            "class": first.elsewhere,
        }
        if first
        else {},
    )
