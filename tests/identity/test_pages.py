"""The pages and the API a person meets: consent, camera, withdrawal; and the one that staff meet."""

import datetime
from collections.abc import Sequence
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import Entry
from identity import actions, queries
from identity.faces import sface
from identity.faces.port import FacePolicy
from identity.models import Consent, FaceCheck, FaceFrames, FaceTemplate
from identity.states import CheckState
from tests.cast import client_of
from tests.identity import pictures
from tests.identity.pictures import burst, portrait

pytestmark = pytest.mark.django_db

CONSENT, FACE, WITHDRAW = "/me/consent/", "/me/face/", "/me/face/withdraw/"
API_CONSENT, API_FACE = "/api/v1/me/consent/", "/api/v1/me/face/"


def uploads(frames: Sequence[bytes]) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(f"{n}.jpg", frame, "image/jpeg") for n, frame in enumerate(frames)]


@pytest.fixture
def browser(learner: User) -> Client:
    return client_of(learner)


@pytest.fixture
def doubtful(enrolled: FaceTemplate, sign_in: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> FaceCheck:
    policy = FacePolicy(accept_permille=990, grey_permille=300, least_face_px=48)
    monkeypatch.setattr(sface.SFaceEngine, "policy", policy)
    return actions.check_face(**sign_in, frames=burst("person_b_2"))


# --- pages ---


def test_strangers_are_sent_to_sign_in():
    for page in (CONSENT, FACE, WITHDRAW, "/face-checks/1/", "/face-checks/1/picture/"):
        assert client_of(None).get(page)["Location"] == f"{reverse('accounts:login')}?next={page}"


def test_the_consent_page_shows_the_text_and_both_ways(browser, settings):
    page = browser.get(CONSENT, {"next": "/start/"}).content.decode()
    assert settings.OPERATOR_NAME in page
    assert "180 天" in page
    assert "不刷脸，用验证码签到" in page
    assert "checked" not in page  # consent is never set beforehand
    assert 'name="next" value="/start/"' in page


def test_consent_needs_a_tick(browser, person):
    version = browser.get(CONSENT).context["text"].version
    refused = browser.post(CONSENT, {"version": version})
    assert refused.status_code == 400
    assert not Consent.objects.exists()
    done = browser.post(CONSENT, {"version": version, "agreed": "on", "next": "/start/"})
    assert done.url == "/me/face/?next=%2Fstart%2F"
    assert queries.open_consent(person)


def test_a_foreign_address_is_no_way_onward(browser):
    for foreign in ("https://example.org/", "//example.org/", "javascript:alert(1)"):
        page = browser.get(CONSENT, {"next": foreign})
        assert (page.context["next"], page.context["onward"]) == ("", "/start/")


def test_the_camera_page_asks_for_consent_first(browser):
    assert browser.get(FACE, {"next": "/start/"}).url == "/me/consent/?next=%2Fstart%2F"


def test_a_picture_can_be_sent_without_scripts(browser, consented, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        sent = browser.post(FACE, {"frames": uploads(burst("person_b_1", 2))})
    assert sent.url == FACE
    assert "已经录好" in browser.get(FACE).content.decode()
    assert FaceTemplate.objects.get().frames == 2


def test_what_was_wrong_with_a_picture_is_said_on_the_page(
    browser, consented, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(FACE, {"frames": uploads([pictures.dark("person_b_1")])})
    assert "光线有点暗。请面向窗户或灯" in browser.get(FACE).content.decode()


def test_sending_nothing_is_refused_with_the_next_step(browser, consented):
    answer = browser.post(FACE, {})
    assert answer.status_code == 422
    assert "frames_missing" in answer.content.decode()
    assert not FaceCheck.objects.exists()


def test_withdrawing_takes_a_page_and_one_click(browser, enrolled, person):
    assert "撤回同意，销毁特征" in browser.get(WITHDRAW).content.decode()
    assert browser.post(WITHDRAW).url == CONSENT
    assert queries.open_consent(person) is None
    enrolled.refresh_from_db()
    assert enrolled.destroyed_at
    assert browser.get(WITHDRAW).url == CONSENT


def test_an_office_has_no_face(manager, regulator):
    for user in (manager, regulator):
        for page in (CONSENT, FACE, WITHDRAW):
            answer = client_of(user).get(page)
            assert answer.status_code == 403
            assert "person_required" in answer.content.decode()


def test_the_menu_leads_to_the_consent_only_where_somebody_has_a_face(manager, regulator, learner, trainer):
    for user, shown in ((manager, False), (regulator, False), (learner, True), (trainer, True)):
        page = client_of(user).get("/about/").content.decode()
        assert (f'href="{CONSENT}"' in page) is shown


# --- review ---


def test_staff_see_the_picture_and_decide(doubtful, assistant):
    staff = client_of(assistant)
    page = staff.get(f"/face-checks/{doubtful.pk}/").content.decode()
    assert "王小满" in page
    image = staff.get(f"/face-checks/{doubtful.pk}/picture/")
    assert image["Content-Type"] == "image/jpeg"
    assert "no-store" in image["Cache-Control"]
    assert image.content in burst("person_b_2")
    assert Entry.objects.filter(kind="face.picture_seen", actor_id=assistant.pk).count() == 1

    assert staff.post(f"/face-checks/{doubtful.pk}/", {}).status_code == 400
    assert staff.post(f"/face-checks/{doubtful.pk}/", {"same_person": "yes"}).status_code == 302
    doubtful.refresh_from_db()
    assert doubtful.state == CheckState.CONFIRMED
    assert "照片已经删除" in staff.get(f"/face-checks/{doubtful.pk}/").content.decode()
    assert staff.get(f"/face-checks/{doubtful.pk}/picture/").status_code == 409


def test_for_everybody_else_the_check_is_not_there(doubtful, cast):
    for user in (
        cast.learner,
        cast.manager,
        cast.rival,
        cast.officer,
        cast.regulator,
        cast.finance,
        cast.operator,
    ):
        visitor = client_of(user)
        assert visitor.get(f"/face-checks/{doubtful.pk}/").status_code == 404
        assert visitor.get(f"/face-checks/{doubtful.pk}/picture/").status_code == 404
        assert visitor.post(f"/face-checks/{doubtful.pk}/", {"same_person": "yes"}).status_code == 404
    doubtful.refresh_from_db()
    assert doubtful.state == CheckState.GREY
    assert FaceFrames.objects.filter(face_check=doubtful).exists()


def test_a_check_that_was_never_in_doubt_is_not_for_staff(enrolled, sign_in, assistant):
    check = actions.check_face(**sign_in, frames=burst("person_b_2"))
    assert client_of(assistant).get(f"/face-checks/{check.pk}/").status_code == 404


# --- API ---


def test_the_api_tells_the_text_and_takes_consent(browser, person):
    told = browser.get(API_CONSENT).json()
    assert told["consent"] is None
    assert [section["title"] for section in told["text"]["sections"]][:2] == ["谁在处理", "用来做什么"]
    given = browser.post(
        API_CONSENT, {"version": told["text"]["version"], "agreed": True}, "application/json"
    )
    assert given.status_code == 201
    assert given.json()["sha256"] == told["text"]["sha256"]
    assert browser.get(API_CONSENT).json()["consent"]["id"] == Consent.objects.get(person=person).pk


@pytest.mark.parametrize("left_out", ["version", "agreed", "both", "said no"])
def test_the_api_records_no_consent_that_was_not_said(browser, left_out):
    body = {"version": browser.get(API_CONSENT).json()["text"]["version"], "agreed": True}
    body = {**body, "agreed": False} if left_out == "said no" else body
    body = {} if left_out == "both" else {name: value for name, value in body.items() if name != left_out}
    answer = browser.post(API_CONSENT, body, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert not Consent.objects.exists()


def test_the_api_refuses_an_old_text(browser):
    answer = browser.post(API_CONSENT, {"version": "face-2019-01-01", "agreed": True}, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "consent_text_outdated")
    assert answer.json()["details"]["next"]


def test_the_api_withdraws(browser, enrolled, person):
    assert browser.delete(API_CONSENT).status_code == 204
    assert queries.open_consent(person) is None
    assert browser.delete(API_CONSENT).status_code == 204


def test_the_api_enrols_and_tells_how_it_went(browser, consented, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        asked = browser.post(API_FACE, {"frames": uploads(burst("person_b_1"))})
    assert asked.status_code == 202
    check = browser.get(f"/api/v1/me/face/checks/{asked.json()['id']}/").json()
    assert (check["state"], check["passed"], check["message"]) == ("accepted", True, "人脸录好了。")
    assert "score_permille" not in check
    face = browser.get(API_FACE).json()
    assert (face["consented"], face["enrolled"]) == (True, True)
    lifetime = datetime.datetime.fromisoformat(face["expires_at"]) - datetime.datetime.fromisoformat(
        face["enrolled_at"]
    )
    assert lifetime == datetime.timedelta(days=180)


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([], "frames_missing"),
        ([b"x" * 100], "image_unreadable"),
        ([portrait("person_a_1")] * 9, "frames_too_many"),
        ([pictures.png_that_claims(20_000, 20_000)], "image_too_big"),
    ],
)
def test_the_api_refuses_what_is_no_picture_and_keeps_nothing(browser, consented, frames, code):
    answer = browser.post(API_FACE, {"frames": uploads(frames)})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert not FaceFrames.objects.exists()


def test_the_api_says_no_to_frames_that_are_not_files(browser, consented):
    assert (
        browser.post(API_FACE, {"frames": "data:image/jpeg;base64,"}, "application/json").status_code == 422
    )


def test_the_api_enrols_nobody_without_consent(browser):
    answer = browser.post(API_FACE, {"frames": uploads(burst("person_b_1", 1))})
    assert (answer.status_code, answer.json()["code"]) == (409, "consent_missing")
    assert not FaceCheck.objects.exists()


def test_somebody_elses_check_is_not_there(enrolled, sign_in, cast):
    check = actions.check_face(**sign_in, frames=burst("person_b_2"))
    for user in (cast.trainer, cast.assistant, cast.manager, cast.rival, cast.regulator):
        assert client_of(user).get(f"/api/v1/me/face/checks/{check.pk}/").status_code == 404
    assert client_of(cast.learner).get("/api/v1/me/face/checks/99999999999999999999/").status_code == 404


def test_the_api_wants_an_account():
    for url in (API_CONSENT, API_FACE, "/api/v1/me/face/checks/1/"):
        assert client_of(None).get(url).status_code in (401, 403)
