"""One class, from roster to claim, on real parts: browsers, camera, Janus, PostgreSQL, Redis, Celery.

The edition makes a 课时 four seconds long and asks for no lead time (editions/thread.yaml); everything
else runs as it does in production, by the server's own clock.
"""

import datetime
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg
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
SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))


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
            "from decimal import Decimal\n"
            "from django.db import transaction\n"
            "from django.utils import timezone\n"
            "from config.demo.cast import build_cast\n"
            "from courses.actions import load_catalogue\n"
            "from exams.actions.bank import load_question_bank\n"
            "from courses.actions.versions import publish_version, set_outline, write_draft\n"
            "from courses.models import Course\n"
            "from courses.outlines import UnitDraft\n"
            "from policy.terms import HourKind\n"
            "now = timezone.now()\n"
            "with transaction.atomic():\n"
            "    load_catalogue(at=now); load_question_bank(); build_cast(at=now)\n"
            "    course = Course.objects.get(course_type='GYB')\n"
            "    last = course.versions.get()\n"
            "    version = write_draft(course, copied=last, notes='', actor=None, at=now)\n"
            f"    hours = [('live', {LIVE_HOURS}, '直播'), ('exam', {EXAM_HOURS}, '结业考试')]\n"
            "    units = [UnitDraft(kind=HourKind(k), hours=Decimal(h), title=t) for k, h, t in hours]\n"
            "    set_outline(version=version, units=units, notes='', actor=None, at=now)\n"
            "    publish_version(version=version, actor=None, at=now)\n",
        )
        yield running


@pytest.fixture
def browsers(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browsers]:
    with browsers_at(stack.url, tmp_path_factory.mktemp("browsers")) as opened:
        yield opened


def rows(stack: RunningStack, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """What the platform's database says, asked past the application."""
    login = urlsplit(stack.environment["DATABASE_OWNER_URL"])
    with psycopg.connect(
        host=unquote(login.netloc.rpartition("@")[2].partition(":")[0]) or unquote(login.hostname or ""),
        user=login.username,
        dbname=login.path.lstrip("/"),
        port=login.port or 5432,
    ) as connection:
        return connection.execute(statement.encode(), values).fetchall()


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
    consent_and_enrol(learner)

    # --- 1. roster, timetable, filing ---
    pk = draft_a_class(manager)
    upload_roster(manager, pk, tmp_path)
    starts = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=50)
    live_ends = starts + datetime.timedelta(seconds=LIVE_HOURS * LESSON_HOUR)
    exam_starts = live_ends + datetime.timedelta(seconds=6)
    exam_ends = exam_starts + datetime.timedelta(seconds=60)
    done(api(manager, "PUT", f"classes/{pk}/timetable/", [
        {"starts_at": starts.isoformat(), "ends_at": live_ends.isoformat(), "kind": "live",
         "hours": LIVE_HOURS, "title": "第 1 课　创业的第一笔账"},
        {"starts_at": exam_starts.isoformat(), "ends_at": exam_ends.isoformat(), "kind": "exam",
         "hours": EXAM_HOURS, "title": "结业考试"},
    ]))  # fmt: skip
    live, exam_lesson = timetable_of(stack, pk)
    assert api(trainer, "POST", f"lessons/{live}/start/")["status"] in (403, 404, 409)  # F9: not approved
    filing = done(api(manager, "POST", f"classes/{pk}/filing/"))
    decision = {"approved": True, "reason": "", "number": "郑创备〔2026〕0001 号"}
    assert api(manager, "POST", f"filings/{filing['id']}/decision/", decision)["status"] == 403
    done(api(officer, "POST", f"filings/{filing['id']}/decision/", decision))

    # --- 2. the lesson ---
    trainer.goto(f"/lessons/{live}/room/")
    trainer.locator("[data-act=start]:visible").first.click()
    trainer.locator("[data-act=publish]:visible").first.click()
    try_the_wrong_face(stranger, live)
    browsers.shut(stranger)
    sign_in_by_face(learner, live)
    learner.click("[data-face-onward]")
    learner.wait_for_url("**/room/")
    until(lambda: frames(learner) > 0, 20)
    first = frames(learner)
    until(lambda: frames(learner) > first + 20, 20)
    assistant.goto(f"/lessons/{live}/room/")
    talk(learner, assistant, live)
    wait_for(starts + datetime.timedelta(seconds=4))
    answer_checks(stack, learner, assistant, live)

    exam = done(api(trainer, "POST", f"classes/{pk}/exam/", {"lesson": exam_lesson}))
    answers = answers_of(stack, exam["id"])
    until(lambda: api(manager, "GET", f"classes/{pk}/filing/package/")["status"] == 200, 20)
    wait_for(live_ends + datetime.timedelta(seconds=1))
    sign_out(learner, live)
    done(api(trainer, "POST", f"lessons/{live}/end/"))

    # --- 3. the exam, then what the seconds come to ---
    wait_for(exam_starts + datetime.timedelta(seconds=1))
    sit_the_exam(learner, exam["id"], answers)
    check_the_recording(stack, learner, live)
    check_the_seconds(stack, learner, manager, pk, live)

    # --- 4. verdicts and the certificate ---
    wait_for(exam_ends + datetime.timedelta(seconds=1))
    done(api(manager, "POST", f"classes/{pk}/conclude/"))
    check_the_certificate(stack, learner, manager, pk)

    # --- 5. the claim ---
    claim = done(api(manager, "POST", "claims/", {"class": pk}))
    assert (claim["effective_trainees"], Decimal(claim["amount"])) == (1, Decimal("200.00"))
    done(api(manager, "POST", f"claims/{claim['id']}/submit/"))
    assert api(manager, "POST", f"claims/{claim['id']}/notice/")["status"] == 403
    done(api(officer, "POST", f"claims/{claim['id']}/notice/"))
    public = browsers.open("public", viewport=PHONE)
    public.goto("/notices/")
    public.locator("main a[href^='/notices/']").first.click()
    expect(public.locator("main")).to_contain_text("王*满")
    assert "王小满" not in public.content()
    done(api(officer, "POST", f"claims/{claim['id']}/decision/", {"approved": True, "reason": "材料齐全"}))
    check_the_trace(stack, manager, claim["id"], live)
    until(lambda: api(manager, "GET", f"claims/{claim['id']}/export/")["status"] == 200, 20)

    # --- 6. those who look, and those who must not ---
    rival = browsers.open("rival")
    sign_in(rival, "rival", PASSWORD)
    check_that_the_rival_sees_nothing(rival, pk, live, filing["id"], claim["id"], exam["id"])
    regulator = browsers.open("regulator")
    sign_in(regulator, "regulator", PASSWORD)
    check_that_the_regulator_sees_and_cannot_write(stack, regulator, pk, live, claim["id"])
    stack.manage("verify_evidence")  # exits 1 on any fault
    # Refused calls above are meant; anything else on a console is a fault of a page.
    assert [t for t in browsers.troubles if "Failed to load resource" not in t] == []


def draft_a_class(page: Page) -> int:
    course = next(c for c in done(api(page, "GET", "courses/"))["results"] if c["course_type"] == "GYB")
    [lecturer] = done(api(page, "GET", "people/?role=lecturer"))["results"]
    [helper] = done(api(page, "GET", "people/?role=assistant"))["results"]
    today = datetime.datetime.now(SHANGHAI).date()
    made = done(api(page, "POST", "classes/", {
        "name": "线索班", "course": course["id"], "mode": "full_live", "edition": "thread",
        "starts_on": today.isoformat(), "ends_on": (today + datetime.timedelta(days=1)).isoformat(),
        "lecturer": lecturer["id"], "assistant": helper["id"],
    }))  # fmt: skip
    return int(made["id"])


def timetable_of(stack: RunningStack, pk: int) -> list[int]:
    """The numbers of the lessons, in order."""
    statement = "select id from classes_lesson where training_class_id = %s order by starts_at"
    return [lesson for (lesson,) in rows(stack, statement, pk)]


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
    page.locator(
        "form:has(input[type=file]) button[type=submit], form:has(input[type=file]) button"
    ).first.click()
    expect(page.locator("main")).to_contain_text("没有导入")
    assert done(api(page, "GET", f"classes/{pk}/roster/"))["count"] == 0
    page.goto(f"/classes/{pk}/roster/")
    page.set_input_files("input[type=file]", good)
    page.locator(
        "form:has(input[type=file]) button[type=submit], form:has(input[type=file]) button"
    ).first.click()
    page.get_by_role("button", name="导入这 2 人").click()
    until(lambda: done(api(page, "GET", f"classes/{pk}/roster/"))["count"] == 2, 10)


def consent_and_enrol(page: Page) -> None:
    page.goto("/me/consent/")
    for box in page.locator("main input[type=checkbox]").all():
        box.check()
    page.locator("main form button").first.click()
    page.wait_for_url("**/me/face/**")
    page.click("[data-face-open]")
    page.click("[data-face-shoot]")
    page.locator("[data-face-onward]").wait_for(state="visible", timeout=40_000)


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
            const found = peer ? [...(await peer.getStats()).values()] : [];
            const video = found.find((one) => one.type === "inbound-rtp" && one.kind === "video");
            return (video && video.framesDecoded) || 0;
        }"""
    )
    return int(found)


def answered(stack: RunningStack, lesson: int, kind: str) -> int:
    statement = """
        select count(*) from attendance_checkanswer a
          join attendance_checktarget t on t.id = a.target_id
          join attendance_check c on c.id = t.check_id
         where c.lesson_id = %s and c.kind = %s
    """
    return int(rows(stack, statement, lesson, kind)[0][0])


def sign_out(page: Page, lesson: int) -> None:
    page.goto(f"/lessons/{lesson}/sign-out/")
    page.locator("main form button").first.click()
    page.wait_for_load_state()
    assert done(api(page, "GET", f"lessons/{lesson}/sign-in/"))["signed_out_at"]


def talk(learner: Page, assistant: Page, lesson: int) -> None:
    learner.locator("form[data-form=message] [name=text]").fill("老师好，我想开早餐店。")
    learner.locator("form[data-form=message] [name=text]").press("Enter")
    expect(assistant.locator("#chat")).to_contain_text("老师好，我想开早餐店。")
    learner.locator("[data-act=hand]:visible").first.click()
    until(lambda: len(done(api(assistant, "GET", f"lessons/{lesson}/room/"))["hands"]) == 1, 10)


def answer_checks(stack: RunningStack, learner: Page, assistant: Page, lesson: int) -> None:
    """A roll call from the assistant's desk, then one random question."""
    assistant.locator("[data-act=roll-call]:visible").first.click()
    learner.locator("[data-act=answer]:visible").first.click()
    until(lambda: answered(stack, lesson, "roll_call") == 1, 10)
    question = {
        "prompt": "一碗面卖 15 元，成本 11.4 元，赚多少？",
        "options": ["3.6 元", "4.6 元"],
        "correct": 0,
    }
    until(
        lambda: api(assistant, "POST", f"lessons/{lesson}/questions/", question)["status"] in (200, 201), 25
    )
    learner.locator("[data-act=answer][data-option='0']:visible").first.click()
    until(lambda: answered(stack, lesson, "question") == 1, 10)


def answers_of(stack: RunningStack, exam: int) -> list[list[int]]:
    """The right answers, from the database: nothing that reaches a browser tells them."""
    [(paper,)] = rows(stack, "select paper from exams_exam where id = %s", exam)
    return [question["correct"] for question in paper]


def sit_the_exam(page: Page, exam: int, answers: list[list[int]]) -> None:
    """Every question right; the paper itself never tells which answers are."""
    attempt = done(api(page, "POST", f"exams/{exam}/attempts/"))
    assert "correct" not in json.dumps(attempt)
    for place, chosen in enumerate(answers):
        choice = {"chosen": chosen, "revision": 1}
        done(api(page, "PUT", f"attempts/{attempt['id']}/answers/{place}/", choice))
    result = done(api(page, "POST", f"attempts/{attempt['id']}/submit/"))
    assert (result["points"], result["total"], result["passed"]) == (100, 100, True)


def check_the_recording(stack: RunningStack, page: Page, lesson: int) -> None:
    """It plays in the browser, and is as long as the lecturer was on the air."""
    statement = "select file, duration_ms from live_recording where lesson_id = %s"
    until(lambda: rows(stack, statement, lesson), 60)
    [(name, duration_ms)] = rows(stack, statement, lesson)
    [(aired,)] = rows(
        stack,
        "select extract(epoch from closed_at - connected_at) from live_mediapeer"
        " where room_id = %s and kind = 'publish'",
        lesson,
    )
    [file] = Path(stack.environment["YUCHUANG_DATA_DIR"]).rglob(Path(name).name)
    probe = subprocess.run(
        [
            "ffprobe",
            "-v",
            "error",
            "-show_entries",
            "format=duration",
            "-of",
            "csv=p=0",
            file,
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert abs(float(probe.stdout) - duration_ms / 1000) < 0.5
    assert abs(float(probe.stdout) - float(aired)) < 4, (probe.stdout, aired)
    page.goto(f"/lessons/{lesson}/replay/")
    page.evaluate("() => { const v = document.querySelector('video'); v.muted = true; return v.play(); }")
    until(lambda: page.evaluate("document.querySelector('video').currentTime") > 1, 20)
    # WebM without an index has no length until it is all there; ours must be seekable at once.
    assert abs(page.evaluate("document.querySelector('video').duration") - duration_ms / 1000) < 1


def check_the_seconds(stack: RunningStack, learner: Page, manager: Page, pk: int, lesson: int) -> None:
    """The credited live seconds are those that the server saw between sign-in and sign-out, within the
    lesson.
    """
    statement = """
        select coalesce(sum(extract(epoch from upper(seen) - lower(seen))), 0)
          from live_presenceinterval p
          join classes_lesson l on l.id = p.lesson_id
          join accounts_user u on u.person_id = p.person_id and u.username = 'learner'
          join classes_enrolment e on e.person_id = p.person_id and e.training_class_id = l.training_class_id
          join attendance_signin s on s.lesson_id = l.id and s.enrolment_id = e.id and s.state = 'accepted',
       lateral (select p.during * tstzrange(l.starts_at, l.ends_at)
                       * tstzrange(s.requested_at, s.signed_out_at) as seen) as part
         where l.id = %s and not isempty(seen)
    """
    [(seen,)] = rows(stack, statement, lesson)
    table = done(api(manager, "GET", f"classes/{pk}/attendance/"))["results"]
    row = next(row for row in table if row["name"] == "王小满")
    assert abs(Fraction(row["seconds"]["live"]) - Fraction(seen)) <= 1, (row, seen)
    assert seen > 0.7 * LIVE_HOURS * LESSON_HOUR
    assert float(Fraction(row["seconds"]["exam"])) == EXAM_HOURS * LESSON_HOUR
    meter = done(api(learner, "GET", f"me/meter/?class={pk}"))
    assert float(Fraction(meter["seconds"]["live"])) == float(Fraction(row["seconds"]["live"]))


def check_the_certificate(stack: RunningStack, learner: Page, manager: Page, pk: int) -> None:
    """One trainee passed and has a certificate that the public can check; the other has none."""
    found = done(api(manager, "GET", f"classes/{pk}/completions/"))["results"]
    results = {row["name"]: row for row in found}
    assert results["王小满"]["passed"]
    assert results["王小满"]["certificate"]
    assert [row["certificate"] for name, row in results.items() if name != "王小满"] == [None]
    number = results["王小满"]["certificate"]
    statement = "select pdf from exams_certificate where number = %s and pdf <> ''"
    until(lambda: rows(stack, statement, number), 20)
    [(name,)] = rows(stack, statement, number)
    [file] = Path(stack.environment["YUCHUANG_DATA_DIR"]).rglob(Path(name).name)
    text = "".join(page.extract_text() for page in pypdf.PdfReader(file).pages)
    text = text.replace("\x00", "")  # pypdf's rendering of the embedded subset
    assert "王小满" in text
    assert number[-6:] in text
    learner.goto(f"/certificates/check/?number={number}")
    expect(learner.locator("main")).to_contain_text("证书有效")
    expect(learner.locator("main")).to_contain_text("王*满")


def check_the_trace(stack: RunningStack, manager: Page, claim: int, lesson: int) -> None:
    """From the amount to evidence that verifies, on the page and over the API."""
    trace = done(api(manager, "GET", f"claims/{claim}/lines/1/trace/"))
    assert trace["same_as_verdict"]
    assert sum(part["credited_microseconds"] for part in trace["lessons"]) == trace["credited_microseconds"]
    part = next(part for part in trace["lessons"] if part["id"] == lesson)
    assert sum(one["microseconds"] for one in part["intervals"]) == part["credited_microseconds"]
    assert trace["chain"]["verified"]
    assert all(one["evidence"] for one in part["intervals"])
    assert all(entry["verified"] for entry in part["evidence"])
    manager.goto(f"/claims/{claim}/lines/1/?lesson={lesson}")
    expect(manager.locator("main")).to_contain_text("是怎么来的")
    expect(manager.locator("main")).to_contain_text("留痕已核验")


def check_that_the_rival_sees_nothing(
    page: Page, pk: int, lesson: int, filing: int, claim: int, exam: int
) -> None:
    for path in (
        f"classes/{pk}/", f"classes/{pk}/roster/", f"classes/{pk}/timetable/", f"classes/{pk}/filing/",
        f"classes/{pk}/filing/package/", f"filings/{filing}/", f"lessons/{lesson}/room/",
        f"lessons/{lesson}/events/?after=0", f"classes/{pk}/attendance/", f"classes/{pk}/completions/",
        f"exams/{exam}/", f"claims/{claim}/", f"claims/{claim}/lines/1/trace/", f"claims/{claim}/dossier/",
        f"claims/{claim}/export/", "supervision/figures/",
    ):  # fmt: skip
        assert api(page, "GET", path)["status"] == 404, path
    for path in (
        f"/classes/{pk}/", f"/classes/{pk}/roster/", f"/lessons/{lesson}/room/", f"/lessons/{lesson}/replay/",
        f"/classes/{pk}/attendance/", f"/claims/{claim}/", f"/claims/{claim}/lines/1/", "/supervision/",
    ):  # fmt: skip
        answer = page.request.get(path)
        assert answer.status == 404, path
    for path in (f"filings/{filing}/decision/", f"claims/{claim}/decision/", f"lessons/{lesson}/messages/"):
        assert api(page, "POST", path, {"approved": True, "text": "x"})["status"] == 404, path


def check_that_the_regulator_sees_and_cannot_write(
    stack: RunningStack, page: Page, pk: int, lesson: int, claim: int
) -> None:
    for path, text in (
        ("/supervision/", "线索班"),
        (f"/supervision/classes/{pk}/", "王小满"),
        (f"/supervision/classes/{pk}/attendance/", "王小满"),
        (f"/supervision/classes/{pk}/results/", "100 / 100"),
        (f"/supervision/classes/{pk}/lessons/{lesson}/", "老师好，我想开早餐店。"),
        (f"/supervision/classes/{pk}/evidence/", "合格证"),
        (f"/supervision/claims/{claim}/lines/1/", "王小满"),
    ):
        page.goto(path)
        expect(page.locator("main")).to_contain_text(text)
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            token = next(c["value"] for c in page.context.cookies() if c["name"] == "csrftoken")
            answer = page.request.fetch(path, method=method, headers={"X-CSRFToken": token})
            assert answer.status in (403, 404, 405), (method, path)
    for path in (f"classes/{pk}/filing/", f"claims/{claim}/submit/", f"lessons/{lesson}/messages/"):
        assert api(page, "POST", path, {})["status"] in (403, 404), path
    [(looks,)] = rows(stack, "select count(*) from supervision_look")
    assert looks >= 7
