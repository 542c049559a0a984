"""Screening, assignment, the waiting list: who gets into which class, in which order (F4-F6, P8)."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.http import Http404

from accounts.models import Person
from audit.models import Entry
from classes import actions as class_actions
from classes.models import Enrolment, TrainingClass
from classes.recruitment import actions
from classes.recruitment.findings import findings_on
from classes.recruitment.models import Registration
from classes.recruitment.standing import standing_of
from classes.recruitment.states import RegistrationState, Stage
from classes.states import ClassState, EnrolmentState
from courses.models import Course
from policy.refusals import Refusal
from tests.classes.school import roster_file, trainee_row
from tests.recruitment.conftest import able, answers


@contextmanager
def refused_with(code: str) -> Iterator[None]:
    with pytest.raises(Refusal) as refused:
        yield
    assert refused.value.code == code


def test_answers_become_a_stage_needs_and_a_fitting_course(apply, school, now):
    registration = apply(1)
    screening = actions.answer_questionnaire(registration=registration, answers=answers(), actor=None, at=now)
    registration.refresh_from_db()
    assert (registration.state, screening.stage) == (RegistrationState.SCREENED, Stage.AWARENESS)
    assert registration.fitting_course == school.course == screening.suggested_course
    assert screening.needs
    facts = Entry.objects.get(kind="registration.screened").facts
    assert (facts["stage"], facts["score"]) == ("awareness", screening.score)
    assert "vague" not in str(facts)


def test_another_course_is_suggested_where_the_wanted_one_does_not_fit(screened, school):
    registration = screened(1, answers=able())
    assert registration.fitting_course is not None
    assert registration.fitting_course.course_type == "SYB"
    assert registration.course == school.course


def test_incomplete_answers_leave_the_registration_as_it_was(apply, now):
    registration = apply(1)
    with refused_with("answers_missing"):
        actions.answer_questionnaire(registration=registration, answers={}, actor=None, at=now)
    registration.refresh_from_db()
    assert registration.state == RegistrationState.SUBMITTED


def test_the_staff_may_judge_otherwise_with_a_reason(screened, school, manager, rival, now):
    registration = screened(1, answers=answers(time="none"))
    assert registration.fitting_course is None
    change = {"registration": registration, "stage": "awareness", "course": school.course, "at": now}
    with pytest.raises(Http404):
        actions.rejudge(**change, reason="有时间了", actor=rival)
    with refused_with("reason_missing"):
        actions.rejudge(**change, reason=" ", actor=manager)
    screening = actions.rejudge(**change, reason="电话里说周末有时间", actor=manager)
    registration.refresh_from_db()
    assert registration.fitting_course == school.course
    assert (screening.found, screening.judged) == (Stage.NOT_YET, Stage.AWARENESS)
    facts = Entry.objects.get(kind="registration.rejudged").facts
    assert (facts["found"], facts["stage"]) == ("not_yet", "awareness")


def test_an_assigned_applicant_is_on_the_roster_with_source_category_and_account(
    screened, event, draft, manager, now
):
    registration = screened(1, event=event)
    actions.assign(registration=registration, training_class=draft, actor=manager, at=now)
    registration.refresh_from_db()
    enrolment = Enrolment.objects.get(training_class=draft)
    assert registration.state == RegistrationState.ASSIGNED
    assert registration.enrolment == enrolment
    assert (enrolment.category, enrolment.source) == ("rural_worker", f"event/{event.code}")
    assert enrolment.person == registration.person
    assert enrolment.person.user.has_role("trainee")
    assert not enrolment.person.user.has_usable_password()
    added = Entry.objects.get(kind="roster.trainee_added")
    assert added.facts["source"] == f"event/{event.code}"
    assert registration.name not in str(added.facts)


def test_nobody_gets_into_a_class_before_the_screening(apply, draft, manager, now):
    registration = apply(1)
    with refused_with("move_refused"):
        actions.assign(registration=registration, training_class=draft, actor=manager, at=now)
    assert Enrolment.objects.count() == 0


def test_a_class_of_another_course_type_does_not_fit(screened, draft, manager, now):
    registration = screened(1, answers=able())
    with refused_with("course_not_fitting"):
        actions.assign(registration=registration, training_class=draft, actor=manager, at=now)
    assert Enrolment.objects.count() == 0


def test_who_was_found_fit_for_another_course_is_not_filed(screened, draft, manager, now):
    """F6 holds in whatever order: the class may get another course after the assignment."""
    actions.assign(registration=screened(1), training_class=draft, actor=manager, at=now)
    fitting = next(one for one in findings_on(draft, now.date()) if one.code == "course_fitting")
    assert (fitting.passed, fitting.row) == (True, "F6")
    draft.course = Course.objects.create(name="创办企业", course_type="SYB", origin="platform")
    changed = next(one for one in findings_on(draft, now.date()) if one.code == "course_fitting")
    assert (changed.blocks, changed.row, changed.actual, changed.required) == (True, "F6", 1, 0)


def test_the_rival_assigns_nobody(screened, draft, rival, now):
    registration = screened(1)
    with pytest.raises(Http404):
        actions.assign(registration=registration, training_class=draft, actor=rival, at=now)
    assert Enrolment.objects.count() == 0


def test_a_filed_class_takes_nobody_more(screened, school, manager, now):
    registration = screened(1)
    filing = school.filed()
    with refused_with("class_not_editable"):
        actions.assign(registration=registration, training_class=filing.training_class, actor=manager, at=now)


def test_a_name_that_differs_from_the_known_one_is_refused_to_the_staff(
    screened, draft, manager, learner, now
):
    registration = screened(0, name="冒名顶")
    with refused_with("name_differs"):
        actions.assign(registration=registration, training_class=draft, actor=manager, at=now)
    registration.refresh_from_db()
    assert registration.state == RegistrationState.SCREENED


def test_one_person_sits_in_one_class_of_a_type_at_a_time(apply, screened, school, draft, manager, now):
    other = school.create(name="另一个班")
    first, second = screened(1), screened(1, phone="13799999999")
    actions.assign(registration=first, training_class=draft, actor=manager, at=now)
    with refused_with("already_assigned"):
        actions.assign(registration=second, training_class=other, actor=manager, at=now)
    with refused_with("already_enrolled"):
        actions.assign(registration=second, training_class=draft, actor=manager, at=now)


def fill(school, training_class, count):
    """Put people on the roster until `count` sit in the class."""
    class_actions.import_roster(
        training_class=training_class,
        content=roster_file([trainee_row(200 + n) for n in range(count)]),
        actor=school.cast.manager,
        at=school.at,
    )


def test_a_full_class_takes_nobody_and_the_list_takes_them_in_order(screened, school, draft, manager, now):
    fill(school, draft, 59)
    people = [screened(n) for n in (3, 1, 2)]
    placement = actions.assign_many(registrations=people, training_class=draft, actor=manager, at=now)
    # In the order in which they registered, whatever the order of the ticks.
    assert [each.name for each in placement.assigned] == [people[1].name]
    assert [each.name for each in placement.waiting] == [people[2].name, people[0].name]
    assert placement.refused == ()
    waiting = Registration.objects.get(pk=people[2].pk)
    with refused_with("class_full"):
        actions.assign(registration=waiting, training_class=draft, actor=manager, at=now)
    assert draft.enrolments.filter(state=EnrolmentState.ACTIVE).count() == 60


def test_a_free_place_goes_to_who_waits_longest(screened, school, draft, manager, now):
    fill(school, draft, 60)
    people = [screened(n) for n in (1, 2, 3)]
    for n, place in ((2, 0), (0, 1), (1, 2)):
        actions.put_on_waiting_list(
            registration=people[n], actor=manager, at=now + datetime.timedelta(hours=place)
        )
    with refused_with("class_full"):
        actions.promote_waiting(training_class=draft, actor=manager, at=now)
    leaving = draft.enrolments.order_by("pk")[0]
    class_actions.remove_trainee(enrolment=leaving, actor=manager, at=now)
    placement = actions.promote_waiting(training_class=draft, actor=manager, at=now)
    assert [each.pk for each in placement.assigned] == [people[2].pk]
    assert set(Registration.objects.filter(state=RegistrationState.WAITING).values_list("pk", flat=True)) == {
        people[0].pk,
        people[1].pk,
    }
    assert draft.enrolments.filter(state=EnrolmentState.ACTIVE).count() == 60


def test_who_cannot_be_promoted_keeps_the_place_and_the_next_moves_up(screened, draft, manager, learner, now):
    wrong, right = screened(0, name="冒名顶"), screened(2)
    for n, registration in enumerate((wrong, right)):
        actions.put_on_waiting_list(
            registration=registration, actor=manager, at=now + datetime.timedelta(hours=n)
        )
    placement = actions.promote_waiting(training_class=draft, actor=manager, at=now)
    assert [each.pk for each in placement.assigned] == [right.pk]
    [(left, refusal)] = placement.refused
    assert (left.pk, refusal.code) == (wrong.pk, "name_differs")
    wrong.refresh_from_db()
    assert (wrong.state, wrong.waiting_since) == (RegistrationState.WAITING, now)


def test_the_list_of_another_course_type_is_another_list(screened, draft, manager, now):
    registration = screened(1, answers=able())
    actions.put_on_waiting_list(registration=registration, actor=manager, at=now)
    with refused_with("waiting_list_empty"):
        actions.promote_waiting(training_class=draft, actor=manager, at=now)


def test_who_is_not_ready_for_any_course_has_nothing_to_wait_for(screened, manager, now):
    registration = screened(1, answers=answers(time="none"))
    with refused_with("no_fitting_course"):
        actions.put_on_waiting_list(registration=registration, actor=manager, at=now)


def test_a_rejection_has_a_reason_and_can_be_taken_back(screened, manager, now):
    registration = screened(1)
    with refused_with("reason_missing"):
        actions.reject(registration=registration, reason=" ", actor=manager, at=now)
    actions.reject(registration=registration, reason="下期再来", actor=manager, at=now)
    registration.refresh_from_db()
    assert (registration.state, registration.reason) == (RegistrationState.REJECTED, "下期再来")
    actions.reopen(registration=registration, actor=manager, at=now)
    registration.refresh_from_db()
    assert (registration.state, registration.fitting_course) == (RegistrationState.SUBMITTED, None)


def test_release_takes_off_the_roster_also_after_the_roster_page_did(screened, draft, manager, now):
    first, second = screened(1), screened(2)
    for registration in (first, second):
        actions.assign(registration=registration, training_class=draft, actor=manager, at=now)
    enrolment = Enrolment.objects.get(person__name=second.name)
    class_actions.remove_trainee(enrolment=enrolment, actor=manager, at=now)
    for registration in (first, second):
        registration.refresh_from_db()
        actions.release(registration=registration, actor=manager, at=now)
        registration.refresh_from_db()
        assert (registration.state, registration.enrolment) == (RegistrationState.SCREENED, None)
    assert not draft.enrolments.filter(state=EnrolmentState.ACTIVE).exists()


def test_a_cancelled_class_gives_its_applicants_back(screened, draft, school, manager, now):
    first, second = screened(1), screened(2)
    for registration in (first, second):
        actions.assign(registration=registration, training_class=draft, actor=manager, at=now)
    # As it was left by a cancellation from before: assigned to nothing that will be held.
    TrainingClass.objects.filter(pk=draft.pk).update(state=ClassState.CANCELLED)
    first.refresh_from_db()
    actions.release(registration=first, actor=manager, at=now)
    TrainingClass.objects.filter(pk=draft.pk).update(state=ClassState.DRAFT)
    class_actions.cancel_class(training_class=draft, reason="人数不够", actor=manager, at=now)
    other = school.create(name="另一期")
    for registration in (first, second):
        registration.refresh_from_db()
        assert (registration.state, registration.enrolment) == (RegistrationState.SCREENED, None)
        assert standing_of(registration).next == "筛选已完成，机构正在安排班级。"
        actions.assign(registration=registration, training_class=other, actor=manager, at=now)
    assert draft.enrolments.filter(state=EnrolmentState.ACTIVE).count() == 2  # the roster as it was
    assert other.enrolments.filter(state=EnrolmentState.ACTIVE).count() == 2


def test_whom_nothing_fits_is_not_told_that_a_class_is_on_its_way(screened):
    registration = screened(1, answers=answers(time="none"))
    assert registration.fitting_course is None
    assert "暂时不适合" in standing_of(registration).next


def test_whoever_comes_back_is_on_the_roster_once(screened, draft, manager, now):
    registration = screened(1)
    for _time in range(2):
        actions.assign(registration=registration, training_class=draft, actor=manager, at=now)
        registration.refresh_from_db()
        actions.release(registration=registration, actor=manager, at=now)
        registration.refresh_from_db()
    assert draft.enrolments.count() == 1


def test_the_activation_code_is_for_an_assigned_trainee_without_a_password(
    screened, draft, manager, rival, now
):
    registration = screened(1)
    with refused_with("not_assigned"):
        actions.issue_code(registration=registration, actor=manager, at=now)
    actions.assign(registration=registration, training_class=draft, actor=manager, at=now)
    registration.refresh_from_db()
    with pytest.raises(Http404):
        actions.issue_code(registration=registration, actor=rival, at=now)
    issued = actions.issue_code(registration=registration, actor=manager, at=now)
    user = Person.objects.get(pk=registration.person_id).user
    assert issued.user == user
    assert issued.code not in str([entry.facts for entry in Entry.objects.all()])
    user.set_password("zhengzhou-2026")
    user.save()
    with refused_with("account_active"):
        actions.issue_code(registration=registration, actor=manager, at=now)
