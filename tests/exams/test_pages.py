"""The pages: the paper, the result, coursework and its score, a class's results, and its end."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import start
from accounts.actions import grant_role
from accounts.models import User
from accounts.states import Role
from attendance.models import UnitCredit
from audit.models import Entry
from classes.models import TrainingClass
from classes.states import ClassState, LessonState
from config.demo.cast import Cast
from exams.models import Attempt, Certificate, Exam, Submission
from exams.queries import next_steps_for
from tests.cast import client_of
from tests.exams.conftest import OVER, START, School, clock

pytestmark = pytest.mark.django_db
TEXT = "我想在村口开一家早餐店，卖胡辣汤和包子，每天大约卖八十份。"


@pytest.fixture(autouse=True)
def _in_the_exam(time_machine: Any) -> None:
    time_machine.move_to(START, tick=False)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_the_paper_begins_on_a_button_and_ends_in_a_result(school: School, cast: Cast) -> None:
    client, path = client_of(cast.learner), f"/exams/{school.exam.pk}/take/"
    before = text(client.get(path))
    assert 'data-act="start"' in before
    assert 'id="paper"' not in before
    assert not Attempt.objects.exists()
    assert client.post(path).status_code == 302
    paper = text(client.get(path))
    for hook in ('id="paper"', 'name="q0"', 'name="q1"', 'data-act="submit"', 'data-act="confirm"'):
        assert hook in paper
    attempt = Attempt.objects.get()
    assert client.post(f"/attempts/{attempt.pk}/submit/")["Location"] == f"/attempts/{attempt.pk}/"
    assert 'data-points="0"' in text(client.get(f"/attempts/{attempt.pk}/"))


def test_before_its_time_the_exam_says_when_and_does_not_begin(
    school: School, cast: Cast, time_machine: Any
) -> None:
    time_machine.move_to(clock("13:00"), tick=False)
    client, path = client_of(cast.learner), f"/exams/{school.exam.pk}/take/"
    assert "14:00 开始" in text(client.get(path))
    refused = client.post(path)
    assert (refused.status_code, "exam_not_open" in text(refused)) == (409, True)
    assert not Attempt.objects.exists()


def test_coursework_is_handed_in_credited_and_scored(school: School, cast: Cast) -> None:
    lesson = school.room.lesson("12:00", "12:45", hours="1", kind="homework", state=LessonState.PLANNED)
    client, path = client_of(cast.learner), f"/lessons/{lesson.pk}/coursework/"
    short = client.post(path, {"text": "太短"})
    assert short.status_code == 400
    assert "太短" in text(short)
    assert not Submission.objects.exists()
    assert client.post(path, {"text": TEXT}).status_code == 302
    submission = Submission.objects.get()
    assert UnitCredit.objects.get().lesson == lesson
    score = f"/submissions/{submission.pk}/score/"
    assert client.get(score).status_code == 404
    assert client_of(cast.rival).get(score).status_code == 404
    assert client_of(cast.manager).post(score, {"score": 90}).status_code == 403
    assert client_of(cast.trainer).post(score, {"score": 101}).status_code == 400
    assert client_of(cast.trainer).post(score, {"score": 88, "comment": "账算清楚了。"}).status_code == 302
    submission.refresh_from_db()
    assert submission.score == 88
    assert "账算清楚了。" in text(client.get(path))
    assert client.post(path, {"text": TEXT * 2}).status_code == 400
    facts = Entry.objects.get(kind="coursework.submitted").facts
    assert facts["characters"] == len(TEXT)
    assert TEXT not in str(facts)
    assert Entry.objects.get(kind="coursework.scored").facts["score"] == 88


@pytest.mark.parametrize("who", ["trainer", "assistant"])
def test_who_teaches_follows_the_task_to_the_work_and_scores_it(school: School, cast: Cast, who: str) -> None:
    lesson = school.room.lesson("12:00", "12:45", hours="1", kind="homework", state=LessonState.PLANNED)
    client_of(cast.learner).post(f"/lessons/{lesson.pk}/coursework/", {"text": TEXT})
    submission = Submission.objects.get()
    client = client_of(cast[who])
    [task] = [task for task in next_steps_for(cast[who], START) if task.title == "给培训成果评分"]
    assert f'href="{task.url}"' in text(client.get("/start/"))
    score = f"/submissions/{submission.pk}/score/"
    assert f'href="{score}"' in text(client.get(task.url))
    form = text(client.get(score))
    assert 'name="score"' in form
    assert client.post(score, {"score": 88, "comment": "好"})["Location"] == task.url
    submission.refresh_from_db()
    assert (submission.score, submission.scored_by) == (88, cast[who])
    assert not [task for task in next_steps_for(cast[who], START) if task.title == "给培训成果评分"]


def test_who_teaches_another_class_or_decides_on_it_finds_no_way_to_the_work(
    school: School, cast: Cast
) -> None:
    lesson = school.room.lesson("12:00", "12:45", hours="1", kind="homework", state=LessonState.PLANNED)
    client_of(cast.learner).post(f"/lessons/{lesson.pk}/coursework/", {"text": TEXT})
    submission = Submission.objects.get()
    path, score = f"/classes/{school.training_class.pk}/exam/", f"/submissions/{submission.pk}/score/"
    assert score in text(client_of(cast.manager).get(path))
    officer = client_of(cast.officer)
    page = officer.get(path)
    assert (page.status_code, score in text(page)) == (200, False)
    assert officer.get(score).status_code == 404
    other = User.objects.create_user("other-trainer", person=cast.trainees(2)[1])
    grant_role(user=other, role=Role.LECTURER, institution=cast.school, bureau=None)
    assert client_of(other).get(score).status_code == 404
    assert client_of(other).post(score, {"score": 1}).status_code == 404
    submission.refresh_from_db()
    assert submission.score is None


def test_staff_set_the_exam_on_the_page_and_see_results(school: School, cast: Cast) -> None:
    path = f"/classes/{school.training_class.pk}/exam/"
    answer = client_of(cast.trainer).post(path, {"lesson": school.lesson.pk, "minutes": 20})
    assert answer.status_code == 302
    assert Exam.objects.get().seconds_allowed == 1200
    assert client_of(cast.trainer).post(path, {"lesson": school.lesson.pk, "minutes": 99}).status_code == 400
    for user in (cast.trainer, cast.assistant, cast.manager, cast.officer):
        assert "王小满" in text(client_of(user).get(path))
    assert client_of(cast.learner).get(path)["Location"] == "/exams/"
    assert client_of(cast.rival).get(path).status_code == 404


def test_the_end_of_a_class_is_said_before_it_is_done(school: School, cast: Cast, time_machine: Any) -> None:
    school.attends(cast.learner)
    school.sits(cast.learner)
    client, path = client_of(cast.manager), f"/classes/{school.training_class.pk}/conclude/"
    early = client.post(path)
    assert (early.status_code, "lessons_left" in text(early)) == (409, True)
    assert 'data-act="conclude"' not in text(client.get(path))
    assert TrainingClass.objects.get().state == ClassState.RUNNING
    time_machine.move_to(OVER, tick=False)
    assert school.training_class.name in text(client.get(path))
    assert 'data-act="conclude"' in text(client.get(path))
    assert TrainingClass.objects.get().state == ClassState.RUNNING
    assert client.post(path).status_code == 302
    assert TrainingClass.objects.get().state == ClassState.FINISHED
    assert client.get(path).status_code == 302
    assert "410120" in text(client_of(cast.learner).get("/exams/"))


def test_a_certificate_is_a_link_only_for_who_may_open_it(
    school: School, cast: Cast, time_machine: Any, django_capture_on_commit_callbacks: Any
) -> None:
    school.attends(cast.learner)
    school.sits(cast.learner)
    time_machine.move_to(OVER, tick=False)
    with django_capture_on_commit_callbacks(execute=True):
        school.concludes()
    certificate = Certificate.objects.get()
    path, link = (
        f"/classes/{school.training_class.pk}/exam/",
        reverse("certificates:pdf", args=[certificate.pk]),
    )
    for user in (cast.manager, cast.officer, cast.trainer, cast.assistant):
        page = text(client_of(user).get(path))
        opens = client_of(user).get(link).status_code == 200
        assert certificate.number in page
        assert (link in page) == opens == (user in (cast.manager, cast.officer))


def test_the_start_page_leads_to_what_is_next(school: School, cast: Cast) -> None:
    def urls(user: Any, now: datetime.datetime) -> set[str]:
        return {task.url for task in start.tasks_for(user, now)}

    take, conclude = f"/exams/{school.exam.pk}/take/", f"/classes/{school.training_class.pk}/conclude/"
    assert take in urls(cast.learner, START)
    assert conclude not in urls(cast.manager, START)
    assert urls(cast.manager, OVER) == {conclude}
    school.sits(cast.learner)
    assert take not in urls(cast.learner, START)
    lesson = school.room.lesson("12:00", "12:45", hours="1", kind="homework", state=LessonState.PLANNED)
    coursework = f"/lessons/{lesson.pk}/coursework/"
    assert coursework in urls(cast.learner, START)
    client_of(cast.learner).post(coursework, {"text": TEXT})
    assert coursework not in urls(cast.learner, START)
    assert f"/classes/{school.training_class.pk}/exam/" in urls(cast.trainer, START)


@pytest.mark.parametrize("path", ["/classes/{pk}/exam/", "/api/v1/classes/{pk}/completions/"])
def test_one_and_four_trainees_cost_the_results_the_same(
    school: School, cast: Cast, path: str, django_assert_num_queries: Callable[..., Any]
) -> None:
    client, url = client_of(cast.manager), path.format(pk=school.training_class.pk)
    school.sits(cast.learner)
    client.get(url)
    with CaptureQueriesContext(connection) as one:
        client.get(url)
    for user in map(school.trainee, cast.trainees(4)[1:]):
        school.sits(user)
    with django_assert_num_queries(len(one)):
        client.get(url)
