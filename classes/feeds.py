"""A person's lessons as an iCalendar feed (RFC 5545), for the calendar on their own phone.

Only what an office has approved is in it. What an approval gave and a change or a cancellation took away
stays in the feed as cancelled, so that a calendar that has it strikes it out; the count of such decisions in
the evidence log is the event's SEQUENCE, the last one's time its DTSTAMP.
"""

import datetime
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vDuration

from accounts.models import User
from accounts.states import Role
from audit.models import Entry
from classes.models import BOOKED_KINDS, CalendarFeed, Enrolment, Filing, TrainingClass
from classes.states import ClassState, FilingState
from policy.terms import HourKind

# Whose role brings them lessons.
ROLES = (Role.TRAINEE, Role.LECTURER, Role.ASSISTANT, Role.MANAGER)
KEPT = datetime.timedelta(days=60)  # after its end a class leaves the feed
REFRESH = datetime.timedelta(hours=1)
DECIDING = ("filing.approved", "filing.superseded", "class.cancelled")


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One lesson as the feed tells it."""

    lesson: int
    training_class: TrainingClass
    starts_at: datetime.datetime
    ends_at: datetime.datetime
    kind: HourKind
    hours: str
    title: str
    cancelled: bool
    sequence: int
    changed_at: datetime.datetime


def token_hash(token: str) -> str:
    """What is kept of a feed's secret address."""
    return hashlib.sha256(token.encode()).hexdigest()


def feed_of(token: str) -> CalendarFeed | None:
    """The feed behind a secret address, as long as its owner's account is open."""
    return (
        CalendarFeed.objects.select_related("user")
        .filter(token_hash=token_hash(token), user__is_active=True)
        .first()
    )


def events_of(user: User, today: datetime.date) -> list[FeedEvent]:
    """The lessons that concern a person, as lecturer, assistant, trainee or manager, in order of time."""
    filings: dict[int, list[Filing]] = {}
    for filing in _filings(user, today):
        filings.setdefault(filing.training_class_id, []).append(filing)
    chains = {one[0].training_class.subject: key for key, one in filings.items()}
    decided = {
        chains[row["chain"]]: (row["decisions"] - 1, row["last"])
        for row in Entry.objects.filter(chain__in=chains, kind__in=DECIDING)
        .order_by()
        .values("chain")
        .annotate(decisions=Count("pk"), last=Max("at"))
    }
    events = [
        event
        for key, of_class in filings.items()
        if key in decided
        for event in _events(of_class, *decided[key])
    ]
    return sorted(events, key=lambda event: (event.starts_at, event.lesson))


def calendar_of(events: Iterable[FeedEvent], absolute: Callable[[str], str]) -> bytes:
    """The events as text/calendar; `absolute` makes a full address of a path."""
    calendar = Calendar()
    calendar.add("prodid", "-//Yuchuang//Timetable//ZH")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", _("豫创课表"))
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))  # of a name it does not know it guesses no type
    for event in events:
        calendar.add_component(_component(event, absolute))
    return bytes(calendar.to_ical())


def _component(event: FeedEvent, absolute: Callable[[str], str]) -> Event:
    component = Event()
    component.add("uid", f"lesson-{event.lesson}@yuchuang")
    component.add("dtstamp", event.changed_at)
    component.add("last-modified", event.changed_at)
    component.add("sequence", event.sequence)
    component.add("dtstart", event.starts_at.astimezone(datetime.UTC))
    component.add("dtend", event.ends_at.astimezone(datetime.UTC))
    component.add("summary", event.title)
    component.add(
        "description",
        _("%(class)s，%(kind)s %(hours)s 课时")
        % {"class": event.training_class.name, "kind": _(event.kind.label), "hours": event.hours},
    )
    component.add("url", absolute(reverse("classes:detail", args=[event.training_class.pk])))
    component.add("status", "CANCELLED" if event.cancelled else "CONFIRMED")
    component.add("transp", "OPAQUE" if event.kind in BOOKED_KINDS else "TRANSPARENT")
    return component


def _filings(user: User, today: datetime.date) -> Iterator[Filing]:
    """Filings that were ever approved and concern this person, by their own words, oldest first."""
    managed = [m.institution_id for m in user.active_memberships if m.role == Role.MANAGER]
    enrolments = set(Enrolment.objects.filter(person=user.person_id).values_list("pk", flat=True))
    mine = Q(training_class__institution__in=managed)
    if user.person_id is not None:
        mine |= Q(training_class__lecturer=user.person_id) | Q(training_class__assistant=user.person_id)
        mine |= Q(training_class__enrolments__in=enrolments)
        for part in ("lecturer", "assistant"):  # who was replaced by a change learns that they are free
            mine |= Q(state=FilingState.SUPERSEDED, **{f"snapshot__staff__{part}__id": user.person_id})
    found = (
        Filing.objects.filter(mine, state__in=[FilingState.APPROVED, FilingState.SUPERSEDED])
        .filter(training_class__ends_on__gte=today - KEPT)
        .select_related("training_class")
        .order_by("training_class", "decided_at", "pk")
        .distinct()
    )
    for filing in found:
        if filing.training_class.institution_id in managed or _concerns(
            filing.snapshot, user.person_id, enrolments
        ):
            yield filing


def _concerns(snapshot: Mapping[str, Any], person: int | None, enrolments: set[int]) -> bool:
    staff = (one["id"] for one in snapshot["staff"].values() if one)
    return person in staff or any(row["enrolment"] in enrolments for row in snapshot["roster"])


def _events(filings: list[Filing], sequence: int, changed_at: datetime.datetime) -> Iterator[FeedEvent]:
    """Every lesson that an approval gave, in its latest words; cancelled where no approval holds it now."""
    training_class = filings[0].training_class
    rows = {row["lesson"]: row for filing in filings for row in filing.snapshot["timetable"]}
    held = {
        row["lesson"]
        for filing in filings
        if filing.state == FilingState.APPROVED and training_class.state != ClassState.CANCELLED
        for row in filing.snapshot["timetable"]
    }
    for lesson, row in rows.items():
        yield FeedEvent(
            lesson=lesson,
            training_class=training_class,
            starts_at=datetime.datetime.fromisoformat(row["starts_at"]),
            ends_at=datetime.datetime.fromisoformat(row["ends_at"]),
            kind=HourKind(row["kind"]),
            hours=row["hours"].rstrip("0").rstrip("."),
            title=row["title"],
            cancelled=lesson not in held,
            sequence=sequence,
            changed_at=changed_at,
        )
