"""Figures for those who supervise: the same rows and the same queries that institutions and officers see."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum

from accounts.models import Bureau
from accounts.registers.models import Measure
from accounts.registers.permissions import lecturers_of
from attendance.models import Verdict
from classes.models import Enrolment, TrainingClass
from classes.states import EnrolmentState
from exams.models import Attempt, Certificate
from exams.states import AttemptState, CertificateState
from subsidies.reconciliation import count_of_other_amounts
from supervision.permissions import (
    ALIAS,
    claims_supervised_by,
    classes_supervised_by,
    institutions_supervised_by,
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a bureau's region comes to (P23–P25); `credited_microseconds` and `credited_seconds` are exact."""

    classes: int
    running: int
    trainees: int
    verdicts: int
    attendance_passed: int
    credited_microseconds: int
    sat: int
    certificates: int
    claims: int
    claimed: Decimal
    decided: Decimal
    claims_differing: int  # whose amount is not the one on record

    @property
    def credited_seconds(self) -> int:
        return self.credited_microseconds // 1_000_000


def figures_of(bureau: Bureau) -> Figures:
    """The figures of a bureau's region; seven queries, all over the read-only login."""
    classes = classes_supervised_by(bureau).order_by()
    inside = Q(enrolment__training_class__in=classes)
    by_state = classes.aggregate(total=Count("pk"), running=Count("pk", filter=Q(state="running")))
    verdicts = (
        Verdict.objects.using(ALIAS)
        .filter(inside)
        .aggregate(
            total=Count("pk"),
            passed=Count("pk", filter=Q(passed=True)),
            credited=Sum("credited_microseconds"),
        )
    )
    claims = claims_supervised_by(bureau).aggregate(
        total=Count("pk"), claimed=Sum("amount"), decided=Sum("decided_amount")
    )
    return Figures(
        classes=by_state["total"],
        running=by_state["running"],
        trainees=Enrolment.objects.using(ALIAS)
        .filter(training_class__in=classes, state=EnrolmentState.ACTIVE)
        .count(),
        verdicts=verdicts["total"],
        attendance_passed=verdicts["passed"],
        credited_microseconds=verdicts["credited"] or 0,
        sat=Attempt.objects.using(ALIAS)
        .filter(inside, state=AttemptState.SUBMITTED)
        .values("enrolment")
        .distinct()
        .count(),
        certificates=Certificate.objects.using(ALIAS).filter(inside, state=CertificateState.VALID).count(),
        claims=claims["total"],
        claimed=claims["claimed"] or Decimal(0),
        decided=claims["decided"] or Decimal(0),
        claims_differing=count_of_other_amounts(claims_supervised_by(bureau)),
    )


def class_table(bureau: Bureau, *, search: str = "", state: str = "") -> QuerySet[TrainingClass]:
    """One row per class with its counts; one query whatever the number of classes on the page."""
    rows = classes_supervised_by(bureau)
    if search:
        rows = rows.filter(
            Q(name__icontains=search)
            | Q(institution__name__icontains=search)
            | Q(lecturer__name__icontains=search)
        )
    if state:
        rows = rows.filter(state=state)
    return rows.annotate(
        trainees=Count("enrolments", filter=Q(enrolments__state=EnrolmentState.ACTIVE), distinct=True),
        passed=Count("enrolments__verdict", filter=Q(enrolments__verdict__passed=True), distinct=True),
        certified=Count("enrolments__certificate", distinct=True),
    ).order_by("-starts_on", "-pk")


def measures_of(bureau: Bureau) -> QuerySet[Measure]:
    """Every measure against the region's institutions and lecturers, the newest first, lifted ones too."""
    institutions = institutions_supervised_by(bureau)
    return (
        Measure.objects.using(ALIAS)
        .filter(
            Q(institution__in=institutions.order_by().values("pk"))
            | Q(person__in=lecturers_of(institutions).order_by().values("pk"))
        )
        .select_related("bureau")
        .order_by("-ordered_at", "-pk")
    )
