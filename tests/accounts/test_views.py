"""Signing in, activating, starting."""

import pytest
from django.urls import reverse
from django.utils import timezone

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


def test_activation_signs_in_and_a_bad_code_changes_nothing(now, client):
    person = actions.find_or_create_person(name="赵长河", id_number=made_up_id_number(74))
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
