"""A class with two lessons, and short ways to be in their rooms."""

import datetime
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.actions import grant_role
from accounts.models import User
from accounts.states import Role
from classes.live import actions
from classes.live.models import OpenPresence
from classes.live.permissions import room_role
from classes.live.states import RoomRole
from classes.live.unwritten import Beat
from classes.models import Enrolment, Lesson, TrainingClass
from classes.states import ClassState, LessonState
from config.demo.cast import Cast
from courses.models import Course
from courses.states import Origin

HOUR = datetime.timedelta(hours=1)
SECOND = datetime.timedelta(seconds=1)


@dataclass
class School:
    """One running class of the first school: its trainees are the cast's learner and two classmates."""

    cast: Cast
    training_class: TrainingClass
    mates: list[User]  # two who learn with the cast's learner

    @property
    def trainees(self) -> list[User]:
        return [self.cast.learner, *self.mates]

    def lesson(
        self,
        starts_at: datetime.datetime,
        *,
        state: str = LessonState.OPEN,
        training_class: TrainingClass | None = None,
        kind: str = "live",
    ) -> Lesson:
        return Lesson.objects.create(
            training_class=training_class or self.training_class,
            starts_at=starts_at,
            ends_at=starts_at + 3 * HOUR,
            kind=kind,
            hours=Decimal(4),
            title="评价你的创业想法",
            state=state,
            opened_at=None if state == LessonState.PLANNED else starts_at,
            closed_at=starts_at + HOUR if state == LessonState.CLOSED else None,
        )

    def enrol(self, user: User, training_class: TrainingClass | None = None) -> Enrolment:
        assert user.person is not None
        return Enrolment.objects.create(
            training_class=training_class or self.training_class,
            person=user.person,
            category="rural_worker",
            commitment_salt_sealed=b"salt",
        )

    def another_class(self, name: str = "2026 年第 7 期创业意识培训班") -> TrainingClass:
        return make_class(self.cast, name, self.training_class.course)


def make_class(cast: Cast, name: str, course: Course) -> TrainingClass:
    return TrainingClass.objects.create(
        institution=cast.school,
        course=course,
        name=name,
        mode="full_live",
        edition="demo",
        starts_on=datetime.date(2026, 9, 7),
        ends_on=datetime.date(2026, 9, 13),
        lecturer=cast.trainer.person,
        assistant=cast.assistant.person,
        state=ClassState.RUNNING,
        created_by=cast.manager,
    )


@pytest.fixture
def school(cast: Cast) -> School:
    with transaction.atomic():
        course = Course.objects.create(
            name="GYB 创业意识培训（直播）", course_type="GYB", origin=Origin.CONVERTED
        )
        mates = [User.objects.create_user(f"mate{n}", person=cast.trainees(3)[n]) for n in (1, 2)]
        for user in mates:
            grant_role(user=user, role=Role.TRAINEE, institution=None, bureau=None)
        made = School(cast, make_class(cast, "2026 年第 6 期创业意识培训班", course), mates)
        for user in made.trainees:
            made.enrol(user)
    return made


@pytest.fixture
def lesson(school: School, now: datetime.datetime) -> Lesson:
    """An open lesson that began at `now`."""
    return school.lesson(now)


def enter(user: User, lesson: Lesson, at: datetime.datetime, device: str = "") -> OpenPresence:
    return actions.open_presence(actor=user, lesson=lesson, connection=uuid.uuid4(), at=at, device=device)


def seat(user: User, lesson: Lesson, at: datetime.datetime) -> None:
    """Have this trainee in the room without an event of it, for tests that count events."""
    person = user.person
    if room_role(user, lesson) != RoomRole.TRAINEE or person is None:
        return
    if not OpenPresence.objects.filter(person=person, lesson=lesson).exists():
        OpenPresence.objects.update_or_create(
            person=person,
            defaults={
                "lesson": lesson,
                "connection": uuid.uuid4(),
                "started_at": at,
                "last_seen_at": at,
            },
        )


def beat(presence: OpenPresence, *moments: datetime.datetime) -> None:
    """The server heard this connection at these moments and wrote each."""
    for moment in moments:
        heard = OpenPresence.objects.get(connection=presence.connection).heartbeats + 1
        assert actions.record_heartbeats([Beat(presence.connection, moment, heard)]) == {presence.connection}


def at_once(*steps: Callable[[], Any]) -> list[Any]:
    """Run each step in a thread with its own connection, all let go together; return what came of each."""
    gate = threading.Barrier(len(steps))
    results: list[Any] = [None] * len(steps)

    def run(number: int, step: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            gate.wait(timeout=10)
            results[number] = step()
        except Exception as error:  # noqa: BLE001  (the test judges it)
            results[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(steps)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
        assert not thread.is_alive(), "two transactions wait for each other"
    return results
