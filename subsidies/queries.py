"""From a yuan to a second: what a claim is made of, and what may go into one."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from accounts import editions
from attendance import credit
from attendance.credit import LessonCredit, LessonRanges, Range
from attendance.models import MICROSECONDS
from attendance.queries import TraineeCredit, credit_of_class, deducts
from audit.models import Entry
from audit.queries import entries_about
from audit.verification import verify_chain
from classes.models import Lesson, TrainingClass
from classes.states import LessonState
from policy.terms import HourKind, Mode
from policy.timetable import TimetableDecision, check_timetable
from subsidies.models import ClaimLine
from subsidies.states import ClaimState

# Held in the live room; the others are over when their time is over.
ROOMED = (HourKind.LIVE, HourKind.TUTORING, HourKind.QUALITY)


def delivered_hours_decision(training_class: TrainingClass, at: datetime.datetime) -> TimetableDecision:
    """Judge the hours that were really given: the plan binds at filing, delivery binds at the claim (ambiguity 3).

    A lesson of the live room counts when it was opened and closed, any other when its time is over.
    """
    hours = dict.fromkeys(HourKind, Fraction(0))
    for lesson in training_class.lessons.all():
        held = lesson.state == LessonState.CLOSED if lesson.kind in ROOMED else lesson.ends_at <= at
        if held:
            hours[HourKind(lesson.kind)] += Fraction(lesson.hours)
    return check_timetable(
        editions.edition(training_class.edition),
        course_type=training_class.course.course_type,
        mode=Mode(training_class.mode),
        hours=hours,
    )


def paid_before(training_class: TrainingClass, people: Iterable[int]) -> set[int]:
    """People who are on another claim for this course type already: paid once per type (ambiguity 8)."""
    return set(
        ClaimLine.objects.filter(
            enrolment__person_id__in=list(people),
            claim__training_class__course__course_type=training_class.course.course_type,
        )
        .exclude(claim__state=ClaimState.REJECTED)
        .exclude(claim__training_class=training_class)
        .values_list("enrolment__person_id", flat=True)
    )


@dataclass(frozen=True, slots=True)
class TracedInterval:
    """A stretch of credited time and its share of the whole, in microseconds."""

    number: int
    since: datetime.datetime
    until: datetime.datetime
    microseconds: int


@dataclass(frozen=True, slots=True)
class TracedLesson:
    """One lesson on the way from a line to its seconds."""

    lesson: Lesson
    credit: LessonCredit
    intervals: tuple[TracedInterval, ...]
    unproven: tuple[Range, ...]
    unsigned: tuple[Range, ...]
    absent: tuple[Range, ...]

    @property
    def capped_microseconds(self) -> int:
        """What the intervals hold beyond what the lesson is worth; nothing is paid for it."""
        return max(0, sum(interval.microseconds for interval in self.intervals) - self.credit.microseconds)


@dataclass(frozen=True, slots=True)
class Trace:
    """A claim line opened down to its intervals: amount → verdict → kinds → lessons → intervals → evidence."""

    line: ClaimLine
    credit: TraineeCredit
    lessons: tuple[TracedLesson, ...]

    @property
    def claim_sum(self) -> str:
        claim = self.line.claim
        return f"{claim.effective_trainees} × {claim.rate} = {claim.amount}"

    @property
    def is_same_as_verdict(self) -> bool:
        """Whether computing again gives what the frozen verdict says (M6)."""
        return self.credit.credited_microseconds == self.line.verdict.credited_microseconds

    def lesson(self, pk: int) -> TracedLesson | None:
        return next((traced for traced in self.lessons if traced.lesson.pk == pk), None)


def trace_of(line: ClaimLine, *, using: str = "default") -> Trace:
    """Open a line down to the seconds, computed afresh from the presence ledger. Four queries."""
    training_class = line.claim.training_class
    rules = editions.edition(training_class.edition)
    [trainee] = [
        row for row in credit_of_class(training_class, using=using) if row.enrolment_id == line.enrolment_id
    ]
    ranges = credit.trainee_ranges(
        training_class.pk,
        line.enrolment_id,
        lesson_hour=rules.lesson_hour_seconds,
        deduct=deducts(rules),
        using=using,
    )
    lessons = Lesson.objects.using(using).in_bulk([row.lesson_id for row in trainee.lessons])
    return Trace(
        line=line,
        credit=trainee,
        lessons=tuple(
            _traced(lessons[row.lesson_id], row, ranges[row.lesson_id]) for row in trainee.lessons
        ),
    )


def _traced(lesson: Lesson, row: LessonCredit, ranges: LessonRanges) -> TracedLesson:
    by_presence = row.kind in credit.BY_PRESENCE
    return TracedLesson(
        lesson=lesson,
        credit=row,
        intervals=tuple(
            TracedInterval(number, since, until, credit.microseconds_of([(since, until)]))
            for number, (since, until) in enumerate(ranges.credited, start=1)
        )
        if by_presence
        else (),
        unproven=ranges.unproven if by_presence else (),
        unsigned=ranges.unsigned if by_presence else (),
        absent=ranges.absent if by_presence else (),
    )


@dataclass(frozen=True, slots=True)
class TracedEvidence:
    """The entries behind one trainee's lesson, and whether the class's whole chain still verifies."""

    entries: tuple[Entry, ...]
    verified: bool
    faults: tuple[str, ...]


def evidence_of(line: ClaimLine, traced: TracedLesson) -> TracedEvidence:
    """Everything on record about this trainee in this lesson, with the chain verified now."""
    subject = f"{traced.lesson.subject}/person/{line.enrolment.person_id}"
    entries = list(entries_about(subject))
    if traced.credit.kind in credit.BY_HANDING_IN:
        entries += list(entries_about(line.enrolment.subject).filter(kind__in=("exam.submitted", "coursework.submitted")))
    found = verify_chain(line.claim.training_class.subject)
    return TracedEvidence(
        entries=tuple(sorted(entries, key=lambda entry: entry.seq)),
        verified=found.passed,
        faults=tuple(f"{fault.place} {fault.meaning}" for fault in found.faults),
    )


def seconds(microseconds: int) -> Decimal:
    """Microseconds as exact seconds."""
    return Decimal(microseconds) / MICROSECONDS
