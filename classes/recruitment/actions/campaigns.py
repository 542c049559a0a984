"""Promotion: what an institution recruits for, and its offline events (F2, F3)."""

import datetime
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

import audit
from accounts.models import User
from classes.recruitment.actions.moves import move
from classes.recruitment.models import Campaign, OfflineEvent, new_code
from classes.recruitment.permissions import require_institution, require_manages
from courses.models import Course
from courses.permissions import require_open
from policy.dates import require_near
from policy.messages import gettext_noop
from policy.refusals import Refusal


@dataclass(frozen=True, kw_only=True, slots=True)
class CampaignDetails:
    """What a manager decides about a campaign."""

    course: Course
    planned_from: datetime.date
    planned_until: datetime.date
    places: int
    description: str = ""


def create_campaign(*, details: CampaignDetails, actor: User, at: datetime.datetime) -> Campaign:
    """Open a campaign of the actor's institution (F2).

    Raises Refusal `role_required` (403), `course_not_open`, `course_not_published`, `date_out_of_range`,
    `campaign_dates_reversed`, `campaign_places`.
    """
    institution = require_institution(actor)
    with transaction.atomic():
        campaign = Campaign(institution=institution, created_by=actor, created_at=at)
        _write(campaign, details, at)
        _record("campaign.saved", campaign, actor, at)
    return campaign


def update_campaign(
    *, campaign: Campaign, details: CampaignDetails, actor: User, at: datetime.datetime
) -> Campaign:
    """Change a campaign; who registered stays registered. Raises as `create_campaign`; Http404 for strangers.

    The course stays once somebody registered for it: Refusal `campaign_has_registrations`.
    """
    require_manages(actor, campaign.institution_id)
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=campaign.pk)
        if campaign.course_id != details.course.pk and campaign.registrations.exists():
            raise Refusal(
                "campaign_has_registrations",
                gettext_noop("已经有人报名，不能换课程。"),
                found=campaign.registrations.count(),
                required=0,
                rule="F3",
                next_step=gettext_noop("请停止这个招生项目，另建一个。"),
            )
        _write(campaign, details, at)
        _record("campaign.saved", campaign, actor, at)
    return campaign


def close_campaign(*, campaign: Campaign, actor: User, at: datetime.datetime) -> Campaign:
    """Take no more registrations; raises `move_refused`, Http404 for strangers."""
    return _move(campaign, "close", actor, at)


def reopen_campaign(*, campaign: Campaign, actor: User, at: datetime.datetime) -> Campaign:
    """Take registrations again; raises `move_refused`, Http404 for strangers."""
    return _move(campaign, "reopen", actor, at)


def create_event(
    *,
    campaign: Campaign,
    title: str,
    held_on: datetime.date,
    venue: str,
    recruiter: str,
    actor: User,
    at: datetime.datetime,
) -> OfflineEvent:
    """Enter an offline event and give it a code of six letters and digits (F2, I4, I5).

    Raises Refusal `date_out_of_range` (400); Http404 for strangers.
    """
    require_manages(actor, campaign.institution_id)
    require_near(
        held_on, today=timezone.localdate(at), name=gettext_noop("活动日期"), field="held_on", rule="F2"
    )
    with transaction.atomic():
        event = _with_free_code(
            OfflineEvent(
                campaign=campaign,
                title=title.strip(),
                held_on=held_on,
                venue=venue.strip(),
                recruiter=recruiter.strip(),
                created_by=actor,
                created_at=at,
            )
        )
        audit.record(
            "campaign.event_created",
            actor_id=actor.pk,
            subject=campaign.subject,
            facts={
                "campaign": campaign.pk,
                "event": event.pk,
                "code": event.code,
                "held_on": event.held_on,
            },
            at=at,
        )
    return event


def _with_free_code(event: OfflineEvent) -> OfflineEvent:
    """Save under a code that nobody has; out of 900 million, the second try succeeds."""
    while True:
        event.code = new_code(OfflineEvent.CODE_LENGTH)
        try:
            with transaction.atomic():
                event.save()
        except IntegrityError:
            event.pk = None
        else:
            return event


def _write(campaign: Campaign, details: CampaignDetails, at: datetime.datetime) -> None:
    today = timezone.localdate(at)
    if campaign.course_id != details.course.pk:
        require_open(details.course, campaign.institution)
    require_near(
        details.planned_from, today=today, name=gettext_noop("计划开班日期"), field="planned_from", rule="F2"
    )
    require_near(
        details.planned_until,
        today=today,
        name=gettext_noop("计划结班日期"),
        field="planned_until",
        rule="F2",
    )
    if details.planned_until < details.planned_from:
        raise Refusal(
            "campaign_dates_reversed",
            gettext_noop("计划结班日期早于计划开班日期。"),
            found=details.planned_until,
            required=details.planned_from,
            rule="F2",
            next_step=gettext_noop("请把结班日期改到开班当天或以后。"),
            status=400,
        )
    if not 0 < details.places <= 10_000:
        raise Refusal(
            "campaign_places",
            gettext_noop("计划人数要在 1 到 10000 之间。"),
            found=details.places,
            required="1–10000",
            rule="F2",
            next_step=gettext_noop("请改计划人数。"),
            status=400,
        )
    campaign.course = details.course
    campaign.planned_from = details.planned_from
    campaign.planned_until = details.planned_until
    campaign.places = details.places
    campaign.description = details.description.strip()
    campaign.save()


def _move(campaign: Campaign, verb: str, actor: User, at: datetime.datetime) -> Campaign:
    require_manages(actor, campaign.institution_id)
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=campaign.pk)
        move(campaign, verb)
        campaign.save(update_fields=["state"])
        _record("campaign.moved", campaign, actor, at)
    return campaign


def _record(kind: str, campaign: Campaign, actor: User, at: datetime.datetime) -> None:
    audit.record(
        kind,
        actor_id=actor.pk,
        subject=campaign.subject,
        facts={
            "campaign": campaign.pk,
            "course": campaign.course_id,
            "planned_from": campaign.planned_from,
            "planned_until": campaign.planned_until,
            "places": campaign.places,
            "state": campaign.state,
        },
        at=at,
    )
