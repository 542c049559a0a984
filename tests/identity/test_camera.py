"""The camera page in a real browser: a portrait stands in front of the webcam."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import transaction
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from accounts.models import User
from config.demo.cast import build_cast
from identity import actions
from identity.models import Consent, FaceCheck, FaceFrames, FaceTemplate
from identity.states import CheckState, Purpose
from tests.identity import pictures
from tests.identity.conftest import shown_text

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


def webcam(folder: Path, name: str, *, light: float = 1.0) -> Path:
    """A film for Chromium's fake camera: the portrait, a little nearer in every frame."""
    film = folder / f"{name}.mjpeg"
    frames = []
    for step in range(10):
        scene = Image.new("RGB", (640, 480), (150, 155, 150))
        portrait = pictures.opened(name)
        height = 440 + 4 * step
        width = round(portrait.width * height / portrait.height)
        scene.paste(portrait.resize((width, height)), ((640 - width) // 2, 480 - height))
        frames.append(pictures.jpeg(scene.point(lambda value: int(value * light))))
    film.write_bytes(b"".join(frames))
    return film


@pytest.fixture
def learner(now) -> User:
    with transaction.atomic():
        return build_cast(at=now, password="yuchuang-demo").learner


@pytest.fixture
def open_page(
    live_server, learner: User, client, monkeypatch
) -> Iterator[Callable[[str, Path | None], Page]]:
    """Open a page of the learner's in a phone-sized browser whose webcam shows a film, or has none."""
    # Playwright keeps an event loop in this thread, and Django would take the test for a coroutine.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with sync_playwright() as playwright:
        browsers = []

        def open_page(path: str, film: Path | None) -> Page:
            flags = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]
            browser = playwright.chromium.launch(
                executable_path=os.environ["YUCHUANG_CHROMIUM"],
                args=[*(flags if film else []), "--no-sandbox"],
            )
            browsers.append(browser)
            phone = browser.new_context(
                viewport={"width": 390, "height": 844},
                locale="zh-CN",
                permissions=["camera"] if film else [],
            )
            client.force_login(learner)
            session = client.cookies["sessionid"].value
            phone.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
            page = phone.new_page()
            page.goto(live_server.url + path)
            return page

        yield open_page
        for browser in browsers:
            browser.close()


def test_a_trainee_consents_and_enrols_with_the_camera(open_page, learner, tmp_path):
    page = open_page("/me/consent/?next=/start/", webcam(tmp_path, "person_b_1"))
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="同意，去录人脸").click()
    page.get_by_role("button", name="打开摄像头").click()
    page.get_by_role("button", name="开始拍").click()
    expect(page.get_by_role("status").filter(has_text="人脸录好了")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("link", name="录好了，继续")).to_be_focused()

    assert Consent.objects.get().person == learner.person
    template = FaceTemplate.objects.get()
    assert template.frames == 5
    assert not FaceFrames.objects.exists()


def test_what_the_camera_shows_is_recognised_later(open_page, learner, tmp_path, now):
    assert learner.person
    actions.give_consent(person=learner.person, actor=learner, at=now, text_version=shown_text(now))
    page = open_page("/me/face/", webcam(tmp_path, "person_b_1"))
    page.get_by_role("button", name="打开摄像头").click()
    page.get_by_role("button", name="开始拍").click()
    expect(page.get_by_role("status").filter(has_text="人脸录好了")).to_be_visible(timeout=20_000)
    for name, state in (("person_b_2", CheckState.ACCEPTED), ("impostor_2", CheckState.REJECTED)):
        check = actions.check_face(
            person=learner.person,
            purpose=Purpose.SIGN_IN,
            subject=f"desk/{name}",
            frames=pictures.burst(name),
            actor=learner,
            at=now,
        )
        assert check.state == state


def test_a_dark_room_is_told_before_and_after(open_page, learner, tmp_path, now):
    actions.give_consent(person=learner.person, actor=learner, at=now, text_version=shown_text(now))
    page = open_page("/me/face/", webcam(tmp_path, "person_b_1", light=0.08))
    page.get_by_role("button", name="打开摄像头").click()
    told = page.get_by_role("status").filter(has_text="光线有点暗")
    expect(told).to_be_visible(timeout=5_000)
    page.get_by_role("button", name="开始拍").click()
    expect(page.get_by_text("请面向窗户或灯，再拍一次。")).to_be_visible(timeout=20_000)
    assert FaceCheck.objects.get().problem == "image_too_dark"
    expect(page.get_by_role("button", name="开始拍")).to_be_enabled()


def test_without_a_camera_the_page_offers_the_phones_own_and_the_other_way(open_page, learner, tmp_path, now):
    actions.give_consent(person=learner.person, actor=learner, at=now, text_version=shown_text(now))
    page = open_page("/me/face/", None)
    page.get_by_role("button", name="打开摄像头").click()
    expect(page.get_by_label("用手机自带的相机拍一张正脸")).to_be_visible(timeout=5_000)
    expect(page.get_by_role("link", name="不刷脸，用验证码签到")).to_be_visible()
    page.get_by_label("用手机自带的相机拍一张正脸").set_input_files(
        {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": pictures.lying("person_b_1")}
    )
    page.get_by_role("button", name="上传照片").click()
    expect(page.get_by_role("status").filter(has_text="人脸录好了")).to_be_visible(timeout=20_000)
    assert FaceTemplate.objects.get().frames == 1
