"""What may go into a claim, what the public may read of one, and what waits for whom."""

import datetime
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from django.db.models import Case, Count, F, IntegerField, Min, Q, QuerySet, Value, When
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import editions
from accounts.models import User
from accounts.start import Task
from accounts.states import Role
from attendance.models import Verdict
from audit.actions import legal_day
from audit.models import Entry
from audit.queries import entries_about
from audit.reconciliation import differences
from classes.models import Enrolment, TrainingClass
from classes.queries import before_approval
from classes.states import LessonState
from exams.models import Certificate
from exams.queries import completions_of
from exams.states import CertificateState
from policy.terms import HourKind, Mode
from policy.timetable import TimetableDecision, check_timetable
from subsidies.models import Claim, ClaimLine, Objection, PublicNotice
from subsidies.permissions import claims_visible_to, classes_to_claim
from subsidies.states import ClaimState, ObjectionState
from subsidies.trace import evidence_of, trace_of

__all__ = [
    "EffectiveTrainee",
    "Step",
    "claim_list",
    "delivered_hours_decision",
    "differing",
    "effective_trainees_of",
    "evidence_of",
    "history_of",
    "is_over",
    "lines_of",
    "next_steps_for",
    "notice_list",
    "objections_of",
    "paid_before",
    "takes_objections",
    "trace_of",
]


@dataclass(frozen=True, slots=True)
class EffectiveTrainee:
    """One of the 有效培训人数: who they are and what makes them one (Q4)."""

    enrolment: Enrolment
    verdict: Verdict
    certificate: Certificate


def effective_trainees_of(training_class: TrainingClass) -> list[EffectiveTrainee]:
    """Who may be claimed for, by name: passed both, holds a certificate that stands, was not claimed before.

    Seven queries, however many trainees.
    """
    completions = completions_of(training_class)
    certificates = {
        certificate.enrolment_id: certificate
        for certificate in Certificate.objects.filter(
            enrolment__training_class=training_class, state=CertificateState.VALID
        )
    }
    earlier = paid_before(training_class, [one.enrolment.person_id for one in completions])
    return [
        EffectiveTrainee(one.enrolment, one.verdict, certificates[one.enrolment.pk])
        for one in completions
        if one.passed
        and one.verdict is not None
        and one.enrolment.pk in certificates
        and one.enrolment.person_id not in earlier
    ]


def paid_before(training_class: TrainingClass, people: Iterable[int]) -> set[int]:
    """People for whom this course type was claimed in another class: paid once per type (ambiguity 8).

    A claim counts from its submission; a draft, a rejected claim and a line that was left out do not.
    """
    return set(
        ClaimLine.objects.filter(
            enrolment__person_id__in=list(people),
            claim__training_class__course__course_type=training_class.course.course_type,
            claim__submitted_at__isnull=False,
        )
        .exclude(claim__state=ClaimState.REJECTED)
        .exclude(decided_amount=0)
        .exclude(claim__training_class=training_class)
        .values_list("enrolment__person_id", flat=True)
    )


def delivered_hours_decision(training_class: TrainingClass, at: datetime.datetime) -> TimetableDecision:
    """Judge the hours that were really given: the plan binds at filing, delivery at the claim (ambiguity 3).

    A lesson of the live room counts when it was opened and closed, any other when its time is over; one
    offline whose hour came before the approval was applied does not (F9).
    """
    unlawful = {lesson.pk for lesson in before_approval(training_class)}
    hours = dict.fromkeys(HourKind, Fraction(0))
    for lesson in training_class.lessons.all():
        over = lesson.ends_at <= at and lesson.pk not in unlawful
        held = lesson.state == LessonState.CLOSED if lesson.is_roomed else over
        if held:
            hours[HourKind(lesson.kind)] += Fraction(lesson.hours)
    return check_timetable(
        editions.edition(training_class.edition),
        course_type=training_class.course.course_type,
        mode=Mode(training_class.mode),
        hours=hours,
    )


# --- lists ---


def claim_list(user: User, *, search: str = "", state: str = "") -> QuerySet[Claim]:
    """The claims a person sees: what waits for the office first, the longest wait on top, then the newest."""
    claims = claims_visible_to(user)
    if search:
        claims = claims.filter(
            Q(number__icontains=search)
            | Q(training_class__name__icontains=search)
            | Q(institution__name__icontains=search)
        )
    if state:
        claims = claims.filter(state=state)
    waits = Case(
        When(state=ClaimState.SUBMITTED, then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    waiting_since = Case(When(state=ClaimState.SUBMITTED, then=F("submitted_at")))
    return claims.annotate(
        waits=waits,
        waiting_since=waiting_since,
        open_objections=Count("notice__objections", filter=Q(notice__objections__state=ObjectionState.OPEN)),
    ).order_by("waits", F("waiting_since").asc(nulls_last=True), "-created_at", "-pk")


def lines_of(claim: Claim) -> QuerySet[ClaimLine]:
    """A claim's lines with all that a row shows."""
    return claim.lines.select_related("enrolment__person", "verdict", "certificate__attempt__exam").order_by(
        "n"
    )


def differing(claim: Claim) -> list[str]:
    """What of a claim and its class the log does not bear out, by name and each once, for the public.

    Whose row it is and what it says may tell of a trainee, so it stays with those who may see the claim. As
    many queries as the comparison itself.
    """
    return list(dict.fromkeys(str(found.what) for found in differences(claim.training_class.subject)))


def objections_of(notice: PublicNotice) -> QuerySet[Objection]:
    """The objections to a notice, the first lodged first."""
    return notice.objections.select_related("line", "answered_by__person").order_by("lodged_at", "pk")


def notice_list(*, search: str = "") -> QuerySet[PublicNotice]:
    """Every public notice, the newest first."""
    notices = PublicNotice.objects.select_related(
        "claim__training_class__course", "claim__institution__region"
    ).order_by("-first_day", "-pk")
    if search:
        notices = notices.filter(
            Q(claim__training_class__name__icontains=search)
            | Q(claim__institution__name__icontains=search)
            | Q(claim__number__icontains=search)
        )
    return notices


def takes_objections(notice: PublicNotice, now: datetime.datetime) -> bool:
    """Whether the public may still object."""
    days = editions.edition(notice.claim.edition).whole("public_notice_days")
    return notice.claim.state == ClaimState.NOTICED and (not days or legal_day(now) <= notice.last_day)


def is_over(notice: PublicNotice, now: datetime.datetime) -> bool:
    """Whether the time of the notice has passed, so that the claim may be decided."""
    days = editions.edition(notice.claim.edition).whole("public_notice_days")
    return not days or legal_day(now) > notice.last_day


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a claim's history: what, when, by whom, and the words that only a row holds."""

    entry: Entry
    actor: str
    words: str = ""

    @property
    def tone(self) -> str:
        if self.entry.kind == "claim.returned" or (
            self.entry.kind == "claim.decided" and not self.entry.facts.get("approved")
        ):
            return "bad"
        return "done" if self.entry.kind == "claim.decided" else ""


def history_of(claim: Claim, *, limit: int = 40, downloads: bool = False) -> list[Step]:
    """What was done about a claim, the latest first, read from the evidence log (办理经过). Three queries.

    Downloads are told apart, so that many of them never push a decision out of sight.
    """
    taken = Q(kind__in=["claim.export_downloaded", "claim.dossier_made"])
    entries = list(
        entries_about(claim.subject).filter(taken if downloads else ~taken).order_by("-seq")[:limit]
    )
    actors = User.objects.select_related("person").in_bulk({e.actor_id for e in entries if e.actor_id})
    words = dict(claim.remarks.values_list("seq", "text"))
    return [
        Step(
            entry,
            str(actors.get(entry.actor_id) or "") if entry.actor_id else "",
            words.get(entry.seq, ""),
        )
        for entry in entries
    ]


# --- what a person should do next ---


def next_steps_for(user: User, now: datetime.datetime) -> Iterator[Task]:
    """What this app asks of a person on their start page: managers and officers."""
    if user.has_role(Role.MANAGER):
        yield from _manager_steps(user)
    if user.has_role(Role.OFFICER):
        yield from _officer_steps(user, now)


def _manager_steps(user: User) -> Iterator[Task]:
    for training_class in classes_to_claim(user)[:3]:
        yield Task(
            title=_("给“%(name)s”拟制补贴申请") % {"name": training_class.name},
            url=reverse("subsidies:list"),
            detail=_("已结班，明细由平台按考勤和考试算出"),
            icon="coin-yuan",
            action=_("去拟制"),
        )
    own = claims_visible_to(user).filter(state__in=[ClaimState.DRAFT, ClaimState.RETURNED])
    for claim in own.order_by("created_at")[:3]:
        returned = claim.state == ClaimState.RETURNED
        title = _("改好“%(name)s”的补贴申请，重新提交") if returned else _("提交“%(name)s”的补贴申请")
        yield Task(
            title=title % {"name": claim.training_class.name},
            url=reverse("subsidies:claim", args=[claim.pk]),
            detail=_("经办人员退回补正，理由在申请页") if returned else "",
            urgent=returned,
            icon="edit" if returned else "send",
            action=_("去改") if returned else _("去提交"),
        )


def _officer_steps(user: User, now: datetime.datetime) -> Iterator[Task]:
    claims = claims_visible_to(user)
    waiting = claims.filter(state=ClaimState.SUBMITTED).aggregate(
        count=Count("pk"), first=Min("submitted_at")
    )
    if waiting["count"]:
        yield Task(
            title=ngettext("%(n)s 件补贴申请等您受理", "%(n)s 件补贴申请等您受理", waiting["count"])
            % {"n": waiting["count"]},
            url=f"{reverse('subsidies:list')}?state={ClaimState.SUBMITTED}",
            detail=_("最早一件提交于 %(day)s") % {"day": date_format(legal_day(waiting["first"]))},
            icon="coin-yuan",
            action=_("去受理"),
            urgent=True,
        )
    noticed = claims.filter(state=ClaimState.NOTICED)
    objections = Objection.objects.filter(
        notice__claim__in=noticed.order_by(), state=ObjectionState.OPEN
    ).count()
    if objections:
        yield Task(
            title=ngettext("%(n)s 件公示异议等您答复", "%(n)s 件公示异议等您答复", objections)
            % {"n": objections},
            url=f"{reverse('subsidies:list')}?state={ClaimState.NOTICED}",
            detail=_("答复前不能核定"),
            icon="message-2",
            action=_("去答复"),
            urgent=True,
        )
    over = noticed.filter(notice__last_day__lt=legal_day(now)).count()
    if over:
        yield Task(
            title=ngettext("%(n)s 件公示已到期，可以核定", "%(n)s 件公示已到期，可以核定", over)
            % {"n": over},
            url=f"{reverse('subsidies:list')}?state={ClaimState.NOTICED}",
            icon="rubber-stamp",
            action=_("去核定"),
        )
