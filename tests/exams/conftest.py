"""A small class with one live lesson of 4 课时 and an exam of 1: the live lesson alone is exactly 80 %."""

import datetime
from dataclasses import dataclass
from typing import Any

import pytest

from accounts.models import Person, User
from classes.models import Enrolment, Lesson, TrainingClass
from classes.states import LessonState
from exams.actions.attempts import save_answer, start_attempt, submit_attempt
from exams.actions.certificates import conclude_class
from exams.actions.papers import set_exam
from exams.models import Attempt, Certificate, Exam, Question
from tests.attendance.conftest import Room, clock, enrolled, room

START, END = clock("14:00"), clock("14:45")
OVER = clock("18:00")


@dataclass
class School:
    """The class, its exam, and short words for what its people do."""

    room: Room
    live: Lesson
    lesson: Lesson
    exam: Exam

    @property
    def training_class(self) -> TrainingClass:
        return self.room.training_class

    def trainee(self, person: Person) -> User:
        """The person's account, on the roster of the class."""
        user, _created = User.objects.get_or_create(
            person=person, defaults={"username": f"trainee{person.pk}"}
        )
        if not Enrolment.objects.filter(training_class=self.training_class, person=person).exists():
            self.room.enrol(person)
        return user

    def enrolment(self, user: User) -> Enrolment:
        return Enrolment.objects.get(training_class=self.training_class, person=user.person)

    def attends(self, user: User) -> None:
        self.room.signed_in(self.enrolment(user), self.live, self.live.starts_at)
        self.room.seen(self.enrolment(user), self.live, (self.live.starts_at, self.live.ends_at))

    def starts(self, user: User, at: datetime.datetime = START) -> Attempt:
        return start_attempt(actor=user, exam=self.exam, at=at)

    def sits(self, user: User, *, right: bool = True, at: datetime.datetime = START) -> Attempt:
        attempt = self.starts(user, at)
        for place, question in enumerate(self.exam.paper):
            correct = question["correct"]
            chosen = correct if right else [(correct[0] + 1) % len(question["options"])]
            save_answer(actor=user, attempt=attempt, question=place, chosen=chosen, revision=1, at=at)
        return submit_attempt(actor=user, attempt=attempt, at=at + datetime.timedelta(minutes=5))

    def concludes(self, at: datetime.datetime = OVER) -> list[Certificate]:
        return conclude_class(actor=self.room.cast.manager, training_class=self.training_class, at=at)


def add_questions(training_class: TrainingClass) -> None:
    rows: list[dict[str, Any]] = [
        {
            "kind": "single",
            "stem": "一碗面卖 15 元，成本 11.4 元，赚多少？",
            "options": ["3.6 元", "4.6 元", "15 元"],
            "correct": [0],
            "points": 5,
        },
        {
            "kind": "multiple",
            "stem": "下面哪些是变动成本？",
            "options": ["食材", "包装盒", "房租"],
            "correct": [0, 1],
            "points": 10,
        },
        {
            "kind": "judgement",
            "stem": "利润等于收入减成本。",
            "options": ["对", "错"],
            "correct": [0],
            "points": 5,
        },
    ]
    for row in rows:
        Question.objects.create(course=training_class.course, **row)


@pytest.fixture
def school(room: Room) -> School:
    add_questions(room.training_class)
    return school_in(room)


def school_in(room: Room) -> School:
    """The lessons of the class, and its exam."""
    live = room.lesson("08:30", "11:30", hours="4")
    lesson = room.lesson("14:00", "14:45", hours="1", kind="exam", state=LessonState.PLANNED)
    exam = set_exam(
        actor=room.cast.trainer, training_class=room.training_class, lesson=lesson, at=clock("08:00")
    )
    return School(room, live, lesson, exam)


__all__ = ["END", "OVER", "START", "School", "add_questions", "clock", "enrolled", "room", "school_in"]
