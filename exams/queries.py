"""Who has finished what."""

from dataclasses import dataclass

from accounts import editions
from attendance.models import Verdict
from classes.models import Enrolment, TrainingClass
from classes.states import EnrolmentState
from exams.models import Attempt, Submission
from exams.states import AttemptState
from policy.completion import CompletionDecision, judge_completion, judge_exam
from policy.findings import Finding


@dataclass(frozen=True, slots=True)
class Completion:
    """One trainee of a class: verdict, best sitting, and whether that makes a certificate (M11)."""

    enrolment: Enrolment
    verdict: Verdict | None
    attempt: Attempt | None
    exam: Finding | None
    decision: CompletionDecision

    @property
    def passed(self) -> bool:
        return self.decision.passed


def completions_of(training_class: TrainingClass, *, using: str = "default") -> list[Completion]:
    """Every active trainee of a class with what they have reached; four queries whatever their number.

    The best sitting counts: an edition that allows resits allows them to be better.
    """
    edition = editions.edition(training_class.edition)
    enrolments = list(
        Enrolment.objects.using(using)
        .filter(training_class=training_class, state=EnrolmentState.ACTIVE)
        .select_related("person", "verdict")
        .order_by("person__name_pinyin", "pk")
    )
    best: dict[int, Attempt] = {}
    for attempt in (
        Attempt.objects.using(using)
        .filter(exam__training_class=training_class, state=AttemptState.SUBMITTED)
        .select_related("exam")
        .order_by("points", "-number")
    ):
        best[attempt.enrolment_id] = attempt
    scores = {
        row["enrolment"]: row["score"]
        for row in Submission.objects.using(using)
        .filter(enrolment__training_class=training_class, score__isnull=False)
        .order_by("lesson__starts_at")
        .values("enrolment", "score")
    }
    completions = []
    for enrolment in enrolments:
        attempt_of = best.get(enrolment.pk)
        exam = judge_exam(edition, attempt_of.hundredths) if attempt_of else None
        verdict = getattr(enrolment, "verdict", None)
        outcome = scores.get(enrolment.pk)
        completions.append(
            Completion(
                enrolment=enrolment,
                verdict=verdict,
                attempt=attempt_of,
                exam=exam,
                decision=judge_completion(
                    edition,
                    exam_passed=exam is not None and exam.passed,
                    attendance_passed=verdict is not None and verdict.passed,
                    outcome_passed=None if outcome is None else judge_exam(edition, outcome).passed,
                ),
            )
        )
    return completions
