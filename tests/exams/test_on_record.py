"""Papers and answers changed past the actions, as the application's login: nothing is marked on them."""

import datetime
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from attendance.models import UnitCredit
from audit.models import Entry
from audit.reconciliation import differences
from config.demo.cast import Cast
from exams.actions.attempts import close_due_attempts, save_answer, start_attempt, submit_attempt
from exams.actions.papers import set_exam
from exams.models import Attempt, AttemptAnswer
from exams.states import AttemptState
from policy.refusals import Refusal
from tests.cast import client_of
from tests.exams.conftest import END, OVER, START, School

pytestmark = pytest.mark.django_db
LATE = END + datetime.timedelta(seconds=1)

# Between saving and handing in: what is changed, how it is refused, and which tables are named.
RUNNING = {
    "better answers": (
        "update exams_attemptanswer set chosen = '[0]'",
        "exam_answers_differ",
        {"exams_attemptanswer"},
    ),
    "an answer more": (
        "insert into exams_attemptanswer (attempt_id, question, chosen, revision, saved_at)"
        " select attempt_id, 1, '[0, 1]', 1, saved_at from exams_attemptanswer where question = 0",
        "exam_answers_differ",
        {"exams_attemptanswer"},
    ),
    "an answer gone": (
        "delete from exams_attemptanswer where question = 2",
        "exam_answers_differ",
        {"exams_attemptanswer"},
    ),
    "a revision that outlives later saves": (
        "update exams_attemptanswer set revision = 99 where question = 2",
        "exam_answers_differ",
        {"exams_attemptanswer"},
    ),
    "no salt": (
        "update exams_attempt set salt = ''",
        "exam_answers_differ",
        {"exams_attempt", "exams_attemptanswer"},
    ),
    "more time": (
        "update exams_attempt set deadline_at = deadline_at + interval '1 hour'",
        "exam_answers_differ",
        {"exams_attempt"},
    ),
    "an easier paper": (
        "update exams_exam set paper = jsonb_set(paper, '{0,correct}', '[1]')",
        "exam_paper_differs",
        {"exams_exam"},
    ),
    "a smaller total": ("update exams_exam set total_points = 10", "exam_paper_differs", {"exams_exam"}),
    "another time allowed": (
        "update exams_exam set seconds_allowed = seconds_allowed + 60",
        "exam_paper_differs",
        {"exams_exam"},
    ),
}


def attack(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select current_user")
        assert cursor.fetchone() == ("yuchuang_app",)
        cursor.execute(sql)
        assert cursor.rowcount > 0


def half_answered(school: School, cast: Cast) -> Attempt:
    """A running sitting with the first and the last question answered wrong."""
    attempt = school.starts(cast.learner)
    for question, chosen in ((0, [2]), (2, [1])):
        save_answer(
            actor=cast.learner, attempt=attempt, question=question, chosen=chosen, revision=1, at=START
        )
    return attempt


def tables() -> set[str]:
    return {found.row.partition("/")[0] for found in differences()}


def test_each_save_goes_on_record_once_and_says_nothing_of_what_was_chosen(school: School, cast: Cast):
    attempt = half_answered(school, cast)
    for revision, chosen in ((2, [0]), (2, [0]), (1, [1])):  # changed, repeated, and come late
        save_answer(
            actor=cast.learner, attempt=attempt, question=0, chosen=chosen, revision=revision, at=START
        )
    told = [entry.facts for entry in Entry.objects.filter(kind="exam.answered").order_by("seq")]
    assert [(facts["question"], facts["revision"]) for facts in told] == [(0, 1), (2, 1), (0, 2)]
    assert len({facts["answer"] for facts in told}) == 3
    assert all("chosen" not in facts for facts in told)
    assert differences() == []
    submit_attempt(actor=cast.learner, attempt=attempt, at=START)
    assert differences() == []


def test_a_save_takes_three_queries_more_for_the_record(
    school: School, cast: Cast, django_assert_num_queries: Any
):
    attempt = half_answered(school, cast)

    def save(revision: int) -> None:
        save_answer(actor=cast.learner, attempt=attempt, question=0, chosen=[0], revision=revision, at=START)

    with django_assert_num_queries(5) as stale:  # savepoint, sitting, trainee, answer, release
        save(1)
    with django_assert_num_queries(len(stale) + 3):  # the answer, the head of the chain, the entry
        save(2)


def test_the_same_answer_of_two_trainees_reads_differently_in_the_log(school: School, cast: Cast):
    for person in cast.trainees(2):
        school.sits(school.trainee(person))
    told = Entry.objects.filter(kind="exam.answered", facts__question=0)
    assert len({entry.facts["answer"] for entry in told}) == 2


@pytest.mark.parametrize(("sql", "code", "found_in"), RUNNING.values(), ids=RUNNING)
def test_nothing_is_marked_on_what_was_changed_before_the_handing_in(
    school: School, cast: Cast, sql: str, code: str, found_in: set[str]
):
    attempt = half_answered(school, cast)
    attack(sql)
    for _ in range(2):
        with pytest.raises(Refusal) as refused:
            submit_attempt(actor=cast.learner, attempt=attempt, at=START)
        assert (refused.value.code, refused.value.rule) == (code, "P10")
        assert refused.value.next_step
    left = Attempt.objects.get()
    assert (left.state, left.points, left.submitted_at) == (AttemptState.RUNNING, None, None)
    assert not UnitCredit.objects.exists()
    assert not Entry.objects.filter(kind="exam.submitted").exists()
    assert tables() == found_in
    with pytest.raises(CommandError):
        call_command("verify_evidence")
    told = Entry.objects.get(kind="exam.not_marked")
    assert (told.facts["attempt"], told.facts["because"]) == (attempt.pk, code)
    assert told.actor_id is None


@pytest.mark.parametrize(
    "sql",
    [
        "update exams_attemptanswer set chosen = '[0]' where question = 0",
        "delete from exams_attemptanswer where question = 0",
    ],
)
def test_answers_changed_after_the_marking_are_found(school: School, cast: Cast, sql: str):
    submit_attempt(actor=cast.learner, attempt=half_answered(school, cast), at=START)
    assert differences() == []
    attack(sql)
    assert tables() == {"exams_attemptanswer", "exams_attempt"}


def test_no_sitting_begins_on_another_paper(school: School, cast: Cast):
    attack("update exams_exam set paper = jsonb_set(paper, '{0,correct}', '[1]')")
    with pytest.raises(Refusal) as refused:
        school.starts(cast.learner)
    assert refused.value.code == "exam_paper_differs"
    assert not Attempt.objects.exists()
    # Setting it anew puts the bank's paper in its place and on record.
    school.exam = set_exam(
        actor=cast.trainer, training_class=school.training_class, lesson=school.lesson, at=START
    )
    assert differences() == []
    assert school.starts(cast.learner).pk


def test_a_paper_smuggled_in_is_not_set_by_setting_the_same(school: School, cast: Cast):
    """Setting what already stands there changes nothing, unless the log knows nothing of it."""
    attack("update exams_question set correct = '[1]' where kind = 'single'")
    attack("update exams_exam set paper = jsonb_set(paper, '{0,correct}', '[1]')")
    assert tables() == {"exams_exam"}
    set_exam(actor=cast.trainer, training_class=school.training_class, lesson=school.lesson, at=START)
    assert Entry.objects.filter(kind="exam.set").count() == 2
    assert differences() == []


def test_the_clock_hands_in_the_others_and_leaves_what_was_changed(school: School, cast: Cast):
    changed = half_answered(school, cast)
    honest = start_attempt(actor=school.trainee(cast.trainees(2)[1]), exam=school.exam, at=START)
    attack(f"update exams_attemptanswer set chosen = '[0]' where attempt_id = {changed.pk}")
    assert close_due_attempts(at=LATE) == 1
    assert close_due_attempts(at=LATE) == 0
    states = dict(Attempt.objects.values_list("pk", "state"))
    assert states == {changed.pk: AttemptState.RUNNING, honest.pk: AttemptState.SUBMITTED}
    assert Entry.objects.filter(kind="exam.not_marked").count() == 1
    with pytest.raises(Refusal) as refused:
        school.starts(cast.learner, LATE)
    assert refused.value.code == "exam_answers_differ"


def test_a_class_is_not_concluded_while_a_sitting_differs(school: School, cast: Cast):
    half_answered(school, cast)
    attack("update exams_attemptanswer set chosen = '[0]'")
    with pytest.raises(Refusal) as refused:
        school.concludes(OVER)
    assert (refused.value.code, refused.value.rule) == ("evidence_differs", "M9")


def test_the_trainee_reads_why_and_the_manager_where(school: School, cast: Cast, time_machine: Any):
    attempt = half_answered(school, cast)
    attack("update exams_attemptanswer set chosen = '[0]' where question = 0")
    time_machine.move_to(START, tick=False)
    with transaction.atomic():
        answer = client_of(cast.learner).post(f"/api/v1/attempts/{attempt.pk}/submit/")
    assert (answer.status_code, answer.json()["code"]) == (409, "exam_answers_differ")
    page = client_of(cast.manager).get(f"/classes/{school.training_class.pk}/attendance/").content.decode()
    assert "结业考试答案" in page
    assert "答案的摘要" in page


def test_a_sitting_begun_before_saves_were_recorded_is_marked(school: School, cast: Cast):
    """Its answers are held against the log from its handing in on."""
    attempt = school.starts(cast.learner)
    as_before = Attempt.objects.create(
        exam=attempt.exam,
        enrolment=attempt.enrolment,
        number=2,
        state=AttemptState.SUBMITTED,
        started_at=attempt.started_at,
        deadline_at=attempt.deadline_at,
        submitted_at=START,
        points=0,
        arrangement=attempt.arrangement,
    )
    AttemptAnswer.objects.create(attempt=as_before, question=0, chosen=[1], revision=1, saved_at=START)
    from exams.on_record import answers_digest
    from tests.on_record import record

    record(
        "exam.started",
        attempt.enrolment.subject,
        START,
        attempt=as_before.pk,
        number=2,
        deadline=attempt.deadline_at,
    )
    record(
        "exam.submitted",
        attempt.enrolment.subject,
        START,
        attempt=as_before.pk,
        number=2,
        points=0,
        total=school.exam.total_points,
        answered=1,
        answers=answers_digest({0: [1]}),
        by_deadline=False,
    )
    assert differences() == []
    attack(f"update exams_attemptanswer set chosen = '[0]' where attempt_id = {as_before.pk}")
    assert tables() == {"exams_attempt"}
