"""A school recruits for, suggests and teaches the platform's courses and its own; others' stay their own."""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from audit.models import Entry
from classes.models import TrainingClass
from classes.recruitment import actions
from classes.recruitment.actions.screening import fitting_course
from classes.recruitment.forms import CampaignForm, RejudgeForm
from classes.recruitment.models import Campaign, Registration
from config.demo.cast import Cast
from courses.actions import CourseDetails, create_course, publish_version, set_outline
from courses.models import Course
from courses.outlines import UnitDraft
from policy.refusals import Refusal
from policy.terms import HourKind
from tests.cast import client_of
from tests.classes.school import School
from tests.recruitment.conftest import Apply, details

SECRET = "启航秘密新课"
OWN = "启航自建课"


@dataclass
class Others:
    """What the rival made for itself: one course that nobody else sees yet, and one that is public."""

    draft: Course
    published: Course


@pytest.fixture
def others(cast: Cast, school: School, now: datetime.datetime) -> Others:
    made = [
        create_course(
            details=CourseDetails(name=name, course_type="GYB", origin="institution"),
            actor=cast.rival,
            at=now,
        )
        for name in (SECRET, OWN)
    ]
    units = [UnitDraft(kind=HourKind.LIVE, hours=Decimal(24), title="认识创业")]
    version = set_outline(version=made[1].versions.get(), units=units, notes="", actor=cast.rival, at=now)
    publish_version(version=version, actor=cast.rival, at=now)
    return Others(*made)


def form_of(campaign: Campaign, course: Course) -> dict[str, Any]:
    return {
        "course": course.pk,
        "planned_from": "2026-10-12",
        "planned_until": "2026-10-19",
        "places": 60,
        "description": "",
    }


def test_no_form_offers_the_courses_of_others(
    others: Others, campaign: Campaign, screened: Apply, cast: Cast
) -> None:
    theirs = {others.draft, others.published}
    new = CampaignForm(institution=cast.school).fields["course"].queryset  # type: ignore[attr-defined]
    assert school_courses(new)
    assert theirs.isdisjoint(new)
    other_stage = RejudgeForm(registration=screened(1)).fields["course"].queryset  # type: ignore[attr-defined]
    assert school_courses(other_stage)
    assert theirs.isdisjoint(other_stage)
    for page in (
        reverse("recruitment:campaign_create"),
        reverse("recruitment:campaign_edit", args=[campaign.pk]),
    ):
        html = client_of(cast.manager).get(page).content.decode()
        assert SECRET not in html
        assert OWN not in html
    mine = CampaignForm(institution=cast.rival_school).fields["course"].queryset  # type: ignore[attr-defined]
    assert others.published in mine
    assert others.draft not in mine  # nobody recruits for what is not published


def school_courses(found: Any) -> list[str]:
    return [course.name for course in found]


@pytest.mark.parametrize("which", ["draft", "published"])
def test_a_campaign_for_the_course_of_others_is_not_made(
    others: Others, campaign: Campaign, cast: Cast, now: datetime.datetime, which: str
) -> None:
    course = getattr(others, which)
    entries, campaigns = Entry.objects.count(), Campaign.objects.count()
    answer = client_of(cast.manager).post(reverse("recruitment:campaign_create"), form_of(campaign, course))
    assert answer.status_code == 400
    assert course.name not in answer.content.decode()
    for act in (
        lambda: actions.create_campaign(details=details(course), actor=cast.manager, at=now),
        lambda: actions.update_campaign(
            campaign=campaign, details=details(course), actor=cast.manager, at=now
        ),
    ):
        with pytest.raises(Refusal) as refused:
            act()
        assert (refused.value.code, refused.value.rule) == ("course_not_open", "H1")
        assert course.name not in str(refused.value)
    assert (Entry.objects.count(), Campaign.objects.count()) == (entries, campaigns)


def test_nobody_recruits_for_what_is_not_published(
    others: Others, cast: Cast, now: datetime.datetime
) -> None:
    with pytest.raises(Refusal) as refused:
        actions.create_campaign(details=details(others.draft), actor=cast.rival, at=now)
    assert refused.value.code == "course_not_published"


def test_no_applicant_is_sent_to_the_course_of_others(
    others: Others, screened: Apply, cast: Cast, now: datetime.datetime
) -> None:
    registration: Registration = screened(1)
    with pytest.raises(Refusal) as refused:
        actions.rejudge(
            registration=registration,
            stage="awareness",
            course=others.published,
            reason="更合适。",
            actor=cast.manager,
            at=now,
        )
    assert refused.value.code == "course_not_open"
    syb = Course.objects.filter(course_type="SYB").order_by("pk")[0]
    suggested = fitting_course(syb, "GYB", cast.school)
    assert suggested is not None
    assert suggested.institution is None
    Course.objects.filter(institution=None).exclude(pk=syb.pk).update(course_type="IYB")
    assert fitting_course(syb, "GYB", cast.school) is None
    assert fitting_course(syb, "GYB", cast.rival_school) == others.published


@pytest.mark.parametrize("field", ["course", "course_version", "lecturer", "assistant"])
def test_the_api_does_not_tell_what_is_hidden_from_what_is_not_there(
    others: Others, school: School, cast: Cast, field: str
) -> None:
    hidden = {
        "course": others.draft.pk,
        "course_version": others.draft.versions.get().pk,
        "lecturer": cast.learner.person_id,
        "assistant": cast.learner.person_id,
    }[field]
    client = APIClient()
    client.force_authenticate(cast.manager)
    told = []
    for value in (hidden, 987_654):
        sent = {
            "name": "试一试",
            "course": school.course.pk,
            "mode": "full_live",
            "edition": "demo",
            "starts_on": "2026-10-12",
            "ends_on": "2026-10-16",
            field: value,
        }
        answer = client.post("/api/v1/classes/", sent, format="json")
        assert answer.status_code == 400
        told.append(answer.content.decode().replace(str(value), "N"))
    assert told[0] == told[1]
    assert not TrainingClass.objects.exists()
