"""The pages: both ways to sign in on one screen, the desk, the meter, the table and the trace."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from time_machine import TimeMachineFixture

from attendance import actions
from attendance.models import SignIn
from attendance.states import SignInState
from audit.models import Entry
from classes.models import Lesson
from classes.states import LessonState
from config.demo.cast import Cast
from identity.actions import give_consent
from identity.models import FaceTemplate
from tests.attendance.conftest import DAY, Room, clock
from tests.cast import client_of
from tests.identity.conftest import shown_text
from tests.identity.pictures import burst
from tests.on_record import finish_on_record

pytestmark = pytest.mark.django_db
Capture = Callable[..., Any]


@pytest.fixture(autouse=True)
def _at_0835(time_machine: TimeMachineFixture) -> None:
    time_machine.move_to(clock("08:35").astimezone(datetime.UTC), tick=False)


@pytest.fixture
def learner(cast: Cast) -> Client:
    return client_of(cast.learner)


@pytest.fixture
def assistant(cast: Cast) -> Client:
    return client_of(cast.assistant)


def text(answer: Any) -> str:
    return str(answer.content.decode())


# --- signing in ---


def test_the_equal_way_stands_on_the_same_screen(
    learner: Client, lesson: Lesson, enrolled: FaceTemplate
) -> None:
    page = text(learner.get(f"/lessons/{lesson.pk}/sign-in/"))
    assert "不刷脸，用验证码签到" in page
    assert "两种签到，学时一样算" in page
    assert f'href="/lessons/{lesson.pk}/sign-in/?way=code"' in page
    assert "data-face-open" in page


def test_without_consent_or_face_the_page_leads_there_and_back(
    cast: Cast, learner: Client, lesson: Lesson
) -> None:
    path = f"/lessons/{lesson.pk}/sign-in/"
    page = text(learner.get(path))
    assert f'href="/me/consent/?next={path}"' in page
    assert "data-face-open" not in page
    assert cast.learner.person is not None
    give_consent(
        person=cast.learner.person,
        actor=cast.learner,
        at=clock("08:30"),
        text_version=shown_text(clock("08:30")),
    )
    assert f'href="/me/face/?next={path}"' in text(learner.get(path))


def test_a_code_on_the_page_signs_in_and_waits_for_the_assistant(
    cast: Cast, room: Room, lesson: Lesson, learner: Client
) -> None:
    code = actions.issue_sign_in_code(
        lesson=lesson, enrolment=room.learner, actor=cast.assistant, at=clock("08:34")
    )
    path = f"/lessons/{lesson.pk}/sign-in/"
    answer = learner.post(f"{path}?way=code", {"code": f" {code[:3]} {code[3:]} "})
    assert answer["Location"] == path
    page = text(learner.get(path))
    assert "等助教在课堂里看到您就确认" in page
    assert f'href="/lessons/{lesson.pk}/room/"' in page


def test_a_wrong_code_is_told_beside_the_field_and_signs_nobody_in(
    cast: Cast, room: Room, lesson: Lesson, learner: Client
) -> None:
    code = actions.issue_sign_in_code(
        lesson=lesson, enrolment=room.learner, actor=cast.assistant, at=clock("08:34")
    )
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    answer = learner.post(f"/lessons/{lesson.pk}/sign-in/?way=code", {"code": wrong})
    assert answer.status_code == 400
    assert "验证码不对" in text(answer)
    assert not SignIn.objects.exists()


def test_without_scripts_a_picture_from_the_phone_signs_in(
    lesson: Lesson, enrolled: FaceTemplate, learner: Client, django_capture_on_commit_callbacks: Capture
) -> None:
    frames = [SimpleUploadedFile("1.jpg", burst("person_b_2")[0], "image/jpeg")]
    with django_capture_on_commit_callbacks(execute=True):
        answer = learner.post(f"/lessons/{lesson.pk}/sign-in/", {"frames": frames})
    assert answer.status_code == 302
    assert SignIn.objects.get().state == SignInState.ACCEPTED
    assert "签到好了" in text(learner.get(f"/lessons/{lesson.pk}/sign-in/"))


def test_before_it_opens_the_page_says_when(room: Room, learner: Client) -> None:
    lesson = room.lesson("14:00", "15:30", hours="2", state=LessonState.PLANNED)
    page = text(learner.get(f"/lessons/{lesson.pk}/sign-in/"))
    assert "9月7日 13:30 开始签到" in page


def test_a_closed_lesson_s_page_says_so(room: Room, learner: Client) -> None:
    lesson = room.lesson("08:00", "08:30", hours="0.5")
    assert "这节课已经结束，不能再签到" in text(learner.get(f"/lessons/{lesson.pk}/sign-in/"))


def test_staff_are_led_to_their_desk_and_a_manager_is_told_that_it_is_not_theirs(
    cast: Cast, lesson: Lesson, assistant: Client
) -> None:
    path = f"/lessons/{lesson.pk}/sign-in/"
    assert assistant.get(path)["Location"] == f"/lessons/{lesson.pk}/sign-ins/"
    assert client_of(cast.manager).get(path).status_code == 403


def test_signing_out_says_what_it_does_then_does_it(room: Room, lesson: Lesson, learner: Client) -> None:
    room.signed_in(room.learner, lesson, clock("08:30"))
    path = f"/lessons/{lesson.pk}/sign-out/"
    assert "签退以后的时间不再计入" in text(learner.get(path))
    answer = learner.post(path)
    assert answer["Location"] == f"/classes/{room.training_class.pk}/meter/"
    assert SignIn.objects.get().signed_out_at == clock("08:35")


# --- the desk ---


def test_the_desk_gives_a_code_once_and_confirms(
    cast: Cast, room: Room, lesson: Lesson, assistant: Client
) -> None:
    desk = f"/lessons/{lesson.pk}/sign-ins/"
    assert "王小满" in text(assistant.get(desk))
    answer = assistant.post(f"{desk}codes/", {"enrolment": room.learner.pk})
    assert "给王小满的验证码" in text(answer)
    assert answer["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    code = text(answer).split('id="issued-code">')[1][:6]
    sign_in = actions.sign_in_by_code(lesson=lesson, code=code, actor=cast.learner, at=clock("08:35"))
    fragment = text(assistant.get(desk, headers={"HX-Request": "true"}))
    assert "验证码已填对" in fragment
    assert "<html" not in fragment
    assert assistant.post(f"/sign-ins/{sign_in.pk}/confirm/")["Location"] == desk
    sign_in.refresh_from_db()
    assert sign_in.state == SignInState.ACCEPTED


@pytest.mark.parametrize("enrolment", ["", "x", "-1", "0", "9" * 21, "9" * 5000])
def test_the_desk_gives_no_code_to_nobody(lesson: Lesson, assistant: Client, enrolment: str) -> None:
    answer = assistant.post(f"/lessons/{lesson.pk}/sign-ins/codes/", {"enrolment": enrolment})
    assert answer.status_code == 404


# --- time ---


@pytest.fixture
def heard(room: Room) -> Lesson:
    """The second lesson of the story, over."""
    lesson = room.lesson("08:30", "11:30")
    room.seen(room.learner, lesson, (clock("08:33"), clock("09:41:10")), (clock("09:52:15"), clock("11:30")))
    room.signed_in(room.learner, lesson, clock("08:20"))
    question = clock("10:35"), clock("10:36"), [room.learner], [(room.learner, clock("10:35:25"))]
    room.checked(lesson, *question, kind="question")
    room.checked(lesson, clock("10:49"), clock("10:50"), [room.learner])
    return lesson


def test_the_meter_says_how_much_what_is_missing_and_why(room: Room, heard: Lesson, learner: Client) -> None:
    tomorrow = DAY + datetime.timedelta(days=1)
    room.lesson(clock("08:30", tomorrow), clock("10:00", tomorrow), hours="2", state=LessonState.PLANNED)
    exam = clock("14:00", tomorrow), clock("14:45", tomorrow)
    room.lesson(*exam, hours="1", kind="exam", state=LessonState.PLANNED)
    page = text(learner.get(f"/classes/{room.training_class.pk}/meter/"))
    assert "2 小时 31 分 20 秒" in page  # 9,080 s
    assert "48.04" in page  # of 18,900 s
    assert "最省事的办法：再做 2 件事就够" in page
    assert "10:49 点名时没有应答" in page
    assert "网断了" in page
    # 15,120 − 9,080 − 2,700 of the exam
    assert "55 分 40 秒" in page


def test_the_meter_admits_when_the_line_is_out_of_reach(room: Room, heard: Lesson, learner: Client) -> None:
    page = text(learner.get(f"/classes/{room.training_class.pk}/meter/"))
    assert "84.07" in page
    Lesson.objects.update(ends_at=clock("14:30"), closed_at=clock("14:30"), hours="8")
    page = text(learner.get(f"/classes/{room.training_class.pk}/meter/"))
    assert "剩下的课都上完，能到 42.03" in page


def test_the_tab_leads_to_the_class_one_attends_and_others_to_the_table(
    cast: Cast, room: Room, heard: Lesson, learner: Client
) -> None:
    meter = f"/classes/{room.training_class.pk}/meter/"
    assert learner.get("/meter/")["Location"] == meter
    assert client_of(cast.manager).get("/meter/").status_code == 200
    assert client_of(cast.manager).get(meter)["Location"] == f"/classes/{room.training_class.pk}/attendance/"


def test_the_table_shows_everybody_and_leads_to_each(cast: Cast, room: Room, heard: Lesson) -> None:
    for user in (cast.manager, cast.trainer, cast.assistant, cast.officer):
        page = text(client_of(user).get(f"/classes/{room.training_class.pk}/attendance/"))
        assert "王小满" in page
        assert "2:31:20" in page
        assert "1 次没有应答，1 节没有签退" in page
        assert f'href="/attendance/{room.learner.pk}/"' in page


def test_one_and_three_trainees_cost_the_table_the_same(cast: Cast, room: Room, heard: Lesson) -> None:
    client, path = client_of(cast.manager), f"/classes/{room.training_class.pk}/attendance/"
    client.get(path)
    with CaptureQueriesContext(connection) as one:
        client.get(path)
    for person in cast.trainees(3)[1:]:
        room.enrol(person)
    with CaptureQueriesContext(connection) as three:
        client.get(path)
    assert len(one) == len(three)


def test_the_trace_adds_up_to_the_second_and_names_its_evidence(
    cast: Cast, room: Room, lesson: Lesson
) -> None:
    room.enters(room.learner, lesson, clock("08:30"), clock("08:35"))
    room.signed_in(room.learner, lesson, clock("08:30"))
    check = actions.call_roll(lesson=lesson, actor=cast.assistant, at=clock("08:35"))
    actions.answer_check(check=check, actor=cast.learner, at=clock("08:35:20"))
    page = text(client_of(cast.manager).get(f"/attendance/{room.learner.pk}/lessons/{lesson.pk}/"))
    assert "08:35:20 应答" in page
    assert "学员应答" in page
    entry = Entry.objects.get(kind="attendance.check_answered")
    assert f"#{entry.seq} {entry.hash[:4]}" in page


def test_the_trace_tells_the_story_in_one_sum(cast: Cast, room: Room, heard: Lesson, learner: Client) -> None:
    path = f"/attendance/{room.learner.pk}/lessons/{heard.pk}/"
    for client, words in ((learner, "没法证明您在"), (client_of(cast.officer), "到 10:50 没有证实")):
        page = text(client.get(path))
        assert "4,090 + 2,590 + 2,400 = 9,080 秒" in page
        assert words in page


def test_a_verdict_s_page_says_that_it_is_final(
    cast: Cast, room: Room, heard: Lesson, learner: Client
) -> None:
    finish_on_record(room.training_class, clock("12:00"))
    room.training_class.refresh_from_db()
    [verdict] = actions.conclude_attendance(
        training_class=room.training_class, actor=cast.manager, at=clock("12:01")
    )
    assert "这是最后的结论" in text(learner.get(f"/classes/{room.training_class.pk}/meter/"))
    page = text(client_of(cast.manager).get(f"/attendance/{room.learner.pk}/"))
    assert verdict.evidence_hash[:4] in page


# --- strangers ---


def test_the_rival_finds_no_page_and_changes_nothing(cast: Cast, room: Room, lesson: Lesson) -> None:
    sign_in = room.signed_in(room.learner, lesson, clock("08:30"))
    before = Entry.objects.count()
    rival = client_of(cast.rival)
    for path in (
        f"/lessons/{lesson.pk}/sign-in/",
        f"/lessons/{lesson.pk}/sign-out/",
        f"/lessons/{lesson.pk}/sign-ins/",
        f"/classes/{room.training_class.pk}/meter/",
        f"/classes/{room.training_class.pk}/attendance/",
        f"/attendance/{room.learner.pk}/",
        f"/attendance/{room.learner.pk}/lessons/{lesson.pk}/",
    ):
        assert rival.get(path).status_code == 404, path
    for path in (
        f"/lessons/{lesson.pk}/sign-in/",
        f"/lessons/{lesson.pk}/sign-out/",
        f"/lessons/{lesson.pk}/sign-ins/codes/",
        f"/sign-ins/{sign_in.pk}/confirm/",
        f"/sign-ins/{sign_in.pk}/refuse/",
    ):
        assert rival.post(path, {"code": "1", "enrolment": room.learner.pk}).status_code == 404, path
    assert Entry.objects.count() == before
    assert list(SignIn.objects.values_list("state", "signed_out_at")) == [("accepted", None)]


def test_a_classmate_s_time_is_not_there(cast: Cast, room: Room, heard: Lesson, learner: Client) -> None:
    other = room.enrol(cast.trainees(2)[1])
    assert learner.get(f"/attendance/{other.pk}/").status_code == 404
    assert learner.get(f"/attendance/{other.pk}/lessons/{heard.pk}/").status_code == 404
    assert learner.get(f"/classes/{room.training_class.pk}/attendance/").status_code == 404


def test_who_is_not_signed_in_to_the_platform_is_sent_to_sign_in(lesson: Lesson) -> None:
    for path in (f"/lessons/{lesson.pk}/sign-in/", "/meter/"):
        assert client_of(None).get(path)["Location"] == f"/accounts/login/?next={path}"
