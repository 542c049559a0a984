"""A finished class to claim for: three trainees, GYB, 24 课时, 王小满 as in the story of the mockups.

The rows of its lessons are written at once, and so is their evidence; verdicts, certificates and everything
after come from the real actions.
"""

import datetime
import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import translation

from accounts.models import Institution, Person, User
from attendance.models import Check, CheckAnswer, CheckTarget, SignIn, UnitCredit
from attendance.states import CheckKind, SignInMethod, SignInState
from classes.actions.filing import snapshot_digest, snapshot_of
from classes.live.models import PresenceInterval
from classes.live.states import Closing
from classes.models import Enrolment, Filing, Lesson, TrainingClass
from classes.states import ClassState, FilingState, LessonState
from config.demo.cast import Cast, find_cast
from courses.models import Course
from courses.states import Origin
from exams.actions.certificates import conclude_class
from exams.models import Attempt, Exam
from exams.states import AttemptState
from policy.terms import HourKind
from subsidies.actions.claims import draw_up_claim, open_notice, submit_claim
from subsidies.models import Claim, PublicNotice
from tests.cast import MONDAY, SHANGHAI
from tests.frozen import Frozen
from tests.on_record import (
    BEFORE,
    class_on_record,
    enrol_on_record,
    held_on_record,
    record,
    timetable_on_record,
)

DAY = datetime.date(2026, 8, 17)  # a Monday, three weeks before `now`
NAMES = ("王小满", "陈国强", "杜秀英")
# (day, start, kind, hours): 16 live, 4 homework and exam, 4 tutoring and quality.
PLAN = (
    (0, "08:30", HourKind.LIVE, 4),
    (1, "08:30", HourKind.LIVE, 4),
    (2, "08:30", HourKind.LIVE, 4),
    (3, "14:30", HourKind.TUTORING, 3),
    (4, "08:30", HourKind.LIVE, 4),
    (4, "14:30", HourKind.HOMEWORK, 2),
    (5, "08:30", HourKind.EXAM, 2),
    (5, "14:30", HourKind.QUALITY, 1),
)
LEARNER_SECONDS = 64_800 - 10_800 + 9_080  # all of it but what the second lesson lost
WEEK = datetime.timedelta(days=7)


def clock(text: str, day: int = 0, first: datetime.date = DAY) -> datetime.datetime:
    """`08:30` or `08:30:00.5` of a day of the class."""
    return datetime.datetime.combine(
        first + datetime.timedelta(days=day), datetime.time.fromisoformat(text), SHANGHAI
    )


Stretch = tuple[datetime.datetime, datetime.datetime]


@dataclass
class ClassMaker:
    """Writes classes whose lessons are over; `finish` lets the real actions judge them."""

    cast: Cast

    def course(self, course_type: str = "GYB") -> Course:
        return Course.objects.get_or_create(
            name=f"{course_type} 培训（直播）",
            defaults={"course_type": course_type, "origin": Origin.CONVERTED},
        )[0]

    def make(
        self,
        *,
        name: str = "2026 年第 5 期创业意识培训班",
        school: Institution | None = None,
        people: Sequence[Person] | None = None,
        first: datetime.date = DAY,
        edition: str = "demo",
        course_type: str = "GYB",
        hours: Mapping[int, int] | None = None,
        unheld: Iterable[int] = (),
        absent: Iterable[int] = (),
        failed: Iterable[int] = (),
    ) -> TrainingClass:
        """A class that is running, with all its lessons behind it.

        `hours`: what lessons (by place) are worth, where it is not what they last; `unheld`: lessons
        that nobody opened; `absent`, `failed`: trainees (by place) who never came, who failed the exam.
        """
        cast = self.cast
        school = school or cast.school
        training_class = class_on_record(
            institution=school,
            course=self.course(course_type),
            name=name,
            mode="full_live",
            edition=edition,
            starts_on=first,
            ends_on=first + datetime.timedelta(days=5),
            lecturer=cast.trainer.person,
            assistant=cast.assistant.person,
            state=ClassState.RUNNING,
            created_by=cast.manager if school == cast.school else cast.rival,
        )
        enrolments = [
            enrol_on_record(training_class, person) for person in people or cast.trainees(len(NAMES))
        ]
        lessons = self._lessons(training_class, first, set(unheld), hours or {})
        self._file(training_class)
        for place, enrolment in enumerate(enrolments):
            if place in set(absent):
                continue
            for lesson in lessons:
                if lesson.state == LessonState.CLOSED and lesson.is_roomed:
                    self._attend(enrolment, lesson, place == 0 and lesson == lessons[1])
        self._exam(training_class, lessons[6], enrolments, set(failed))
        for enrolment in enrolments:
            for lesson in (lessons[5], lessons[6]):
                self._hand_in(enrolment, lesson)
        return training_class

    def finish(self, training_class: TrainingClass) -> TrainingClass:
        manager = (
            self.cast.manager if training_class.institution_id == self.cast.school.pk else self.cast.rival
        )
        conclude_class(
            actor=manager,
            training_class=training_class,
            at=clock("18:00", first=training_class.ends_on),
        )
        training_class.refresh_from_db()
        return training_class

    def _hand_in(self, enrolment: Enrolment, lesson: Lesson) -> None:
        UnitCredit.objects.create(
            enrolment=enrolment, lesson=lesson, source="submission/1", credited_at=lesson.starts_at
        )
        record(
            "attendance.unit_credited",
            f"{lesson.subject}/person/{enrolment.person_id}",
            lesson.starts_at,
            lesson=lesson.pk,
            source="submission/1",
            hours=lesson.hours,
        )

    def _lessons(
        self,
        training_class: TrainingClass,
        first: datetime.date,
        unheld: set[int],
        worth: Mapping[int, int],
    ) -> list[Lesson]:
        lessons = []
        for place, (day, start, kind, hours) in enumerate(PLAN):
            starts_at = clock(start, day, first)
            ends_at = starts_at + hours * datetime.timedelta(minutes=45)
            roomed = kind not in (HourKind.HOMEWORK, HourKind.EXAM)
            held = roomed and place not in unheld
            lessons.append(
                Lesson.objects.create(
                    training_class=training_class,
                    starts_at=starts_at,
                    ends_at=ends_at,
                    kind=kind,
                    hours=Decimal(worth.get(place, hours)),
                    title=f"第 {place + 1} 单元",
                    state=LessonState.CLOSED if held else LessonState.PLANNED,
                    opened_at=starts_at if held else None,
                    closed_at=ends_at if held else None,
                )
            )
        timetable_on_record(training_class)
        for lesson in lessons:
            held_on_record(lesson)
        return lessons

    def _file(self, training_class: TrainingClass) -> None:
        snapshot = snapshot_of(training_class)
        number = f"郑创备〔2026〕{training_class.pk:04d} 号"
        filing = Filing.objects.create(
            training_class=training_class,
            state=FilingState.APPROVED,
            submitted_at=BEFORE,
            submitted_by=training_class.created_by,
            snapshot=snapshot,
            findings=[],
            decided_at=BEFORE,
            decided_by=self.cast.officer,
            number=number,
        )
        record(
            "filing.submitted",
            filing.subject,
            BEFORE,
            by=filing.submitted_by_id,
            filing=filing.pk,
            round=1,
            lessons=len(snapshot["timetable"]),
            trainees=len(snapshot["roster"]),
            snapshot=snapshot_digest(snapshot),
            findings=snapshot_digest([]),
            exceptions=[],
        )
        record(
            "filing.approved",
            filing.subject,
            BEFORE,
            by=self.cast.officer.pk,
            filing=filing.pk,
            number=number,
            reason=hashlib.sha256(b"").hexdigest(),
            exceptions=[],
        )

    def _attend(self, enrolment: Enrolment, lesson: Lesson, story: bool) -> None:
        """Be there all the time, or, in the story's second lesson, lose the line and miss a call."""
        day = (lesson.starts_at.astimezone(SHANGHAI).date() - DAY).days
        if story:
            self._story(enrolment, lesson, day)
            return
        self._sign_in(enrolment, lesson, lesson.starts_at)
        self._see(enrolment, lesson, [(lesson.starts_at, lesson.ends_at)], Closing.LESSON_CLOSED)

    def _story(self, enrolment: Enrolment, lesson: Lesson, day: int) -> None:
        """08:33:00–09:41:10, gap, 09:52:15–10:35:25, unproven to 10:50:00, to 11:30:00."""
        self._sign_in(enrolment, lesson, clock("08:33", day))
        self._see(enrolment, lesson, [(clock("08:33", day), clock("09:41:10", day))], Closing.SILENT)
        question = self._check(
            lesson, enrolment, CheckKind.QUESTION, clock("10:35", day), clock("10:36:30", day)
        )
        CheckAnswer.objects.create(
            target=question.targets.get(), answered_at=clock("10:35:25", day), option=1, correct=True
        )
        record(
            "attendance.check_answered",
            f"{lesson.subject}/person/{enrolment.person_id}",
            clock("10:35:25", day),
            check=question.pk,
            option=1,
            correct=True,
        )
        self._close(question, enrolment, missed=False)
        roll_call = self._check(
            lesson, enrolment, CheckKind.ROLL_CALL, clock("10:49", day), clock("10:50", day)
        )
        self._close(roll_call, enrolment, missed=True)
        for n in range(3):
            record(
                "room.message_posted",
                f"{lesson.subject}/person/{enrolment.person_id}",
                clock(f"10:0{n}", day),
                event=n + 1,
                length=12,
                text=hashlib.sha256(b"salted").hexdigest(),
            )
        self._see(enrolment, lesson, [(clock("09:52:15", day), lesson.ends_at)], Closing.LESSON_CLOSED)

    def _sign_in(self, enrolment: Enrolment, lesson: Lesson, at: datetime.datetime) -> None:
        sign_in = SignIn.objects.create(
            enrolment=enrolment,
            lesson=lesson,
            method=SignInMethod.FACE,
            state=SignInState.ACCEPTED,
            requested_at=at,
            decided_at=at,
            signed_out_at=lesson.ends_at,
        )
        subject = f"{lesson.subject}/person/{enrolment.person_id}"
        record(
            "attendance.sign_in_accepted",
            subject,
            at,
            sign_in=sign_in.pk,
            method=SignInMethod.FACE,
            counts_from=at,
        )
        record("attendance.signed_out", subject, lesson.ends_at, sign_in=sign_in.pk)

    def _see(self, enrolment: Enrolment, lesson: Lesson, stretches: list[Stretch], closing: Closing) -> None:
        for since, until in stretches:
            connection_id = uuid.uuid4()
            PresenceInterval.objects.create(
                person_id=enrolment.person_id,
                lesson=lesson,
                during=(since, until),
                heartbeats=172,
                closing=closing,
                connection=connection_id,
            )
            record(
                "presence.closed",
                f"{lesson.subject}/person/{enrolment.person_id}",
                until,
                connection=str(connection_id),
                started_at=since,
                last_seen_at=until,
                heartbeats=172,
                longest_gap_ms=15_400,
                closing=closing,
            )

    def _check(
        self,
        lesson: Lesson,
        enrolment: Enrolment,
        kind: str,
        opened_at: datetime.datetime,
        due_at: datetime.datetime,
    ) -> Check:
        question = kind == CheckKind.QUESTION
        check = Check.objects.create(
            lesson=lesson,
            kind=kind,
            prompt="五里之内有几家同行？" if question else "",
            options=["一家", "三家"] if question else [],
            correct=1 if question else None,
            opened_at=opened_at,
            due_at=due_at,
            opened_by=self.cast.assistant,
            closed_at=due_at,
        )
        CheckTarget.objects.create(asked_in=check, enrolment=enrolment)
        record(
            "attendance.check_opened",
            lesson.subject,
            opened_at,
            check=check.pk,
            kind=kind,
            due_at=due_at,
            prompt=check.prompt,
            options=check.options,
            correct=check.correct,
            asked=[enrolment.pk],
        )
        return check

    def _close(self, check: Check, enrolment: Enrolment, *, missed: bool) -> None:
        record(
            "attendance.check_closed",
            check.subject,
            check.due_at,
            check=check.pk,
            kind=check.kind,
            answered=int(not missed),
            missed_count=int(missed),
            missed=[enrolment.pk] if missed else [],
        )

    def _exam(
        self, training_class: TrainingClass, lesson: Lesson, enrolments: list[Enrolment], failed: set[int]
    ) -> None:
        exam = Exam.objects.create(
            training_class=training_class,
            lesson=lesson,
            paper=[],
            total_points=50,
            seconds_allowed=3600,
            set_by=self.cast.trainer,
            set_at=lesson.starts_at,
        )
        record(
            "exam.set",
            training_class.subject,
            lesson.starts_at,
            exam=exam.pk,
            lesson=lesson.pk,
            questions=0,
            points=50,
            paper=hashlib.sha256(b"[]").hexdigest(),
        )
        attempts = Attempt.objects.bulk_create(
            Attempt(
                exam=exam,
                enrolment=enrolment,
                number=1,
                state=AttemptState.SUBMITTED,
                started_at=lesson.starts_at,
                deadline_at=lesson.ends_at,
                submitted_at=lesson.ends_at,
                arrangement=[],
                points=20 if place in failed else 43,
            )
            for place, enrolment in enumerate(enrolments)
        )
        for attempt in attempts:
            record(
                "exam.started",
                attempt.enrolment.subject,
                lesson.starts_at,
                attempt=attempt.pk,
                number=attempt.number,
                deadline=attempt.deadline_at,
            )
            record(
                "exam.submitted",
                attempt.enrolment.subject,
                lesson.ends_at,
                attempt=attempt.pk,
                number=attempt.number,
                points=attempt.points,
                total=exam.total_points,
                answered=0,
                answers=hashlib.sha256(b"[]").hexdigest(),
                by_deadline=False,
            )


@pytest.fixture(autouse=True)
def _chinese() -> Iterator[None]:
    """Words are compared in the source language, whatever an earlier test's page was asked for in."""
    with translation.override("zh-hans"):
        yield


@pytest.fixture
def maker(cast: Cast) -> ClassMaker:
    return ClassMaker(cast)


@pytest.fixture(scope="session")
def frozen_class(frozen_cast: Frozen, django_db_blocker: Any) -> Frozen:
    def build() -> None:
        maker = ClassMaker(find_cast(at=MONDAY))
        maker.finish(maker.make())

    with django_db_blocker.unblock():
        return Frozen("the_finished_class", build, base=frozen_cast)


@pytest.fixture
def finished(frozen_class: Frozen, cast: Cast) -> TrainingClass:
    """Three trainees who all passed both."""
    frozen_class.thaw()
    return TrainingClass.objects.get()


@pytest.fixture
def claim(finished: TrainingClass, manager: User, now: datetime.datetime) -> Claim:
    """A draft: 3 × 200.00 = 600.00."""
    return draw_up_claim(actor=manager, training_class=finished, at=now)


@pytest.fixture
def submitted(claim: Claim, manager: User, now: datetime.datetime) -> Claim:
    return submit_claim(actor=manager, claim=claim, at=now)


@pytest.fixture
def notice(submitted: Claim, officer: User, now: datetime.datetime) -> PublicNotice:
    """Opened on Monday 2026-09-07, its last day is Monday 2026-09-14."""
    return open_notice(actor=officer, claim=submitted, at=now)


@pytest.fixture
def over(now: datetime.datetime) -> datetime.datetime:
    """The first morning after the notice."""
    return now + WEEK + datetime.timedelta(days=1)


@contextmanager
def as_owner() -> Iterator[Any]:
    """The tables' owner with triggers asleep: somebody who can change what only grows."""
    with connection.cursor() as cursor:
        cursor.execute("set role none")
        cursor.execute("set session_replication_role = replica")
        yield cursor
        cursor.execute("reset session_replication_role")
        cursor.execute("set role yuchuang_app")


def snapshot() -> tuple[Any, ...]:
    """All that a step may change."""
    from audit.models import Entry
    from subsidies.models import ClaimLine, Objection, Remark

    models = (Claim, ClaimLine, PublicNotice, Objection, Remark)
    rows = [tuple(model.objects.order_by("pk").values_list()) for model in models]
    return (*rows, Entry.objects.count())
