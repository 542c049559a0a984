"""What if: existing classes judged as they stand under another edition, next to the one they keep.

Only what an edition rules is asked again: hours, size, staff and first day. Who teaches, what the outline
covers or whether the institution is designated does not change with the edition.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Max, QuerySet, Sum
from django.utils import timezone

from accounts.calendars import calendar
from accounts.editions import edition as find_edition
from accounts.models import User
from accounts.permissions import require_role
from accounts.states import Role
from classes.models import Filing, Lesson, TrainingClass
from classes.queries import classes_visible_to, with_counts
from classes.states import ClassState, FilingState
from policy.calendar import WorkingCalendar
from policy.classes import judge_class_size, judge_staff, judge_start
from policy.editions import Edition
from policy.findings import Finding, all_pass
from policy.messages import Translate, untranslated
from policy.refusals import Refusal
from policy.terms import HourKind
from policy.timetable import check_timetable


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """What an edition judges about a class, as plain values."""

    course_type: str
    mode: str
    hours: Mapping[HourKind, Decimal]
    trainees: int
    lecturers: tuple[int, ...]
    assistants: tuple[int, ...]
    starts_on: datetime.date
    filed_on: datetime.date


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One class under two editions: its own and the one asked about."""

    training_class: TrainingClass
    own: tuple[Finding, ...]
    other: tuple[Finding, ...]

    @property
    def passes(self) -> bool:
        return all_pass(self.other)

    @property
    def passed(self) -> bool:
        return all_pass(self.own)

    @property
    def failing(self) -> tuple[Finding, ...]:
        """What would stop the class under the other edition."""
        return tuple(finding for finding in self.other if finding.blocks)

    @property
    def newly(self) -> tuple[Finding, ...]:
        """Of these, what does not stop it under its own."""
        stopped = {(finding.code, finding.row) for finding in self.own if finding.blocks}
        return tuple(finding for finding in self.failing if (finding.code, finding.row) not in stopped)

    def render(self, translate: Translate = untranslated) -> dict[str, Any]:
        """Return the JSON form {id, name, institution, edition, passed, passes, newly, findings}."""
        return {
            "id": self.training_class.pk,
            "name": self.training_class.name,
            "institution": self.training_class.institution.name,
            "edition": self.training_class.edition,
            "passed": self.passed,
            "passes": self.passes,
            "newly": [finding.code for finding in self.newly],
            "findings": [finding.render(translate) for finding in self.other],
        }


def classes_to_judge(user: User) -> QuerySet[TrainingClass]:
    """The classes a manager, an officer or the operator may ask about: those they see, cancelled ones aside.

    Raises Refusal `role_required` (403) for everybody else.
    """
    require_role(user, Role.MANAGER, Role.OFFICER, Role.OPERATOR)
    visible = with_counts(classes_visible_to(user)).exclude(state=ClassState.CANCELLED)
    return visible.order_by("-starts_on", "-pk")


def what_if(classes: Sequence[TrainingClass], edition: Edition, *, today: datetime.date) -> Sequence[WhatIf]:
    """Judge classes (of `classes_to_judge`) under their own edition and under `edition`; two queries in all.

    A class that was never filed is judged as if it were filed `today`.
    """
    keys = [one.pk for one in classes]
    hours: dict[int, dict[HourKind, Decimal]] = {}
    sums = Lesson.objects.filter(training_class__in=keys).order_by().values_list("training_class", "kind")
    for key, kind, total in sums.annotate(total=Sum("hours")):
        hours.setdefault(key, {})[HourKind(kind)] = total
    live = Filing.objects.filter(
        training_class__in=keys, state__in=[FilingState.SUBMITTED, FilingState.APPROVED]
    )
    filed = dict(live.order_by().values_list("training_class").annotate(last=Max("submitted_at")))
    working = calendar()
    results = []
    for one in classes:
        facts = ClassFacts(
            course_type=one.course.course_type,
            mode=one.mode,
            hours=hours.get(one.pk, {}),
            trainees=one.trainees,  # type: ignore[attr-defined]  # counted by the query
            lecturers=(one.lecturer_id,) if one.lecturer_id else (),
            assistants=(one.assistant_id,) if one.assistant_id else (),
            starts_on=one.starts_on,
            filed_on=timezone.localdate(filed[one.pk]) if one.pk in filed else today,
        )
        own = find_edition(one.edition)
        results.append(WhatIf(one, judge(own, facts, working), judge(edition, facts, working)))
    return results


def judge(edition: Edition, facts: ClassFacts, working: WorkingCalendar) -> tuple[Finding, ...]:
    """Judge a class's facts by an edition; what cannot be judged is a finding that blocks."""
    findings: list[Finding] = []
    try:
        decision = check_timetable(edition, course_type=facts.course_type, mode=facts.mode, hours=facts.hours)
        findings += decision.findings
    except Refusal as refusal:
        findings.append(Finding.of_refusal(refusal))
    try:
        findings.append(judge_class_size(edition, facts.course_type, facts.trainees))
    except Refusal as refusal:
        findings.append(Finding.of_refusal(refusal))
    try:
        findings += judge_staff(edition, lecturers=facts.lecturers, assistants=facts.assistants)
    except Refusal as refusal:
        findings.append(Finding.of_refusal(refusal))
    try:
        lead, _approved = judge_start(
            edition,
            starts_on=facts.starts_on,
            submitted_on=facts.filed_on,
            approved_on=None,
            calendar=working,
        )
        findings.append(lead)
    except Refusal as refusal:
        findings.append(Finding.of_refusal(refusal))
    return tuple(findings)
