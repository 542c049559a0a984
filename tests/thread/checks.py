"""What must be true of the class, read back from pages, API, files and the database."""

import io
import re
import subprocess
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pypdf
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from tests.stack import RunningStack
from tests.thread.asking import rows, until
from tests.thread.browsers import api, done, fits
from tests.thread.steps import CLASS_NAME, EXAM_HOURS, LESSON_HOUR, LIVE_HOURS, click, download


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
    fits(page)
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
    learner.goto("/certificates/check/")
    learner.get_by_label("证书编号").fill(number)
    click(learner.locator("main"), "查验")
    expect(learner.locator("main")).to_contain_text("证书有效")
    expect(learner.locator("main")).to_contain_text("王*满")
    fits(learner)


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
    click(manager.locator("nav"), "补贴申请")
    click(manager.locator("main"), CLASS_NAME)
    click(manager.locator("main"), "王小满")
    click(manager.get_by_role("navigation", name="课次"), "第 1 课")
    expect(manager).to_have_url(re.compile(rf"/lines/1/\?lesson={lesson}"))
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
        (f"/supervision/classes/{pk}/evidence/?page=2", "合格证"),
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


def check_the_amount(manager: Page, claim: int) -> None:
    """One effective trainee at the edition's rate, on the page and over the API."""
    expect(manager.locator("main tfoot")).to_contain_text("合计 1 人 × 200.00 元")
    found = done(api(manager, "GET", f"claims/{claim}/"))
    assert (found["effective_trainees"], Decimal(found["amount"])) == (1, Decimal("200.00"))


def check_the_export(manager: Page, claim: int) -> None:
    """The table for the offices, as the manager takes it from the page and as the API gives it."""
    manager.goto(f"/claims/{claim}/")
    table = load_workbook(io.BytesIO(download(manager, "下载申请表")))
    cells = {str(cell) for sheet in table for row in sheet.iter_rows(values_only=True) for cell in row}
    assert "王小满" in cells
    assert api(manager, "GET", f"claims/{claim}/export/")["status"] == 200
