"""Making and changing a class."""

import datetime

import pytest
from django.http import Http404

from audit.models import Entry
from audit.reconciliation import differences
from classes import actions
from classes.models import TrainingClass
from classes.states import ClassState
from courses.models import Course
from policy.refusals import Refusal
from tests.classes.school import FIRST_DAY


def test_a_new_class_is_a_draft_of_the_managers_institution(school, manager):
    training_class = school.create()
    assert training_class.state == ClassState.DRAFT
    assert training_class.institution == school.cast.school
    entry = Entry.objects.get(chain=training_class.subject)
    assert (entry.kind, entry.actor_id) == ("class.created", manager.pk)
    assert entry.facts["starts_on"] == "2026-09-21"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "  "}, "class_name_missing"),
        ({"name": "班" * 81}, "class_name_missing"),
        ({"mode": "offline"}, "mode_unknown"),
        ({"edition": "none"}, "edition_unknown"),
        ({"edition": "henan-2020-97"}, "edition_unset"),
        ({"ends_on": FIRST_DAY - datetime.timedelta(days=1)}, "class_dates_reversed"),
        (
            {"starts_on": datetime.date(2020, 11, 30), "ends_on": datetime.date(2020, 12, 9)},
            "edition_not_in_force",
        ),
    ],
)
def test_a_class_that_cannot_be_is_refused(school, changes, code):
    with pytest.raises(Refusal) as refused:
        school.create(**changes)
    assert refused.value.code == code
    assert not TrainingClass.objects.exists()
    assert not Entry.objects.filter(kind="class.created").exists()


def test_a_course_of_neither_type_has_no_standard_hours(school):
    with pytest.raises(Refusal) as refused:
        school.create(course=Course.objects.get(name="创业认知"))
    assert (refused.value.code, refused.value.rule) == ("edition_unset", "A4")


def test_two_classes_of_a_school_have_two_names(school):
    school.create()
    with pytest.raises(Refusal) as refused:
        school.create()
    assert refused.value.code == "class_name_taken"
    assert TrainingClass.objects.count() == 1


def test_the_assistant_is_somebody_else_than_the_lecturer(school, cast):
    from accounts.actions import grant_role

    grant_role(user=cast.trainer, role="assistant", institution=cast.school)
    with pytest.raises(Refusal) as refused:
        school.create(assistant=cast.trainer.person)
    assert (refused.value.code, refused.value.rule) == ("assistant_is_lecturer", "F14")


@pytest.mark.parametrize("role", ["lecturer", "assistant"])
def test_staff_come_from_the_schools_own_list(school, cast, role):
    with pytest.raises(Refusal) as refused:
        school.create(**{role: cast.learner.person})
    assert refused.value.code == "staff_unknown"


def test_only_a_manager_makes_classes(school, cast, now):
    for user in (cast.trainer, cast.learner, cast.officer, cast.regulator, cast.operator):
        with pytest.raises(Refusal) as refused:
            actions.create_class(details=school.details(), actor=user, at=now)
        assert (refused.value.code, refused.value.status) == ("role_required", 403)
    assert not TrainingClass.objects.exists()


def test_saving_the_same_details_again_leaves_no_second_entry(school, manager, now):
    training_class = school.create()
    actions.update_class(training_class=training_class, details=school.details(), actor=manager, at=now)
    assert Entry.objects.filter(chain=training_class.subject).count() == 1
    changed = actions.update_class(
        training_class=training_class, details=school.details(name="第 8 期"), actor=manager, at=now
    )
    assert changed.name == "第 8 期"
    assert Entry.objects.filter(chain=training_class.subject, kind="class.changed").count() == 1


def test_the_rival_cannot_change_what_does_not_exist_for_them(school, rival, now):
    training_class = school.create()
    with pytest.raises(Http404):
        actions.update_class(
            training_class=training_class, details=school.details(name="被改"), actor=rival, at=now
        )
    training_class.refresh_from_db()
    assert training_class.name == school.details().name


def test_a_filed_class_keeps_its_details(school, manager, now):
    filing = school.filed()
    with pytest.raises(Refusal) as refused:
        actions.update_class(
            training_class=filing.training_class, details=school.details(name="改名"), actor=manager, at=now
        )
    assert refused.value.code == "class_not_editable"


def test_a_class_is_cancelled_with_a_reason_and_only_before_it_starts(school, manager, now):
    training_class = school.create()
    with pytest.raises(Refusal) as refused:
        actions.cancel_class(training_class=training_class, reason=" ", actor=manager, at=now)
    assert refused.value.code == "reason_missing"
    cancelled = actions.cancel_class(training_class=training_class, reason="人数不够", actor=manager, at=now)
    assert cancelled.state == ClassState.CANCELLED
    assert "人数不够" not in str(Entry.objects.get(kind="class.cancelled").facts)
    cancelled.refresh_from_db()
    assert cancelled.cancel_reason == "人数不够"
    assert differences(cancelled.subject) == []
    TrainingClass.objects.filter(pk=cancelled.pk).update(cancel_reason="别的")
    assert [str(one.what) for one in differences(cancelled.subject)] == ["取消开班"]
