"""A class on its way to its approval, by thumb: what the page says is enough to find the lawful timetable."""

import datetime
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Locator, Page, expect

from accounts.models import User
from audit.models import Entry
from classes.checks import check_draft
from classes.models import Filing, TrainingClass
from classes.states import ClassState, FilingState
from classes.timetables import drafts_of
from tests.axe import faults
from tests.cast import client_of
from tests.classes.school import School

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NAME = "2026 年第 7 期创业意识培训班"
EARLY = datetime.date(2026, 9, 11)  # four working days after the Monday of the test
REASON = "第一节课的内容写得太笼统，请写明教什么。"
NUMBER = "郑创备〔2026〕0412 号"

Phone = Callable[[User], Page]


@pytest.fixture
def phone(chromium: Browser, live_server: Any, time_machine: Any, now: datetime.datetime) -> Iterator[Phone]:
    """A phone for whoever needs one, signed in; it is the Monday of the cast."""
    time_machine.move_to(now.astimezone(datetime.UTC))
    with ExitStack() as stack:

        def signed_in(user: User) -> Page:
            context = chromium.new_context(
                viewport={"width": 390, "height": 844},
                locale="zh-CN",
                base_url=live_server.url,
                has_touch=True,
                is_mobile=True,
            )
            stack.callback(context.close)
            session = client_of(user).cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
            return context.new_page()

        yield signed_in


def shoot(page: Page, name: str) -> None:
    """Keep a picture where somebody asked for them."""
    if folder := os.environ.get("YUCHUANG_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def in_order(page: Page) -> None:
    """Nothing for axe to say, and nothing wider than the phone."""
    assert faults(page) == [], faults(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def follow(thing: Locator) -> None:
    """Click what leads to another page, and be there: the address of a form to confirm may stay the same."""
    with thing.page.expect_navigation():
        thing.click()


def hidden_from(rival: Client, training_class: TrainingClass) -> None:
    """The rival meets 404 wherever the class could be, and does not find it in any list."""
    pk = training_class.pk
    pages = ["", "edit/", "cancel/", "roster/", "timetable/", "filing/", "filing/package/"]
    for filing in Filing.objects.all():
        assert rival.get(f"/classes/filings/{filing.pk}/change/").status_code == 404
        for verb in ("decision", "withdrawal", "change"):
            assert rival.post(f"/classes/filings/{filing.pk}/{verb}/").status_code == 404
        assert rival.get(f"/api/v1/filings/{filing.pk}/").status_code == 404
    for page in pages:
        assert rival.get(f"/classes/{pk}/{page}").status_code == 404
    for page in ("timetable/", "timetable/check/", "filing/"):
        assert rival.post(f"/classes/{pk}/{page}").status_code == 404
    for page in ("", "timetable/", "filing/", "roster/"):
        assert rival.get(f"/api/v1/classes/{pk}/{page}").status_code == 404
    for page in ("/classes/", "/start/", "/api/v1/classes/"):
        assert NAME not in rival.get(page).content.decode()


def follow_the_dock(page: Page) -> list[str]:
    """Press what the bottom of the page offers next until it leads to the filing; returns what it said."""
    pressed: list[str] = []
    dock = page.locator(".yc-dock .btn")
    while len(pressed) < 8:
        words = dock.inner_text().strip()
        pressed.append(words)
        if "提交备案" in words:
            follow(dock)
            return pressed
        dock.click()
    raise AssertionError(f"never led to the filing: {pressed}")


def decide(page: Page, training_class: TrainingClass, fill: Callable[[], None], button: str) -> None:
    page.goto("/classes/filings/")
    follow(page.get_by_role("link", name=NAME))
    fill()
    follow(page.get_by_role("button", name="核对决定"))
    in_order(page)
    follow(page.get_by_role("button", name=button))
    page.wait_for_url(f"**/classes/{training_class.pk}/filing/")


def test_a_class_is_led_from_an_unlawful_draft_to_its_approval(phone: Phone, school: School) -> None:
    cast = school.cast
    training_class = school.create(name=NAME, starts_on=EARLY, ends_on=EARLY + datetime.timedelta(days=20))
    school.enrol(training_class)
    rival = client_of(cast.rival)
    manager, officer = phone(cast.manager), phone(cast.officer)
    hidden_from(rival, training_class)

    # An unlawful draft: it begins too early, and one live hour has become tutoring.
    manager.goto(f"/classes/{training_class.pk}/timetable/")
    follow(manager.locator(".yc-dock").get_by_role("button", name="套用课程大纲"))
    live = manager.locator("tr.tt-row", has=manager.locator("select[name=kind] option[value=live]:checked"))
    tutoring = manager.locator(
        "tr.tt-row", has=manager.locator("select[name=kind] option[value=tutoring]:checked")
    )
    live.first.get_by_role("button", name="减 1 课时").click()
    tutoring.first.get_by_role("button", name="加 1 课时").click()
    summary = manager.locator(".tt-summary")
    expect(summary).to_contain_text("直播 15，至少 16")
    expect(summary).to_contain_text("今天提交备案，最早 2026年9月14日 周一 开课")
    expect(manager.locator(".tt-findings")).to_contain_text("凑不满 24。直播至少 16。")
    in_order(manager)
    shoot(manager, "phone-1-unlawful")
    assert not training_class.lessons.exists()

    # What the page says leads to a lawful one.
    pressed = follow_the_dock(manager)
    assert len(pressed) == 3
    assert "改成直播" in pressed[0]
    assert pressed[1:] == ["开班和课表都顺延 3 天", "保存，去提交备案"]
    manager.wait_for_url("**/filing/")
    training_class.refresh_from_db()
    assert training_class.starts_on == datetime.date(2026, 9, 14)
    drafts = drafts_of(training_class.lessons.all())
    assert check_draft(training_class, drafts, filed_on=datetime.date(2026, 9, 7)).passed
    in_order(manager)
    shoot(manager, "phone-2-filing")

    def file_it() -> None:
        follow(manager.get_by_role("button", name="核对并提交"))
        in_order(manager)
        follow(manager.get_by_role("button", name="提交备案"))
        expect(manager.get_by_text("已提交。经办人员会在这里答复。").first).to_be_visible()

    file_it()
    hidden_from(rival, training_class)

    def send_back() -> None:
        officer.get_by_label("退回补正").check()
        officer.get_by_label("意见").fill(REASON)

    decide(officer, training_class, send_back, "退回补正")
    assert Filing.objects.get().state == FilingState.RETURNED
    hidden_from(rival, training_class)

    # Returned with a reason, corrected where the reason says.
    manager.goto("/start/")
    follow(manager.get_by_role("link", name=f"改好“{NAME}”，重新提交"))
    expect(manager.get_by_text(REASON).first).to_be_visible()
    in_order(manager)
    shoot(manager, "phone-3-returned")
    follow(manager.get_by_role("link", name="看课表"))
    manager.locator("input[name=title]").first.fill("我适合创业吗：能力、处境和家里的支持")
    expect(summary).to_contain_text("可以提交备案")
    assert follow_the_dock(manager) == ["保存，去提交备案"]
    manager.wait_for_url("**/filing/")
    expect(manager.get_by_text("和上次提交相比，现在有 1 处不同")).to_be_visible()
    file_it()

    def approve() -> None:
        expect(officer.get_by_text("和上次提交相比，改了 1 处")).to_be_visible()
        officer.get_by_label("同意备案").check()
        officer.get_by_label("备案编号").fill(NUMBER)
        officer.get_by_label("讲师资格证明").check()
        in_order(officer)
        shoot(officer, "phone-4-review")

    decide(officer, training_class, approve, "同意备案")
    manager.reload()
    expect(manager.get_by_text(NUMBER).first).to_be_visible()
    in_order(manager)
    shoot(manager, "phone-5-approved")
    training_class.refresh_from_db()
    assert training_class.state == ClassState.APPROVED
    kinds = Entry.objects.filter(chain=training_class.subject, kind__startswith="filing.").order_by("seq")
    assert [kind for kind in kinds.values_list("kind", flat=True) if "package" not in kind] == [
        "filing.submitted",
        "filing.returned",
        "filing.submitted",
        "filing.approved",
    ]
    hidden_from(rival, training_class)


def test_three_evenings_a_week_are_planned_and_taken_back_by_keyboard(phone: Phone, school: School) -> None:
    training_class = school.create(ends_on=datetime.date(2026, 10, 31))
    school.enrol(training_class)
    page = phone(school.cast.manager)
    page.goto(f"/classes/{training_class.pk}/timetable/")
    page.get_by_label("从哪天起").fill("2026-09-21")
    shoot(page, "phone-6-plans")
    in_order(page)
    page.get_by_label("从哪天起").press("Enter")  # presses the button of this part, not the one that saves
    expect(page.locator("input[name=day]").nth(1)).to_have_value("2026-09-23")
    expect(page.locator(".tt-summary")).to_contain_text("共 24 课时")
    assert not training_class.lessons.exists()
    in_order(page)
    shoot(page, "phone-7-planned")
    page.get_by_role("button", name="撤销刚才的改动").press("Enter")
    expect(page.get_by_text("还没有课", exact=True)).to_be_visible()
    expect(page.locator("input[name=day]")).to_have_count(0)


def test_the_pages_beside_are_in_order_on_a_phone(phone: Phone, school: School) -> None:
    training_class = school.approved()
    page = phone(school.cast.manager)
    page.goto("/classes/")
    follow(page.get_by_role("link", name="日历订阅"))
    in_order(page)
    follow(page.get_by_role("button", name="生成日历地址"))
    expect(page.get_by_text("这个地址只显示这一次")).to_be_visible()
    in_order(page)
    shoot(page, "phone-8-calendar")
    page.goto(f"/classes/{training_class.pk}/filing/")
    in_order(page)
    shoot(page, "phone-9-changes")
    follow(page.get_by_role("link", name="要改备案的内容"))
    in_order(page)
    shoot(page, "phone-10-change")


OUTSIDE = """() => {
    const edge = document.querySelector(".yc-main").getBoundingClientRect().right + 1;
    return [...document.querySelectorAll(".yc-main *")]
        .filter((one) => one.getBoundingClientRect().right > edge)
        .map((one) => one.textContent.trim().slice(0, 30));
}"""
BROKEN_NAMES = """() => [...document.querySelectorAll("td.name")]
    .filter((one) => {
        const range = document.createRange();
        range.selectNodeContents(one);
        return range.getClientRects().length > 1;
    })
    .map((one) => one.textContent)"""


def test_nothing_lies_under_the_side_column_and_what_passed_is_folded(phone: Phone, school: School) -> None:
    filing = school.filed()
    drafted = school.create(name="正在改的班")
    school.enrol(drafted)
    manager = phone(school.cast.manager)
    manager.goto(f"/classes/{filing.training_class_id}/filing/")
    fold = manager.locator("details[data-yc-fold]")
    expect(fold).not_to_have_attribute("open", "")
    fold.locator("summary").click()
    expect(fold.get_by_text("总课时")).to_be_visible()
    for width in (1024, 1280, 1440):
        manager.set_viewport_size({"width": width, "height": 900})
        for address in (f"{filing.training_class_id}/filing", f"{drafted.pk}/filing", f"{drafted.pk}/roster"):
            manager.goto(f"/classes/{address}/")
            assert manager.evaluate(OUTSIDE) == [], (address, width)
            assert manager.evaluate(BROKEN_NAMES) == [], (address, width)
            shoot(manager, f"{width}_{address.replace('/', '_')}")
    expect(manager.locator("details[data-yc-fold]")).to_have_count(0)
    manager.goto(f"/classes/{filing.training_class_id}/filing/")
    expect(manager.locator("details[data-yc-fold]")).to_have_attribute("open", "")
