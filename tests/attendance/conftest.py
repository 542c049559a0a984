"""A running class to sign in to: 2026-6, GYB, 24 课时 of 45 minutes, as in the story of the mockups."""

import datetime
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import pytest

from accounts.models import Person
from attendance.models import Check, CheckAnswer, CheckTarget, SignIn
from attendance.states import CheckKind, SignInMethod, SignInState
from classes.live.actions.events import person_subject
from classes.live.models import OpenPresence, PresenceInterval
from classes.live.states import Closing
from classes.models import Enrolment, Lesson, TrainingClass
from classes.states import ClassState, LessonState
from config.demo.cast import Cast
from courses.models import Course
from courses.states import Origin
from identity.actions import enrol_face, give_consent
from identity.models import FaceTemplate
from tests.cast import SHANGHAI
from tests.identity.conftest import shown_text
from tests.identity.pictures import burst
from tests.on_record import (
    class_on_record,
    enrol_on_record,
    held_on_record,
    record,
    timetable_on_record,
)

DAY = datetime.date(2026, 9, 7)


def clock(text: str, day: datetime.date = DAY) -> datetime.datetime:
    """`08:30` or `08:30:00.5` of a day in Henan."""
    return datetime.datetime.combine(day, datetime.time.fromisoformat(text), SHANGHAI)


@dataclass
class Room:
    """A class with its people, and short words for what happened in it."""

    training_class: TrainingClass
    cast: Cast

    def enrol(self, person: Person) -> Enrolment:
        return enrol_on_record(self.training_class, person)

    @property
    def learner(self) -> Enrolment:
        return Enrolment.objects.get(training_class=self.training_class, person=self.cast.learner.person)

    def lesson(
        self,
        starts: str | datetime.datetime,
        ends: str | datetime.datetime,
        *,
        hours: str | Decimal = "4",
        kind: str = "live",
        state: str = LessonState.CLOSED,
    ) -> Lesson:
        starts_at = clock(starts) if isinstance(starts, str) else starts
        ends_at = clock(ends) if isinstance(ends, str) else ends
        lesson = Lesson.objects.create(
            training_class=self.training_class,
            starts_at=starts_at,
            ends_at=ends_at,
            kind=kind,
            hours=Decimal(hours),
            title="评价你的创业想法",
            state=state,
            opened_at=None if state == LessonState.PLANNED else starts_at,
            closed_at=ends_at if state == LessonState.CLOSED else None,
        )
        timetable_on_record(self.training_class)
        held_on_record(lesson)
        return lesson

    def seen(
        self, enrolment: Enrolment, lesson: Lesson, *stretches: tuple[datetime.datetime, datetime.datetime]
    ) -> None:
        """The server saw this trainee in the room from … to …; closed intervals of the ledger."""
        for since, until in stretches:
            connection = uuid.uuid4()
            PresenceInterval.objects.create(
                person_id=enrolment.person_id,
                lesson=lesson,
                during=(since, until),
                heartbeats=1,
                closing=Closing.SILENT,
                connection=connection,
            )
            record(
                "presence.closed",
                person_subject(lesson, enrolment.person_id),
                until,
                connection=str(connection),
                started_at=since,
                last_seen_at=until,
                heartbeats=1,
                longest_gap_ms=0,
                closing=Closing.SILENT,
            )

    def enters(
        self, enrolment: Enrolment, lesson: Lesson, since: datetime.datetime, until: datetime.datetime
    ) -> None:
        """The trainee is in the room, last seen at `until`."""
        OpenPresence.objects.create(
            person_id=enrolment.person_id,
            lesson=lesson,
            connection=uuid.uuid4(),
            started_at=since,
            last_seen_at=until,
        )

    def signed_in(
        self,
        enrolment: Enrolment,
        lesson: Lesson,
        at: datetime.datetime,
        until: datetime.datetime | None = None,
        *,
        method: str = SignInMethod.FACE,
        decided_at: datetime.datetime | None = None,
    ) -> SignIn:
        sign_in = SignIn.objects.create(
            enrolment=enrolment,
            lesson=lesson,
            method=method,
            state=SignInState.ACCEPTED,
            requested_at=at,
            decided_at=decided_at or at,
            signed_out_at=until,
        )
        subject = person_subject(lesson, enrolment.person_id)
        record(
            "attendance.sign_in_accepted",
            subject,
            decided_at or at,
            sign_in=sign_in.pk,
            method=SignInMethod(method),
            counts_from=at,
        )
        if until:
            record("attendance.signed_out", subject, until, sign_in=sign_in.pk)
        return sign_in

    def checked(
        self,
        lesson: Lesson,
        opened_at: datetime.datetime,
        due_at: datetime.datetime,
        asked: Iterable[Enrolment],
        answers: Sequence[tuple[Enrolment, datetime.datetime]] = (),
        *,
        kind: str = CheckKind.ROLL_CALL,
        closed: bool = True,
    ) -> Check:
        """A check with who was asked and who answered when; answers to questions are wrong ones."""
        question, asked = kind == CheckKind.QUESTION, list(asked)
        check = Check.objects.create(
            lesson=lesson,
            kind=kind,
            prompt="五里之内有几家同行？" if question else "",
            options=["一家", "三家"] if question else [],
            correct=1 if question else None,
            opened_at=opened_at,
            due_at=due_at,
            opened_by=self.cast.assistant,
            closed_at=due_at if closed else None,
        )
        for enrolment in asked:
            target = CheckTarget.objects.create(asked_in=check, enrolment=enrolment)
            for answering, at in answers:
                if answering == enrolment:
                    CheckAnswer.objects.create(
                        target=target,
                        answered_at=at,
                        option=0 if question else None,
                        correct=False if question else None,
                    )
                    record(
                        "attendance.check_answered",
                        person_subject(lesson, enrolment.person_id),
                        at,
                        check=check.pk,
                        option=0 if question else None,
                        correct=False if question else None,
                    )
        record(
            "attendance.check_opened",
            check.subject,
            opened_at,
            check=check.pk,
            kind=CheckKind(kind),
            due_at=due_at,
            prompt=check.prompt,
            options=check.options,
            correct=check.correct,
            asked=[enrolment.pk for enrolment in asked],
        )
        if closed:
            record(
                "attendance.check_closed",
                check.subject,
                due_at,
                check=check.pk,
                kind=CheckKind(kind),
                answered=len(answers),
                missed_count=0,
                missed=[],
            )
        return check


@pytest.fixture
def room(cast: Cast, now: datetime.datetime) -> Room:
    """The class with 王小满 on its roster and no lessons yet."""
    course = Course.objects.create(
        name="GYB 创业意识培训（直播）", course_type="GYB", origin=Origin.CONVERTED
    )
    training_class = class_on_record(
        institution=cast.school,
        course=course,
        name="2026 年第 6 期创业意识培训班",
        mode="full_live",
        edition="demo",
        starts_on=DAY,
        ends_on=DAY + datetime.timedelta(days=6),
        lecturer=cast.trainer.person,
        assistant=cast.assistant.person,
        state=ClassState.RUNNING,
        created_by=cast.manager,
    )
    made = Room(training_class, cast)
    assert cast.learner.person is not None
    made.enrol(cast.learner.person)
    return made


@pytest.fixture
def lesson(room: Room) -> Lesson:
    """A live lesson that has been running since 08:30."""
    return room.lesson("08:30", "11:30", state=LessonState.OPEN)


@pytest.fixture
def enrolled(cast: Cast) -> FaceTemplate:
    """The learner has consented and enrolled the face of `person_b`."""
    person = cast.learner.person
    assert person is not None
    give_consent(
        person=person, actor=cast.learner, at=clock("08:00"), text_version=shown_text(clock("08:00"))
    )
    return enrol_face(person=person, frames=burst("person_b_1"), actor=cast.learner, at=clock("08:00"))


__all__ = ["DAY", "Room", "clock"]
