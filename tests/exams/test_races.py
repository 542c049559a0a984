"""Two connections at once: what could mark a paper twice, lose an answer or leave a gap in the numbers."""

import datetime
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections, transaction

import audit
from attendance.models import UnitCredit
from audit.models import Entry
from classes.models import Enrolment, TrainingClass
from classes.states import ClassState
from config.demo.cast import Cast
from exams.actions.attempts import close_due_attempts, save_answer, start_attempt, submit_attempt
from exams.actions.certificates import conclude_class
from exams.models import Attempt, AttemptAnswer, Certificate, CertificateCounter
from exams.states import AttemptState
from policy.refusals import Refusal
from tests.attendance.conftest import Room
from tests.exams.conftest import END, OVER, START, School, school_in
from tests.on_record import class_on_record, timetable_on_record

pytestmark = pytest.mark.django_db(transaction=True)
LATE = END + datetime.timedelta(seconds=1)


class Meanwhile(threading.Thread):
    """Run a call on a connection of its own; `result` is what it returned or raised."""

    def __init__(self, call: Callable[[], Any]) -> None:
        super().__init__()
        self._call = call
        self.result: Any = None
        self.start()

    def run(self) -> None:
        try:
            self.result = self._call()
        except Exception as error:  # noqa: BLE001  (the test looks at what it was)
            self.result = error
        finally:
            connections.close_all()

    def wait_until_it_is_blocked(self) -> None:
        """Return once a session waits for a lock that ours holds; fail when none comes to."""
        for _ in range(4000):
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


def test_two_tabs_that_hand_in_at_once_are_marked_once(school: School, cast: Cast) -> None:
    attempt = school.starts(cast.learner)
    with transaction.atomic():
        submit_attempt(actor=cast.learner, attempt=attempt, at=START)
        other = Meanwhile(lambda: submit_attempt(actor=cast.learner, attempt=attempt, at=LATE))
        other.wait_until_it_is_blocked()
    other.join()
    assert (other.result.state, other.result.submitted_at) == (AttemptState.SUBMITTED, START)
    assert Entry.objects.filter(kind="exam.submitted").count() == 1
    assert UnitCredit.objects.count() == 1


def test_the_clock_and_the_trainee_hand_in_one_paper(school: School, cast: Cast) -> None:
    attempt = school.starts(cast.learner)
    with transaction.atomic():
        submit_attempt(actor=cast.learner, attempt=attempt, at=LATE)
        beat = Meanwhile(lambda: close_due_attempts(at=LATE))
        beat.wait_until_it_is_blocked()
    beat.join()
    assert beat.result == 0
    assert Attempt.objects.get().submitted_at == END
    assert Entry.objects.filter(kind="exam.submitted").count() == 1


def test_an_answer_that_meets_the_handing_in_is_refused(school: School, cast: Cast) -> None:
    attempt = school.starts(cast.learner)
    with transaction.atomic():
        submit_attempt(actor=cast.learner, attempt=attempt, at=START)
        answer = Meanwhile(
            lambda: save_answer(
                actor=cast.learner, attempt=attempt, question=0, chosen=[0], revision=1, at=START
            )
        )
        answer.wait_until_it_is_blocked()
    answer.join()
    assert isinstance(answer.result, Refusal)
    assert answer.result.code == "attempt_closed"
    assert not AttemptAnswer.objects.exists()


def test_of_two_saves_at_once_the_newer_revision_stays(school: School, cast: Cast) -> None:
    attempt = school.starts(cast.learner)

    def save(chosen: int, revision: int) -> AttemptAnswer:
        return save_answer(
            actor=cast.learner, attempt=attempt, question=0, chosen=[chosen], revision=revision, at=START
        )

    with transaction.atomic():
        save(1, 2)
        older = Meanwhile(lambda: save(0, 1))
        older.wait_until_it_is_blocked()
    older.join()
    assert (older.result.chosen, older.result.revision) == ([1], 2)
    assert AttemptAnswer.objects.get().chosen == [1]


def test_two_taps_on_begin_make_one_sitting(school: School, cast: Cast) -> None:
    with transaction.atomic():
        first = school.starts(cast.learner)
        second = Meanwhile(lambda: start_attempt(actor=cast.learner, exam=school.exam, at=START))
        second.wait_until_it_is_blocked()
    second.join()
    assert second.result == first
    assert Entry.objects.filter(kind="exam.started").count() == 1


def test_handing_in_waits_for_the_enrolment_before_it_takes_the_chain(school: School, cast: Cast) -> None:
    """Coursework and crediting take them in this order: in the other, the two would wait for each other."""
    attempt = school.starts(cast.learner)
    with transaction.atomic():
        enrolment = Enrolment.objects.select_for_update(no_key=True).get(pk=attempt.enrolment_id)
        handing_in = Meanwhile(lambda: submit_attempt(actor=cast.learner, attempt=attempt, at=START))
        handing_in.wait_until_it_is_blocked()
        audit.record(
            "exam.started",
            actor_id=None,
            subject=enrolment.subject,
            facts={"attempt": attempt.pk, "number": 1, "deadline": END},
            at=START,
        )
    handing_in.join()
    assert isinstance(handing_in.result, Attempt), handing_in.result
    assert handing_in.result.state == AttemptState.SUBMITTED


def test_the_class_concluded_twice_at_once_is_concluded_once(school: School, cast: Cast) -> None:
    school.attends(cast.learner)
    school.sits(cast.learner)
    with transaction.atomic():
        first = school.concludes()
        second = Meanwhile(school.concludes)
        second.wait_until_it_is_blocked()
    second.join()
    assert second.result == first
    assert Certificate.objects.count() == 1
    assert Entry.objects.filter(kind="class.concluded").count() == 1


def test_a_sitting_that_meets_the_conclusion_does_not_begin(school: School, cast: Cast) -> None:
    school.lesson.__class__.objects.filter(pk=school.lesson.pk).update(ends_at=OVER)
    timetable_on_record(school.training_class)
    with transaction.atomic():
        school.concludes(OVER)
        sitting = Meanwhile(
            lambda: start_attempt(
                actor=cast.learner, exam=school.exam, at=OVER - datetime.timedelta(seconds=1)
            )
        )
        sitting.wait_until_it_is_blocked()
    sitting.join()
    assert isinstance(sitting.result, Refusal)
    assert sitting.result.code == "exam_not_open"
    assert not Attempt.objects.exists()


@pytest.mark.parametrize("commits", [True, False])
def test_two_classes_concluded_at_once_share_the_numbers_without_a_gap(
    school: School, cast: Cast, commits: bool
) -> None:
    other = _copy(school)
    for one in (school, other):
        user = one.trainee(cast.trainees(2)[0 if one is school else 1])
        one.attends(user)
        one.sits(user)
    with transaction.atomic():
        conclude_class(actor=cast.manager, training_class=school.training_class, at=OVER)
        second = Meanwhile(
            lambda: conclude_class(actor=cast.manager, training_class=other.training_class, at=OVER)
        )
        second.wait_until_it_is_blocked()
        transaction.set_rollback(not commits)
    second.join()
    assert [one.number[-6:] for one in second.result] == ["000002" if commits else "000001"]
    if not commits:
        assert TrainingClass.objects.get(pk=school.training_class.pk).state == ClassState.RUNNING
        school.concludes()
    assert sorted(Certificate.objects.values_list("number", flat=True)) == [
        "41012026000001",
        "41012026000002",
    ]
    assert CertificateCounter.objects.get().last == 2


def _copy(school: School) -> School:
    """Another class of the same school, as far as the first."""
    like = school.training_class
    return school_in(
        Room(
            class_on_record(
                institution=like.institution,
                course=like.course,
                name="2026 年第 7 期创业意识培训班",
                mode=like.mode,
                edition=like.edition,
                starts_on=like.starts_on,
                ends_on=like.ends_on,
                lecturer=like.lecturer,
                assistant=like.assistant,
                state=like.state,
                created_by=like.created_by,
            ),
            school.room.cast,
        )
    )
