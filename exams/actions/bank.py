"""The question bank a course begins with (P12)."""

from importlib import resources
from typing import Any

import yaml
from django.db import transaction

from courses.models import Course
from exams.models import Question
from exams.states import QuestionKind

POINTS = 5


def read_bank() -> dict[str, list[dict[str, Any]]]:
    """The shipped questions by course type; raises ValueError for one that could not be answered."""
    text = resources.files("exams").joinpath("question_bank.yaml").read_text(encoding="utf-8")
    bank: dict[str, list[dict[str, Any]]] = yaml.safe_load(text)
    for questions in bank.values():
        for question in questions:
            _check(question)
    return bank


def _check(question: dict[str, Any]) -> None:
    options, correct = question["options"], question["correct"]
    several = question["kind"] == QuestionKind.MULTIPLE
    if not (
        set(question) == {"kind", "stem", "options", "correct"}
        and question["kind"] in QuestionKind.values
        and all(isinstance(option, str) for option in options)
        and len(set(options)) == len(options) >= 2
        and correct == sorted(set(correct))
        and all(0 <= place < len(options) for place in correct)
        and (len(correct) > 1 if several else len(correct) == 1)
    ):
        raise ValueError(f"not a question: {question['stem']}")


def load_question_bank() -> int:
    """Give every course of a known type the shipped questions it lacks; returns how many were added."""
    bank = read_bank()
    added = 0
    with transaction.atomic():
        for course in Course.objects.select_for_update().filter(course_type__in=bank):
            known = set(course.questions.values_list("stem", flat=True))
            new = [
                Question(course=course, points=POINTS, **question)
                for question in bank[course.course_type]
                if question["stem"] not in known
            ]
            Question.objects.bulk_create(new)
            added += len(new)
    return added
