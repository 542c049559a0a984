"""The verdict at the end of a class: once, with evidence, and the same when computed again."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.http import Http404

from attendance import actions, queries
from attendance.models import MICROSECONDS, SignIn, UnitCredit, Verdict
from attendance.states import SignInMethod, SignInState
from audit.models import Entry
from classes.models import Enrolment, Lesson
from classes.states import LessonState
from config.demo.cast import Cast
from policy.refusals import Refusal
from tests.attendance.conftest import Room, clock
from tests.on_record import finish_on_record, leave_on_record

pytestmark = pytest.mark.django_db


@pytest.fixture
def finished(room: Room) -> Room:
    """Two trainees; one heard the whole lesson, the other half of it."""
    lesson = room.lesson("08:30", "11:30")
    half = room.enrol(room.cast.trainees(2)[1])
    room.signed_in(room.learner, lesson, clock("08:20"), clock("11:30"))
    room.seen(room.learner, lesson, (clock("08:25"), clock("11:30")))
    room.signed_in(half, lesson, clock("08:20"))
    room.seen(half, lesson, (clock("08:25"), clock("10:00")))
    finish(room)
    return room


def finish(room: Room) -> None:
    finish_on_record(room.training_class, clock("12:00"))
    room.training_class.refresh_from_db()


def conclude(room: Room, **changes: Any) -> list[Verdict]:
    arguments = {"training_class": room.training_class, "actor": room.cast.manager, "at": clock("12:01")}
    return actions.conclude_attendance(**{**arguments, **changes})


def refused(call: Callable[..., Any], **arguments: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        call(**arguments)
    return caught.value


def test_everybody_gets_a_verdict_with_its_numbers_and_its_evidence(finished: Room) -> None:
    conclude(finished)
    whole, half = Verdict.objects.order_by("-passed")
    assert (whole.passed, half.passed) == (True, False)
    assert (whole.credited_seconds, whole.required_seconds) == (Decimal(10800), Decimal(10800))
    assert (half.credited_microseconds, half.by_kind["live"]) == (5400 * MICROSECONDS, 5400 * MICROSECONDS)
    assert half.share == 0.5
    assert half.edition == "demo"
    judgement, *remarks = half.reasons
    assert (judgement["code"], judgement["row"], judgement["passed"]) == ("attendance_share", "M8", False)
    assert (judgement["required"], judgement["actual"]) == (8640, 5400)
    assert [remark["code"] for remark in remarks] == ["not_signed_out", "not_whole"]
    entry = Entry.objects.get(kind="attendance.concluded", subject=half.enrolment.subject)
    assert (entry.seq, entry.hash) == (half.evidence_seq, half.evidence_hash)
    assert entry.facts["credited_microseconds"] == half.credited_microseconds
    assert entry.actor_id == finished.cast.manager.pk


def test_concluding_again_returns_the_same_and_leaves_no_more_evidence(finished: Room) -> None:
    first = conclude(finished)
    before = Entry.objects.count()
    again = conclude(finished, at=clock("13:00"))
    assert {(one.pk, one.evidence_hash) for one in again} == {(one.pk, one.evidence_hash) for one in first}
    assert Entry.objects.count() == before


def test_a_verdict_can_be_computed_again_to_the_microsecond(finished: Room) -> None:
    conclude(finished)
    again = {one.enrolment_id: one for one in queries.credit_of_class(finished.training_class)}
    for verdict in Verdict.objects.all():
        one = again[verdict.pk]
        assert one.credited_microseconds == verdict.credited_microseconds
        assert {kind.value: time for kind, time in one.by_kind.items()} == verdict.by_kind
        assert one.passed == verdict.passed


def test_a_verdict_cannot_be_changed_or_deleted(finished: Room) -> None:
    conclude(finished)
    for change in (
        lambda: Verdict.objects.update(passed=True),
        lambda: Verdict.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert Verdict.objects.filter(passed=False).count() == 1


def test_only_the_institution_concludes(finished: Room) -> None:
    for actor in (finished.cast.trainer, finished.cast.learner, finished.cast.officer):
        refusal = refused(conclude, room=finished, actor=actor)
        assert (refusal.code, refusal.status) == ("not_the_manager", 403)
    with pytest.raises(Http404):
        conclude(finished, actor=finished.cast.rival)
    assert not Verdict.objects.exists()
    assert not Entry.objects.filter(kind="attendance.concluded").exists()


def test_a_running_class_is_not_concluded(room: Room) -> None:
    room.lesson("08:30", "11:30")
    assert refused(conclude, room=room).code == "class_not_finished"


def test_a_class_is_not_concluded_while_a_sign_in_waits(finished: Room) -> None:
    """Time that may still be confirmed must not be lost to a verdict."""
    lesson = Lesson.objects.get()
    third = finished.enrol(finished.cast.trainees(3)[2])
    waiting = SignIn.objects.create(
        enrolment=third,
        lesson=lesson,
        method=SignInMethod.CODE,
        state=SignInState.PENDING,
        requested_at=clock("08:30"),
    )
    refusal = refused(conclude, room=finished)
    assert (refusal.code, refusal.found) == ("sign_ins_pending", 1)
    assert not Verdict.objects.exists()
    actions.refuse_sign_in(sign_in=waiting, actor=finished.cast.assistant, at=clock("12:01"))
    assert len(conclude(finished)) == 3


def test_checks_that_are_due_are_closed_before_the_verdict(finished: Room) -> None:
    lesson = Lesson.objects.get()
    finished.checked(lesson, clock("11:00"), clock("11:01"), [finished.learner], closed=False)
    conclude(finished)
    assert Verdict.objects.get(pk=finished.learner.pk).credited_microseconds == 29 * 60 * MICROSECONDS


def test_a_check_that_is_due_this_very_second_is_waited_for(finished: Room) -> None:
    lesson = Lesson.objects.get()
    finished.checked(lesson, clock("11:29"), clock("11:30"), [finished.learner], closed=False)
    assert refused(conclude, room=finished, at=clock("11:30:01")).code == "checks_running"
    assert len(conclude(finished, at=clock("11:30:02"))) == 2


def test_a_check_that_the_end_of_the_lesson_cut_short_holds_nothing_up(finished: Room) -> None:
    lesson = Lesson.objects.get()
    finished.checked(lesson, clock("11:29:30"), clock("11:30:30"), [finished.learner], closed=False)
    conclude(finished, at=clock("11:30:20"))
    assert Verdict.objects.get(pk=finished.learner.pk).credited_microseconds == 3 * 3600 * MICROSECONDS


def test_who_left_gets_no_verdict(finished: Room) -> None:
    leave_on_record(Enrolment.objects.exclude(pk=finished.learner.pk).get())
    assert [verdict.pk for verdict in conclude(finished)] == [finished.learner.pk]


# --- what is handed in ---


def test_a_unit_is_credited_once(room: Room, cast: Cast) -> None:
    room.lesson("14:00", "15:30", hours="2", kind="homework", state=LessonState.PLANNED)
    lesson = Lesson.objects.get()
    call: dict[str, Any] = {"enrolment": room.learner, "lesson": lesson, "actor": cast.learner}
    unit = actions.credit_unit(**call, source="submission/1", at=clock("15:00"))
    again = actions.credit_unit(**call, source="submission/2", at=clock("16:00"))
    assert (again, again.source) == (unit, "submission/1")
    assert queries.credit_of(room.learner).credited_microseconds == 5400 * MICROSECONDS
    entry = Entry.objects.get(kind="attendance.unit_credited")
    assert entry.facts == {"lesson": lesson.pk, "source": "submission/1", "hours": "2.00"}


def test_presence_lessons_and_other_classes_credit_no_units(room: Room, cast: Cast) -> None:
    live = room.lesson("08:30", "11:30")
    refusal = refused(
        actions.credit_unit,
        enrolment=room.learner,
        lesson=live,
        source="x",
        actor=cast.learner,
        at=clock("12:00"),
    )
    assert refusal.code == "unit_not_creditable"
    assert not UnitCredit.objects.exists()


def test_nothing_is_credited_after_the_verdict(finished: Room) -> None:
    homework = finished.lesson("14:00", "15:30", hours="2", kind="homework")
    conclude(finished)
    refusal = refused(
        actions.credit_unit,
        enrolment=finished.learner,
        lesson=homework,
        source="submission/9",
        actor=finished.cast.learner,
        at=clock("16:00"),
    )
    assert refusal.code == "attendance_concluded"
    assert not UnitCredit.objects.exists()
