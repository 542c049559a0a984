"""Opening and closing the lesson that a room belongs to."""

import datetime

from django.db import transaction

import audit
from accounts.background import after_commit
from accounts.models import User
from classes.actions import close_lesson, open_lesson
from classes.live import tasks
from classes.live.actions.events import announce, lock_rooms
from classes.live.actions.presence import close_everybody
from classes.live.models import RaisedHand
from classes.live.protocol import Event
from classes.models import Lesson, TrainingClass
from classes.permissions import require_teach
from classes.states import LessonState

# A lecturer may run over; a lesson that nobody ended is ended by the platform this long after its plan.
OVERRUN = datetime.timedelta(minutes=30)


def start_lesson(*, actor: User, lesson: Lesson, at: datetime.datetime) -> Lesson:
    """Open the lesson, tell the room, switch recording on.

    Raises what `open_lesson` raises, and `not_the_staff`. Starting an open lesson again changes nothing.
    """
    with transaction.atomic():
        lesson = _lock(lesson)
        require_teach(actor, lesson.training_class)
        if lesson.state == LessonState.OPEN:
            return lesson
        lock_rooms(lesson.pk)
        opened = open_lesson(actor=actor, lesson=lesson, at=at)
        announce(lesson=opened, type=Event.LESSON_STARTED, data={"state": opened.state}, actor=actor, at=at)
        after_commit(tasks.set_recording, opened.pk)
    return opened


def end_lesson(*, actor: User | None, lesson: Lesson, at: datetime.datetime) -> Lesson:
    """Close everybody's presence at the last heartbeat, close the lesson, have the recordings made.

    `actor` is None when the platform ends what nobody ended. Raises what `close_lesson` raises, and
    `not_the_staff`; ending a closed lesson again changes nothing.
    """
    with transaction.atomic():
        lesson = _lock(lesson)
        if actor is not None:
            require_teach(actor, lesson.training_class)
        if lesson.state == LessonState.CLOSED:
            return lesson
        evidence = close_everybody(actor=actor, lesson=lesson, at=at)
        RaisedHand.objects.filter(room_id=lesson.pk).delete()
        announce(
            lesson=lesson, type=Event.LESSON_ENDED, data={"state": LessonState.CLOSED}, actor=actor, at=at
        )
        audit.record_many(evidence)
        closed = close_lesson(actor=actor, lesson=lesson, at=at)
        after_commit(tasks.set_recording, closed.pk)
    return closed


def end_overdue_lessons(*, at: datetime.datetime) -> int:
    """End every lesson that is still open long after its planned end; return how many."""
    overdue = Lesson.objects.filter(state=LessonState.OPEN, ends_at__lte=at - OVERRUN)
    ended = [end_lesson(actor=None, lesson=lesson, at=at) for lesson in overdue]
    return len(ended)


def _lock(lesson: Lesson) -> Lesson:
    """Lock the class, then the lesson, and read both again."""
    training_class = TrainingClass.objects.select_for_update(no_key=True).get(pk=lesson.training_class_id)
    # NO KEY: a goodbye that holds its person may still write an interval of this lesson.
    fresh = Lesson.objects.select_for_update(no_key=True).get(pk=lesson.pk)
    fresh.training_class = training_class
    return fresh
