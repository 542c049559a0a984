"""The room's page in browsers: what one does, the others see; a lost network costs nothing but time."""

import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import expect

from attendance.models import CheckAnswer
from classes.live import actions
from classes.live.models import OpenPresence, PresenceInterval, RoomEvent
from classes.live.protocol import Event
from classes.live.states import Closing
from classes.states import LessonState
from tests.axe import faults
from tests.browser import CHROMIUM
from tests.cast import client_of
from tests.live import sockets
from tests.live.media import PHONE, browsers_at
from tests.live.sockets import LiveServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM, reason="not installed: chromium"),
]

PATIENCE = 60.0  # seconds: browsers on a busy machine; nothing here is measured


def eventually(condition):
    sockets.eventually(condition, PATIENCE)


@pytest.fixture
def now():
    return timezone.now().replace(microsecond=0) - timedelta(minutes=1)


@pytest.fixture(scope="module")
def running_server():
    running = LiveServer()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def browsers(chromium, transactional_db, running_server, tmp_path, monkeypatch, settings):
    from classes.live import registry

    monkeypatch.setattr(registry, "_gates", [])  # signing in is attendance's test
    settings.JANUS_HTTP_URL = ""  # and pictures are test_media's: here there are none, and all else works
    settings.HEARTBEAT_SECONDS = 1
    with browsers_at(running_server.address, tmp_path, chromium) as opened:
        yield opened
    eventually(lambda: not OpenPresence.objects.exists())


def room(lesson):
    return f"/lessons/{lesson.pk}/room/"


def come_in(browsers, user, lesson, **options):
    """Open the room and wait until it has been drawn."""
    page = browsers.open(user, room(lesson), **options)
    expect(page.locator("body[data-entered]")).to_be_visible()
    return page


def hook(page, name):
    """A control of the page as this person sees it: the desk's or the phone's."""
    return page.locator(f"[data-act={name}]:visible")


def test_what_one_says_and_does_the_others_see(browsers, cast, lesson):
    assistant = come_in(browsers, cast.assistant, lesson)
    learner = come_in(browsers, cast.learner, lesson, viewport=PHONE)
    row = assistant.locator(f"[data-person='{cast.learner.person_id}']")
    expect(row).to_contain_text("王小满")

    field = learner.get_by_test_id("message-input")
    field.fill("老师好，<b>我</b>想开早餐店")
    field.press("Enter")
    expect(assistant.get_by_test_id("chat")).to_contain_text("老师好，<b>我</b>想开早餐店")
    expect(field).to_have_value("")
    expect(learner.locator("[data-key]")).to_have_count(1)  # its own, shown at once, is not there twice

    hook(learner, "hand").click()
    expect(assistant.locator("li.hand")).to_contain_text("王小满")
    expect(hook(learner, "hand")).to_have_attribute("aria-pressed", "true")
    hook(assistant, "lower-hand").click()
    expect(assistant.locator("li.hand")).to_have_count(0)
    expect(hook(learner, "hand")).to_have_attribute("aria-pressed", "false")
    expect(learner.locator("#stage-words")).to_have_text("现在没有直播画面，其他功能照常使用")
    assert browsers.troubles == []


def test_the_room_says_recording_only_while_the_server_receives_a_picture(browsers, cast, lesson, settings):
    settings.JANUS_HTTP_URL = "http://127.0.0.1:9"  # nobody there: the room is told what Janus would tell it
    page = come_in(browsers, cast.assistant, lesson)
    shown = page.get_by_test_id("recording")
    expect(page.locator("[data-when='open']").first).to_be_visible()
    expect(shown).to_be_hidden()

    feed = {"feed": f"assistant-{cast.assistant.person_id}", "person": cast.assistant.person_id}
    tell(lesson, Event.MEDIA_FEED, {**feed, "name": "赵晓宁"})
    expect(shown).to_be_visible()
    tell(lesson, Event.MEDIA_GONE, feed)
    expect(shown).to_be_hidden()


def tell(lesson, event, data):
    with transaction.atomic():
        actions.announce(lesson=lesson, type=event, data=data, actor=None, at=timezone.now())


def test_a_roll_call_and_a_question_are_answered(browsers, cast, lesson, tmp_path):
    learner = come_in(browsers, cast.learner, lesson, viewport=PHONE)
    eventually(lambda: OpenPresence.objects.filter(heartbeats__gte=1).exists())
    assistant = come_in(browsers, cast.assistant, lesson)
    assistant.get_by_test_id("roll-call").click()
    expect(assistant.get_by_test_id("running-check")).to_contain_text("还有 1 人没应答")
    card = learner.get_by_test_id("call")
    expect(card).to_contain_text("点名了，您在吗？")
    expect(card).to_contain_text("还剩")
    expect(learner.get_by_test_id("answer")).to_be_focused()
    assistant.screenshot(path=tmp_path / "assistant.png")
    learner.screenshot(path=tmp_path / "learner.png")
    learner.keyboard.press("Enter")
    expect(card).to_contain_text("已收到您的应答")
    expect(assistant.get_by_test_id("running-check")).to_contain_text("已应答 1 人")
    assert CheckAnswer.objects.count() == 1
    close_checks()
    expect(card).to_be_hidden()

    assistant.get_by_test_id("ask-question").click()
    assistant.fill("#prompt", "一碗面卖 15 元，成本 11.4 元，赚多少？")
    for number, text in enumerate(["4.6 元", "3.6 元"]):
        assistant.locator("[name=option]").nth(number).fill(text)
    assistant.locator("[name=correct]").nth(1).check()
    assistant.get_by_test_id("question-send").click()
    expect(card).to_contain_text("一碗面卖 15 元")
    learner.get_by_role("button", name="3.6 元").click()
    expect(card).to_contain_text("已收到您的应答")
    assert CheckAnswer.objects.get(option=1).correct
    assert browsers.troubles == []


def close_checks():
    """As beat does once the time is over."""
    from attendance.actions import close_due_checks

    assert close_due_checks(at=timezone.now() + timedelta(hours=1))


def test_a_question_that_is_refused_stays_and_says_why(browsers, cast, lesson):
    assistant = come_in(browsers, cast.assistant, lesson)
    assistant.get_by_test_id("ask-question").click()
    assistant.fill("#prompt", "几家？")
    for number in (0, 1):
        assistant.locator("[name=option]").nth(number).fill("一家")
    assistant.get_by_test_id("question-send").click()
    expect(assistant.locator("[data-refusal]")).to_contain_text("不同的选项")
    expect(assistant.locator("#prompt")).to_have_value("几家？")


def test_a_refused_step_is_explained_beside_the_stage(browsers, cast, lesson):
    assistant = come_in(browsers, cast.assistant, lesson)
    assistant.get_by_test_id("roll-call").click()  # nobody is there
    expect(assistant.locator("#room-note")).to_contain_text("课堂里现在没有学员")


def test_a_lost_network_comes_back_without_a_gap_and_sends_what_waited(browsers, cast, lesson):
    learner = come_in(browsers, cast.learner, lesson)
    field = learner.get_by_test_id("message-input")
    field.fill("在呢")
    field.press("Enter")
    eventually(lambda: RoomEvent.objects.filter(type="message.posted").count() == 1)
    eventually(lambda: OpenPresence.objects.filter(heartbeats__gte=1).exists())
    first = OpenPresence.objects.get(person=cast.learner.person)

    # The connection breaks: posts do not arrive either, until they are let through again.
    learner.route("**/messages/", lambda route: route.abort())
    field.fill("断线时写的")
    field.press("Enter")
    expect(learner.get_by_test_id("chat")).to_contain_text("正在发送")
    actions.close_presence(connection=first.connection, closing=Closing.SILENT, at=timezone.now())
    for number in range(3):
        actions.post_message(
            actor=cast.assistant, lesson=lesson, text=f"第 {number} 句", key=uuid.uuid4(), at=timezone.now()
        )
    learner.unroute("**/messages/")

    for number in range(3):
        expect(learner.get_by_test_id("chat")).to_contain_text(f"第 {number} 句")
    eventually(lambda: RoomEvent.objects.filter(type="message.posted").count() == 5)
    expect(learner.get_by_test_id("chat")).not_to_contain_text("正在发送")
    texts = [event.data["text"] for event in RoomEvent.objects.filter(type="message.posted")]
    assert sorted(texts) == sorted(["在呢", "断线时写的", "第 0 句", "第 1 句", "第 2 句"])
    expect(learner.locator("[data-key]")).to_have_count(5)
    again = OpenPresence.objects.get(person=cast.learner.person)
    assert again.connection != first.connection
    assert again.device == first.device != ""


def test_a_second_device_takes_over_and_the_first_can_take_back(browsers, cast, lesson):
    phone = come_in(browsers, cast.learner, lesson, viewport=PHONE)
    eventually(lambda: OpenPresence.objects.filter(heartbeats__gte=1).exists())
    desk = come_in(browsers, cast.learner, lesson)
    device = OpenPresence.objects.get().device
    expect(phone.locator("#stopped")).to_contain_text("同一时间只算一处")
    expect(desk.get_by_test_id("network")).to_contain_text("网络良好")
    eventually(lambda: OpenPresence.objects.filter(device=device, heartbeats__gte=1).exists())
    phone.get_by_role("button", name="在这里继续上课").click()
    expect(phone.locator("#stopped")).to_be_hidden()
    expect(desk.locator("#stopped")).to_contain_text("同一时间只算一处")
    assert OpenPresence.objects.count() == 1
    eventually(lambda: PresenceInterval.objects.filter(closing=Closing.TAKEN_OVER).count() == 2)


def test_the_lecturer_opens_and_ends_the_lesson(browsers, school, cast, now):
    lesson = school.lesson(now, state=LessonState.PLANNED)
    trainer = come_in(browsers, cast.trainer, lesson)
    learner = come_in(browsers, cast.learner, lesson, viewport=PHONE)
    trainer.get_by_test_id("start-lesson").click()
    expect(trainer.get_by_test_id("start-lesson")).to_be_hidden()
    expect(learner.locator("#elapsed")).to_be_visible()
    trainer.get_by_test_id("end-lesson").click()
    trainer.get_by_test_id("end-confirm").click()
    for page in (trainer, learner):
        expect(page.get_by_test_id("ended")).to_be_visible()
    expect(learner.get_by_test_id("sign-out-after")).to_be_visible()
    lesson.refresh_from_db()
    assert lesson.state == LessonState.CLOSED
    assert not OpenPresence.objects.exists()
    assert browsers.troubles == []


def test_leaving_the_page_ends_the_presence_at_once(browsers, cast, lesson):
    learner = come_in(browsers, cast.learner, lesson)
    eventually(lambda: OpenPresence.objects.filter(heartbeats__gte=1).exists())
    learner.get_by_test_id("leave").click()
    eventually(lambda: not OpenPresence.objects.exists())
    assert PresenceInterval.objects.get().closing == Closing.LEFT


def test_the_room_and_the_replay_are_accessible(browsers, school, cast, lesson, now):
    learner = come_in(browsers, cast.learner, lesson, viewport=PHONE)
    eventually(lambda: OpenPresence.objects.filter(heartbeats__gte=1).exists())
    assistant = come_in(browsers, cast.assistant, lesson)
    hook(learner, "hand").click()
    assistant.get_by_test_id("roll-call").click()
    expect(learner.get_by_test_id("call")).to_be_visible()
    expect(assistant.get_by_test_id("running-check")).to_be_visible()
    assert faults(learner) == []
    assert faults(assistant) == []
    assistant.get_by_test_id("ask-question").click()
    assert faults(assistant) == []
    closed = school.lesson(now - timedelta(days=1), state=LessonState.CLOSED)
    learner.goto(f"{browsers.url}/lessons/{closed.pk}/replay/")
    assert faults(learner) == []


# --- the page before its scripts ---


def test_a_trainee_signs_in_before_the_room(cast, lesson):
    answer = client_of(cast.learner).get(room(lesson))
    assert (answer.status_code, answer["Location"]) == (302, f"/lessons/{lesson.pk}/sign-in/")


@pytest.mark.parametrize("who", ["trainer", "assistant"])
def test_the_staff_goes_straight_in(cast, lesson, who):
    answer = client_of(cast[who]).get(room(lesson))
    assert answer.status_code == 200
    assert "ws://testserver" in answer["Content-Security-Policy"]


def test_a_closed_lesson_leads_to_its_replay(school, cast, now):
    closed = school.lesson(now, state=LessonState.CLOSED)
    answer = client_of(cast.trainer).get(room(closed))
    assert answer["Location"] == f"/lessons/{closed.pk}/replay/"
    replay = client_of(cast.manager).get(answer["Location"])
    assert "还没有录像" in replay.content.decode()


@pytest.mark.parametrize(("who", "status"), [("rival", 404), ("manager", 403), ("officer", 403)])
def test_others_are_not_let_in(cast, lesson, who, status):
    assert client_of(cast[who]).get(room(lesson)).status_code == status
    assert not OpenPresence.objects.exists()


def test_a_lesson_without_a_room_has_no_page(school, cast, now):
    with transaction.atomic():
        homework = school.lesson(now, kind="homework", state=LessonState.PLANNED)
    assert client_of(cast.trainer).get(room(homework)).status_code == 404
    assert client_of(cast.trainer).get(f"/lessons/{homework.pk}/replay/").status_code == 404


def test_every_word_that_the_scripts_say_is_on_the_page():
    """A word that is missing would stop the page where it is needed."""
    import re

    from classes.live.words import room_words

    folder = Path(__file__).resolve().parents[2] / "classes" / "live" / "static" / "live"
    source = "\n".join(path.read_text("utf-8") for path in folder.glob("*.js"))
    spoken = set(re.findall(r'\bsay\("(\w+)"', source)) | set(re.findall(r'"(link_\w+)"', source))
    spoken |= {
        "lecturer",
        "assistant",
        "roll_call",
        "question",
        "roll_call_running",
        "question_running",
        "time_left",
    }
    assert spoken == room_words().keys() - {"trainee"}
    assert not re.search(r"[\u4e00-\u9fff]", re.sub(r"/\*.*?\*/|//[^\n]*", "", source, flags=re.S))
