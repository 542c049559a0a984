"""Reads worth a name: which classes a person sees, who teaches, what waits, what comes next."""

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Case, Count, Exists, Min, OuterRef, Q, QuerySet, When
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.calendars import calendar
from accounts.editions import edition as find_edition
from accounts.models import Bureau, Institution, Person, User
from accounts.permissions import region_prefix
from accounts.start import Task
from accounts.states import Department, Role
from audit.models import Entry
from classes.models import Enrolment, Filing, Lesson, TrainingClass
from classes.packages import APPROVED, DECIDED_BEFORE, RESULT
from classes.states import FILED_STATES, ClassState, EnrolmentState, FilingState, LessonState
from exchange.models import Receipt
from exchange.states import Outcome
from policy.calendar import latest_filing
from policy.refusals import Refusal


def classes_visible_to(user: User | AnonymousUser) -> QuerySet[TrainingClass]:
    """The classes a person may see: those of their institution, region, teaching and attending; all for
    the operator. A trainee sees a class once its filing was approved, not the draft.

    Regulators see nothing here: they look through their own pages and database login (supervision).
    """
    if not isinstance(user, User) or not user.is_active:
        return TrainingClass.objects.none()
    if user.has_role(Role.OPERATOR):
        return TrainingClass.objects.all()
    visible = Q(pk__in=[])
    if user.person_id is not None:
        visible |= Q(lecturer=user.person_id) | Q(assistant=user.person_id)
        visible |= Q(pk__in=_filed_classes_of(user.person_id))
    for membership in user.active_memberships:
        if membership.role == Role.MANAGER:
            visible |= Q(institution=membership.institution_id)
        elif membership.role == Role.OFFICER and membership.bureau is not None:
            visible |= Q(institution__region__code__startswith=region_prefix(membership.bureau.region))
    return TrainingClass.objects.filter(visible)


def _filed_classes_of(person_id: int) -> QuerySet[Enrolment, int]:
    """Ids of the classes that a trainee attends; one that was cancelled after its approval stays visible."""
    filed = Q(training_class__state__in=FILED_STATES) | Q(
        training_class__state=ClassState.CANCELLED, training_class__filings__state=FilingState.APPROVED
    )
    return Enrolment.objects.filter(filed, person=person_id, state=EnrolmentState.ACTIVE).values_list(
        "training_class", flat=True
    )


def classes_filed_anew(user: User) -> QuerySet[TrainingClass]:
    """The classes of a trainee whose approval was given up for a change filing: what will be filed is the
    institution's draft, so only the class's name and institution are told (F9).
    """
    return TrainingClass.objects.filter(
        Exists(Filing.objects.filter(training_class=OuterRef("pk"), state=FilingState.SUPERSEDED)),
        state__in=[ClassState.DRAFT, ClassState.SUBMITTED, ClassState.RETURNED],
        enrolments__person=user.person_id,
        enrolments__state=EnrolmentState.ACTIVE,
    ).select_related("institution")


def with_counts(classes: QuerySet[TrainingClass]) -> QuerySet[TrainingClass]:
    """Add what a list shows: the institution, course and lecturer, and `trainees` on the active roster."""
    active = Q(enrolments__state=EnrolmentState.ACTIVE)
    return classes.select_related("institution", "course", "lecturer").annotate(
        trainees=Count("enrolments", filter=active)
    )


def staff_of(institution: Institution, role: str) -> QuerySet[Person]:
    """The people who hold a role (lecturer, assistant) at an institution."""
    return Person.objects.filter(
        user__memberships__role=role, user__memberships__institution=institution, user__is_active=True
    ).distinct()


MOST_TO_COPY = 50


def timetables_to_copy(training_class: TrainingClass) -> QuerySet[TrainingClass]:
    """Other classes of the same institution that have a timetable, the newest first; those of the same
    course before others.
    """
    others = TrainingClass.objects.filter(
        Exists(Lesson.objects.filter(training_class=OuterRef("pk"))),
        institution=training_class.institution_id,
    ).exclude(pk=training_class.pk)
    same = Case(When(course=training_class.course_id, then=0), default=1)
    return others.order_by(same, "-starts_on", "-pk")[:MOST_TO_COPY]


def roster_of(training_class: TrainingClass) -> QuerySet[Enrolment]:
    """The active roster with its people, in the order of their names."""
    return training_class.enrolments.filter(state=EnrolmentState.ACTIVE).select_related(
        "person", "person__user"
    )


def live_filing(training_class: TrainingClass) -> Filing | None:
    """The filing that is being decided or was approved, if any."""
    return (
        training_class.filings.filter(state__in=[FilingState.SUBMITTED, FilingState.APPROVED])
        .select_related("submitted_by__person", "decided_by__person", "package")
        .first()
    )


def before_approval(training_class: TrainingClass) -> list[Lesson]:
    """Lessons whose hour had come when the approval was applied: there is no session before it (F9)."""
    filing = training_class.filings.filter(state=FilingState.APPROVED).first()
    if filing is None or filing.decided_at is None:
        return []
    lessons = training_class.lessons.filter(starts_at__lt=filing.decided_at, state=LessonState.PLANNED)
    return [lesson for lesson in lessons if lesson.is_held_on_time]


def filings_before(filing: Filing) -> QuerySet[Filing]:
    """Earlier submissions of the same class, the last one first; withdrawn ones were never judged and
    are left out.
    """
    return Filing.objects.filter(
        training_class=filing.training_class_id, submitted_at__lt=filing.submitted_at
    ).exclude(state=FilingState.WITHDRAWN)


def filings_decided_by(user: User | AnonymousUser) -> QuerySet[Filing]:
    """Filings that an officer's bureaus are responsible for, whatever their state; the operator reads
    them all.
    """
    filings = Filing.objects.select_related(
        "training_class__institution__region", "training_class__course", "submitted_by__person", "package"
    )
    if not isinstance(user, User):
        return filings.none()
    if user.has_role(Role.OPERATOR):
        return filings
    responsible = Q(pk__in=[])
    for membership in user.active_memberships:
        bureau = membership.bureau
        if membership.role == Role.OFFICER and bureau is not None and bureau.department == Department.HRSS:
            responsible |= Q(
                training_class__institution__region__code__startswith=region_prefix(bureau.region)
            )
    return filings.filter(responsible)


def open_lessons(user: User, now: datetime.datetime) -> QuerySet[Lesson]:
    """Lessons of the person's own classes (as staff or trainee) that are not over, the next one first."""
    return (
        Lesson.objects.filter(
            Q(training_class__lecturer=user.person_id)
            | Q(training_class__assistant=user.person_id)
            | Q(
                training_class__in=Enrolment.objects.filter(
                    person=user.person_id, state=EnrolmentState.ACTIVE
                ).values("training_class")
            ),
            training_class__state__in=[ClassState.APPROVED, ClassState.RUNNING],
            ends_at__gt=now,
        )
        .exclude(state=LessonState.CLOSED)
        .select_related("training_class")
        .order_by("starts_at")
    )


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a class's history: what, when, by whom, and the words that only the row holds."""

    entry: Entry
    actor: str
    words: str = ""

    @property
    def tone(self) -> str:
        if self.entry.kind in ("filing.returned", "filing.superseded", "class.cancelled"):
            return "bad"
        return "done" if self.entry.kind in ("filing.approved", "class.finished") else ""


@dataclass(frozen=True, slots=True)
class ReceiptSummary:
    """How many rows of a receipt were found to be what, and how many stand in the way of applying it."""

    counts: dict[str, int]
    in_the_way: int
    approved: int
    returned: int

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def is_sound(self) -> bool:
        return not self.in_the_way

    @property
    def choices(self) -> list[tuple[str, str, int]]:
        return [(outcome.value, str(outcome.label), self.counts[outcome.value]) for outcome in Outcome]


def offices_of(user: User | AnonymousUser) -> dict[int, Bureau]:
    """The human-resources bureaus whose officer this account is, by id: they decide on filings."""
    if not isinstance(user, User):
        return {}
    return {
        m.bureau.pk: m.bureau
        for m in user.active_memberships
        if m.role == Role.OFFICER and m.bureau is not None and m.bureau.department == Department.HRSS
    }


def receipts_of(user: User | AnonymousUser) -> QuerySet[Receipt]:
    """The receipts of the offices that a person acts for."""
    return Receipt.objects.filter(office_id__in=offices_of(user)).order_by("-uploaded_at", "-pk")


def receipt_summary(receipt: Receipt) -> ReceiptSummary:
    """Count a receipt's rows by what reconciling found."""
    return receipt_summaries([receipt])[receipt.pk]


def receipt_summaries(receipts: Iterable[Receipt]) -> dict[int, ReceiptSummary]:
    """The same for many, by the receipt's id, in one query."""
    accepted = Q(rows__outcome=Outcome.ACCEPTED)
    before = Q(rows__outcome=Outcome.DUPLICATE, rows__problems__contains=[{"code": DECIDED_BEFORE}])
    counted = Receipt.objects.filter(pk__in=[receipt.pk for receipt in receipts]).values("pk")
    return {
        row["pk"]: _summary(row)
        for row in counted.annotate(
            approved=Count("rows", filter=accepted & Q(**{f"rows__values__{RESULT}": APPROVED})),
            harmless=Count("rows", filter=accepted | before),
            **{outcome: Count("rows", filter=Q(rows__outcome=outcome)) for outcome in Outcome.values},
        )
    }


def _summary(counted: Mapping[str, Any]) -> ReceiptSummary:
    counts = {outcome: counted[outcome] for outcome in Outcome.values}
    return ReceiptSummary(
        counts=counts,
        in_the_way=sum(counts.values()) - counted["harmless"],
        approved=counted["approved"],
        returned=counts[Outcome.ACCEPTED] - counted["approved"],
    )


HISTORY_KINDS = ("class.", "roster.", "timetable.", "filing.")


def history_of(training_class: TrainingClass, *, limit: int = 30, downloads: bool = False) -> list[Happening]:
    """What was done about the class, the latest first, read from the evidence log (办理经过).

    Downloads are told apart, so that many of them never push a decision out of sight.
    """
    of_kind = Q()
    for prefix in HISTORY_KINDS:
        of_kind |= Q(kind__startswith=prefix)
    taken = Q(kind="filing.package_downloaded")
    of_kind &= taken if downloads else ~taken
    entries = list(Entry.objects.filter(of_kind, chain=training_class.subject).order_by("-seq")[:limit])
    actors = User.objects.select_related("person").in_bulk({e.actor_id for e in entries if e.actor_id})
    filings = training_class.filings.values_list("pk", "reason", "change_reason")
    words = {
        (pk, kind): text
        for pk, reason, change in filings
        for kind, text in (
            ("filing.returned", reason),
            ("filing.approved", reason),
            ("filing.superseded", change),
        )
    }
    return [
        Happening(
            entry,
            str(actors.get(entry.actor_id) or "") if entry.actor_id else "",
            training_class.cancel_reason
            if entry.kind == "class.cancelled"
            else words.get((entry.facts.get("filing"), entry.kind), ""),
        )
        for entry in entries
    ]


def next_steps_for(user: User, now: datetime.datetime) -> Iterator[Task]:
    """What this app asks of a person on their start page: managers, officers, staff and trainees."""
    if user.has_role(Role.MANAGER):
        yield from _manager_steps(user, now)
    if user.has_role(Role.OFFICER):
        yield from _officer_steps(user)
    if user.person_id is not None:
        yield from _lesson_steps(user, now)
    if user.has_role(Role.TRAINEE):
        yield from _trainee_steps(user)


def _manager_steps(user: User, now: datetime.datetime) -> Iterable[Task]:
    institutions = [m.institution_id for m in user.active_memberships if m.role == Role.MANAGER]
    classes = TrainingClass.objects.filter(institution__in=institutions)
    today = timezone.localdate(now)
    drafts = classes.filter(state__in=[ClassState.DRAFT, ClassState.RETURNED], ends_on__gte=today)
    for training_class in drafts.annotate(people=Count("enrolments"), units=Count("lessons")).order_by(
        "starts_on"
    )[:5]:
        returned = training_class.state == ClassState.RETURNED
        last_day = last_filing_day(training_class)
        if returned:
            title, act, url, icon = _("改好“%(name)s”，重新提交"), _("去改"), "classes:filing", "edit"
        elif not training_class.people:
            title, act = _("给“%(name)s”导入花名册"), _("去导入")
            url, icon = "classes:roster", "table-import"
        elif not training_class.units:
            title, act, url, icon = _("给“%(name)s”排课表"), _("去排课"), "classes:timetable", "calendar"
        else:
            title, act, url, icon = _("提交“%(name)s”的开班备案"), _("去备案"), "classes:filing", "send"
        yield Task(
            title=title % {"name": training_class.name},
            url=reverse(url, args=[training_class.pk]),
            detail=_("经办人员退回补正，理由在备案页")
            if returned
            else _lead_words(training_class, last_day, today),
            due=_end_of(last_day) if last_day else None,
            urgent=returned,
            icon=icon,
            action=act,
            whole_day=True,
        )


def last_filing_day(training_class: TrainingClass) -> datetime.date | None:
    """The last day on which filing still allows the planned start (F7); None where the edition leaves the
    lead open or the year's holidays are not published.
    """
    try:
        return latest_filing(
            find_edition(training_class.edition), training_class.starts_on, calendar=calendar()
        )
    except Refusal:
        return None


def _lead_words(training_class: TrainingClass, last_day: datetime.date | None, today: datetime.date) -> str:
    day, lead = date_format(training_class.starts_on), filing_lead(training_class)
    if last_day and last_day < today:
        return _("%(day)s 开班已经来不及备案，请把开班日期往后改") % {"day": day}
    if not lead:
        return _("%(day)s 开班") % {"day": day}
    words = ngettext(
        "%(day)s 开班，要提前 %(days)s 个工作日提交备案",
        "%(day)s 开班，要提前 %(days)s 个工作日提交备案",
        lead,
    )
    return words % {"day": day, "days": lead}


def filing_lead(training_class: TrainingClass) -> int | None:
    """Working days by which the class's edition wants the filing before the start (F7); None if it leaves
    that open.
    """
    try:
        return find_edition(training_class.edition).whole("filing_lead_working_days")
    except Refusal:
        return None


def _officer_steps(user: User) -> Iterable[Task]:
    waiting = filings_decided_by(user).filter(state=FilingState.SUBMITTED)
    summary = waiting.aggregate(count=Count("pk"), first=Min("submitted_at"))
    if summary["count"]:
        yield Task(
            title=_("%(count)s 件开班备案等您审核") % {"count": summary["count"]},
            url=reverse("classes:filings"),
            detail=_("最早一件提交于 %(day)s")
            % {"day": date_format(timezone.localtime(summary["first"]), "DATETIME_FORMAT")},
            icon="rubber-stamp",
            action=_("去审核"),
            urgent=True,
        )


def _lesson_steps(user: User, now: datetime.datetime) -> Iterable[Task]:
    lesson = open_lessons(user, now).first()
    if lesson is None:
        return
    teaching = user.person_id in (lesson.training_class.lecturer_id, lesson.training_class.assistant_id)
    soon = lesson.starts_at - now <= datetime.timedelta(hours=1)
    if lesson.is_roomed and soon:
        yield Task(
            title=_("进课堂：%(title)s") % {"title": lesson.title},
            url=_lesson_url(lesson, teaching=teaching),
            detail=lesson.training_class.name,
            due=lesson.starts_at,
            urgent=True,
            icon="broadcast",
            action=(_("进课堂") if lesson.state == LessonState.OPEN else _("去开课"))
            if teaching
            else _("去签到，进课堂"),
        )
    else:
        yield Task(
            title=_("下一节课：%(title)s") % {"title": lesson.title},
            url=reverse("classes:detail", args=[lesson.training_class_id]),
            detail=lesson.training_class.name,
            due=lesson.starts_at,
            icon="calendar-event",
            action=_("看课表"),
        )


def _trainee_steps(user: User) -> Iterable[Task]:
    for training_class in classes_filed_anew(user):
        yield Task(
            title=_("“%(name)s”正在办理变更备案") % {"name": training_class.name},
            url=reverse("classes:list"),
            detail=_("原来的课表不再有效，新课表审核通过以后会出现在您的首页。"),
            icon="calendar-event",
            action=_("看我的培训班"),
        )


def _lesson_url(lesson: Lesson, *, teaching: bool) -> str:
    """The room for staff, the sign-in for trainees; both belong to floors above, known here by name
    only.
    """
    return reverse("live:room" if teaching else "attendance:sign_in", args=[lesson.pk])


def _end_of(day: datetime.date) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time.max))
