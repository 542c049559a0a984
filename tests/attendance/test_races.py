"""Two connections at once: what could cost a trainee time, or count it twice."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections, transaction

from attendance import actions
from attendance.actions.checks import _close
from attendance.models import Check, CheckAnswer, SignIn
from classes.models import Lesson
from config.demo.cast import Cast
from policy.refusals import Refusal
from tests.attendance.conftest import Room, clock

pytestmark = pytest.mark.django_db(transaction=True)


class Meanwhile(threading.Thread):
    """Run a call on a connection of its own; `result` is what it returned, or the Refusal it raised."""

    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__()
        self._call = call
        self.result: Any = None
        self.start()

    def run(self) -> None:
        try:
            self.result = self._call()
        except Refusal as refusal:
            self.result = refusal
        finally:
            connections.close_all()

    def wait_until_it_is_blocked(self) -> None:
        """Return once a session waits for a lock that ours holds; fail when none comes to."""
        for _ in range(2000):
            with connection.cursor() as cursor:
                cursor.execute(
                    "select exists (select from pg_locks"
                    " where not granted and pg_backend_pid() = any(pg_blocking_pids(pid)))"
                )
                if cursor.fetchone()[0]:
                    return
            assert self.is_alive(), f"it was not blocked: {self.result!r}"
            time.sleep(0.005)
        raise AssertionError("nothing waits for a lock")


def test_an_answer_that_meets_the_closing_is_refused_and_the_miss_stands(
    cast: Cast, room: Room, lesson: Lesson
) -> None:
    room.enters(room.learner, lesson, clock("08:30"), clock("09:00"))
    check = actions.call_roll(lesson=lesson, actor=cast.assistant, at=clock("09:00"))
    with transaction.atomic():
        _close(check.pk, clock("09:01:02"))
        answer = Meanwhile(lambda: actions.answer_check(check=check, actor=cast.learner, at=clock("09:01")))
        answer.wait_until_it_is_blocked()
    answer.join()
    assert isinstance(answer.result, Refusal)
    assert answer.result.code == "check_over"
    assert not CheckAnswer.objects.exists()


def test_a_closing_that_meets_an_answer_counts_it(cast: Cast, room: Room, lesson: Lesson) -> None:
    room.enters(room.learner, lesson, clock("08:30"), clock("09:00"))
    check = actions.call_roll(lesson=lesson, actor=cast.assistant, at=clock("09:00"))
    with transaction.atomic():
        actions.answer_check(check=check, actor=cast.learner, at=clock("09:01"))
        closing = Meanwhile(lambda: actions.close_due_checks(at=clock("09:01:02")))
        closing.wait_until_it_is_blocked()
    closing.join()
    assert closing.result == [check]
    assert Check.objects.get().closed_at == clock("09:01:02")
    assert CheckAnswer.objects.count() == 1


def test_signing_in_twice_at_once_is_one_sign_in(cast: Cast, room: Room, lesson: Lesson) -> None:
    code = actions.issue_sign_in_code(
        lesson=lesson, enrolment=room.learner, actor=cast.assistant, at=clock("08:34")
    )
    call: dict[str, Any] = {"lesson": lesson, "code": code, "actor": cast.learner}
    with transaction.atomic():
        first = actions.sign_in_by_code(**call, at=clock("08:35"))
        second = Meanwhile(lambda: actions.sign_in_by_code(**call, at=clock("08:35:01")))
        second.wait_until_it_is_blocked()
    second.join()
    assert second.result == first
    assert SignIn.objects.count() == 1
