"""The SQL against an oracle that thinks in sets of ticks and knows nothing of ranges."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attendance import credit, queries
from attendance.models import Check
from attendance.states import SignInMethod
from classes.states import LessonState
from tests.attendance.conftest import Room, clock

# An odd length in microseconds: nothing comes out in whole seconds by luck.
TICK = datetime.timedelta(microseconds=700_001)
LENGTH = 60  # ticks from the planned start to the planned end
EARLIEST, LATEST = -10, LENGTH + 10
START = clock("08:30")


@dataclass
class SignedIn:
    since: int
    until: int | None
    looked_at: int | None  # by the assistant, when signed in by code


@dataclass
class Asked:
    opened: int
    due: int
    answered: int | None
    closed: bool


@dataclass
class Story:
    """What happened to one trainee in one lesson, in ticks."""

    stretches: list[tuple[int, int]] = field(default_factory=list)
    in_room_now: bool = False  # the last stretch has not been closed yet
    sign_ins: list[SignedIn] = field(default_factory=list)
    checks: list[Asked] = field(default_factory=list)
    lesson_closed_at: int = LATEST


def credited_ticks(story: Story) -> int:
    """The reading of the ledger in plain words: every tick is taken or not."""
    here = {tick for since, until in story.stretches for tick in range(since, until)}
    taken = set()
    for tick in here:
        if 0 <= tick < LENGTH and any(
            one.since <= tick and (one.until is None or tick < one.until) for one in story.sign_ins
        ):
            taken.add(tick)
    proofs = [one.since for one in story.sign_ins]
    proofs += [one.looked_at for one in story.sign_ins if one.looked_at is not None]
    proofs += [check.answered for check in story.checks if check.answered is not None]
    for check in story.checks:
        if check.answered is not None or not check.closed:
            continue
        if check.due > story.lesson_closed_at or check.opened not in here:
            continue
        before = [proof for proof in proofs if proof <= check.due]
        since = max(before) if before else EARLIEST
        taken -= set(range(since, check.due))
    return len(taken)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    tick = st.integers(EARLIEST, LATEST)
    cuts = sorted(draw(st.sets(tick, max_size=8)))
    stretches = [(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    edges = sorted(draw(st.sets(tick, max_size=4)))
    sign_ins = []
    for since, until in zip(edges[::2], [*edges[1::2], None], strict=False):
        looked_at = draw(st.none() | st.integers(since, LATEST))
        sign_ins.append(SignedIn(since, until, looked_at))
    checks = []
    moments = sorted(draw(st.sets(tick, max_size=6)))
    for opened, due in zip(moments[::2], moments[1::2], strict=False):
        answered = draw(st.none() | st.integers(opened, due))
        checks.append(Asked(opened, due, answered, closed=draw(st.booleans())))
    if len([check for check in checks if not check.closed]) > 1:
        for check in checks[:-1]:
            check.closed = True
    return Story(
        stretches,
        in_room_now=bool(stretches) and draw(st.booleans()),
        sign_ins=sign_ins,
        checks=checks,
        lesson_closed_at=draw(st.integers(1, LATEST)),
    )


def moment(tick: int) -> datetime.datetime:
    return START + tick * TICK


def enact(room: Room, story: Story) -> None:
    learner = room.learner
    lesson = room.lesson(moment(0), moment(LENGTH), hours="1", state=LessonState.CLOSED)
    type(lesson).objects.filter(pk=lesson.pk).update(closed_at=moment(story.lesson_closed_at))
    closed = story.stretches[:-1] if story.in_room_now else story.stretches
    room.seen(learner, lesson, *((moment(since), moment(until)) for since, until in closed))
    if story.in_room_now:
        room.enters(learner, lesson, *map(moment, story.stretches[-1]))
    for one in story.sign_ins:
        room.signed_in(
            learner,
            lesson,
            moment(one.since),
            None if one.until is None else moment(one.until),
            method=SignInMethod.FACE if one.looked_at is None else SignInMethod.CODE,
            decided_at=None if one.looked_at is None else moment(one.looked_at),
        )
    for check in story.checks:
        answers = [] if check.answered is None else [(learner, moment(check.answered))]
        room.checked(lesson, moment(check.opened), moment(check.due), [learner], answers, closed=check.closed)
    assert Check.objects.filter(lesson=lesson).count() == len(story.checks)


@pytest.mark.django_db
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=stories())
def test_the_sql_credits_what_the_oracle_credits(room: Room, story: Story) -> None:
    with transaction.atomic():
        enact(room, story)
        for worth_seconds in (30, 45):
            [row] = credit.class_rows(
                room.training_class.pk, lesson_hour=worth_seconds, deduct=True, using="default"
            )
            [lesson] = row.lessons
            assert lesson.microseconds == min(credited_ticks(story) * 700_001, worth_seconds * 1_000_000)
        parts = credit.trainee_ranges(
            room.training_class.pk, room.learner.pk, lesson_hour=45, deduct=True, using="default"
        )[lesson.lesson_id]
        whole = (parts.credited, parts.unproven, parts.unsigned, parts.absent)
        assert sum(credit.microseconds_of(part) for part in whole) == LENGTH * 700_001
        transaction.set_rollback(True)
    assert queries.credit_of_class(room.training_class) == []
