"""The screening tool as data: one dated questionnaire per course type, scored exactly (F4-F6).

`judge(questionnaire, answers)` is a pure function: points are whole numbers, the first rule that fits
decides, and the result says which stage, what the person needs to learn, and which course type fits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from policy.messages import gettext_noop
from policy.refusals import Refusal
from policy.terms import GYB


@dataclass(frozen=True, slots=True)
class Option:
    id: str
    text: str
    points: int
    need: str


@dataclass(frozen=True, slots=True)
class Question:
    id: str
    dimension: str
    text: str
    options: tuple[Option, ...]

    def option(self, wanted: str) -> Option | None:
        return next((option for option in self.options if option.id == wanted), None)


@dataclass(frozen=True, slots=True)
class Rule:
    """Fits when the score reaches `at_least` and every named question was answered in one of the ways."""

    stage: str
    because: str
    at_least: int
    answers: Mapping[str, tuple[str, ...]]

    def fits(self, score: int, answers: Mapping[str, str]) -> bool:
        return score >= self.at_least and all(
            answers.get(question) in accepted for question, accepted in self.answers.items()
        )


@dataclass(frozen=True, slots=True)
class Questionnaire:
    version: str
    course_type: str
    title: str
    introduction: str
    source: str
    questions: tuple[Question, ...]
    rules: tuple[Rule, ...]
    suggests: Mapping[str, str]

    @property
    def most(self) -> int:
        """The highest score that can be reached."""
        return sum(max(option.points for option in question.options) for question in self.questions)


@dataclass(frozen=True, slots=True)
class Result:
    """What the answers come to. `course_type` is empty where no course fits yet."""

    score: int
    most: int
    stage: str
    because: str
    needs: tuple[str, ...]
    course_type: str


def judge(questionnaire: Questionnaire, answers: Mapping[str, str]) -> Result:
    """Score a whole set of answers ({question: option}) and classify it.

    Raises Refusal (400): `answers_missing` (found and required count questions), `answer_unknown`.
    """
    missing = [question for question in questionnaire.questions if not answers.get(question.id)]
    if missing:
        raise Refusal(
            "answers_missing",
            gettext_noop("还有 %(count)s 题没有选。"),
            found=len(questionnaire.questions) - len(missing),
            required=len(questionnaire.questions),
            rule="F4",
            params={"count": len(missing)},
            next_step=gettext_noop("请把没有选的题选好，再提交。"),
            status=400,
            details={"missing": [question.id for question in missing]},
        )
    chosen = []
    for question in questionnaire.questions:
        option = question.option(answers[question.id])
        if option is None:
            raise Refusal(
                "answer_unknown",
                gettext_noop("有一题选的不在选项里。"),
                found=str(answers[question.id])[:40],
                required=[known.id for known in question.options],
                rule="F4",
                next_step=gettext_noop("请重新打开问卷，从选项里选。"),
                status=400,
                details={"question": question.id},
            )
        chosen.append(option)
    score = sum(option.points for option in chosen)
    rule = next(rule for rule in questionnaire.rules if rule.fits(score, answers))
    return Result(
        score=score,
        most=questionnaire.most,
        stage=rule.stage,
        because=rule.because,
        needs=tuple(dict.fromkeys(option.need for option in chosen if option.need)),
        course_type=questionnaire.suggests[rule.stage],
    )


def for_course(course_type: str) -> Questionnaire:
    """The newest questionnaire of a course type; a type without one of its own uses that of GYB."""
    own = [each for each in _all().values() if each.course_type == course_type]
    return max(own, key=lambda each: each.version) if own else for_course(GYB)


def questionnaire(version: str) -> Questionnaire:
    """A published questionnaire by its version; raises KeyError for an unknown one."""
    return _all()[version]


@lru_cache(maxsize=1)
def _all() -> dict[str, Questionnaire]:
    files = [file for file in resources.files(__name__).iterdir() if file.name.endswith(".yaml")]
    loaded = [load(file.read_text(encoding="utf-8")) for file in files]
    return {each.version: each for each in loaded}


def load(source: str) -> Questionnaire:
    """Read one questionnaire; raises ValueError where its last rule does not always fit."""
    data: dict[str, Any] = yaml.safe_load(source)
    rules = tuple(
        Rule(
            stage=rule["stage"],
            because=rule["because"],
            at_least=rule.get("at_least", 0),
            answers={key: tuple(ways) for key, ways in rule.get("answers", {}).items()},
        )
        for rule in data["rules"]
    )
    if rules[-1].at_least or rules[-1].answers:
        raise ValueError(f"{data['version']}: the last rule has to fit everybody")
    return Questionnaire(
        version=data["version"],
        course_type=data["course_type"],
        title=data["title"],
        introduction=data["introduction"],
        source=data["source"],
        questions=tuple(
            Question(
                id=question["id"],
                dimension=question["dimension"],
                text=question["text"],
                options=tuple(
                    Option(option["id"], option["text"], option["points"], option.get("need", ""))
                    for option in question["options"]
                ),
            )
            for question in data["questions"]
        ),
        rules=rules,
        suggests=data["suggests"],
    )
