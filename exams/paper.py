"""A sitting as its trainee may see it: arranged for them, with what they chose, never the answers."""

import datetime
from dataclasses import dataclass
from typing import Any

from accounts import editions
from exams.models import Attempt
from exams.states import AttemptState, QuestionKind
from policy.completion import judge_exam
from policy.findings import Finding


@dataclass(frozen=True, slots=True)
class ShownOption:
    """One option; `option` is its place in the paper, which is what an answer names."""

    option: int
    text: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class ShownQuestion:
    """One question; `question` is its place in the paper, `number` where it stands on this screen, from 1."""

    number: int
    question: int
    kind: str
    stem: str
    points: int
    options: tuple[ShownOption, ...]
    chosen: list[int]
    revision: int
    saved_at: datetime.datetime | None

    @property
    def is_multiple(self) -> bool:
        return self.kind == QuestionKind.MULTIPLE

    @property
    def kind_label(self) -> str:
        return str(QuestionKind(self.kind).label)


def shown_questions(attempt: Attempt) -> list[ShownQuestion]:
    """The questions of a sitting in this trainee's order; one query."""
    paper: list[dict[str, Any]] = attempt.exam.paper
    saved = {answer.question: answer for answer in attempt.answers.all()}
    shown = []
    for number, place in enumerate(attempt.arrangement, start=1):
        question, answer = paper[place["question"]], saved.get(place["question"])
        chosen = list(answer.chosen) if answer else []
        shown.append(
            ShownQuestion(
                number=number,
                question=place["question"],
                kind=question["kind"],
                stem=question["stem"],
                points=question["points"],
                options=tuple(
                    ShownOption(option, question["options"][option], option in chosen)
                    for option in place["options"]
                ),
                chosen=chosen,
                revision=answer.revision if answer else 0,
                saved_at=answer.saved_at if answer else None,
            )
        )
    return shown


def judged(attempt: Attempt) -> Finding | None:
    """Whether a paper that was handed in passes, by the class's edition; None while it is running."""
    if attempt.state != AttemptState.SUBMITTED:
        return None
    return judge_exam(editions.edition(attempt.exam.training_class.edition), attempt.hundredths)
