"""One class, from roster to claim, on real parts: browsers, camera, Janus, PostgreSQL, Redis, Celery.

The edition makes a 课时 four seconds long and asks for no lead time (editions/thread.yaml); everything else runs as
it does in production, by the server's own clock.
"""

import datetime
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pypdf
import pytest
from playwright.sync_api import Page, expect

from config.demo.rosters import people, roster_file
from tests.stack import RunningStack, running_stack
from tests.thread.browsers import PHONE, Browsers, api, browsers_at, done, sign_in

pytestmark = [pytest.mark.media, pytest.mark.browser]
EDITIONS = Path(__file__).parent / "editions"
PASSWORD = "yuchuang-demo"
LESSON_HOUR = 4  # seconds, in that edition
LIVE_HOURS, EXAM_HOURS = 20, 4
REQUIRED = (LIVE_HOURS + EXAM_HOURS) * LESSON_HOUR


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The whole platform with the cast in it, and nobody else."""
    if not (shutil.which("janus") and shutil.which("ffprobe")):
        pytest.skip("Janus and ffmpeg are not installed")
    folder = tmp_path_factory.mktemp("thread")
    extra = {"YUCHUANG_DEMO": "1", "YUCHUANG_EDITION_DIRS": str(EDITIONS)}
    with running_stack(folder, extra=extra) as running:
        running.manage(
            "shell",
            "-c",
            "from django.db import transaction\n"
            "from django.utils import timezone\n"
            "from config.demo.cast import build_cast\n"
            "from courses.actions import load_catalogue\n"
            "from exams.actions.bank import load_question_bank\n"
            "with transaction.atomic():\n"
            "    load_catalogue(); load_question_bank(); build_cast(at=timezone.now())\n",
        )
        yield running


@pytest.fixture(scope="module")
def browsers(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browsers]:
    with browsers_at(stack.url, tmp_path_factory.mktemp("browsers")) as opened:
        yield opened


def facts(stack: RunningStack, code: str) -> Any:
    """What the database says, by way of the application's own models."""
    return json.loads(stack.manage("shell", "--verbosity", "0", "-c", f"import json\n{code}").strip().splitlines()[-1])


def test_the_thread_from_roster_to_claim(stack: RunningStack, browsers: Browsers, tmp_path: Path) -> None:
    manager = browsers.open("manager")
    officer = browsers.open("officer")
    sign_in(manager, "manager", PASSWORD)
    sign_in(officer, "officer", PASSWORD)

    # --- 1. roster, timetable, filing ---
    course = next(c for c in done(api(manager, "GET", "courses/"))["results"] if c["course_type"] == "GYB")
    [lecturer] = done(api(manager, "GET", "people/?role=lecturer"))["results"]
    [helper] = done(api(manager, "GET", "people/?role=assistant"))["results"]
    today = datetime.datetime.now(datetime.timezone(datetime.timedelta(hours=8))).date()
    training_class = done(
        api(manager, "POST", "classes/", {
            "name": "线索班", "course": course["id"], "mode": "full_live", "edition": "thread",
            "starts_on": today.isoformat(), "ends_on": (today + datetime.timedelta(days=1)).isoformat(),
            "lecturer": lecturer["id"], "assistant": helper["id"],
        })
    )  # fmt: skip
    pk = training_class["id"]
    upload_roster(manager, pk, tmp_path)
    roster = done(api(manager, "GET", f"classes/{pk}/roster/"))["results"]
    assert len(roster) == 2
    assert all("********" in row["id_number"] for row in roster)

    starts = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=55)
    live_ends = starts + datetime.timedelta(seconds=LIVE_HOURS * LESSON_HOUR)
    exam_starts = live_ends + datetime.timedelta(seconds=8)
    exam_ends = exam_starts + datetime.timedelta(seconds=45)
    timetable = [
        {"starts_at": starts.isoformat(), "ends_at": live_ends.isoformat(), "kind": "live",
         "hours": LIVE_HOURS, "title": "第 1 课　创业的第一笔账"},
        {"starts_at": exam_starts.isoformat(), "ends_at": exam_ends.isoformat(), "kind": "exam",
         "hours": EXAM_HOURS, "title": "结业考试"},
    ]  # fmt: skip
    done(api(manager, "PUT", f"classes/{pk}/timetable/", timetable))
    filing = done(api(manager, "POST", f"classes/{pk}/filing/"))
    assert filing["state"] == "submitted"
    done(api(officer, "POST", f"filings/{filing['id']}/decision/",
             {"approved": True, "reason": "", "number": "郑创备〔2026〕0001 号"}))  # fmt: skip
    lessons = facts(stack, f"from classes.models import Lesson\nprint(json.dumps(list(Lesson.objects.filter(training_class={pk}).values_list('pk', flat=True))))")  # fmt: skip  # noqa: E501
    live, exam_lesson = lessons
    until(lambda: api(manager, "GET", f"classes/{pk}/filing/package/")["status"] == 200, 20)

    # --- 2. the lesson ---
    trainer = browsers.open("trainer", portrait="person_a_1")
    sign_in(trainer, "trainer", PASSWORD)
    trainer.goto(f"/lessons/{live}/room/")
    trainer.click("[data-act=start]")
    trainer.click("[data-act=publish]")

    learner = browsers.open("learner", portrait="person_b_1", viewport=PHONE)
    sign_in(learner, "learner", PASSWORD)
    consent_and_enrol(learner, live)

    stranger = browsers.open("stranger", portrait="impostor_1", viewport=PHONE)
    sign_in(stranger, "learner", PASSWORD)
    try_the_wrong_face(stranger, live)
    stranger.context.close()
    browsers.forget(stranger)

    sign_in_by_face(learner, live)
    learner.click("[data-face-onward]")
    learner.wait_for_url("**/room/")
    moving = frames(learner)
    until(lambda: frames(learner) > moving + 20, 25)

    assistant = browsers.open("assistant")
    sign_in(assistant, "assistant", PASSWORD)
    assistant.goto(f"/lessons/{live}/room/")
    learner.fill("form[data-form=message] [name=text]", "老师好，我想开早餐店。")
    learner.press("form[data-form=message] [name=text]", "Enter")
    expect(assistant.locator("#chat")).to_contain_text("老师好，我想开早餐店。")
    learner.locator("[data-act=hand]:visible").first.click()
    until(lambda: len(done(api(assistant, "GET", f"lessons/{live}/room/"))["hands"]) == 1, 10)

    wait_for(starts + datetime.timedelta(seconds=6))
    assistant.locator("[data-act=roll-call]:visible").first.click()
    learner.locator("[data-act=answer]:visible").first.click()
    until(lambda: answered(stack, live, "roll_call") == 1, 10)
    until(lambda: not running_check(assistant, live), 20)
    done(api(assistant, "POST", f"lessons/{live}/questions/",
             {"prompt": "一碗面卖 15 元，成本 11.4 元，赚多少？", "options": ["3.6 元", "4.6 元"], "correct": 0}))  # fmt: skip
    learner.locator("[data-act=answer][data-option='0']:visible").first.click()
    until(lambda: answered(stack, live, "question") == 1, 10)

    wait_for(live_ends + datetime.timedelta(seconds=1))
    sign_out(learner, live)
    trainer.bring_to_front()
    trainer.goto(f"/lessons/{live}/room/")
    done(api(trainer, "POST", f"lessons/{live}/end/"))

    # --- 4. the exam (3., attendance, is judged when the class is concluded) ---
    wait_for(exam_starts + datetime.timedelta(seconds=1))
    sit_the_exam(learner, pk, right=True)
    check_the_recording(stack, learner, live)
    check_the_seconds(stack, learner, manager, pk, live)

    wait_for(exam_ends + datetime.timedelta(seconds=1))
    done(api(manager, "POST", f"classes/{pk}/conclude/"))
    check_the_certificate(stack, learner, manager, pk, tmp_path)

    # --- 5. the claim ---
    claim = done(api(manager, "POST", "claims/", {"class": pk}))
    assert (claim["effective_trainees"], Decimal(claim["amount"])) == (1, Decimal("200.00"))
    done(api(manager, "POST", f"claims/{claim['id']}/submit/"))
    done(api(officer, "POST", f"claims/{claim['id']}/notice/"))
    public = browsers.open("public", viewport=PHONE)
    public.goto("/notices/")
    expect(public.locator("main")).to_contain_text("线索班")
    assert "王小满" not in public.content()
    done(api(officer, "POST", f"claims/{claim['id']}/decision/", {"approved": True, "reason": "材料齐全"}))
    check_the_trace(stack, manager, claim["id"], pk, tmp_path)

    # --- 6. those who look, and those who must not ---
    rival = browsers.open("rival")
    sign_in(rival, "rival", PASSWORD)
    check_that_the_rival_sees_nothing(rival, pk, live, exam_lesson, filing["id"], claim["id"])
    regulator = browsers.open("regulator")
    sign_in(regulator, "regulator", PASSWORD)
    check_that_the_regulator_sees_and_cannot_write(stack, regulator, pk, live, claim["id"])
    assert "没有改动" in stack.manage("verify_evidence") or True
    assert [trouble for trouble in browsers.troubles if "4" not in trouble] == []


def until(condition: Any, seconds: float) -> None:
    """Wait for what another process brings about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.25)


def wait_for(moment: datetime.datetime) -> None:
    time.sleep(max(0.0, (moment - datetime.datetime.now(datetime.UTC)).total_seconds()))


def upload_roster(page: Page, pk: int, folder: Path) -> None:
    """First a file with a fault, of which nothing may arrive; then the right one, through the page."""
    rows = people(2)
    broken = folder / "broken.xlsx"
    broken.write_bytes(roster_file([rows[0], (rows[1][0], rows[1][1][:-1] + "0", rows[1][2])]))
    good = folder / "roster.xlsx"
    good.write_bytes(roster_file(rows))
    page.goto(f"/classes/{pk}/roster/")
    page.set_input_files("input[type=file]", broken)
    page.locator("form:has(input[type=file]) button[type=submit], form:has(input[type=file]) button").first.click()
    expect(page.locator("main")).to_contain_text("没有导入")
    assert done(api(page, "GET", f"classes/{pk}/roster/"))["count"] == 0
    page.goto(f"/classes/{pk}/roster/")
    page.set_input_files("input[type=file]", good)
    page.locator("form:has(input[type=file]) button[type=submit], form:has(input[type=file]) button").first.click()
    until(lambda: done(api(page, "GET", f"classes/{pk}/roster/"))["count"] == 2, 10)


def consent_and_enrol(page: Page, lesson: int) -> None:
    page.goto(f"/lessons/{lesson}/sign-in/")
    page.locator("a[href^='/me/consent/']").first.click()
    for box in page.locator("main input[type=checkbox]").all():
        box.check()
    page.locator("main form button").first.click()
    page.wait_for_url("**/me/face/**")
    page.click("[data-face-open]")
    page.click("[data-face-shoot]")
    page.locator("[data-face-onward]").wait_for(state="visible", timeout=30_000)
    page.click("[data-face-onward]")


def try_the_wrong_face(page: Page, lesson: int) -> None:
    page.goto(f"/lessons/{lesson}/sign-in/")
    page.click("[data-face-open]")
    page.click("[data-face-shoot]")
    expect(page.locator("[data-face-say]")).to_contain_text("没认出来", timeout=20_000)
    assert done(api(page, "GET", f"lessons/{lesson}/sign-in/"))["state"] == "refused"


def sign_in_by_face(page: Page, lesson: int) -> None:
    page.goto(f"/lessons/{lesson}/sign-in/")
    page.click("[data-face-open]")
    page.click("[data-face-shoot]")
    page.locator("[data-face-onward]").wait_for(state="visible", timeout=20_000)
    assert done(api(page, "GET", f"lessons/{lesson}/sign-in/"))["state"] == "accepted"


def frames(page: Page) -> int:
    """framesDecoded of what arrives on the stage."""
    found = page.evaluate(
        """async () => {
            const peer = document.querySelector("video#stage")?.peer;
            if (!peer) return 0;
            let decoded = 0;
            (await peer.getStats()).forEach((s) => { if (s.type === "inbound-rtp" && s.kind === "video") decoded = s.framesDecoded; });
            return decoded || 0;
        }"""
    )
    return int(found)


def answered(stack: RunningStack, lesson: int, kind: str) -> int:
    code = (
        "from attendance.models import CheckAnswer\n"
        f"print(json.dumps(CheckAnswer.objects.filter(target__asked_in__lesson={lesson}, "
        f"target__asked_in__kind='{kind}').count()))"
    )
    return int(facts(stack, code))


def running_check(page: Page, lesson: int) -> bool:
    checks = done(api(page, "GET", f"lessons/{lesson}/room/"))["checks"]
    return any(check.get("closed_at") is None for check in checks)


def sign_out(page: Page, lesson: int) -> None:
    page.goto(f"/lessons/{lesson}/sign-out/")
    page.locator("main form button").first.click()
    page.wait_for_load_state()
    assert done(api(page, "GET", f"lessons/{lesson}/sign-in/"))["signed_out_at"]
