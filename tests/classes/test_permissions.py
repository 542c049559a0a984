"""Who sees a class, its lessons and its people."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404

from classes import actions, permissions
from classes.models import TrainingClass
from classes.queries import classes_visible_to
from classes.states import FILED_STATES, ClassState
from config.demo.cast import made_up_id_number
from tests.cast import client_of
from tests.classes.school import gyb_drafts, roster_file, trainee_row
from tests.classes.test_api import api


@pytest.fixture
def training_class(school):
    training_class = school.create()
    school.enrol(training_class, 2, first=1)
    actions.import_roster(
        training_class=training_class,
        content=roster_file([trainee_row(0, name="王小满", id_number=made_up_id_number(0).value)]),
        actor=school.cast.manager,
        at=school.at,
    )
    school.schedule(training_class, [])
    return training_class


SEES = {
    "manager": True,
    "trainer": True,
    "assistant": True,
    "learner": True,
    "officer": True,
    "operator": True,
    "rival": False,
    "regulator": False,
    "finance": False,
}


@pytest.mark.parametrize(("who", "sees"), SEES.items())
def test_who_sees_a_class(training_class, school, cast, who, sees):
    school.take_as_approved(training_class)
    user = cast[who]
    assert classes_visible_to(user).filter(pk=training_class.pk).exists() is sees
    if sees:
        assert permissions.access_class(user, training_class.pk) == training_class
    else:
        with pytest.raises(Http404):
            permissions.access_class(user, training_class.pk)


@pytest.mark.parametrize("state", ClassState)
def test_a_trainee_sees_only_what_was_filed(training_class, school, learner, trainer, state):
    [lesson] = school.schedule(training_class, gyb_drafts()[:1])
    own = training_class.enrolments.get(person=learner.person)
    finished = school.at if state == ClassState.FINISHED else None
    TrainingClass.objects.filter(pk=training_class.pk).update(state=state, finished_at=finished)
    sees = state in FILED_STATES
    assert classes_visible_to(learner).filter(pk=training_class.pk).exists() is sees
    pk, client, token = training_class.pk, client_of(learner), api(learner)
    for address in (f"/classes/{pk}/", f"/classes/{pk}/meter/"):
        assert (client.get(address).status_code == 200) is sees, address
    for address in (
        f"/api/v1/classes/{pk}/",
        f"/api/v1/classes/{pk}/timetable/",
        f"/api/v1/classes/{pk}/roster/",
    ):
        assert token.get(address).status_code == (200 if sees else 404), address
    for judge, found in ((permissions.access_lesson, lesson), (permissions.access_enrolment, own)):
        if sees:
            assert judge(learner, found.pk) == found
        else:
            with pytest.raises(Http404):
                judge(learner, found.pk)
    assert classes_visible_to(trainer).filter(pk=pk).exists()


def test_a_class_that_was_cancelled_after_its_approval_stays_visible(
    training_class, school, learner, manager
):
    school.schedule(training_class, gyb_drafts())
    school.decide(actions.submit_filing(training_class=training_class, actor=manager, at=school.at))
    training_class.refresh_from_db()
    assert training_class.enrolments.filter(person=learner.person).exists()
    actions.cancel_class(training_class=training_class, actor=manager, reason="报名人数不够", at=school.at)
    assert classes_visible_to(learner).filter(pk=training_class.pk).exists()


def test_nobody_sees_anything_without_an_account(training_class):
    assert not classes_visible_to(AnonymousUser()).exists()
    with pytest.raises(Http404):
        permissions.access_class(AnonymousUser(), training_class.pk)


@pytest.mark.parametrize(
    ("question", "yes"),
    [
        (permissions.can_manage, {"manager"}),
        (permissions.can_teach, {"trainer", "assistant"}),
        (permissions.can_attend, {"learner"}),
        (permissions.can_decide, {"officer"}),
        (permissions.sees_roster, {"manager", "trainer", "assistant", "officer", "operator"}),
        (permissions.sees_filing, {"manager", "officer", "operator"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_who_may_what(training_class, cast, question, yes):
    assert {who for who in SEES if question(cast[who], training_class)} == yes
    assert not question(AnonymousUser(), training_class)


def test_a_trainee_sees_their_own_enrolment_and_nobody_elses(training_class, school, learner, trainer):
    school.take_as_approved(training_class)
    own = training_class.enrolments.get(person=learner.person)
    other = training_class.enrolments.exclude(pk=own.pk)[0]
    assert permissions.access_enrolment(learner, own.pk) == own
    with pytest.raises(Http404):
        permissions.access_enrolment(learner, other.pk)
    assert permissions.access_enrolment(trainer, other.pk) == other


def test_who_left_the_roster_no_longer_sees_the_class(training_class, learner, manager, now):
    own = training_class.enrolments.get(person=learner.person)
    actions.remove_trainee(enrolment=own, actor=manager, at=now)
    with pytest.raises(Http404):
        permissions.access_class(learner, training_class.pk)
    with pytest.raises(Http404):
        permissions.access_enrolment(learner, own.pk)


def test_a_lecturer_of_the_same_school_does_not_see_another_ones_class(training_class, school, now):
    from accounts.actions import find_or_create_person, grant_role
    from accounts.models import User

    person = find_or_create_person(name="周立新", id_number=made_up_id_number(50), at=now)
    colleague = User.objects.create_user("colleague", person=person)
    grant_role(user=colleague, role="lecturer", institution=school.cast.school)
    assert not classes_visible_to(colleague).exists()


def test_lessons_are_seen_with_their_class(school, rival, trainer):
    lesson = school.ready().lessons.first()
    assert permissions.access_lesson(trainer, lesson.pk) == lesson
    with pytest.raises(Http404):
        permissions.access_lesson(rival, lesson.pk)
