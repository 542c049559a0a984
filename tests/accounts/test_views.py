"""Signing in, activating, starting."""

import re
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import password_validation
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from accounts import actions
from accounts.models import User
from config.demo.cast import made_up_id_number
from tests.cast import client_of

pytestmark = pytest.mark.django_db


def test_signing_in_leads_to_the_start_page(cast, client):
    cast.manager.set_password("a-long-phrase-of-mine")
    cast.manager.save()
    page = client.post(
        reverse("accounts:login"), {"username": "manager", "password": "a-long-phrase-of-mine"}, follow=True
    )
    assert page.redirect_chain[-1][0] == reverse("start")
    assert "周文博，您好" in page.content.decode()


@pytest.mark.parametrize("username", ["manager", "nobody"])
def test_a_wrong_password_reads_the_same_whether_the_account_exists(cast, client, username):
    page = client.post(reverse("accounts:login"), {"username": username, "password": "wrong"})
    assert page.status_code == 200
    assert "用户名或密码不对，请再输一次。" in page.content.decode()


@pytest.mark.parametrize(
    ("username", "said"),
    [
        ("x" * 256, "最多 40 个字符"),
        ("张" * 41, "最多 40 个字符"),
        ("man\0ager", "有不能用的字符"),
    ],
)
def test_a_name_no_account_can_have_is_answered_with_a_form(cast, client, settings, username, said):
    """With the counter of failed tries at work, whose tables hold 255 characters."""
    settings.AXES_ENABLED = True
    page = client.post(reverse("accounts:login"), {"username": username, "password": "wrong"})
    assert page.status_code == 200
    assert said in page.content.decode()
    assert not AccessAttempt.objects.exists()


def test_failed_tries_are_counted_and_end_in_a_pause(cast, client, settings):
    settings.AXES_ENABLED = True
    settings.AXES_FAILURE_LIMIT = 2
    answers = [
        client.post(reverse("accounts:login"), {"username": "manager", "password": "wrong"}).status_code
        for _ in range(2)
    ]
    assert answers == [200, 429]


def test_activation_signs_in_and_a_bad_code_changes_nothing(now, client):
    person = actions.find_or_create_person(name="赵长河", id_number=made_up_id_number(74), at=now)
    user = actions.ensure_trainee_account(person=person, at=now)
    password = "一个很长的密码 2026"
    form = {"username": user.username, "code": "22222-22222", "password": password, "repeated": password}
    page = client.post(reverse("accounts:activate"), form)
    assert page.status_code == 400
    assert not User.objects.get(pk=user.pk).has_usable_password()
    form["code"] = actions.issue_activation(user=user, actor=None, at=timezone.now()).code
    assert client.post(reverse("accounts:activate"), form).status_code == 302
    assert client.session["_auth_user_id"] == str(user.pk)


def test_a_stranger_is_sent_to_sign_in(client):
    page = client.get(reverse("start"))
    assert page.status_code == 302
    assert page["Location"].startswith(reverse("accounts:login"))


def test_a_supervision_account_starts_in_its_own_house(regulator):
    page = client_of(regulator).get(reverse("start"))
    assert page["Location"] == reverse("supervision:home")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("a1", "密码太短，至少要 8 位。"),
        ("password", "这个密码用的人太多，容易被猜到，请换一个。"),
        ("2849106735", "密码不能全是数字，请加上字母。"),
    ],
)
def test_a_weak_password_is_refused_in_chinese(cast, client, password, said):
    typed = {"username": "manager", "code": "22222-22222", "password": password, "repeated": password}
    page = client.post(reverse("accounts:activate"), typed)
    assert page.status_code == 400
    errors = page.context["form"].errors["password"]
    assert said in errors
    assert not [error for error in errors if re.search("[A-Za-z]", str(error))]
    assert said in page.content.decode()


def test_every_validator_of_passwords_speaks_chinese():
    with translation.override("zh-hans"):
        validators: list[Any] = password_validation.get_default_password_validators()
        for validator in validators:
            assert not re.search("[A-Za-z]", str(validator.get_help_text())), validator
            assert not re.search("[A-Za-z]", str(validator.get_error_message())), validator


def test_sign_in_keeps_the_way_when_it_refuses_a_password(learner):
    learner.set_password("right-password-1")
    learner.save()
    client, way = Client(), "/accounts/login/?next=/meter/"
    refused = client.post(way, {"username": learner.username, "password": "wrong", "next": "/meter/"})
    assert 'name="next" value="/meter/"' in refused.content.decode()
    sent = {"username": learner.username, "password": "right-password-1"}
    assert client.post(way, sent | {"next": "/meter/"})["Location"] == "/meter/"
    assert Client().post("/accounts/login/", sent)["Location"] == "/start/"
    assert (
        Client().post("/accounts/login/", sent | {"next": "https://elsewhere.example/"})["Location"]
        == "/start/"
    )
