"""One person has one clock: who a filed class has booked, another class cannot have at the same time."""

import datetime
import threading
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction
from django.test import Client

from audit.models import Entry
from classes import actions
from classes.actions.bookings import book
from classes.checks import check_draft
from classes.models import Booking, Filing, TrainingClass
from classes.states import ClassState
from classes.timetables import drafts_of
from policy.refusals import Refusal
from tests.classes.school import FIRST_DAY, GYB_PLAN, draft, gyb_drafts, roster_file, trainee_row

CODES = ("lecturer_free", "assistant_free", "trainees_free")


def judged(training_class, day=None):
    check = check_draft(
        training_class, drafts_of(training_class.lessons.all()), filed_on=day or datetime.date(2026, 9, 7)
    )
    return check, {finding.code: finding for finding in check.findings if finding.code in CODES}


def other_school(school, rival, name="洛阳第 1 期"):
    """A class of the rival with its own lecturer and assistant, on the same plan."""
    return actions.create_class(
        details=school.details(name=name, lecturer=None, assistant=None), actor=rival, at=school.at
    )


def test_a_submission_books_everybody_for_every_hour_that_has_its_hour(school):
    filing = school.filed()
    training_class = filing.training_class
    timed = [row for row in GYB_PLAN if row[2] != "homework"]
    assert Booking.objects.count() == len(timed) * (3 + 2)
    people = set(Booking.objects.values_list("person_id", flat=True))
    roster = set(training_class.enrolments.values_list("person_id", flat=True))
    assert people == roster | {training_class.lecturer_id, training_class.assistant_id}
    lesson = training_class.lessons.first()
    during = Booking.objects.filter(lesson=lesson)[0].during
    assert (during.lower, during.upper) == (lesson.starts_at, lesson.ends_at)


def test_the_draft_shows_whom_when_and_which_class(school):
    school.filed(name="第 6 期")
    training_class = school.create(name="第 7 期")
    school.enrol(training_class, count=2, first=2)  # the first of them is in both
    school.schedule(training_class, [draft(0, "09:00", "live", 2, "认识创业")])
    check, found = judged(training_class)
    assert [found[code].actual for code in CODES] == [1, 1, 1]
    assert [found[code].row for code in CODES] == ["F13", "F14", "M6"]
    assert found["lecturer_free"].render()["message"] == (
        "有 1 处时间冲突：2026-09-21 09:00–10:30“认识创业”，李明远这时要上“第 6 期”的课。"
    )
    assert not check.passed
    assert not Booking.objects.filter(lesson__training_class=training_class).exists()


def test_lessons_that_touch_or_have_no_hour_of_their_own_clash_with_nothing(school):
    school.filed(name="第 6 期")
    training_class = school.create(name="第 7 期")
    school.enrol(training_class)
    school.schedule(
        training_class,
        [
            draft(0, "11:30", "live", 2, "紧接着的课"),
            draft(1, "09:00", "homework", 2, "什么时候做都行"),
            draft(1, "12:00", "on_demand", 2, "什么时候看都行"),
        ],
    )
    check, found = judged(training_class)
    assert all(finding.passed for finding in found.values())
    assert check.clashes == ()


def test_of_another_institution_only_the_clash_itself_is_told(school, rival, now):
    school.filed(name="启航的秘密班名")
    other = other_school(school, rival)
    actions.import_roster(
        training_class=other, content=roster_file([trainee_row(0), trainee_row(20)]), actor=rival, at=now
    )
    actions.set_timetable(
        training_class=other, drafts=[draft(0, "08:00", "live", 4, "自己的课")], actor=rival, at=now
    )
    check, found = judged(other)
    message = found["trainees_free"].render()["message"]
    assert message.startswith("有 1 处时间冲突：2026-09-21 08:00–11:00“自己的课”，")
    assert message.endswith("这时已排在别的机构的培训班。")
    [clash] = check.clashes
    for told in (message, clash.words, str(found["trainees_free"].render())):
        assert "启航" not in told
        assert "08:30" not in told  # the other class's hours are not told either


def test_the_editor_puts_the_clash_on_its_row(school, manager, client: Client):
    school.filed(name="第 6 期")
    training_class = school.create(name="第 7 期")
    school.schedule(
        training_class, [draft(0, "09:00", "live", 2, "认识创业"), draft(2, "09:00", "live", 2, "空闲")]
    )
    client.force_login(manager)
    page = client.get(f"/classes/{training_class.pk}/timetable/").content.decode()
    row = page[page.index('id="row-r0"') : page.index('id="row-r1"')]
    assert "李明远这时要上“第 6 期”的课。" in row
    assert "换一名讲师" in page


def test_a_submission_that_clashes_is_refused_and_leaves_nothing(school, manager, now):
    school.filed(name="第 6 期")
    training_class = school.create(name="第 7 期")
    school.enrol(training_class, first=10)
    school.schedule(training_class, gyb_drafts())
    with pytest.raises(Refusal) as error:
        actions.submit_filing(training_class=training_class, actor=manager, at=now)
    assert error.value.code == "findings_failed"
    findings: Any = error.value.details["findings"]
    failed = {finding.code: finding for finding in findings if finding.blocks}
    assert set(failed) == {"lecturer_free", "assistant_free"}
    assert (failed["lecturer_free"].actual, failed["lecturer_free"].required) == (7, 0)
    assert error.value.next_step
    training_class.refresh_from_db()
    assert training_class.state == ClassState.DRAFT
    assert not Booking.objects.filter(lesson__training_class=training_class).exists()
    assert not Entry.objects.filter(chain=training_class.subject, kind="filing.submitted").exists()


@pytest.mark.parametrize("way", ["return", "withdraw", "cancel"])
def test_a_class_that_is_no_longer_filed_lets_its_people_go(school, manager, now, way):
    filing = school.filed(name="第 6 期")
    assert Booking.objects.exists()
    if way == "return":
        school.decide(filing, approved=False)
    elif way == "withdraw":
        actions.withdraw_filing(filing=filing, actor=manager, at=now)
    else:
        school.decide(filing)
        actions.cancel_class(training_class=filing.training_class, reason="改期", actor=manager, at=now)
    assert not Booking.objects.exists()
    training_class = school.create(name="第 7 期")
    school.enrol(training_class)
    school.schedule(training_class, gyb_drafts())
    actions.submit_filing(training_class=training_class, actor=manager, at=now)


def test_an_approval_keeps_what_the_submission_booked(school):
    filing = school.filed()
    before = list(Booking.objects.order_by("pk").values_list("pk", flat=True))
    school.decide(filing)
    assert list(Booking.objects.order_by("pk").values_list("pk", flat=True)) == before


def test_the_table_itself_refuses_a_second_booking(school):
    filing = school.filed(name="第 6 期")
    training_class = school.create(name="第 7 期")
    school.schedule(training_class, [draft(0, "09:00", "live", 2, "认识创业")])
    with pytest.raises(Refusal) as error, transaction.atomic():
        book(training_class)
    assert error.value.code == "people_booked"
    assert (error.value.rule, bool(error.value.next_step)) == ("M6", True)
    booking = Booking.objects.filter(lesson__training_class=filing.training_class)[0]
    with pytest.raises(IntegrityError, match="person_booked_once_at_a_time"), transaction.atomic():
        Booking.objects.create(
            lesson=training_class.lessons.get(), person=booking.person, during=booking.during
        )


@pytest.mark.django_db(transaction=True)
def test_of_two_submissions_at_once_one_is_refused(school, manager, now):
    first, second = (school.ready(name=name) for name in ("第 6 期", "第 7 期"))
    start = threading.Barrier(2)
    refused: list[str] = []

    def submit(training_class: TrainingClass) -> None:
        try:
            start.wait(10)
            actions.submit_filing(training_class=training_class, actor=manager, at=now)
        except Refusal as refusal:
            refused.append(refusal.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=submit, args=[one]) for one in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert refused == ["findings_failed"]
    assert Filing.objects.count() == 1
    assert set(Booking.objects.values_list("lesson__training_class", flat=True)) == {
        Filing.objects.get().training_class_id
    }


def test_a_day_longer_than_the_edition_allows_is_a_finding(school):
    training_class = school.create()
    school.schedule(
        training_class,
        [
            draft(0, "08:00", "live", 4, "上午"),
            draft(0, "13:00", "live", 4, "下午"),
            draft(1, "08:00", "live", 4, "次日"),
        ],
    )
    check, _found = judged(training_class)
    [finding] = [finding for finding in check.findings if finding.code == "daily_hours"]
    assert (finding.passed, finding.required) == (True, 8)
    school.schedule(training_class, [draft(0, "08:00", "live", 9, "一整天")])
    check, _found = judged(training_class)
    [finding] = [finding for finding in check.findings if finding.code == "daily_hours"]
    assert (finding.passed, finding.actual, finding.row) == (False, 9, "I3")
    assert finding.params["day"] == FIRST_DAY
