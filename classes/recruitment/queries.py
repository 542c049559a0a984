"""Reads worth a name: open campaigns, the inbox, waiting lists, the same person elsewhere, next steps."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Institution, Person, User
from accounts.start import Task
from accounts.states import Role
from classes.models import Enrolment, TrainingClass
from classes.recruitment.models import Campaign, CategoryEvidence, Registration, Screening
from classes.recruitment.states import (
    LIVE_STATES,
    CampaignState,
    EvidenceState,
    RegistrationState,
)
from classes.states import EDITABLE_STATES, ClassState, EnrolmentState
from policy.words import whole_number


def open_campaigns() -> QuerySet[Campaign]:
    """Campaigns that take registrations, the next to begin first."""
    return (
        Campaign.objects.filter(state=CampaignState.OPEN)
        .select_related("institution__region", "course")
        .order_by("planned_from", "pk")
    )


def recruiting_institutions() -> QuerySet[Institution]:
    """Institutions with an open campaign, with `open_campaigns` counted."""
    return (
        Institution.objects.filter(campaigns__state=CampaignState.OPEN)
        .select_related("region")
        .annotate(open_campaigns=Count("campaigns"))
        .order_by("region_id", "name")
    )


def campaigns_of(institution: Institution) -> QuerySet[Campaign]:
    """All campaigns of an institution with how many registered and how many of these still count."""
    return (
        Campaign.objects.filter(institution=institution)
        .select_related("course", "institution")
        .annotate(
            received=Count("registrations"),
            live=Count("registrations", filter=Q(registrations__state__in=LIVE_STATES)),
        )
        .order_by("-planned_from", "-pk")
    )


def registrations_with_all() -> QuerySet[Registration]:
    """Registrations with what every page about them shows."""
    return Registration.objects.select_related(
        "institution__region",
        "campaign__course",
        "course",
        "fitting_course",
        "event",
        "entered_by",
        "decided_by__person",
        "person__user",
        "enrolment__training_class",
    )


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """What the manager asked the inbox for; empty fields ask for everything."""

    state: str = ""
    course: str = ""
    category: str = ""
    source: str = ""
    campaign: str = ""
    search: str = ""


def inbox(institution: Institution, wanted: InboxFilter) -> QuerySet[Registration]:
    """An institution's registrations: those that wait for an answer first, then the latest.

    `search` is a part of the name, or a registration number.
    """
    found = registrations_with_all().filter(institution=institution).prefetch_related("screenings")
    if wanted.state in RegistrationState.values:
        found = found.filter(state=wanted.state)
    if (pk := whole_number(wanted.course)) is not None:
        found = found.filter(Q(fitting_course=pk) | Q(fitting_course=None, course=pk))
    if (campaign := whole_number(wanted.campaign)) is not None:
        found = found.filter(campaign=campaign)
    if wanted.category:
        found = found.filter(category=wanted.category)
    if wanted.source:
        found = found.filter(source=wanted.source)
    if text := wanted.search.strip():
        found = found.filter(
            Q(name__icontains=text) | Q(number=text.replace("-", "").replace(" ", "").upper())
        )
    if wanted.state == RegistrationState.WAITING:
        return found.order_by("waiting_since", "pk")
    return found.order_by("-submitted_at", "-pk")


def inbox_counts(institution: Institution) -> Mapping[str, int]:
    """How many registrations of the institution are in each state."""
    rows = Registration.objects.filter(institution=institution).order_by().values_list("state")
    return dict(rows.annotate(count=Count("pk")))


def waiting_list(institution_id: int, course_type: str) -> QuerySet[Registration]:
    """Who waits for a place in a course of this type, who waits longest first (P8)."""
    return (
        registrations_with_all()
        .filter(
            institution=institution_id,
            state=RegistrationState.WAITING,
            fitting_course__course_type=course_type,
        )
        .order_by("waiting_since", "pk")
    )


def classes_to_fill(institution_id: int, course_type: str = "") -> QuerySet[TrainingClass]:
    """The institution's classes whose roster may still change, with `trainees` on it."""
    classes = TrainingClass.objects.filter(
        institution=institution_id, state__in=EDITABLE_STATES
    ).select_related("course", "institution")
    if course_type:
        classes = classes.filter(course__course_type=course_type)
    return classes.annotate(
        trainees=Count("enrolments", filter=Q(enrolments__state=EnrolmentState.ACTIVE))
    ).order_by("starts_on", "pk")


def latest_screening(registration: Registration) -> Screening | None:
    """The screening that counts."""
    return next(iter(registration.screenings.all()), None)


def duplicates_here(registration: Registration) -> QuerySet[Registration]:
    """Other registrations with the same ID number at the same institution that still count."""
    return (
        registrations_with_all()
        .filter(
            institution=registration.institution_id,
            id_number_index=registration.id_number_index,
            state__in=LIVE_STATES,
        )
        .exclude(pk=registration.pk)
        .order_by("submitted_at")
    )


def known_elsewhere(indexes: Sequence[bytes], *, institution_id: int, course_type: str) -> frozenset[bytes]:
    """Which of these people, by blind index, registered for or sit in such a course at another institution.

    Nothing else about the other institution leaves this function.
    """
    registered = (
        Registration.objects.filter(
            id_number_index__in=indexes, course__course_type=course_type, state__in=LIVE_STATES
        )
        .exclude(institution=institution_id)
        .values_list("id_number_index", flat=True)
    )
    enrolled = (
        Enrolment.objects.filter(
            person__id_number_index__in=indexes,
            training_class__course__course_type=course_type,
            state=EnrolmentState.ACTIVE,
        )
        .exclude(training_class__institution=institution_id)
        .exclude(training_class__state=ClassState.CANCELLED)
        .values_list("person__id_number_index", flat=True)
    )
    return frozenset(bytes(index) for index in (*registered, *enrolled))


def earlier_classes(
    people: Sequence[int], training_class: TrainingClass, *, any_course_type: bool = False
) -> Mapping[int, int]:
    """{person: in how many other classes of this course type they sit or sat, at whatever institution}."""
    others = (
        Enrolment.objects.filter(person__in=people, state=EnrolmentState.ACTIVE)
        .exclude(training_class=training_class)
        .exclude(training_class__state__in=[ClassState.CANCELLED, ClassState.DRAFT])
    )
    if not any_course_type:
        others = others.filter(training_class__course__course_type=training_class.course.course_type)
    return dict(others.order_by().values_list("person").annotate(count=Count("pk")))


def evidence_of(institution_id: int, index: bytes) -> QuerySet[CategoryEvidence]:
    """The documents of one person that an institution holds, the latest first."""
    return CategoryEvidence.objects.filter(institution=institution_id, id_number_index=index).select_related(
        "picture", "checked_by__person"
    )


def evidence_of_class(training_class: TrainingClass) -> dict[bytes, list[CategoryEvidence]]:
    """{blind index: documents} of everybody on the active roster, as this institution holds them."""
    found: dict[bytes, list[CategoryEvidence]] = {}
    rows = CategoryEvidence.objects.filter(
        institution=training_class.institution_id,
        id_number_index__in=training_class.enrolments.filter(state=EnrolmentState.ACTIVE).values(
            "person__id_number_index"
        ),
    ).select_related("picture", "checked_by__person")
    for evidence in rows:
        found.setdefault(bytes(evidence.id_number_index), []).append(evidence)
    return found


def registrations_of(person: Person) -> QuerySet[Registration]:
    """Everything a person registered for, found by their ID number."""
    return registrations_with_all().filter(id_number_index=person.id_number_index)


def next_steps_for(user: User, now: datetime.datetime) -> Iterator[Task]:
    """What recruitment asks of a manager and of a trainee on their start page."""
    for membership in user.active_memberships:
        if membership.role == Role.MANAGER and membership.institution is not None:
            yield from _manager_steps(membership.institution)
    if user.person is not None and user.has_role(Role.TRAINEE):
        yield from _trainee_steps(user.person)


def _manager_steps(institution: Institution) -> Iterator[Task]:
    counts = inbox_counts(institution)
    for state, title, act, icon in (
        (RegistrationState.SUBMITTED, _("%(count)s 份报名等着筛选"), _("去筛选"), "clipboard-list"),
        (RegistrationState.SCREENED, _("%(count)s 名学员等着分班"), _("去分班"), "users-group"),
    ):
        if counts.get(state):
            yield Task(
                title=title % {"count": counts[state]},
                url=f"{reverse('recruitment:inbox')}?state={state.value}",
                icon=icon,
                action=act,
            )
    unchecked = CategoryEvidence.objects.filter(
        institution=institution, state=EvidenceState.WAITING, registration__state__in=LIVE_STATES
    ).count()
    if unchecked:
        yield Task(
            title=_("%(count)s 份类别证明等着核对") % {"count": unchecked},
            url=reverse("recruitment:inbox"),
            icon="file-check",
            action=_("去核对"),
        )
    if counts.get(RegistrationState.WAITING):
        yield Task(
            title=_("候补名单上有 %(count)s 人") % {"count": counts[RegistrationState.WAITING]},
            url=reverse("recruitment:waiting"),
            detail=_("有空名额就可以按先后递补"),
            icon="hourglass",
            action=_("看候补名单"),
        )


def _trainee_steps(person: Person) -> Iterator[Task]:
    for registration in registrations_of(person).filter(
        state__in=[RegistrationState.SUBMITTED, RegistrationState.SCREENED, RegistrationState.WAITING]
    )[:3]:
        unanswered = registration.state == RegistrationState.SUBMITTED
        yield Task(
            title=(_("回答“%(course)s”的筛选问卷") if unanswered else _("看“%(course)s”的报名进度"))
            % {"course": registration.course.name},
            url=reverse("recruitment:mine"),
            detail=_("%(state)s，%(day)s 报名")
            % {
                "state": registration.get_state_display(),
                "day": date_format(timezone.localdate(registration.submitted_at)),
            },
            icon="clipboard-check",
            action=_("去回答") if unanswered else _("看进度"),
        )
