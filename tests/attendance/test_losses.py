"""What lecturers' classes lost (L5): which figures open a case, who is shown it, and what the page says."""

import datetime
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

import pytest
from django.db import ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.actions import find_or_create_person, grant_role
from accounts.models import Bureau, Institution, Person, Region, User
from accounts.registers import actions as registers
from accounts.registers.actions import Order
from accounts.registers.states import Ground, MeasureKind
from accounts.start import tasks_for
from accounts.states import Department, Role
from attendance.actions import find_teaching_sound
from attendance.losses import LecturerLosses, losses_in
from attendance.models import LossReview, UnitCredit
from attendance.states import SignInState
from audit.models import Entry
from audit.queries import entries_about
from classes.models import Enrolment, Lesson, TrainingClass
from classes.states import ClassState, LessonState
from config.demo.cast import Cast, made_up_id_number
from courses.models import Course
from courses.states import Origin
from policy.messages import NBSP
from policy.refusals import Refusal
from tests.attendance.conftest import DAY, Room, clock
from tests.cast import client_of
from tests.on_record import finish_on_record, leave_on_record

pytestmark = pytest.mark.django_db
Finished = Callable[..., TrainingClass]
AFTER = clock("09:00", DAY + datetime.timedelta(days=90))
WEEK = datetime.timedelta(days=7)


@pytest.fixture
def trainees(now: datetime.datetime) -> list[Person]:
    return [
        find_or_create_person(name=f"学员{n}", id_number=made_up_id_number(200 + n), at=now) for n in range(6)
    ]


@pytest.fixture
def finished(cast: Cast, trainees: list[Person]) -> Finished:
    """Make a finished class, a week after the one before: so many trainees, so many signed in at its end."""
    course = Course.objects.create(name="GYB（直播）", course_type="GYB", origin=Origin.CONVERTED)
    weeks: Iterator[int] = count()

    def make(
        roster: int,
        remaining: int,
        *,
        lecturer: Person | None = None,
        school: Institution | None = None,
        state: str = ClassState.FINISHED,
    ) -> TrainingClass:
        n = next(weeks)
        first = DAY + n * WEEK
        training_class = TrainingClass.objects.create(
            institution=school or cast.school,
            course=course,
            name=f"第 {n + 1} 期",
            mode="full_live",
            edition="demo",
            starts_on=first,
            ends_on=first + datetime.timedelta(days=1),
            lecturer=lecturer or cast.trainer.person,
            assistant=cast.assistant.person,
            state=ClassState.RUNNING,
            created_by=cast.manager,
        )
        room = Room(training_class, cast)
        enrolments = [room.enrol(person) for person in trainees[:roster]]
        opening, end = (
            room.lesson(clock("08:30", day), clock("11:30", day))
            for day in (first, first + datetime.timedelta(days=1))
        )
        for enrolment in enrolments:
            room.signed_in(enrolment, opening, opening.starts_at)
        for enrolment in enrolments[:remaining]:
            room.signed_in(enrolment, end, end.starts_at)
        if state == ClassState.FINISHED:
            finish_on_record(training_class, end.ends_at)
        return training_class

    return make


def figures(found: list[LecturerLosses]) -> list[tuple[str, list[tuple[int, int]], bool]]:
    return [
        (one.name, [(each.loss.roster, each.loss.remaining) for each in one.classes], one.is_open)
        for one in found
    ]


def of(officer: User) -> list[LecturerLosses]:
    assert officer.bureau is not None
    return losses_in([officer.bureau])


def page_of(user: User) -> str:
    answer = client_of(user).get(reverse("attendance:losses"))
    assert answer.status_code == 200
    return str(answer.content.decode())


def tasks(user: User, now: datetime.datetime) -> list[str]:
    return [task.title for task in tasks_for(user, now) if task.url == reverse("attendance:losses")]


# --- the figures ---


def test_exactly_half_lost_twice_running_opens_a_case(finished: Finished, officer: User):
    finished(4, 2)
    last = finished(6, 3)
    [one] = of(officer)
    assert figures([one]) == [("李明远", [(4, 2), (6, 3)], True)]
    assert (one.finding.code, one.finding.row, one.finding.actual) == ("trainee_loss", "L5", 2)
    assert one.opened_on == last.ends_on
    assert [(each.share_text, each.is_heavy) for each in one.classes] == [
        (f"50{NBSP}%", True),
        (f"50{NBSP}%", True),
    ]


def test_less_than_half_or_a_better_class_between_opens_none(finished: Finished, officer: User):
    finished(4, 2)
    finished(6, 4)
    finished(4, 1)
    [one] = of(officer)
    assert figures([one]) == [("李明远", [(4, 2), (6, 4), (4, 1)], False)]
    assert (one.opened_on, one.finding.actual) == (None, 1)
    assert [each.share_text for each in one.classes] == [f"50{NBSP}%", f"33.33{NBSP}%", f"75{NBSP}%"]


def test_a_case_that_opened_stays_open_after_a_better_class(finished: Finished, officer: User):
    finished(4, 2)
    second = finished(4, 2)
    finished(4, 4)
    [one] = of(officer)
    assert (one.is_open, one.opened_on) == (True, second.ends_on)


def test_classes_run_by_their_last_day_and_count_only_when_finished(finished: Finished, officer: User):
    first, between, third = finished(4, 2), finished(4, 4), finished(4, 2)
    finished(4, 0, state=ClassState.RUNNING)
    assert not of(officer)[0].is_open
    TrainingClass.objects.filter(pk=between.pk).update(ends_on=third.ends_on + WEEK)
    [one] = of(officer)
    assert [each.class_id for each in one.classes] == [first.pk, third.pk, between.pk]
    assert one.is_open


def test_who_came_on_the_last_day_remained_however_they_came(
    finished: Finished, officer: User, cast: Cast, now: datetime.datetime
):
    """A homework of the last day counts, and so does one of two lessons; a refused sign-in does not."""
    training_class = finished(6, 1)
    room = Room(training_class, cast)
    day = training_class.ends_on
    again = room.lesson(clock("14:30", day), clock("17:30", day))
    homework = room.lesson(
        clock("18:00", day), clock("20:00", day), kind="homework", hours="2", state=LessonState.PLANNED
    )
    roster = Enrolment.objects.filter(training_class=training_class).order_by("pk")
    first, second, third, fourth, _absent, sixth = roster
    room.signed_in(first, again, again.starts_at)  # came to both lessons: still one person
    room.signed_in(second, again, again.starts_at)
    refused = room.signed_in(third, again, again.starts_at)
    refused.state = SignInState.REFUSED
    refused.save()
    UnitCredit.objects.create(enrolment=fourth, lesson=homework, source="coursework/1", credited_at=now)
    UnitCredit.objects.create(enrolment=second, lesson=homework, source="coursework/2", credited_at=now)
    leave_on_record(sixth)
    assert figures(of(officer)) == [("李明远", [(5, 3)], False)]


def test_a_lesson_that_was_never_held_is_nobodys_absence(finished: Finished, officer: User, cast: Cast):
    training_class = finished(4, 3)
    day = training_class.ends_on + datetime.timedelta(days=1)
    Room(training_class, cast).lesson(clock("08:30", day), clock("11:30", day), state=LessonState.PLANNED)
    Room(training_class, cast).lesson(clock("14:30", day), clock("17:30", day), kind="offline")
    assert figures(of(officer)) == [("李明远", [(4, 3)], False)]


def test_a_class_without_any_record_of_attendance_is_left_out(finished: Finished, officer: User):
    kept, silent = finished(4, 2), finished(4, 0)
    finished(4, 2)
    Lesson.objects.filter(training_class=silent).update(kind="offline")
    [one] = of(officer)
    assert (len(one.classes), one.is_open) == (2, True)
    assert one.classes[0].class_id == kept.pk


# --- whose it is ---


@pytest.fixture
def elsewhere(now: datetime.datetime) -> User:
    """An officer of another city."""
    bureau = Bureau.objects.create(
        name="洛阳市人力资源和社会保障局",
        department=Department.HRSS,
        region=Region.objects.get(code="410300"),
    )
    user = User.objects.create_user(username="luoyang", person=_person("孟昭阳", 301, now))
    grant_role(user=user, role=Role.OFFICER, bureau=bureau)
    return User.objects.get(pk=user.pk)


def _person(name: str, serial: int, at: datetime.datetime) -> Person:
    return find_or_create_person(name=name, id_number=made_up_id_number(serial), at=at)


def test_another_regions_officer_does_not_see_the_lecturer(
    finished: Finished, cast: Cast, officer: User, elsewhere: User, now: datetime.datetime
):
    finished(4, 2)
    finished(4, 2)
    assert of(elsewhere) == []
    assert "李明远" not in page_of(elsewhere)
    assert tasks(elsewhere, now) == []
    assert tasks(officer, now) == [f"1 位讲师连续两个班学员流失 50{NBSP}% 及以上"]
    for user in ("manager", "trainer", "finance", "operator", "regulator", "rival"):
        stranger = client_of(getattr(cast, user))
        assert stranger.get(reverse("attendance:losses")).status_code == 404


def test_classes_of_another_region_count_and_show_their_figures_only(
    finished: Finished, cast: Cast, officer: User, elsewhere: User
):
    finished(4, 2)
    theirs = finished(6, 2, school=cast.rival_school)
    shown, other = page_of(officer), page_of(elsewhere)
    assert figures(of(officer)) == figures(of(elsewhere)) == [("李明远", [(4, 2), (6, 2)], True)]
    assert "其他地区的培训班" in shown
    assert f"66.66{NBSP}%" in shown
    assert reverse("attendance:class", args=[theirs.pk]) not in shown
    assert cast.rival_school.name not in shown
    assert reverse("attendance:class", args=[theirs.pk]) in other
    # The lecturer is on the register here; the other office sees the case, and who enters the decision.
    link = reverse("attendance:loss_case", args=[cast.trainer.person_id])
    assert (link in shown, link in other) == (True, False)
    assert "由任教地的人社部门登记" in other


# --- what the office makes of it ---


def test_the_page_opens_a_case_and_leaves_the_decision_to_a_person(
    finished: Finished, officer: User, now: datetime.datetime
):
    other = _person("丁一鸣", 302, now)
    finished(4, 4, lecturer=other)
    finished(4, 2)
    finished(4, 2)
    page = page_of(officer)
    assert "不取消任何人的资格" in page
    assert "由具名的经办人员核实以后决定" in page
    assert page.index("李明远") < page.index("丁一鸣")  # the open case first, though its name comes later
    assert page.count("去登记核查结果") == 1
    assert f"连续 2 个班学员流失达到 50{NBSP}%" in page
    assert (
        reverse("attendance:losses")
        in client_of(officer).get(reverse("registers:lecturers")).content.decode()
    )


def test_a_disqualification_answers_the_case_and_a_later_run_opens_another(
    finished: Finished, cast: Cast, officer: User, now: datetime.datetime
):
    finished(4, 2)
    finished(4, 2)
    assert cast.trainer.person is not None
    after = now + 2 * WEEK
    order = Order(
        kind=MeasureKind.DISQUALIFICATION,
        row=Ground.LOSS,
        ground="两个班学员流失都达到一半，授课效果较差。",
        since=after.date(),
    )
    measure = registers.disqualify_lecturer(person=cast.trainer.person, order=order, actor=officer, at=after)
    assert [one.is_answered for one in of(officer)] == [True]
    assert tasks(officer, after) == []
    registers.end_measure(measure=measure, reason="复核后解除。", actor=officer, at=after)
    assert not of(officer)[0].is_open  # lifted, but decided
    for _ in range(2):
        finished(4, 1)
    assert of(officer)[0].is_open


def test_an_office_without_finished_classes_is_told_so(officer: User, now: datetime.datetime):
    assert "还没有结班的培训班" in page_of(officer)
    assert tasks(officer, now) == []


def test_more_classes_and_lecturers_take_no_more_queries(
    finished: Finished, officer: User, now: datetime.datetime
):
    client, url = client_of(officer), reverse("attendance:losses")
    for _ in range(2):
        finished(4, 2)
    client.get(url)
    with CaptureQueriesContext(connection) as one:
        client.get(url)
    for n in range(3):
        lecturer = _person("罗文", 310 + n, now)
        finished(4, 2, lecturer=lecturer)
        finished(4, 1, lecturer=lecturer)
    with CaptureQueriesContext(connection) as many:
        assert client.get(url).content.decode().count("<section") >= 4
    assert len(many) == len(one)


# --- what an office finds ---


def _review(officer: User, case: LecturerLosses, *, ground: str = "走访 6 人，都因农忙。") -> None:
    assert case.opened_on is not None
    find_teaching_sound(
        person=Person.objects.get(pk=case.person_id),
        opened_on=case.opened_on,
        ground=ground,
        actor=officer,
        at=AFTER,
    )


def test_a_review_answers_this_case_and_a_later_run_opens_another(finished: Finished, officer: User):
    for _ in range(2):
        finished(4, 2)
    [case] = of(officer)
    _review(officer, case)
    [case] = of(officer)
    assert (case.is_open, case.is_answered) == (False, True)
    assert case.review is not None
    assert case.review.ground == "走访 6 人，都因农忙。"
    assert tasks(officer, AFTER) == []
    assert "核查过，没有发现较差" in page_of(officer)
    [entry] = entries_about(case.review.subject)
    assert (entry.kind, entry.actor_id) == ("losses.reviewed", officer.pk)
    assert "农忙" not in str(entry.facts)
    finished(4, 1)
    assert of(officer)[0].is_open  # this class and the one before are another run


def test_reviewing_again_changes_nothing(finished: Finished, officer: User):
    for _ in range(2):
        finished(4, 2)
    [case] = of(officer)
    _review(officer, case)
    _review(officer, case, ground="又想了想。")
    [review] = LossReview.objects.all()
    assert review.ground == "走访 6 人，都因农忙。"
    assert Entry.objects.filter(kind="losses.reviewed").count() == 1


@pytest.mark.parametrize("ground", ["", "  ", "长" * 501])
def test_a_review_says_what_was_looked_into(finished: Finished, officer: User, ground: str):
    for _ in range(2):
        finished(4, 2)
    [case] = of(officer)
    with pytest.raises(Refusal, check=lambda refusal: refusal.code == "ground_missing"):
        _review(officer, case, ground=ground)
    assert of(officer)[0].is_open


def test_only_the_case_that_was_looked_at_is_closed(finished: Finished, officer: User):
    for _ in range(3):
        finished(4, 2)
    [case] = of(officer)
    assert case.opened_on is not None
    before = replace(case, opened_on=case.opened_on - WEEK)
    with pytest.raises(Refusal, check=lambda refusal: refusal.code == "loss_case_closed"):
        _review(officer, before)
    assert not LossReview.objects.exists()


def test_a_review_is_written_once(finished: Finished, officer: User):
    for _ in range(2):
        finished(4, 2)
    _review(officer, of(officer)[0])
    with pytest.raises(ProgrammingError), transaction.atomic():
        LossReview.objects.update(ground="改了")


def test_an_officer_enters_a_review_on_the_page(finished: Finished, officer: User):
    for _ in range(2):
        finished(4, 2)
    [case] = of(officer)
    client, url = client_of(officer), reverse("attendance:loss_case", args=[case.person_id])
    page = client.get(url).content.decode()
    assert reverse("registers:disqualify", args=[case.person_id]) in page
    sent = {"opened_on": str(case.opened_on), "ground": "走访 6 人，都因农忙。"}
    assert client.post(url, sent).status_code == 400
    assert not LossReview.objects.exists()
    assert client.post(url, sent | {"sure": "on"}).status_code == 302
    after = client.get(url).content.decode()
    assert "走访 6 人，都因农忙。" in after
    assert "<textarea" not in after
    late = client.post(url, sent | {"sure": "on", "opened_on": "2020-01-01"})
    assert late.status_code == 409
    assert "已经有了决定" in late.content.decode()


def test_a_lecturer_of_another_region_has_no_such_page(
    finished: Finished, officer: User, now: datetime.datetime
):
    stranger = _person("罗文", 320, now)
    assert client_of(officer).get(reverse("attendance:loss_case", args=[stranger.pk])).status_code == 404
