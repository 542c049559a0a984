"""Tokens and me/ (DESIGN §6)."""

import pytest

from tests.cast import client_of

pytestmark = pytest.mark.django_db


def test_a_token_opens_the_api(cast, client):
    cast.manager.set_password("a-long-phrase-of-mine")
    cast.manager.save()
    answer = client.post(
        "/api/v1/auth/token/",
        {"username": "manager", "password": "a-long-phrase-of-mine"},
        content_type="application/json",
    )
    assert answer.status_code == 200
    me = client.get("/api/v1/me/", headers={"Authorization": f"Token {answer.json()['token']}"})
    assert me.json()["username"] == "manager"
    assert me.json()["memberships"] == [{"role": "manager", "institution": cast.school.pk, "bureau": None}]


def test_wrong_credentials_are_a_refusal(cast, client):
    answer = client.post(
        "/api/v1/auth/token/", {"username": "manager", "password": "x"}, content_type="application/json"
    )
    assert answer.status_code == 400
    assert answer.json()["code"] == "credentials_wrong"
    assert answer.json()["details"]["next"]


@pytest.mark.parametrize("body", ["", "{", "[]", '"x"', '{"username": {"a": 1}, "password": []}'])
def test_a_malformed_body_is_a_400_with_a_code(cast, client, body):
    answer = client.post("/api/v1/auth/token/", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["code"]


def test_nobody_is_told_to_sign_in(client):
    answer = client.get("/api/v1/me/")
    assert answer.status_code == 401
    assert answer.json()["code"] == "not_authenticated"


def test_a_session_serves_as_well(manager):
    assert client_of(manager).get("/api/v1/me/").json()["name"] == "周文博"
