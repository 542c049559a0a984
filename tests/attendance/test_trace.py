"""Every second of a lesson has a fate, and every second that was not credited a reason."""

import datetime
from typing import Any

import pytest

from attendance import queries
from attendance.drawing import whole_seconds
from attendance.models import MICROSECONDS, SignIn
from attendance.states import SignInMethod, SignInState
from attendance.trace import Fate, LessonTrace, Reason
from attendance.wording import reason_words
from classes.live.models import PresenceInterval
from classes.live.states import Closing
from classes.models import Enrolment, Lesson
from classes.states import LessonState
from tests.attendance.conftest import DAY, Room, clock

pytestmark = pytest.mark.django_db


def traced(room: Room, lesson: Lesson) -> LessonTrace:
    return next(one for one in queries.trace(room.learner) if one.lesson == lesson)


@pytest.fixture
def second(room: Room) -> Lesson:
    """The second lesson of the story: late, a broken line, a missed roll call."""
    lesson = room.lesson("08:30", "11:30")
    room.seen(room.learner, lesson, (clock("08:33"), clock("09:41:10")), (clock("09:52:15"), clock("11:30")))
    room.signed_in(room.learner, lesson, clock("08:20"))
    room.checked(
        lesson,
        clock("10:35"),
        clock("10:36"),
        [room.learner],
        [(room.learner, clock("10:35:25"))],
        kind="question",
    )
    room.checked(lesson, clock("10:49"), clock("10:50"), [room.learner])
    return lesson


def test_the_story_is_told_in_its_pieces(room: Room, second: Lesson) -> None:
    found = traced(room, second)
    assert [(one.fate, one.reason, one.microseconds // MICROSECONDS) for one in found.stretches] == [
        (Fate.ABSENT, Reason.CAME_LATE, 180),
        (Fate.CREDITED, Reason.NONE, 4090),
        (Fate.ABSENT, Reason.LINE_LOST, 665),
        (Fate.CREDITED, Reason.NONE, 2590),
        (Fate.UNPROVEN, Reason.CHECK_MISSED, 875),
        (Fate.CREDITED, Reason.NONE, 2400),
    ]
    assert sum(one.microseconds for one in found.stretches) == found.worth
    assert found.microseconds == 9080 * MICROSECONDS
    assert found.subject == f"{second.subject}/person/{room.learner.person_id}"
    assert [check.answered_at is not None for check in found.checks] == [True, False]


def test_the_story_is_told_in_plain_words(room: Room, second: Lesson) -> None:
    late, broken, unproven = traced(room, second).lost
    assert reason_words(late) == "08:33 您才进课堂，前面没有算。"
    assert reason_words(broken) == "09:41 到 09:52 网断了，平台没有收到您的信号。"
    assert reason_words(unproven) == (
        "10:49 点名时没有应答。上一次确认您在课堂是 10:35，从那时到 10:50 没法证明您在。"
    )


def test_time_after_signing_out_says_so_whether_the_person_stayed_or_not(room: Room) -> None:
    lesson = room.lesson("08:30", "11:30")
    room.seen(room.learner, lesson, (clock("08:30"), clock("10:00")))
    room.signed_in(room.learner, lesson, clock("08:20"), clock("09:35"))
    assert [
        (one.fate, one.reason, one.microseconds // MICROSECONDS) for one in traced(room, lesson).lost
    ] == [
        (Fate.UNSIGNED, Reason.SIGNED_OUT, 25 * 60),
        (Fate.ABSENT, Reason.SIGNED_OUT, 90 * 60),
    ]


def test_an_absence_with_a_sign_out_in_it_is_told_in_two_pieces(room: Room) -> None:
    lesson = room.lesson("08:30", "11:30")
    room.seen(room.learner, lesson, (clock("08:30"), clock("09:00")))
    room.signed_in(room.learner, lesson, clock("08:20"), clock("09:35"))
    assert [(one.reason, one.microseconds // 60 // MICROSECONDS) for one in traced(room, lesson).lost] == [
        (Reason.LINE_LOST, 35),
        (Reason.SIGNED_OUT, 115),
    ]


def test_a_gap_after_signing_in_again_is_not_blamed_on_the_sign_out(room: Room) -> None:
    lesson = room.lesson("08:30", "11:30")
    room.seen(
        room.learner,
        lesson,
        (clock("08:30"), clock("09:00")),
        (clock("09:10"), clock("10:00")),
        (clock("10:30"), clock("11:30")),
    )
    room.signed_in(room.learner, lesson, clock("08:20"), clock("09:00"))
    room.signed_in(room.learner, lesson, clock("09:10"), clock("11:30"))
    assert [one.reason for one in traced(room, lesson).lost] == [Reason.SIGNED_OUT, Reason.LINE_LOST]


@pytest.mark.parametrize(
    ("closing", "reason"),
    [
        (Closing.LEFT, Reason.LEFT),
        (Closing.TAKEN_OVER, Reason.CHANGED_DEVICE),
        (Closing.LESSON_CLOSED, Reason.LESSON_ENDED),
    ],
)
def test_a_gap_has_the_reason_for_which_presence_ended(room: Room, closing: str, reason: Reason) -> None:
    lesson = room.lesson("08:30", "11:30")
    room.signed_in(room.learner, lesson, clock("08:20"))
    PresenceInterval.objects.create(
        person_id=room.learner.person_id,
        lesson=lesson,
        during=(clock("08:30"), clock("11:00")),
        heartbeats=1,
        closing=closing,
        connection="7d1f4d0e-0000-4000-8000-000000000001",
    )
    [lost] = traced(room, lesson).lost
    assert lost.reason is reason
    assert reason_words(lost)


def test_time_in_the_room_before_signing_in_says_so(room: Room) -> None:
    lesson = room.lesson("08:30", "11:30")
    room.seen(room.learner, lesson, (clock("08:30"), clock("11:30")))
    room.signed_in(room.learner, lesson, clock("09:00"))
    [lost] = traced(room, lesson).lost
    assert (lost.reason, lost.fate) == (Reason.NOT_SIGNED_IN, Fate.UNSIGNED)


def test_time_under_a_waiting_sign_in_says_that_it_may_still_count(room: Room) -> None:
    lesson = room.lesson("08:30", "11:30", state=LessonState.OPEN)
    room.seen(room.learner, lesson, (clock("08:30"), clock("09:00")))
    SignIn.objects.create(
        enrolment=room.learner,
        lesson=lesson,
        method=SignInMethod.CODE,
        state=SignInState.PENDING,
        requested_at=clock("08:30"),
    )
    [lost] = traced(room, lesson).lost
    assert lost.reason is Reason.SIGN_IN_WAITS
    assert "确认后会算进来" in reason_words(lost)


def test_a_lesson_nobody_came_to_is_one_piece_and_one_still_to_come_is_none(room: Room) -> None:
    missed = room.lesson("08:30", "11:30")
    tomorrow = DAY + datetime.timedelta(days=1)
    planned = room.lesson(clock("08:30", tomorrow), clock("11:30", tomorrow), state=LessonState.PLANNED)
    [lost] = traced(room, missed).lost
    assert (lost.reason, lost.microseconds) == (Reason.NOT_SEEN_AT_ALL, 3 * 3600 * MICROSECONDS)
    assert traced(room, planned).stretches == ()


def test_what_is_left_of_a_running_lesson_is_not_lost_yet(room: Room) -> None:
    lesson = room.lesson("08:30", "11:30", state=LessonState.OPEN)
    room.signed_in(room.learner, lesson, clock("08:20"))
    room.enters(room.learner, lesson, clock("08:30"), clock("09:00"))
    assert [one.fate for one in traced(room, lesson).stretches] == [Fate.CREDITED]


def test_a_lesson_that_brought_all_it_is_worth_lost_nothing(room: Room) -> None:
    lesson = room.lesson("08:30", "11:45")
    room.seen(room.learner, lesson, (clock("08:30"), clock("11:31")))
    room.signed_in(room.learner, lesson, clock("08:20"))
    found = traced(room, lesson)
    assert found.microseconds == found.worth
    assert found.lost == ()


def test_one_lesson_and_three_lessons_cost_the_same_queries(
    room: Room, second: Lesson, django_assert_num_queries: Any
) -> None:
    enrolment = Enrolment.objects.select_related("training_class").get()
    with django_assert_num_queries(6):
        queries.trace(enrolment)
    for hour in (12, 14, 16):
        room.lesson(f"{hour}:00", f"{hour}:45", hours="1")
    with django_assert_num_queries(6):
        queries.trace(enrolment)


@pytest.mark.parametrize(
    ("lengths", "shown"),
    [
        ([1_832_772_418, 988_187], [1832, 1]),
        ([600_000, 600_000, 2_000_000], [1, 2]),
        ([4_090_000_000, 2_590_000_000], [4090, 2590]),
        ([999_999], []),
    ],
)
def test_pieces_on_the_screen_are_whole_seconds_that_add_up(lengths: list[int], shown: list[int]) -> None:
    assert whole_seconds(lengths) == shown
