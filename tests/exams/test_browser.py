"""The exam on a phone: choices are saved at once, survive a lost connection, and go in with the paper."""

import datetime
import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, Route, expect

from attendance.models import UnitCredit
from classes.states import LessonState
from config.demo.cast import Cast
from exams.actions.papers import set_exam
from exams.models import Attempt, AttemptAnswer, Exam
from exams.states import AttemptState
from tests.attendance.conftest import Room
from tests.axe import faults
from tests.exams.conftest import add_questions

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def exam(room: Room) -> Exam:
    """An exam that is open now, by the real clock."""
    now = datetime.datetime.now(datetime.UTC)
    lesson = room.lesson(
        now - datetime.timedelta(minutes=5),
        now + datetime.timedelta(minutes=40),
        hours="1",
        kind="exam",
        state=LessonState.PLANNED,
    )
    add_questions(room.training_class)
    return set_exam(actor=room.cast.trainer, training_class=room.training_class, lesson=lesson, at=now)


@pytest.fixture
def page(chromium: Browser, live_server: Any, cast: Cast, client: Client) -> Iterator[Page]:
    """The learner's phone."""
    client.force_login(cast.learner)
    phone = chromium.new_context(
        viewport={"width": 390, "height": 844}, locale="zh-CN", base_url=live_server.url
    )
    session = client.cookies["sessionid"].value
    phone.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    yield phone.new_page()
    phone.close()


def shoot(page: Page, name: str) -> None:
    """Keep a picture where somebody asked for them."""
    if folder := os.environ.get("YUCHUANG_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png")


def test_the_exam_on_a_phone(page: Page, exam: Exam) -> None:
    page.goto(f"/exams/{exam.pk}/take/")
    assert faults(page) == []
    shoot(page, "exam-before")
    page.click("[data-act=start]")
    page.check("form#paper input[name=q0][value='0']")
    expect(page.locator("[data-status]")).to_contain_text("已自动保存")
    assert faults(page) == []
    shoot(page, "exam-paper")

    page.context.set_offline(True)
    page.check("input[name=q1][value='0']")
    page.check("input[name=q1][value='1']")
    expect(page.locator("[data-status]")).to_contain_text("没有存上")
    assert list(AttemptAnswer.objects.values_list("question", flat=True)) == [0]
    page.context.set_offline(False)
    expect(page.locator("[data-status]")).to_contain_text("已自动保存", timeout=10_000)
    assert AttemptAnswer.objects.get(question=1).chosen == [0, 1]

    page.reload()
    expect(page.locator("input[name=q1][value='1']")).to_be_checked()
    page.click("button[data-act=submit]")
    number = page.locator("fieldset[data-question='2']").get_attribute("data-number")
    expect(page.locator("[data-numbers]")).to_have_text(number or "")
    shoot(page, "exam-hand-in")
    assert faults(page) == []
    page.click("button[data-act=confirm]")
    page.wait_for_url("**/attempts/*/")
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.points) == (AttemptState.SUBMITTED, 15)
    assert UnitCredit.objects.get().lesson_id == exam.lesson_id
    assert faults(page) == []
    shoot(page, "exam-result")


def test_when_the_time_is_over_the_page_hands_in_by_itself(page: Page, exam: Exam, cast: Cast) -> None:
    now = datetime.datetime.now(datetime.UTC)
    set_exam(
        actor=cast.trainer,
        training_class=exam.training_class,
        lesson=exam.lesson,
        seconds_allowed=4,
        at=now,
    )
    page.goto(f"/exams/{exam.pk}/take/")
    page.click("[data-act=start]")
    page.check("input[name=q0][value='0']")
    page.wait_for_url("**/attempts/*/", timeout=15_000)
    assert Attempt.objects.get().points == 5


def test_what_is_chosen_before_the_script_has_come_is_saved_too(page: Page, exam: Exam) -> None:
    held: list[Route] = []
    page.route("**/exams/take*.js", lambda route: held.append(route))
    page.goto(f"/exams/{exam.pk}/take/")
    page.click("[data-act=start]")
    page.check("form#paper input[name=q0][value='0']")
    while not held:
        page.wait_for_timeout(50)
    assert not AttemptAnswer.objects.exists()
    for route in held:
        route.continue_()
    expect(page.locator("[data-status]")).to_contain_text("已自动保存")
    assert AttemptAnswer.objects.get().chosen == [0]
