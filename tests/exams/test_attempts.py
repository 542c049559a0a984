"""Setting the exam, sitting it by the server's clock, and marking."""

import datetime
from typing import Any

import pytest
from django.http import Http404

from accounts import editions
from attendance.models import UnitCredit
from audit.models import Entry
from config.demo.cast import Cast
from exams.actions.attempts import close_due_attempts, save_answer, start_attempt, submit_attempt
from exams.actions.bank import read_bank
from exams.actions.papers import set_exam
from exams.marking import is_choice, mark
from exams.models import Attempt, AttemptAnswer, Exam
from exams.states import AttemptState
from policy.refusals import Refusal
from tests.exams.conftest import END, START, School, clock

PAPER: list[dict[str, Any]] = [
    {"kind": "single", "options": ["a", "b", "c"], "correct": [1], "points": 5},
    {"kind": "multiple", "options": ["a", "b", "c", "d"], "correct": [0, 2], "points": 10},
    {"kind": "judgement", "options": ["对", "错"], "correct": [0], "points": 2},
]


@pytest.mark.parametrize(
    ("chosen", "points"),
    [
        ({}, 0),
        ({0: [1]}, 5),
        ({0: [0]}, 0),
        ({1: [0, 2]}, 10),
        ({1: [2, 0]}, 10),
        ({1: [0]}, 0),  # not all of them
        ({1: [0, 1, 2]}, 0),  # too many
        ({0: [1], 1: [0, 2], 2: [0]}, 17),
        ({0: [], 2: [1]}, 0),
    ],
)
def test_a_question_earns_its_points_for_exactly_the_right_options(
    chosen: dict[int, list[int]], points: int
) -> None:
    assert mark(PAPER, chosen) == points


@pytest.mark.parametrize(
    ("place", "chosen", "possible"),
    [
        (0, [2], True),
        (0, [], True),
        (0, [0, 1], False),
        (0, [3], False),
        (0, [-1], False),
        (0, [True], False),
        (0, "1", False),
        (1, [0, 1, 2, 3], True),
        (1, [1, 1], False),
    ],
)
def test_only_known_options_can_be_chosen_each_once(place: int, chosen: object, possible: bool) -> None:
    assert is_choice(PAPER[place], chosen) is possible


def test_every_shipped_question_can_be_answered() -> None:
    bank = read_bank()
    assert {"GYB", "SYB"} <= set(bank)
    assert all(len(questions) >= 20 for questions in bank.values())


pytest_db = pytest.mark.django_db


@pytest_db
def test_the_paper_is_a_copy_that_later_edits_of_the_bank_do_not_touch(school: School) -> None:
    question = school.training_class.course.questions.first()
    assert question is not None
    question.stem = "改过"
    question.save()
    assert "改过" not in str(Exam.objects.get(pk=school.exam.pk).paper)
    assert school.exam.total_points == 20
    entry = Entry.objects.get(kind="exam.set")
    assert (entry.facts["questions"], entry.facts["points"]) == (3, 20)


@pytest_db
def test_a_paper_that_somebody_began_can_not_be_set_again(school: School, cast: Cast) -> None:
    school.starts(cast.learner)
    with pytest.raises(Refusal) as refused:
        set_exam(actor=cast.trainer, training_class=school.training_class, lesson=school.lesson, at=START)
    assert refused.value.code == "exam_already_sat"


@pytest_db
def test_no_paper_without_questions_and_no_exam_outside_an_exam_lesson(school: School, cast: Cast) -> None:
    with pytest.raises(Refusal) as refused:
        set_exam(actor=cast.trainer, training_class=school.training_class, lesson=school.live, at=START)
    assert refused.value.code == "exam_lesson_wrong"
    school.training_class.course.questions.update(retired=True)
    with pytest.raises(Refusal) as refused:
        set_exam(actor=cast.trainer, training_class=school.training_class, lesson=school.lesson, at=START)
    assert refused.value.code == "question_bank_empty"


@pytest_db
@pytest.mark.parametrize("seconds", [0, 45 * 60 + 1])
def test_the_time_allowed_is_within_the_lesson(school: School, cast: Cast, seconds: int) -> None:
    with pytest.raises(Refusal) as refused:
        set_exam(
            actor=cast.trainer,
            training_class=school.training_class,
            lesson=school.lesson,
            seconds_allowed=seconds,
            at=clock("08:01"),
        )
    assert refused.value.code == "exam_time_wrong"
    assert Exam.objects.get().seconds_allowed == 45 * 60


@pytest_db
def test_it_begins_with_its_lesson_and_not_after_it(school: School, cast: Cast) -> None:
    for at, code in ((START - datetime.timedelta(microseconds=1), "exam_not_open"), (END, "exam_over")):
        with pytest.raises(Refusal) as refused:
            school.starts(cast.learner, at)
        assert refused.value.code == code
    assert not Attempt.objects.exists()


@pytest_db
def test_starting_again_goes_on_with_the_same_paper(school: School, cast: Cast) -> None:
    first = school.starts(cast.learner)
    again = school.starts(cast.learner, START + datetime.timedelta(minutes=10))
    assert again.pk == first.pk
    assert again.deadline_at == first.deadline_at == END
    assert Entry.objects.filter(kind="exam.started").count() == 1


@pytest_db
def test_a_late_starter_has_until_the_end_of_the_lesson(school: School, cast: Cast) -> None:
    assert school.starts(cast.learner, clock("14:40")).deadline_at == END


@pytest_db
def test_only_trainees_of_the_class_sit(school: School, cast: Cast) -> None:
    with pytest.raises(Refusal) as refused:
        start_attempt(actor=cast.trainer, exam=school.exam, at=START)
    assert refused.value.code == "trainee_required"
    with pytest.raises(Http404):
        start_attempt(actor=cast.rival, exam=school.exam, at=START)
    assert not Attempt.objects.exists()


@pytest_db
def test_an_older_revision_never_overwrites_a_newer_one(school: School, cast: Cast) -> None:
    attempt = school.starts(cast.learner)

    def save(chosen: list[int], revision: int) -> AttemptAnswer:
        return save_answer(
            actor=cast.learner, attempt=attempt, question=0, chosen=chosen, revision=revision, at=START
        )

    assert save([1], 2).chosen == [1]
    assert save([0], 1).chosen == [1]
    assert save([0], 2).chosen == [1]
    assert save([2], 3).chosen == [2]
    assert AttemptAnswer.objects.get().revision == 3


@pytest_db
@pytest.mark.parametrize(("question", "chosen"), [(3, [0]), (0, [0, 1]), (0, [9])])
def test_what_is_no_choice_is_refused(school: School, cast: Cast, question: int, chosen: list[int]) -> None:
    attempt = school.starts(cast.learner)
    with pytest.raises(Refusal) as refused:
        save_answer(
            actor=cast.learner, attempt=attempt, question=question, chosen=chosen, revision=1, at=START
        )
    assert (refused.value.code, refused.value.status) == ("answer_malformed", 400)
    assert not AttemptAnswer.objects.exists()


@pytest_db
def test_after_the_deadline_nothing_is_saved_and_what_was_is_handed_in(school: School, cast: Cast) -> None:
    attempt = school.starts(cast.learner)
    save_answer(actor=cast.learner, attempt=attempt, question=0, chosen=[0], revision=1, at=END)
    late = END + datetime.timedelta(microseconds=1)
    with pytest.raises(Refusal) as refused:
        save_answer(actor=cast.learner, attempt=attempt, question=1, chosen=[0, 1], revision=2, at=late)
    assert refused.value.code == "attempt_time_over"
    assert close_due_attempts(at=END) == 0
    assert close_due_attempts(at=late) == 1
    assert close_due_attempts(at=late) == 0
    attempt.refresh_from_db()
    assert (attempt.state, attempt.points, attempt.submitted_at) == (AttemptState.SUBMITTED, 5, END)
    entry = Entry.objects.get(kind="exam.submitted")
    assert entry.facts["by_deadline"] is True
    assert entry.actor_id is None


@pytest_db
def test_handing_in_twice_marks_once(school: School, cast: Cast) -> None:
    attempt = school.sits(cast.learner)
    again = submit_attempt(actor=cast.learner, attempt=attempt, at=END)
    assert (again.points, again.submitted_at) == (20, START + datetime.timedelta(minutes=5))
    assert Entry.objects.filter(kind="exam.submitted").count() == 1
    assert UnitCredit.objects.get().source == f"attempt/{attempt.pk}"
    with pytest.raises(Refusal) as refused:
        save_answer(actor=cast.learner, attempt=attempt, question=0, chosen=[1], revision=9, at=END)
    assert refused.value.code == "attempt_closed"


@pytest_db
def test_a_paper_handed_in_leaves_a_digest_and_no_answers_in_the_log(school: School, cast: Cast) -> None:
    school.sits(cast.learner)
    facts = Entry.objects.get(kind="exam.submitted").facts
    assert (facts["points"], facts["total"], facts["answered"], facts["by_deadline"]) == (20, 20, 3, False)
    assert len(facts["answers"]) == 64


@pytest_db
def test_nobody_answers_for_another(school: School, cast: Cast) -> None:
    attempt = school.starts(cast.learner)
    other = school.trainee(cast.trainees(2)[1])
    for actor in (other, cast.trainer):
        with pytest.raises(Refusal) as refused:
            save_answer(actor=actor, attempt=attempt, question=0, chosen=[0], revision=1, at=START)
        assert refused.value.code == "trainee_required"
        with pytest.raises(Refusal) as refused:
            submit_attempt(actor=actor, attempt=attempt, at=START)
        assert refused.value.code == "trainee_required"
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.RUNNING
    assert not AttemptAnswer.objects.exists()


@pytest_db
def test_sitting_again_is_allowed_as_often_as_the_edition_says(school: School, cast: Cast) -> None:
    first = school.sits(cast.learner, right=False)
    times = 1 + editions.edition("demo").whole("exam_resits")
    for sitting in range(1, times):
        assert school.sits(cast.learner, right=False, at=START + datetime.timedelta(seconds=sitting)) != first
    with pytest.raises(Refusal) as refused:
        school.starts(cast.learner, START + datetime.timedelta(minutes=1))
    assert (refused.value.code, refused.value.required) == ("exam_attempts", times)
    assert Attempt.objects.count() == times
