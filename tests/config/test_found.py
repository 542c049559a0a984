"""The first account of a platform without the demo."""

import io
import re

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.states import Role
from audit.models import Entry
from courses.models import Course
from exams.models import Question

pytestmark = pytest.mark.django_db


def found(**options) -> str:
    said = io.StringIO()
    call_command("found", stdout=said, **options)
    return said.getvalue()


def code_in(said: str) -> str:
    match = re.search(r"[2-9A-Z]{5}-[2-9A-Z]{5}", said)
    assert match is not None
    return match[0]


def test_an_empty_platform_gets_courses_questions_and_an_operator_who_signs_in():
    said = found(operator_username="yunying")
    assert "yunying" in said
    assert reverse("accounts:activate") in said
    assert Course.objects.exists()
    assert Question.objects.exists()
    form = {
        "username": "yunying",
        "code": code_in(said),
        "password": "信阳毛尖 2026",
        "repeated": "信阳毛尖 2026",
    }
    browser = Client()
    assert browser.post(reverse("accounts:activate"), form).status_code == 302
    assert browser.get(reverse("start")).status_code == 200
    assert User.objects.get().roles == {Role.OPERATOR}


def test_repeating_it_changes_the_code_until_it_is_used_and_nothing_else():
    first, second = found(), found()
    assert code_in(first) != code_in(second)
    counts = (User.objects.count(), Course.objects.count(), Question.objects.count())
    user = User.objects.get()
    user.set_password("信阳毛尖 2026")
    user.save()
    assert not re.search(r"[2-9A-Z]{5}-[2-9A-Z]{5}", found())
    assert counts == (User.objects.count(), Course.objects.count(), Question.objects.count())
    assert User.objects.get().check_password("信阳毛尖 2026")


def test_it_takes_over_nobodys_account(cast):
    with pytest.raises(CommandError):
        found(operator_username="manager")
    with pytest.raises(CommandError):
        found(operator_username="Two Words")
    assert cast.manager.roles == {Role.MANAGER}


def test_an_operator_who_lost_the_password_is_let_in_again_from_the_server():
    said = found(reset=True)
    user = User.objects.get()
    user.set_password("信阳毛尖 2026")
    user.save()
    browser = Client()
    browser.force_login(user)
    assert browser.get(reverse("start")).status_code == 200
    again = found(reset=True)
    assert code_in(again) != code_in(said)
    assert browser.get(reverse("start")).status_code == 302
    assert not User.objects.get().has_usable_password()
    assert Entry.objects.get(kind="account.reset").actor_id is None
