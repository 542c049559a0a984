"""What papers and work may still be changed, and until when."""

import datetime
from typing import Any

import pytest
from django.http import Http404

from attendance.models import UnitCredit
from audit.models import Entry
from classes.actions import finish_class
from classes.models import Lesson, TrainingClass
from classes.states import ClassState, LessonState
from config.demo.cast import Cast
from courses.models import Course
from courses.states import Origin
from exams.actions.attempts import save_answer
from exams.actions.bank import load_question_bank
from exams.actions.certificates import conclude_class
from exams.actions.coursework import MIN_CHARACTERS, score_coursework, submit_coursework
from exams.actions.papers import set_exam
from exams.models import Attempt, Exam, Question, Submission
from exams.states import AttemptState
from policy.refusals import Refusal
from tests.exams.conftest import END, OVER, START, School, clock

pytestmark = pytest.mark.django_db
WORK = "我想在村口开一家早餐店，卖胡辣汤、油馍头和包子，每天大约八十份。"


def refusal_of(error: pytest.ExceptionInfo[Refusal]) -> tuple[str, int]:
    return error.value.code, error.value.status


# --- the bank and the paper ---


def test_the_shipped_bank_makes_a_full_paper_and_is_loaded_once(cast: Cast) -> None:
    for course_type in ("GYB", "SYB", "其他"):
        Course.objects.create(name=course_type, course_type=course_type, origin=Origin.CONVERTED)
    assert load_question_bank() == Question.objects.count() > 0
    assert load_question_bank() == 0
    for course_type in ("GYB", "SYB"):
        questions = Question.objects.filter(course__course_type=course_type)
        assert sum(question.points for question in questions) == 100
        assert {question.kind for question in questions} == {"single", "multiple", "judgement"}
    assert not Question.objects.filter(course__course_type="其他").exists()


def test_the_same_exam_set_again_changes_nothing(school: School, cast: Cast) -> None:
    again = set_exam(
        actor=cast.manager, training_class=school.training_class, lesson=school.lesson, at=clock("09:00")
    )
    assert again == school.exam
    assert again.set_at == clock("08:00")
    assert Entry.objects.filter(kind="exam.set").count() == 1


def test_a_paper_may_be_some_questions_of_the_course_and_of_no_other(school: School, cast: Cast) -> None:
    bank = list(Question.objects.order_by("pk"))
    exam = set_exam(
        actor=cast.trainer,
        training_class=school.training_class,
        lesson=school.lesson,
        questions=[bank[1], bank[1]],
        at=clock("09:00"),
    )
    assert [question["stem"] for question in exam.paper] == [bank[1].stem]
    other = Course.objects.create(name="别的课程", course_type="SYB", origin=Origin.CONVERTED)
    stranger = Question.objects.create(
        course=other, kind="judgement", stem="别的题", options=["对", "错"], correct=[0], points=5
    )
    bank[0].retired = True
    bank[0].save()
    for questions, code in (
        ([bank[1], stranger], ("question_unknown", 400)),
        ([bank[0]], ("question_unknown", 400)),
        ([], ("question_bank_empty", 409)),
    ):
        with pytest.raises(Refusal) as refused:
            set_exam(
                actor=cast.trainer,
                training_class=school.training_class,
                lesson=school.lesson,
                questions=questions,
                at=clock("09:00"),
            )
        assert refusal_of(refused) == code
    assert Exam.objects.get().paper == exam.paper


def test_only_staff_and_manager_set_the_exam(school: School, cast: Cast) -> None:
    Exam.objects.all().delete()
    wish: dict[str, Any] = {
        "training_class": school.training_class,
        "lesson": school.lesson,
        "at": clock("09:00"),
    }
    for actor in (cast.learner, cast.officer):
        with pytest.raises(Refusal) as refused:
            set_exam(actor=actor, **wish)
        assert refusal_of(refused) == ("not_the_staff", 403)
    with pytest.raises(Http404):
        set_exam(actor=cast.rival, **wish)
    assert not Exam.objects.exists()


@pytest.mark.parametrize("state", [ClassState.DRAFT, ClassState.SUBMITTED, ClassState.RETURNED])
def test_no_exam_while_the_timetable_may_still_change(school: School, cast: Cast, state: ClassState) -> None:
    Exam.objects.all().delete()
    TrainingClass.objects.update(state=state)
    with pytest.raises(Refusal) as refused:
        set_exam(
            actor=cast.trainer, training_class=school.training_class, lesson=school.lesson, at=clock("09:00")
        )
    assert refusal_of(refused) == ("class_not_approved", 409)
    assert not Exam.objects.exists()


def test_no_exam_in_a_lesson_that_is_over(school: School, cast: Cast) -> None:
    Exam.objects.all().delete()
    with pytest.raises(Refusal) as refused:
        set_exam(actor=cast.trainer, training_class=school.training_class, lesson=school.lesson, at=END)
    assert refused.value.code == "exam_over"


# --- sitting again ---


def test_who_passed_does_not_sit_again(school: School, cast: Cast) -> None:
    school.sits(cast.learner)
    with pytest.raises(Refusal) as refused:
        school.starts(cast.learner, START + datetime.timedelta(minutes=10))
    assert refused.value.code == "exam_passed_already"
    assert Attempt.objects.count() == 1


def test_a_sitting_whose_time_is_over_is_handed_in_and_the_next_begins(school: School, cast: Cast) -> None:
    Exam.objects.all().delete()
    school.exam = set_exam(
        actor=cast.trainer,
        training_class=school.training_class,
        lesson=school.lesson,
        seconds_allowed=600,
        at=clock("08:00"),
    )
    first = school.starts(cast.learner)
    save_answer(actor=cast.learner, attempt=first, question=0, chosen=[0], revision=1, at=START)
    second = school.starts(cast.learner, START + datetime.timedelta(seconds=601))
    first.refresh_from_db()
    assert (first.state, first.points) == (AttemptState.SUBMITTED, 5)
    assert first.submitted_at == first.deadline_at == START + datetime.timedelta(seconds=600)
    assert (second.number, second.state) == (2, AttemptState.RUNNING)


def test_a_paper_replaced_meanwhile_is_the_one_that_is_sat(school: School, cast: Cast) -> None:
    stale = Exam.objects.get()
    Question.objects.filter(kind="multiple").update(retired=True)
    set_exam(
        actor=cast.trainer, training_class=school.training_class, lesson=school.lesson, at=clock("09:00")
    )
    school.exam = stale
    assert sorted(place["question"] for place in school.starts(cast.learner).arrangement) == [0, 1]


# --- coursework ---


@pytest.fixture
def homework(school: School) -> Lesson:
    return school.room.lesson("12:00", "12:45", hours="1", kind="homework", state=LessonState.PLANNED)


def test_a_new_text_replaces_the_old_until_it_is_scored(school: School, cast: Cast, homework: Lesson) -> None:
    first = submit_coursework(actor=cast.learner, lesson=homework, text=WORK, at=START)
    assert submit_coursework(actor=cast.learner, lesson=homework, text=f" {WORK}\n", at=OVER) == first
    assert Submission.objects.get().submitted_at == START
    submit_coursework(actor=cast.learner, lesson=homework, text=WORK * 2, at=OVER)
    assert Submission.objects.get().text == WORK * 2
    assert UnitCredit.objects.get().source == f"submission/{first.pk}"
    for _ in range(2):
        score_coursework(actor=cast.trainer, submission=first, score=88, comment="好", at=OVER)
    assert Entry.objects.filter(kind="coursework.scored").count() == 1
    with pytest.raises(Refusal) as refused:
        submit_coursework(actor=cast.learner, lesson=homework, text=WORK, at=OVER)
    assert refused.value.code == "coursework_scored"
    told = Entry.objects.filter(kind="coursework.submitted").order_by("seq")
    assert [entry.facts["characters"] for entry in told] == [len(WORK), len(WORK) * 2]


def test_work_is_taken_from_its_lesson_to_the_end_of_the_class(
    school: School, cast: Cast, homework: Lesson
) -> None:
    before = homework.starts_at - datetime.timedelta(microseconds=1)
    for at, text, lesson, code in (
        (before, WORK, homework, ("coursework_not_open", 409)),
        (START, WORK, school.live, ("coursework_lesson_wrong", 409)),
        (START, "字" * (MIN_CHARACTERS - 1), homework, ("coursework_length", 400)),
    ):
        with pytest.raises(Refusal) as refused:
            submit_coursework(actor=cast.learner, lesson=lesson, text=text, at=at)
        assert refusal_of(refused) == code
    school.concludes()
    with pytest.raises(Refusal) as refused:
        submit_coursework(actor=cast.learner, lesson=homework, text=WORK, at=OVER)
    assert refused.value.code == "coursework_closed"
    assert not Submission.objects.exists()


def test_only_the_class_s_teachers_score_within_a_hundred(
    school: School, cast: Cast, homework: Lesson
) -> None:
    work = submit_coursework(actor=cast.learner, lesson=homework, text=WORK, at=START)
    for actor, score, code in (
        (cast.manager, 80, ("lecturer_required", 403)),
        (cast.learner, 100, ("lecturer_required", 403)),
        (cast.trainer, 101, ("score_out_of_range", 400)),
        (cast.trainer, -1, ("score_out_of_range", 400)),
    ):
        with pytest.raises(Refusal) as refused:
            score_coursework(actor=actor, submission=work, score=score, comment="", at=OVER)
        assert refusal_of(refused) == code
    work.refresh_from_db()
    assert (work.score, work.scored_by) == (None, None)


# --- the conclusion ---


def test_a_class_that_its_lecturer_finished_is_still_concluded(school: School, cast: Cast) -> None:
    """Finishing is not yet the verdict: the manager's conclusion must not find it done."""
    school.attends(cast.learner)
    school.sits(cast.learner)
    finish_class(training_class=school.training_class, actor=cast.trainer, at=OVER)
    assert len(school.concludes()) == 1
    assert len(school.concludes()) == 1
    assert Entry.objects.filter(kind="class.concluded").count() == 1


def test_a_stranger_who_asks_for_the_conclusion_hands_nothing_in(school: School, cast: Cast) -> None:
    attempt = school.starts(cast.learner)
    with pytest.raises(Http404):
        conclude_class(actor=cast.rival, training_class=school.training_class, at=OVER)
    with pytest.raises(Refusal) as refused:
        conclude_class(actor=cast.trainer, training_class=school.training_class, at=OVER)
    assert refusal_of(refused) == ("not_the_manager", 403)
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.RUNNING
