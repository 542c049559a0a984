"""Findings as a person reads them: in Chinese, never by the codes that programs use."""

import datetime
import re
from collections.abc import Iterable

import pytest
from django.template import Context, Template
from django.utils.html import strip_tags

from accounts.editions import edition
from classes.checks import check_draft
from classes.models import TrainingClass
from classes.reviews import subject_of
from classes.timetables import drafts_of
from policy.findings import Finding
from policy.lessons import judge_live_session
from policy.process import Stage, judge_stage_order
from tests.classes.school import FIRST_DAY, School, draft

TODAY = datetime.date(2026, 9, 7)
CODE = re.compile(r"[a-z_]{4,}")


def shown(finding: Finding) -> str:
    """The text of a finding on a page, without what only its tags say."""
    page = Template("{% load yc %}{% finding one %}").render(Context({"one": finding}))
    return f"{strip_tags(page)} {subject_of(finding.code)}"


def codes_in(findings: Iterable[Finding]) -> dict[str, list[str]]:
    return {finding.code: found for finding in findings if (found := CODE.findall(shown(finding)))}


def findings_of(training_class: TrainingClass) -> tuple[Finding, ...]:
    drafts = drafts_of(training_class.lessons.all())
    return tuple(check_draft(training_class, drafts, filed_on=TODAY).findings)


def a_ready_one(school: School) -> TrainingClass:
    return school.ready()


def one_without_anything(school: School) -> TrainingClass:
    return school.create(lecturer=None, assistant=None)


def one_mostly_online(school: School) -> TrainingClass:
    return school.mostly_online()


def one_with_the_wrong_hours(school: School) -> TrainingClass:
    training_class = school.create()
    school.schedule(
        training_class,
        [draft(day, "08:00", kind, 4, "课") for day, kind in enumerate(("offline", "on_demand", "tutoring"))],
    )
    return training_class


def one_in_a_year_without_holidays(school: School) -> TrainingClass:
    training_class = school.create()
    first_day = FIRST_DAY.replace(year=2031)
    TrainingClass.objects.filter(pk=training_class.pk).update(
        starts_on=first_day, ends_on=first_day + datetime.timedelta(days=13)
    )
    training_class.refresh_from_db()
    return training_class


@pytest.mark.django_db
@pytest.mark.parametrize(
    "make",
    [
        a_ready_one,
        one_without_anything,
        one_mostly_online,
        one_with_the_wrong_hours,
        one_in_a_year_without_holidays,
    ],
)
def test_no_finding_of_a_class_is_shown_by_a_code(school, make):
    findings = findings_of(make(school))
    assert len(findings) > 5
    assert codes_in(findings) == {}


@pytest.mark.parametrize("stages", [[Stage.PROMOTION, Stage.FILING], list(Stage), [Stage.FOLLOW_UP]])
def test_no_stage_is_shown_by_its_code(stages):
    finding = judge_stage_order(dict.fromkeys(stages, TODAY))
    assert not CODE.search(strip_tags(shown(finding)).replace(subject_of(finding.code), ""))


@pytest.mark.parametrize(("seconds", "trainees", "interactions"), [(60, 2, 12), (0, 0, 0), (60, 2, 0)])
def test_no_part_of_a_live_session_is_shown_by_its_code(seconds, trainees, interactions):
    finding = judge_live_session(
        edition("henan-2020-97"), lecturer_seconds=seconds, trainees=trainees, interactions=interactions
    )
    assert not CODE.search(shown(finding).replace(subject_of(finding.code), ""))
    assert "讲师在线、学员在线、课堂互动" in shown(finding)


def test_a_code_that_is_shown_would_be_found():
    """The look itself: what has no words yet shows, and is seen."""
    finding = Finding(
        code="not_worded", row="", passed=True, required=["live_share"], actual=0, message="符合。"
    )
    assert codes_in([finding]) == {"not_worded": ["live_share", "not_worded"]}
