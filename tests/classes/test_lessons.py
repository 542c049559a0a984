"""Opening and closing lessons, and the end of a class."""

import datetime

import pytest
from django.http import Http404

from audit.models import Entry
from classes import actions
from classes.states import ClassState, LessonState
from policy.refusals import Refusal

MINUTE = datetime.timedelta(minutes=1)


def refused(call, code):
    with pytest.raises(Refusal) as error:
        call()
    assert error.value.code == code
    return error.value


@pytest.fixture
def training_class(school):
    return school.approved()


def test_the_first_lesson_starts_the_training(training_class, trainer):
    lesson = training_class.lessons.first()
    opened = actions.open_lesson(lesson=lesson, actor=trainer, at=lesson.starts_at - 10 * MINUTE)
    training_class.refresh_from_db()
    assert (opened.state, training_class.state) == (LessonState.OPEN, ClassState.RUNNING)
    assert list(Entry.objects.filter(chain=training_class.subject, seq__gt=5).values_list("kind", flat=True))[
        -2:
    ] == ["class.started", "lesson.opened"]
    again = actions.open_lesson(lesson=lesson, actor=trainer, at=lesson.starts_at)
    assert again.opened_at == opened.opened_at
    assert Entry.objects.filter(kind="lesson.opened").count() == 1


@pytest.mark.parametrize("state", ["draft", "submitted", "returned"])
def test_no_lesson_opens_before_the_filing_is_approved(school, trainer, state):
    if state == "draft":
        training_class = school.ready()
    else:
        filing = school.filed()
        if state == "returned":
            school.decide(filing, approved=False)
        training_class = filing.training_class
    lesson = training_class.lessons.first()
    error = refused(
        lambda: actions.open_lesson(lesson=lesson, actor=trainer, at=lesson.starts_at),
        "class_not_approved",
    )
    assert (error.rule, error.found) == ("F9", state)
    lesson.refresh_from_db()
    assert lesson.state == LessonState.PLANNED


def test_a_lesson_opens_no_earlier_than_the_edition_allows(training_class, trainer):
    lesson = training_class.lessons.first()
    opens_at = lesson.starts_at - 30 * MINUTE  # demo: sign_in_opens_before, longer than lecturer_early
    refused(
        lambda: actions.open_lesson(
            lesson=lesson, actor=trainer, at=opens_at - datetime.timedelta(microseconds=1)
        ),
        "lesson_too_early",
    )
    assert actions.open_lesson(lesson=lesson, actor=trainer, at=opens_at).state == LessonState.OPEN


def test_a_lesson_whose_time_is_over_does_not_open(training_class, trainer):
    lesson = training_class.lessons.first()
    refused(lambda: actions.open_lesson(lesson=lesson, actor=trainer, at=lesson.ends_at), "lesson_over")


def test_homework_has_no_room(training_class, trainer):
    lesson = training_class.lessons.get(kind="homework")
    refused(
        lambda: actions.open_lesson(lesson=lesson, actor=trainer, at=lesson.starts_at), "lesson_not_roomed"
    )


def test_only_the_classes_own_staff_opens_it(training_class, cast):
    lesson = training_class.lessons.first()

    def open_as(user):
        return actions.open_lesson(lesson=lesson, actor=user, at=lesson.starts_at)

    refused(lambda: open_as(cast.manager), "not_the_staff")
    refused(lambda: open_as(cast.officer), "not_the_staff")
    with pytest.raises(Http404):
        open_as(cast.rival)
    lesson.refresh_from_db()
    assert lesson.state == LessonState.PLANNED
    assert open_as(cast.assistant).state == LessonState.OPEN


def test_closing_is_once_and_only_after_opening(training_class, trainer):
    lesson = training_class.lessons.first()
    refused(lambda: actions.close_lesson(lesson=lesson, actor=trainer, at=lesson.ends_at), "move_refused")
    actions.open_lesson(lesson=lesson, actor=trainer, at=lesson.starts_at)
    closed = actions.close_lesson(lesson=lesson, actor=trainer, at=lesson.ends_at)
    again = actions.close_lesson(lesson=lesson, actor=trainer, at=lesson.ends_at + MINUTE)
    assert (closed.closed_at, again.closed_at) == (lesson.ends_at, lesson.ends_at)
    refused(lambda: actions.open_lesson(lesson=lesson, actor=trainer, at=lesson.starts_at), "move_refused")


def test_the_platform_closes_a_lesson_only_when_its_time_is_over(training_class, trainer):
    lesson = training_class.lessons.first()
    actions.open_lesson(lesson=lesson, actor=trainer, at=lesson.starts_at)
    refused(
        lambda: actions.close_lesson(lesson=lesson, actor=None, at=lesson.ends_at - MINUTE),
        "lesson_not_over",
    )
    actions.close_lesson(lesson=lesson, actor=None, at=lesson.ends_at)
    assert Entry.objects.get(kind="lesson.closed").actor_id is None


def test_a_class_finishes_when_its_last_lesson_is_over(training_class, trainer, manager):
    first, last = training_class.lessons.first(), training_class.lessons.last()
    actions.open_lesson(lesson=first, actor=trainer, at=first.starts_at)
    over = last.ends_at

    def finish(at):
        return actions.finish_class(training_class=training_class, actor=manager, at=at)

    refused(lambda: finish(over), "lesson_still_open")
    actions.close_lesson(lesson=first, actor=trainer, at=first.ends_at)
    refused(lambda: finish(over - MINUTE), "lessons_left")
    finished = finish(over)
    assert (finished.state, finished.finished_at) == (ClassState.FINISHED, over)
    assert finish(over + MINUTE).finished_at == over
    assert Entry.objects.filter(kind="class.finished").count() == 1


def test_a_class_that_never_met_is_not_finished(training_class, manager):
    over = training_class.lessons.last().ends_at
    refused(
        lambda: actions.finish_class(training_class=training_class, actor=manager, at=over), "move_refused"
    )
