"""The paper and the answers of a sitting held against the log, before they are marked.

What is saved while somebody answers enters the log as a digest under the sitting's salt: a row changed past
the log, before or after the handing in, no longer meets its entry (docs/decisions/0014).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import rfc8785
from django.db.models import Q
from django.utils.translation import gettext_noop

from audit.canonical import moment
from audit.models import Entry
from exams.models import Attempt, AttemptAnswer, Exam
from policy.refusals import Refusal

# Refusals of a sitting whose rows the log does not bear out.
DIFFERS = frozenset({"exam_paper_differs", "exam_answers_differ"})


def paper_digest(paper: Sequence[Mapping[str, Any]]) -> str:
    """What the log keeps of a paper."""
    return hashlib.sha256(rfc8785.dumps(list(paper))).hexdigest()


def answers_digest(chosen: Mapping[int, Sequence[int]]) -> str:
    """What the log keeps of all answers that were handed in, by their place in the paper."""
    answers: list[Any] = [[place, list(chosen[place])] for place in sorted(chosen)]
    return hashlib.sha256(rfc8785.dumps(answers)).hexdigest()


def salt_digest(salt: str) -> str:
    """What the log keeps of a sitting's salt: with another salt every saved answer would still differ."""
    return hashlib.sha256(salt.encode()).hexdigest()


def answer_digest(answer: AttemptAnswer, *, salt: str) -> str:
    """What the log keeps of one saved answer. `exams.reconciliation` computes the same in SQL."""
    chosen = json.dumps(answer.chosen)
    told = f"{salt}/{answer.attempt_id}/{answer.question}/{answer.revision}/{chosen}"
    return hashlib.sha256(told.encode()).hexdigest()


def is_paper_on_record(exam: Exam) -> bool:
    """Whether paper, points and time are those that were last set. One query."""
    entry = Entry.objects.filter(_setting_of(exam)).order_by("seq").last()
    return entry is not None and _is_as_set(exam, entry)


def require_paper_on_record(exam: Exam) -> None:
    """Let nobody sit a paper other than the one that was set; raises Refusal `exam_paper_differs`."""
    if not is_paper_on_record(exam):
        raise _paper_differs()


def require_sitting_on_record(attempt: Attempt, answers: Sequence[AttemptAnswer]) -> None:
    """Let nothing be marked but the paper that was set and what was saved, in the time that was given.

    Raises Refusal `exam_paper_differs`, `exam_answers_differ`. One query.
    """
    saves = Q(
        subject=attempt.enrolment.subject,
        kind__in=("exam.started", "exam.answered"),
        facts__attempt=attempt.pk,
    )
    # The newest of each: the paper may have been set again, an answer changed.
    newest: dict[tuple[str, int | None], Entry] = {
        (entry.kind, entry.facts.get("question")): entry
        for entry in Entry.objects.filter(_setting_of(attempt.exam) | saves).order_by("seq")
    }
    setting = newest.get(("exam.set", None))
    if setting is None or not _is_as_set(attempt.exam, setting):
        raise _paper_differs()
    started = newest.get(("exam.started", None))
    if started is None or started.facts["deadline"] != moment(attempt.deadline_at):
        raise _answers_differ([])
    salt = started.facts.get("salt")
    if salt is None:  # begun before each save went on record
        return
    said = {
        place: entry.facts["answer"] for (kind, place), entry in newest.items() if kind == "exam.answered"
    }
    now = {answer.question: answer_digest(answer, salt=attempt.salt) for answer in answers}
    differ = sorted(
        place + 1 for place in {*said, *now} if place is not None and said.get(place) != now.get(place)
    )
    if differ or salt != salt_digest(attempt.salt):
        raise _answers_differ(differ)


def _setting_of(exam: Exam) -> Q:
    return Q(subject=f"class/{exam.training_class_id}", kind="exam.set", facts__exam=exam.pk)


def _is_as_set(exam: Exam, entry: Entry) -> bool:
    seconds = entry.facts.get("seconds")  # not there in entries from before it was kept
    return (
        entry.facts["paper"] == paper_digest(exam.paper)
        and entry.facts["points"] == exam.total_points
        and seconds in (None, exam.seconds_allowed)
    )


def _paper_differs() -> Refusal:
    return Refusal(
        "exam_paper_differs",
        gettext_noop("试卷和设置时的留痕不一致，先不能答卷和评分。"),
        found=False,
        required=True,
        rule="P10",
        next_step=gettext_noop("请联系平台运营核对留痕。已经保存的答案会保留。"),
    )


def _answers_differ(questions: Sequence[int]) -> Refusal:
    """`questions` are numbers in the paper, from 1; none where the sitting itself is not as it was begun."""
    return Refusal(
        "exam_answers_differ",
        gettext_noop("保存的答案和留痕不一致，先不能评分。"),
        found=len(questions) or None,
        required=0 if questions else None,
        rule="P10",
        next_step=gettext_noop("请联系平台运营核对留痕。已经保存的答案会保留。"),
        details={"questions": list(questions)},
    )
