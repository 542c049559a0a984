"""Who teaches and who learns is asked again at every step: editing, submission, approval, the lesson."""

import datetime
from dataclasses import replace

import pytest
from django.urls import reverse

from accounts.models import Membership
from accounts.staff import end_staff
from accounts.states import Role
from classes import actions
from classes.models import Filing
from classes.states import ClassState, FilingState, LessonState
from courses.actions.versions import retire_version
from tests.cast import client_of
from tests.classes.school import gyb_drafts
from tests.classes.test_filing import refused


@pytest.fixture(autouse=True)
def _monday(time_machine, now):
    time_machine.move_to(now.astimezone(datetime.UTC), tick=False)


def leave(school, who):
    membership = Membership.objects.get(user=school.cast[who], institution=school.cast.school)
    end_staff(membership=membership, actor=school.cast.manager, at=school.at)


def submit(school, training_class):
    return actions.submit_filing(training_class=training_class, actor=school.cast.manager, at=school.at)


def blocking(error):
    return [finding.code for finding in error.details["findings"] if finding.blocks]


@pytest.mark.parametrize(("place", "rule"), [("lecturer", "F13"), ("assistant", "F14")])
def test_nobody_on_the_roster_is_chosen_to_teach(school, manager, now, place, rule):
    """B2: whichever comes first, the roster or the staff."""
    training_class = school.create(lecturer=None, assistant=None)
    details = school.details()
    person = getattr(details, place)
    school.enrol(training_class, count=1)
    on_the_roster(training_class, person)
    error = refused(
        lambda: actions.update_class(training_class=training_class, details=details, actor=manager, at=now),
        "is_trainee",
    )
    assert error.rule == rule
    training_class.refresh_from_db()
    assert (training_class.lecturer, training_class.assistant) == (None, None)
    other = replace(details, **{place: None})
    actions.update_class(training_class=training_class, details=other, actor=manager, at=now)
    enrolment = training_class.enrolments.get()
    actions.remove_trainee(enrolment=enrolment, actor=manager, at=now)
    actions.update_class(training_class=training_class, details=details, actor=manager, at=now)
    training_class.refresh_from_db()
    assert getattr(training_class, place) == person


def on_the_roster(training_class, person):
    """As it may stand from before anybody asked."""
    enrolment = training_class.enrolments.first()
    enrolment.person = person
    enrolment.save(update_fields=["person"])


@pytest.mark.parametrize("place", ["lecturer", "assistant"])
def test_a_class_that_its_own_staff_attend_is_neither_filed_nor_approved(school, place):
    training_class = school.ready()
    on_the_roster(training_class, getattr(training_class, place))
    error = refused(lambda: submit(school, training_class), "findings_failed")
    assert "staff_not_trainees" in blocking(error)
    assert not Filing.objects.exists()


@pytest.mark.parametrize("place", ["lecturer", "assistant"])
def test_a_submission_from_before_is_not_approved(school, place):
    filing = school.filed()
    on_the_roster(filing.training_class, getattr(filing.training_class, place))
    error = refused(lambda: school.decide(filing), "standing_lost")
    assert error.rule == "F14"


@pytest.mark.parametrize(
    ("who", "code", "rule"),
    [("trainer", "lecturer_in_office", "F13"), ("assistant", "assistant_in_office", "F14")],
)
def test_who_has_left_the_school_stands_in_no_filing_approval_or_lesson(school, who, code, rule):
    draft = school.ready()
    leave(school, who)
    error = refused(lambda: submit(school, draft), "findings_failed")
    assert blocking(error) == [code]
    draft.refresh_from_db()
    assert draft.state == ClassState.DRAFT


@pytest.mark.parametrize(("who", "rule"), [("trainer", "F13"), ("assistant", "F14")])
def test_a_submission_is_not_approved_after_they_left(school, who, rule):
    filing = school.filed()
    leave(school, who)
    assert refused(lambda: school.decide(filing), "standing_lost").rule == rule
    filing.refresh_from_db()
    assert filing.state == FilingState.SUBMITTED
    assert school.decide(filing, approved=False).reason


@pytest.mark.parametrize(("who", "rule"), [("trainer", "F13"), ("assistant", "F14")])
def test_no_lesson_opens_after_they_left(school, trainer, who, rule):
    training_class = school.approved()
    lesson = training_class.lessons.first()
    leave(school, who)
    error = refused(
        lambda: actions.open_lesson(lesson=lesson, actor=trainer, at=lesson.starts_at), "staff_left"
    )
    assert error.rule == rule
    lesson.refresh_from_db()
    assert lesson.state == LessonState.PLANNED


@pytest.mark.parametrize(("who", "opens"), [("trainer", False), ("assistant", True)])
def test_an_assistant_who_leaves_in_mid_course_does_not_strand_the_trainees(school, trainer, who, opens):
    training_class = school.approved()
    first, second = training_class.lessons.order_by("starts_at")[:2]
    actions.open_lesson(lesson=first, actor=trainer, at=first.starts_at)
    leave(school, who)

    def go_on():
        return actions.open_lesson(lesson=second, actor=trainer, at=second.starts_at)

    if opens:
        assert go_on().state == LessonState.OPEN
    else:
        assert refused(go_on, "staff_left").rule == "F13"


def test_ending_an_office_names_the_classes_and_asks_first(school, manager):
    training_class = school.ready()
    held = Membership.objects.get(user=school.cast.trainer, role=Role.LECTURER)
    url = reverse("accounts:staff_end", args=[held.pk])
    page = client_of(manager).get(url).content.decode()
    assert training_class.name in page
    assert reverse("classes:detail", args=[training_class.pk]) in page
    asked = client_of(manager).post(url)
    assert (asked.status_code, Membership.objects.filter(pk=held.pk).exists()) == (409, True)
    assert training_class.name in asked.content.decode()
    assert client_of(manager).post(url, {"confirmed": "1"}).status_code == 302
    assert not Membership.objects.filter(pk=held.pk).exists()


def test_a_class_that_is_over_is_not_named(school, manager):
    training_class = school.ready()
    type(training_class).objects.filter(pk=training_class.pk).update(
        state=ClassState.FINISHED, finished_at=school.at
    )
    held = Membership.objects.get(user=school.cast.trainer, role=Role.LECTURER)
    page = client_of(manager).get(reverse("accounts:staff_end", args=[held.pk])).content.decode()
    assert training_class.name not in page
    assert client_of(manager).post(reverse("accounts:staff_end", args=[held.pk])).status_code == 302


def test_a_retired_version_is_not_filed_but_a_filing_keeps_its_own(school):
    """A2: what was submitted goes on with the version that it was submitted with."""
    filing = school.filed()
    retire_version(version=filing.training_class.course_version, actor=school.cast.operator, at=school.at)
    assert school.decide(filing).state == FilingState.APPROVED


def test_a_draft_of_a_retired_version_is_refused(school):
    training_class = school.create()
    school.enrol(training_class)
    school.schedule(training_class, gyb_drafts())
    retire_version(version=training_class.course_version, actor=school.cast.operator, at=school.at)
    error = refused(lambda: submit(school, training_class), "findings_failed")
    assert blocking(error) == ["course_version_in_use"]
