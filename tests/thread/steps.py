"""What the cast does, on the pages and by their own clicks and keys."""

import datetime
import io
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

from openpyxl import load_workbook
from playwright.sync_api import Locator, Page, expect

from config.demo.rosters import people, roster_file
from tests.stack import RunningStack
from tests.thread.asking import rows, until
from tests.thread.browsers import api, done, fits

SHANGHAI = datetime.timezone(datetime.timedelta(hours=8))
LESSON_HOUR = 2  # seconds, in editions/thread.yaml
LIVE_HOURS, EXAM_HOURS = 20, 4
CLASS_NAME = "线索班"
LIVE_TITLE = "第 1 课　创业的第一笔账"


@dataclass(frozen=True)
class Plan:
    """When the two lessons of the class are."""

    live_starts: datetime.datetime
    live_ends: datetime.datetime
    exam_starts: datetime.datetime
    exam_ends: datetime.datetime

    @classmethod
    def after(cls, pause: datetime.timedelta, *, sitting: datetime.timedelta) -> "Plan":
        """The live lesson after a pause, then the exam; in whole seconds, and all on one day in Henan."""
        live = datetime.timedelta(seconds=LIVE_HOURS * LESSON_HOUR)
        between = datetime.timedelta(seconds=6)
        sitting = datetime.timedelta(seconds=math.ceil(sitting.total_seconds()))
        starts = (datetime.datetime.now(SHANGHAI) + pause).replace(microsecond=0)
        if starts.date() != (starts + live + between + sitting).date():
            starts = datetime.datetime.combine(
                starts.date() + datetime.timedelta(days=1), datetime.time(), tzinfo=SHANGHAI
            )
        ends = starts + live
        return cls(starts, ends, ends + between, ends + between + sitting)


def go_home(page: Page) -> None:
    """The start page, which says what to do next."""
    page.goto("/start/")


def click(page: Page | Locator, name: str) -> None:
    """Press the button or follow the link that says so; where it leads to another page, wait for that."""
    either = page.get_by_role("button", name=name).or_(page.get_by_role("link", name=name))
    either.first.click()
    (page.page if isinstance(page, Locator) else page).wait_for_load_state()


def told(page: Page, words: str) -> None:
    """What the page says about what was just done."""
    expect(page.locator("#messages")).to_contain_text(words)


# --- the manager's class ---


def make_a_class(page: Page) -> int:
    """Fill in the class form; returns the class's number."""
    today = datetime.datetime.now(SHANGHAI).date()
    click(page.locator("nav"), "培训班")
    click(page, "新建培训班")
    form = page.locator("main form")
    form.get_by_label("班级名称").fill(CLASS_NAME)
    form.get_by_label("课程").select_option(label="创业意识培训（GYB）")
    form.get_by_label("全程直播").check()
    form.get_by_label("政策版本").select_option(label="测试版本（一课时两秒）")
    form.get_by_label("开班日期").fill(today.isoformat())
    form.get_by_label("结班日期").fill((today + datetime.timedelta(days=1)).isoformat())
    form.get_by_label("讲师").select_option(label="李明远")
    form.get_by_label("助教").select_option(label="赵晓宁")
    click(page, "建班")
    told(page, "班级建好了")
    return int(page.url.rstrip("/").split("/")[-2])


def upload_roster(page: Page, pk: int, folder: Path) -> None:
    """First a file with a fault, of which nothing may arrive; then the right one."""
    rows = people(2)
    broken = folder / "broken.xlsx"
    broken.write_bytes(roster_file([rows[0], (rows[1][0], rows[1][1][:-1] + "0", rows[1][2])]))
    good = folder / "roster.xlsx"
    good.write_bytes(roster_file(rows))
    page.set_input_files("input[type=file]", broken)
    click(page, "上传并核对")
    expect(page.locator("main h1")).to_have_text("花名册导入：一行也没有导入")
    assert done(api(page, "GET", f"classes/{pk}/roster/"))["count"] == 0
    page.set_input_files("input[type=file]", good)
    click(page, "上传并核对")
    expect(page.locator("main h1")).to_have_text("核对花名册：还没有导入")
    click(page, "导入这 2 人")
    expect(page.locator("main")).to_contain_text("已在册 2 人")
    assert done(api(page, "GET", f"classes/{pk}/roster/"))["count"] == 2


def draft_a_timetable(page: Page) -> None:
    """Too long an exam first, and the check says so; an hour moved, and it says that this may be filed."""
    click(page, "下一步：排课表")
    click(page, "加一节")
    live = page.locator("#rows tr").nth(0)
    live.get_by_label("课时", exact=True).fill(str(LIVE_HOURS - 1))
    live.get_by_label("内容").fill(LIVE_TITLE)
    click(page, "加一节")
    exam = page.locator("#rows tr").nth(1)
    exam.get_by_label("类别").select_option(label="考试")
    exam.get_by_label("课时", exact=True).fill(str(EXAM_HOURS + 1))
    exam.get_by_label("内容").fill("结业考试")
    check, onwards = page.locator("#check"), page.get_by_role("button", name="保存，去提交备案")
    expect(check).to_contain_text("共 24 课时")
    expect(check.get_by_role("status")).to_contain_text("还有 1 处要改")
    expect(check.locator(".yc-finding.is-bad")).to_contain_text("作业和考试 5 课时，超过总课时的 20 %")
    expect(onwards).to_have_count(0)
    exam.get_by_label("减 1 课时").click()
    live.get_by_label("加 1 课时").click()
    expect(check.get_by_role("status")).to_contain_text("可以提交备案")
    expect(check.locator(".yc-finding.is-bad")).to_have_count(0)
    expect(onwards).to_be_visible()


def set_the_hours(page: Page, plan: Plan) -> None:
    """When the two lessons are; Enter saves."""
    live, exam = page.locator("#rows tr").nth(0), page.locator("#rows tr").nth(1)
    for row, starts in ((live, plan.live_starts), (exam, plan.exam_starts)):
        row.get_by_label("日期").fill(starts.date().isoformat())
        row.get_by_label("开始").fill(starts.time().isoformat())
    # The end follows from the hours; who wants a longer lesson says so.
    expect(live.get_by_label("结束")).to_have_value(plan.live_ends.strftime("%H:%M:%S").removesuffix(":00"))
    exam.get_by_label("结束").fill(plan.exam_ends.time().isoformat())
    exam.get_by_label("结束").press("Enter")
    told(page, "课表已保存")


def submit_the_filing(page: Page) -> None:
    click(page, "保存，去提交备案")
    click(page, "核对并提交")
    expect(page.locator("main h1")).to_have_text("核对：提交开班备案")
    expect(page.locator("main")).to_contain_text("2 节，24 课时")
    click(page, "提交备案")
    told(page, "已提交")


def approve_the_filing(page: Page) -> None:
    """The officer: from what waits to the review, the decision, and its repetition."""
    go_home(page)
    click(page, "1 件开班备案等您审核")
    click(page, CLASS_NAME)
    page.get_by_label("同意备案").check()
    page.get_by_label("备案编号").fill("郑创备〔2026〕0001 号")
    page.get_by_label("讲师资格证明").check()
    click(page, "核对决定")
    expect(page.locator("main h1")).to_have_text("核对：同意备案")
    click(page, "同意备案")
    told(page, "已同意备案")


def fetch_the_package(page: Page) -> None:
    """The filing package that a worker has written, once it is there."""
    click(page.locator("nav"), "培训班")
    click(page, CLASS_NAME)
    click(page, "看检查结果")
    book = load_workbook(io.BytesIO(download(page, "下载备案材料包")))
    assert book.sheetnames == ["班级", "花名册", "课表", "申请的例外", "数据字典", "校验"]


def download(page: Page, name: str) -> bytes:
    """Wait for the link, which comes by itself when the file is written, and take the file."""
    link = page.get_by_role("link", name=name)
    link.wait_for(state="visible")
    with page.expect_download() as started:
        link.click()
    return Path(started.value.path()).read_bytes()


# --- the lesson ---


def consent_and_enrol(page: Page) -> None:
    page.goto("/me/consent/")
    fits(page)
    for box in page.locator("main input[type=checkbox]").all():
        box.check()
    page.locator("main form button").first.click()
    page.wait_for_url("**/me/face/**")
    fits(page)
    page.click("[data-face-open]")
    page.click("[data-face-shoot]")
    page.locator("[data-face-onward]").wait_for(state="visible", timeout=40_000)


def open_the_lesson(page: Page) -> None:
    """The lecturer begins the lesson, with camera and microphone."""
    go_home(page)
    click(page, "去开课")
    page.locator("[data-act=start]:visible").click()
    page.locator("[data-act=publish]:visible").click()


def show_the_wrong_face(page: Page, lesson: int) -> None:
    go_home(page)
    click(page, "去签到，进课堂")
    page.click("[data-face-open]")
    page.click("[data-face-shoot]")
    expect(page.locator("[data-face-say]")).to_contain_text("没认出来", timeout=20_000)
    assert done(api(page, "GET", f"lessons/{lesson}/sign-in/"))["state"] == "refused"


def sign_in_by_face(page: Page, lesson: int) -> None:
    go_home(page)
    click(page, "去签到，进课堂")
    page.locator("[data-face-open]").wait_for(state="visible")
    fits(page)
    page.click("[data-face-open]")
    page.click("[data-face-shoot]")
    page.locator("[data-face-onward]").wait_for(state="visible", timeout=20_000)
    assert done(api(page, "GET", f"lessons/{lesson}/sign-in/"))["state"] == "accepted"
    page.click("[data-face-onward]")
    page.wait_for_url("**/room/")
    fits(page)


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
    expect(assistant.locator("#desk")).to_have_attribute("data-check", "")  # one at a time
    click(assistant, "随机题")
    question = assistant.locator("dialog#question")
    question.get_by_label("题目").fill("一碗面卖 15 元，成本 11.4 元，赚多少？")
    question.get_by_label("第 1 项", exact=True).fill("3.6 元")
    question.get_by_label("第 2 项", exact=True).fill("4.6 元")
    question.get_by_label("第 1 项正确").check()
    until(lambda: was_asked(assistant), 10)
    learner.locator("[data-act=answer][data-option='0']:visible").first.click()
    until(lambda: answered(stack, lesson, "question") == 1, 10)


def was_asked(assistant: Page) -> bool:
    """Send the question in the dialog; whether it was taken."""
    with assistant.expect_response("**/questions/") as answer:
        assistant.get_by_role("button", name="提问").click()
    return answer.value.ok


def answered(stack: RunningStack, lesson: int, kind: str) -> int:
    statement = """
        select count(*) from attendance_checkanswer a
          join attendance_checktarget t on t.id = a.target_id
          join attendance_check c on c.id = t.check_id
         where c.lesson_id = %s and c.kind = %s
    """
    return int(rows(stack, statement, lesson, kind)[0][0])


def set_the_exam(lecturer: Page) -> None:
    """In a second tab: the first is in the room."""
    page = lecturer.context.new_page()
    go_home(page)
    click(page, "设置结业考试")
    click(page, "设置考试")
    told(page, "考试设好了")
    page.close()


def sign_out(page: Page, lesson: int) -> None:
    page.locator("[data-yc-open=more]:visible").click()
    click(page.locator("dialog#more"), "签退")
    page.wait_for_url("**/sign-out/")
    fits(page)
    click(page.locator("main"), "签退")
    told(page, "签退好了")
    assert done(api(page, "GET", f"lessons/{lesson}/sign-in/"))["signed_out_at"]


def end_the_lesson(page: Page) -> None:
    click(page, "下课")
    click(page, "结束这节课")
    expect(page.locator("[data-testid=ended]")).to_contain_text("下课了")


# --- the exam ---


def answers_of(stack: RunningStack, exam: int) -> list[list[int]]:
    """The right answers, from the database: nothing that reaches a browser tells them."""
    [(paper,)] = rows(stack, "select paper from exams_exam where id = %s", exam)
    return [question["correct"] for question in paper]


def sit_the_exam(stack: RunningStack, page: Page, answers: list[list[int]]) -> None:
    """Every question right, tapped on the paper; each is on the server before it is handed in."""
    go_home(page)
    fits(page)
    click(page, "去考试")
    page.get_by_role("button", name="开始答卷").wait_for(state="visible")
    fits(page)
    click(page, "开始答卷")
    paper = page.locator("form#paper")
    expect(paper.locator("fieldset[data-question]")).to_have_count(len(answers))
    fits(page)
    [(attempt,)] = rows(stack, "select id from exams_attempt")
    assert "correct" not in json.dumps(done(api(page, "GET", f"attempts/{attempt}/")))
    assert "correct" not in paper.evaluate("paper => paper.outerHTML")
    for question, chosen in enumerate(answers):
        for option in chosen:
            paper.locator(f"fieldset[data-question='{question}'] label:has(input[value='{option}'])").click()
    expect(paper.locator("[data-answered]")).to_have_text(str(len(answers)))
    expect(paper.locator("[data-status]")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d 已自动保存$"))
    saved = "select question, chosen from exams_attemptanswer where attempt_id = %s order by question"
    until(lambda: [row[1] for row in rows(stack, saved, attempt)] == answers, 20)
    click(paper, "交卷")
    hand_in = page.locator("dialog#hand-in")
    expect(hand_in).to_contain_text("全部答完了")
    click(hand_in, "交卷")
    page.wait_for_url("**/attempts/*/")
    expect(page.locator("main")).to_contain_text("合格")
    expect(page.locator("[data-points]")).to_have_text("100分，满分 100 分")
    fits(page)
    result = done(api(page, "GET", f"attempts/{attempt}/"))
    assert (result["points"], result["total"], result["passed"]) == (100, 100, True)


def conclude(page: Page) -> None:
    go_home(page)
    click(page, "去结班")
    expect(page.locator("main dl")).to_contain_text("两样都合格，发合格证1 人")
    click(page, "结班并发证")
    told(page, "结班了，发放合格证 1 张。")


# --- the claim ---


def draw_up_a_claim(page: Page) -> int:
    """From the start page to a drawn-up claim; returns its number."""
    go_home(page)
    click(page, "去拟制")
    click(page, "拟制申请")
    told(page, "拟制好了")
    return int(page.url.rstrip("/").split("/")[-1])


def submit_the_claim(page: Page) -> None:
    click(page, "提交申请")
    click(page, "提交这份申请")
    told(page, "已提交")


def announce_the_claim(page: Page) -> None:
    """The officer accepts it and opens the public notice."""
    go_home(page)
    click(page, "1 件补贴申请等您受理")
    click(page, CLASS_NAME)
    click(page, "受理并公示")
    expect(page.locator("main")).to_contain_text("王*满")
    click(page, "受理并公示这份申请")
    told(page, "已受理")


def read_the_notice(page: Page) -> None:
    """Anybody, from the front page, on a phone."""
    page.goto("/")
    click(page, "公示公告")
    click(page.locator("main"), CLASS_NAME)
    expect(page.locator("main")).to_contain_text("王*满")
    assert "王小满" not in page.content()
    fits(page)


def decide_the_claim(page: Page) -> None:
    page.get_by_role("link", name="核定", exact=True).click()
    page.get_by_label("同意核定").check()
    page.get_by_label("理由").fill("材料齐全")
    click(page, "核定这份申请")
    told(page, "已核定")
