"""Every error of the API says what was found, what is required, under which rule, and what to do next."""

from typing import Any

import pytest
from django.utils import translation

from tests.cast import client_of

pytestmark = pytest.mark.django_db

FOUR = {"found", "required", "rule", "next"}


@pytest.fixture
def api(cast: Any) -> Any:
    return client_of(cast.manager)


@pytest.mark.parametrize(
    ("method", "path", "kind", "body", "status", "code"),
    [
        ("get", "/api/v1/nowhere/", "application/json", "", 404, "not_found"),
        ("get", "/api/v1/classes/999999/", "application/json", "", 404, "not_found"),
        ("post", "/api/v1/classes/", "application/json", "{}", 400, "invalid"),
        ("post", "/api/v1/classes/", "application/json", "{", 400, "malformed"),
        ("post", "/api/v1/classes/", "text/csv", "a,b", 415, "unsupported_media_type"),
        ("delete", "/api/v1/me/", "application/json", "", 405, "method_not_allowed"),
        ("post", "/api/v1/me/", "application/json", "{}", 405, "method_not_allowed"),
    ],
)
def test_an_error_carries_all_it_should(api, method, path, kind, body, status, code):
    answer = getattr(api, method)(path, body, content_type=kind) if method != "get" else api.get(path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/json")
    said = answer.json()
    assert set(said) == {"code", "message", "details", "citation"}
    assert (said["code"], said["details"]["rule"]) == (code, "")
    assert set(said["details"]) >= FOUR
    assert said["message"]
    assert said["details"]["next"]


def test_a_stranger_is_told_what_to_do(client):
    details = client.get("/api/v1/me/").json()["details"]
    assert set(details) == FOUR
    assert details["next"]


def test_the_wrong_format_is_named_with_the_right_ones(api):
    details = api.post("/api/v1/classes/", "a,b", content_type="text/csv").json()["details"]
    assert details["found"] == "text/csv"
    assert "application/json" in details["required"]


@pytest.mark.parametrize(("language", "said"), [("zh-hans", "没有这个编号，请换一个。"), ("en", "no such")])
def test_a_field_is_told_in_plain_words(api, language, said):
    answer = api.post(
        "/api/v1/classes/",
        {"course": 999_999, "name": "第 1 期"},
        content_type="application/json",
        headers={"Accept-Language": language},
    )
    fields = answer.json()["details"]["fields"]
    assert said in fields["course"][0].lower()
    assert answer.json()["details"]["found"] == list(fields)
    translation.activate("zh-hans")
