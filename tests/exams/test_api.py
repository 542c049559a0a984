"""The exam over the API: what trainees get, what they never get, and what strangers get."""

import json
from typing import Any

import pytest
import time_machine
from django.test import Client

from config.demo.cast import Cast
from exams.models import Attempt, AttemptAnswer, Exam
from tests.cast import client_of
from tests.exams.conftest import END, OVER, START, School

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_the_exam(time_machine: Any) -> None:
    time_machine.move_to(START, tick=False)


def send(client: Client, method: str, path: str, data: Any = None) -> Any:
    return client.generic(
        method, f"/api/v1/{path}", "" if data is None else json.dumps(data), content_type="application/json"
    )


def holds_answers(value: Any) -> bool:
    """Whether the key `correct` is anywhere in a JSON value."""
    if isinstance(value, dict):
        return "correct" in value or any(map(holds_answers, value.values()))
    return isinstance(value, list) and any(map(holds_answers, value))


def test_a_trainee_sits_the_exam(
    school: School, cast: Cast, time_machine: time_machine.TimeMachineFixture
) -> None:
    client = client_of(cast.learner)
    exam = send(client, "GET", f"classes/{school.training_class.pk}/exam/").json()
    assert (exam["questions"], exam["total_points"], exam["seconds_allowed"]) == (3, 20, 2700)
    begun = send(client, "POST", f"exams/{exam['id']}/attempts/")
    assert begun.status_code == 201
    attempt = begun.json()
    assert (attempt["state"], attempt["points"], attempt["passed"]) == ("running", None, None)
    assert sorted(question["question"] for question in attempt["questions"]) == [0, 1, 2]
    for question in attempt["questions"]:
        place = question["question"]
        paper = school.exam.paper[place]
        for option in question["options"]:
            assert paper["options"][option["option"]] == option["text"]
        saved = send(
            client,
            "PUT",
            f"attempts/{attempt['id']}/answers/{place}/",
            {"chosen": paper["correct"], "revision": 1},
        )
        assert saved.status_code == 200
        assert saved.json()["chosen"] == paper["correct"]
    time_machine.shift(60)
    again = send(client, "POST", f"exams/{exam['id']}/attempts/")
    assert (again.status_code, again.json()["id"]) == (200, attempt["id"])
    marked = send(client, "POST", f"attempts/{attempt['id']}/submit/").json()
    assert (marked["state"], marked["points"], marked["total"], marked["passed"]) == (
        "submitted", 20, 20, True,
    )  # fmt: skip
    assert marked["questions"] == []
    assert send(client, "POST", f"attempts/{attempt['id']}/submit/").json()["points"] == 20


def test_the_right_answers_never_leave_the_server(school: School, cast: Cast) -> None:
    client = client_of(cast.learner)
    attempt = school.starts(cast.learner)
    for path in (
        f"exams/{school.exam.pk}/",
        f"classes/{school.training_class.pk}/exam/",
        f"attempts/{attempt.pk}/",
    ):
        answer = send(client, "GET", path)
        assert answer.status_code == 200
        assert not holds_answers(answer.json())
    for path in (f"/exams/{school.exam.pk}/take/", "/exams/"):
        assert "correct" not in client.get(path).content.decode()


def test_somebody_elses_sitting_does_not_exist(school: School, cast: Cast) -> None:
    attempt = school.starts(cast.learner)
    classmate = school.trainee(cast.trainees(2)[1])
    for user in (classmate, cast.trainer, cast.manager, cast.rival, cast.officer, cast.operator):
        client = client_of(user)
        put = {"chosen": [0], "revision": 1}
        assert send(client, "GET", f"attempts/{attempt.pk}/").status_code == 404
        assert send(client, "PUT", f"attempts/{attempt.pk}/answers/0/", put).status_code == 404
        assert send(client, "POST", f"attempts/{attempt.pk}/submit/").status_code == 404
        assert client.get(f"/attempts/{attempt.pk}/").status_code == 404
        assert client.post(f"/attempts/{attempt.pk}/submit/").status_code == 404
    attempt.refresh_from_db()
    assert attempt.state == "running"
    assert not AttemptAnswer.objects.exists()


def test_a_stranger_finds_no_exam(school: School, cast: Cast) -> None:
    client, pk = client_of(cast.rival), school.training_class.pk
    for method, path in (
        ("GET", f"exams/{school.exam.pk}/"),
        ("POST", f"exams/{school.exam.pk}/attempts/"),
        ("GET", f"classes/{pk}/exam/"),
        ("POST", f"classes/{pk}/exam/"),
        ("GET", f"classes/{pk}/completions/"),
        ("POST", f"classes/{pk}/conclude/"),
    ):
        assert send(client, method, path).status_code == 404
    assert not Attempt.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"chosen": 1, "revision": 1},
        {"chosen": ["x"], "revision": 1},
        {"chosen": [-1], "revision": 1},
        {"chosen": [0], "revision": 0},
        {"chosen": [0], "revision": 2**31},
        {"chosen": [0], "revision": None},
        {"chosen": [0] * 21, "revision": 1},
        {"chosen": [2**40], "revision": 1},
        {"chosen": [17], "revision": 1},
    ],
)
def test_a_malformed_answer_is_told_so_and_not_saved(school: School, cast: Cast, body: Any) -> None:
    attempt = school.starts(cast.learner)
    answer = send(client_of(cast.learner), "PUT", f"attempts/{attempt.pk}/answers/0/", body)
    assert answer.status_code == 400
    assert answer.json()["code"] in ("malformed", "invalid", "answer_malformed")
    assert not AttemptAnswer.objects.exists()


def test_after_the_deadline_saving_is_refused_and_handing_in_counts_what_was_saved(
    school: School, cast: Cast, time_machine: time_machine.TimeMachineFixture
) -> None:
    attempt, client = school.starts(cast.learner), client_of(cast.learner)
    path = f"attempts/{attempt.pk}/answers/0/"
    assert send(client, "PUT", path, {"chosen": [0], "revision": 1}).status_code == 200
    time_machine.move_to(OVER, tick=False)
    late = send(client, "PUT", path, {"chosen": [1], "revision": 2})
    assert (late.status_code, late.json()["code"]) == (409, "attempt_time_over")
    marked = send(client, "POST", f"attempts/{attempt.pk}/submit/").json()
    assert marked["points"] == 5
    attempt.refresh_from_db()
    assert attempt.submitted_at == END


def test_staff_set_the_exam_and_trainees_do_not(school: School, cast: Cast) -> None:
    path, wish = f"classes/{school.training_class.pk}/exam/", {"lesson": school.lesson.pk}
    assert send(client_of(cast.learner), "POST", path, wish).json()["code"] == "not_the_staff"
    answer = send(client_of(cast.manager), "POST", path, {**wish, "seconds_allowed": 600})
    assert (answer.status_code, answer.json()["seconds_allowed"]) == (201, 600)
    assert send(client_of(cast.manager), "POST", path, {"lesson": 10**9}).status_code == 404
    assert send(client_of(cast.manager), "POST", path, {"lesson": "x"}).json()["code"] == "invalid"
    assert Exam.objects.get().seconds_allowed == 600


def test_a_class_without_an_exam_says_so(school: School, cast: Cast) -> None:
    Exam.objects.all().delete()
    path = f"classes/{school.training_class.pk}/exam/"
    assert send(client_of(cast.learner), "GET", path).status_code == 404


def test_the_manager_concludes_and_sees_who_completed(
    school: School, cast: Cast, time_machine: time_machine.TimeMachineFixture
) -> None:
    school.attends(cast.learner)
    school.sits(cast.learner)
    time_machine.move_to(OVER, tick=False)
    client, pk = client_of(cast.manager), school.training_class.pk
    [before] = send(client, "GET", f"classes/{pk}/completions/").json()["results"]
    assert (before["attendance_passed"], before["exam_passed"], before["certificate"]) == (None, True, None)
    concluded = send(client, "POST", f"classes/{pk}/conclude/").json()
    [certificate] = concluded["certificates"]
    [after] = send(client, "GET", f"classes/{pk}/completions/").json()["results"]
    assert (after["passed"], after["certificate"]) == (True, certificate["number"])
    assert send(client, "POST", f"classes/{pk}/conclude/").json() == concluded
    assert send(client_of(cast.learner), "GET", f"classes/{pk}/completions/").status_code == 404
