"""One class, from roster to claim, on real parts: browsers, camera, Janus, PostgreSQL, Redis, Celery.

The edition makes a 课时 two seconds long and asks for no lead time (editions/thread.yaml); everything
else runs as it does in production, by the server's own clock. What people do they do on the pages
(steps.py); what must be true of it is read back in other ways too (checks.py).
"""

import datetime
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import RunningStack, running_stack
from tests.thread import checks, steps
from tests.thread.asking import rows, until, wait_for
from tests.thread.browsers import PHONE, Browsers, api, browsers_at, sign_in

pytestmark = [pytest.mark.media, pytest.mark.browser]
EDITIONS = Path(__file__).parent / "editions"
PASSWORD = "yuchuang-demo"
SECOND = datetime.timedelta(seconds=1)


@pytest.fixture
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The whole platform with the cast in it, and nobody else."""
    if not (shutil.which("janus") and shutil.which("ffprobe")):
        pytest.skip("Janus and ffmpeg are not installed")
    folder = tmp_path_factory.mktemp("thread")
    extra = {
        "YUCHUANG_EDITION_DIRS": str(EDITIONS),
        "YUCHUANG_OPERATOR_NAME": "豫创平台",
        "YUCHUANG_OPERATOR_CONTACT": "0371-60000000",
    }
    with running_stack(folder, extra=extra) as running:
        running.manage(
            "shell",
            "-c",
            "from django.db import transaction\n"
            "from django.utils import timezone\n"
            "from config.demo.cast import build_cast\n"
            "from courses.actions import load_catalogue\n"
            "from exams.actions.bank import load_question_bank\n"
            "now = timezone.now()\n"
            "with transaction.atomic():\n"
            "    load_catalogue(at=now); load_question_bank(); build_cast(at=now)\n",
        )
        yield running


@pytest.fixture
def browsers(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browsers]:
    with browsers_at(stack.url, tmp_path_factory.mktemp("browsers")) as opened:
        yield opened


def test_the_thread_from_roster_to_claim(stack: RunningStack, browsers: Browsers, tmp_path: Path) -> None:
    # Everybody arrives first: what takes a machine long must not eat into the lesson.
    manager = browsers.open("manager")
    officer = browsers.open("officer")
    trainer = browsers.open("trainer", portrait="person_a_1")
    assistant = browsers.open("assistant")
    learner = browsers.open("learner", portrait="person_b_1", viewport=PHONE)
    stranger = browsers.open("stranger", portrait="impostor_1", viewport=PHONE)
    for page, name in (
        (manager, "manager"), (officer, "officer"), (trainer, "trainer"), (assistant, "assistant"),
        (learner, "learner"), (stranger, "learner"),
    ):  # fmt: skip
        sign_in(page, name, PASSWORD)

    # --- 1. roster, timetable, filing ---
    began = time.monotonic()
    steps.consent_and_enrol(learner)
    pk = steps.make_a_class(manager)
    steps.upload_roster(manager, pk, tmp_path)
    steps.draft_a_timetable(manager)
    # To file it and to enter the room takes a little less than that, here and on a slower machine.
    pace = (time.monotonic() - began) * SECOND
    plan = steps.Plan.after(max(25 * SECOND, 1.5 * pace), sitting=max(15 * SECOND, pace))
    steps.set_the_hours(manager, plan)
    statement = "select id from classes_lesson where training_class_id = %s order by starts_at"
    (live,), _exam_lesson = rows(stack, statement, pk)
    assert api(trainer, "POST", f"lessons/{live}/start/")["status"] in (403, 404, 409)  # F9: not approved
    steps.submit_the_filing(manager)
    [(filing,)] = rows(stack, "select id from classes_filing")
    decision = {"approved": True, "reason": "", "number": "郑创备〔2026〕0001 号"}
    assert api(manager, "POST", f"filings/{filing}/decision/", decision)["status"] == 403
    steps.approve_the_filing(officer)

    # --- 2. the lesson ---
    steps.open_the_lesson(trainer)
    steps.show_the_wrong_face(stranger, live)
    browsers.shut(stranger)
    steps.sign_in_by_face(learner, live)
    until(lambda: steps.frames(learner) > 0, 20)
    first = steps.frames(learner)
    until(lambda: steps.frames(learner) > first + 20, 20)
    assistant.goto(f"/lessons/{live}/room/")
    steps.talk(learner, assistant, live)
    wait_for(plan.live_starts + 4 * SECOND)
    steps.answer_checks(stack, learner, assistant, live)
    steps.set_the_exam(trainer)
    [(exam,)] = rows(stack, "select id from exams_exam")
    answers = steps.answers_of(stack, exam)
    steps.fetch_the_package(manager)
    wait_for(plan.live_ends + SECOND)
    steps.sign_out(learner, live)
    steps.end_the_lesson(trainer)

    # --- 3. the exam, then what the seconds come to ---
    wait_for(plan.exam_starts + SECOND)
    steps.sit_the_exam(stack, learner, answers)
    checks.check_the_recording(stack, learner, live)
    checks.check_the_seconds(stack, learner, manager, pk, live)

    # --- 4. verdicts and the certificate ---
    wait_for(plan.exam_ends + SECOND)
    steps.conclude(manager)
    checks.check_the_certificate(stack, learner, manager, pk)

    # --- 5. the claim ---
    claim = steps.draw_up_a_claim(manager)
    checks.check_the_amount(manager, claim)
    steps.submit_the_claim(manager)
    assert api(manager, "POST", f"claims/{claim}/notice/")["status"] == 403
    steps.announce_the_claim(officer)
    public = browsers.open("public", viewport=PHONE)
    steps.read_the_notice(public)
    steps.decide_the_claim(officer)
    checks.check_the_trace(stack, manager, claim, live)
    checks.check_the_export(manager, claim)

    # --- 6. those who look, and those who must not ---
    rival = browsers.open("rival")
    sign_in(rival, "rival", PASSWORD)
    checks.check_that_the_rival_sees_nothing(rival, pk, live, filing, claim, exam)
    regulator = browsers.open("regulator")
    sign_in(regulator, "regulator", PASSWORD)
    checks.check_that_the_regulator_sees_and_cannot_write(stack, regulator, pk, live, claim)
    stack.manage("verify_evidence")  # exits 1 on any fault
    # Refused calls above are meant; anything else on a console is a fault of a page.
    assert [t for t in browsers.troubles if "Failed to load resource" not in t] == []
