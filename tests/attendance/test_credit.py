"""Credited time: the story of the mockups as a vector, each rule by itself, and the whole against an oracle."""

import datetime

import pytest
from django.test.utils import CaptureQueriesContext
from django.db import connections

from attendance import queries
from attendance.credit import LessonRanges, microseconds_of, trainee_ranges
from attendance.models import MICROSECONDS, UnitCredit
from classes.models import Enrolment, Lesson
from classes.states import EnrolmentState, LessonState
from policy.terms import CreditKind
from tests.attendance.conftest import DAY, Room, clock

pytestmark = pytest.mark.django_db


def seconds(room: Room, lesson: Lesson, enrolment: Enrolment | None = None) -> float:
    """The exact seconds that one lesson brings, the learner's unless named."""
    wanted = (enrolment or room.learner).pk
    [row] = [row for row in queries.credit_of_class(room.training_class) if row.enrolment_id == wanted]
    [found] = [part for part in row.lessons if part.lesson_id == lesson.pk]
    return found.microseconds / MICROSECONDS


def ranges(room: Room, lesson: Lesson) -> LessonRanges:
    return trainee_ranges(
        room.training_class.pk, room.learner.pk, lesson_hour=2700, deduct=True, using="default"
    )[lesson.pk]


@pytest.fixture
def story(room: Room) -> Room:
    """王小满's class up to the evening of its sixth day, and what is still to come (LOOK §11)."""
    learner = room.learner
    day = [DAY + datetime.timedelta(days=n) for n in range(8)]

    def attended(lesson: Lesson, *stretches: tuple[str, str], on: datetime.date, until: str | None = None) -> None:
        room.seen(learner, lesson, *((clock(a, on), clock(b, on)) for a, b in stretches))
        room.signed_in(learner, lesson, clock("08:20", on), clock(until, on) if until else None)

    first = room.lesson(clock("08:30", day[0]), clock("11:30", day[0]))
    attended(first, ("08:31:50", "11:40"), on=day[0])
    second = room.lesson(clock("08:30", day[1]), clock("11:30", day[1]))
    attended(second, ("08:33", "09:41:10"), ("09:52:15", "11:30"), on=day[1])
    asked = clock("10:35", day[1]), clock("10:36", day[1])
    room.checked(second, *asked, [learner], [(learner, clock("10:35:25", day[1]))], kind="question")
    room.checked(second, clock("10:49", day[1]), clock("10:50", day[1]), [learner])
    third = room.lesson(clock("08:30", day[3]), clock("11:30", day[3]))
    attended(third, ("08:29:00", "09:35:30"), on=day[3], until="09:35:30")
    fourth = room.lesson(clock("08:30", day[6]), clock("11:30", day[6]), state=LessonState.PLANNED)
    homework = room.lesson(clock("14:00", day[4]), clock("15:30", day[4]), hours="2", kind="homework")
    UnitCredit.objects.create(enrolment=learner, lesson=homework, source="submission/1", credited_at=clock("20:00", day[4]))
    tutoring = room.lesson(clock("14:00", day[5]), clock("16:15", day[5]), hours="3", kind="tutoring")
    room.seen(learner, tutoring, (clock("13:55", day[5]), clock("16:10", day[5])))
    room.signed_in(learner, tutoring, clock("13:56", day[5]))
    room.lesson(clock("09:30", day[7]), clock("11:00", day[7]), hours="2", kind="exam", state=LessonState.PLANNED)
    room.lesson(clock("14:00", day[7]), clock("14:45", day[7]), hours="1", kind="quality", state=LessonState.PLANNED)
    assert fourth.pk
    return room


def test_the_story_of_the_second_lesson_adds_up(story: Room) -> None:
    second = story.training_class.lessons.order_by("starts_at")[1]
    found = ranges(story, second)
    day = DAY + datetime.timedelta(days=1)
    assert found.credited == (
        (clock("08:33", day), clock("09:41:10", day)),
        (clock("09:52:15", day), clock("10:35:25", day)),
        (clock("10:50", day), clock("11:30", day)),
    )
    assert [microseconds_of([part]) // MICROSECONDS for part in found.credited] == [4090, 2590, 2400]
    assert found.microseconds == 9080 * MICROSECONDS
    assert found.unproven == ((clock("10:35:25", day), clock("10:50", day)),)
    assert found.absent == ((clock("08:30", day), clock("08:33", day)), (clock("09:41:10", day), clock("09:52:15", day)))
    assert found.unsigned == ()


def test_the_story_stands_at_56_94_percent_without_its_replay(story: Room) -> None:
    """38,780 s (59.84 %) in the mockup hold 1,880 s of replay, which is not counted yet."""
    [row] = queries.credit_of_class(story.training_class)
    assert row.required_microseconds == 64_800 * MICROSECONDS
    assert {kind: time / MICROSECONDS for kind, time in row.by_kind.items()} == {
        CreditKind.LIVE: 10_690 + 9_080 + 3_930,
        CreditKind.HOMEWORK: 5_400,
        CreditKind.EXAM: 0,
        CreditKind.QUALITY: 0,
        CreditKind.TUTORING: 7_800,
    }
    assert row.credited_microseconds == (38_780 - 1_880) * MICROSECONDS
    assert row.share_text == "56.94%"
    assert not row.passed
    assert row.decision.missing_seconds == 51_840 - 36_900


def test_the_story_ends_at_57_485_seconds_with_its_replay_apart(story: Room) -> None:
    learner, day = story.learner, DAY + datetime.timedelta(days=6)
    fourth = story.training_class.lessons.get(starts_at=clock("08:30", day))
    story.seen(learner, fourth, (clock("08:33:15", day), clock("11:31", day)))
    story.signed_in(learner, fourth, clock("08:30", day))
    last = DAY + datetime.timedelta(days=7)
    exam = story.training_class.lessons.get(kind="exam")
    UnitCredit.objects.create(enrolment=learner, lesson=exam, source="attempt/1", credited_at=clock("10:20", last))
    quality = story.training_class.lessons.get(kind="quality")
    story.seen(learner, quality, (clock("14:00", last), clock("14:45", last)))
    story.signed_in(learner, quality, clock("13:59", last))
    [row] = queries.credit_of_class(story.training_class)
    assert row.by_kind[CreditKind.LIVE] == (10_690 + 9_080 + 3_930 + 10_605) * MICROSECONDS
    assert row.credited_microseconds == (57_485 - 1_880) * MICROSECONDS
    assert row.share_text == "85.81%"
    assert row.passed
