"""Managers, officers and supervision accounts: opened, let in, reset, suspended, ended by the operator."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from rest_framework.authtoken.models import Token

from accounts import offices
from accounts.actions import found_operator
from accounts.models import Activation, User
from accounts.states import Role
from audit.models import Entry
from policy.refusals import Refusal
from tests.cast import client_of

PASSWORD = "开封的菊花 2026"
LIST = reverse("accounts:accounts")


@pytest.fixture
def operator(cast):
    return cast.operator


def at(name, account):
    return reverse(f"accounts:{name}", args=[account.pk])


def code_on(page) -> str:
    found = re.search(r'id="code">([2-9A-Z]{5}-[2-9A-Z]{5})<', page.content.decode())
    assert found is not None, page.content.decode()[:2000]
    return found[1]


def activated(username: str, code: str, password: str = PASSWORD) -> Client:
    browser = Client()
    form = {"username": username, "code": code, "password": password, "repeated": password}
    assert browser.post(reverse("accounts:activate"), form).status_code == 302
    return browser


def test_a_manager_is_opened_at_an_institution_and_signs_in(cast, operator):
    address = reverse("accounts:institution", args=[cast.school.pk])
    page = client_of(operator).post(address, {"role": "manager", "name": "郑秋生", "username": "Qiusheng"})
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    browser = activated("qiusheng", code_on(page))
    assert browser.get(reverse("accounts:staff")).status_code == 200
    user = User.objects.get(username="qiusheng")
    assert user.roles == {Role.MANAGER}
    assert user.institution == cast.school
    granted = Entry.objects.get(kind="role.granted", subject=f"account/{user.pk}")
    assert (granted.actor_id, granted.facts["institution"]) == (operator.pk, cast.school.pk)


@pytest.mark.parametrize(
    ("role", "there"), [("officer", "classes:filings"), ("regulator", "subsidies:notices")]
)
def test_an_officer_and_a_supervision_account_are_opened_at_a_bureau(cast, operator, role, there):
    address = reverse("accounts:bureau", args=[cast.bureau.pk])
    page = client_of(operator).post(address, {"role": role, "name": "冯立", "username": "fengli"})
    browser = activated("fengli", code_on(page))
    assert browser.get(reverse(there)).status_code == 200
    assert User.objects.get(username="fengli").bureau == cast.bureau


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"username": "manager"}, "已经是别人的"),
        ({"username": "t00000099"}, "留给学员和讲师"),
        ({"username": "冯立"}, "小写字母"),
        ({"role": "operator"}, "选"),
        ({"role": "manager"}, "选"),
    ],
)
def test_a_wrong_account_is_refused_and_leaves_nothing(cast, operator, changes, said):
    address = reverse("accounts:bureau", args=[cast.bureau.pk])
    before = User.objects.count(), Entry.objects.count()
    form = {"role": "officer", "name": "冯立", "username": "fengli"} | changes
    answer = client_of(operator).post(address, form)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert before == (User.objects.count(), Entry.objects.count())


def test_finance_only_looks(cast, operator, now):
    finance = cast.finance.bureau
    with pytest.raises(Refusal) as refused:
        offices.open_office(
            actor=operator, body=finance, role=Role.OFFICER, username="fengli", name="冯立", at=now
        )
    assert refused.value.code == "role_not_of_body"
    assert not User.objects.filter(username="fengli").exists()


def test_a_reset_ends_sessions_tokens_and_the_old_password(cast, operator):
    officer = cast.officer
    officer.set_password("a-long-phrase-of-mine")
    officer.save()
    old = Client()
    old.post(reverse("accounts:login"), {"username": "officer", "password": "a-long-phrase-of-mine"})
    assert old.get(reverse("classes:filings")).status_code == 200
    token = Token.objects.create(user=officer)

    address = at("account_reset", officer)
    assert "先看身份证或工作证" in client_of(operator).get(address).content.decode()
    assert old.get(reverse("classes:filings")).status_code == 200  # asking changed nothing
    slip = client_of(operator).post(address)
    assert "no-store" in slip["Cache-Control"]
    assert old.get(reverse("classes:filings")).status_code == 302
    assert Client().get("/api/v1/me/", headers={"Authorization": f"Token {token.key}"}).status_code == 401
    again = {"username": "officer", "password": "a-long-phrase-of-mine"}
    assert Client().post(reverse("accounts:login"), again).status_code == 200
    assert activated("officer", code_on(slip)).get(reverse("classes:filings")).status_code == 200
    kinds = (
        Entry.objects.filter(subject=f"account/{officer.pk}").order_by("pk").values_list("kind", flat=True)
    )
    assert list(kinds) == [
        "role.granted",
        "account.reset",
        "account.activation_issued",
        "account.activated",
    ]


def test_a_second_reset_only_replaces_the_code(cast, operator):
    officer = cast.officer
    officer.set_password("a-long-phrase-of-mine")
    officer.save()
    first, second = (code_on(client_of(operator).post(at("account_reset", officer))) for _ in range(2))
    assert first != second
    assert Entry.objects.filter(kind="account.reset").count() == 1
    activated("officer", second)


def test_a_suspended_account_is_out_until_it_is_restored(cast, operator):
    officer = cast.officer
    officer.set_password(PASSWORD)
    officer.save()
    inside = client_of(officer)
    assert client_of(operator).get(at("account_suspend", officer)).status_code == 200
    assert inside.get(reverse("classes:filings")).status_code == 200
    assert client_of(operator).post(at("account_suspend", officer)).status_code == 302
    assert inside.get(reverse("classes:filings")).status_code == 302
    form = {"username": "officer", "password": PASSWORD}
    assert Client().post(reverse("accounts:login"), form).status_code == 200
    refused = client_of(operator).post(at("account_reset", officer))
    assert refused.status_code == 409
    assert "账号已停用" in client_of(operator).get(at("account", officer)).content.decode()
    client_of(operator).post(at("account_suspend", officer))
    client_of(operator).post(at("account_restore", officer))
    assert Client().post(reverse("accounts:login"), form).status_code == 302
    kinds = (
        Entry.objects.filter(subject=f"account/{officer.pk}").order_by("pk").values_list("kind", flat=True)
    )
    assert list(kinds) == ["role.granted", "account.suspended", "account.restored"]


def test_a_code_of_a_suspended_account_is_void(cast, operator, now):
    body = cast.bureau
    membership, issued = offices.open_office(
        actor=operator, body=body, role=Role.OFFICER, username="fengli", name="冯立", at=now
    )
    offices.suspend(user=membership.user, actor=operator, at=now)
    offices.restore(user=membership.user, actor=operator, at=now)
    assert not Activation.objects.exists()
    form = {"username": "fengli", "code": issued.code, "password": PASSWORD, "repeated": PASSWORD}
    assert Client().post(reverse("accounts:activate"), form).status_code == 400


def test_an_office_ends_after_asking_and_its_account_with_it(cast, operator):
    officer = cast.officer
    held = officer.memberships.get()
    address = reverse("accounts:office_end", args=[held.pk])
    assert client_of(operator).get(address).status_code == 200
    assert officer.memberships.exists()
    answer = client_of(operator).post(address)
    assert answer["Location"] == at("account", officer)
    officer.refresh_from_db()
    assert not officer.memberships.exists()
    assert not officer.is_active
    assert client_of(operator).post(address).status_code == 404
    page = client_of(operator).get(answer["Location"]).content.decode()
    assert "没有职务" in page
    assert client_of(operator).post(at("account_restore", officer)).status_code == 409
    officer.refresh_from_db()
    assert not officer.is_active
    assert "officer" in client_of(operator).get(LIST).content.decode()


def test_the_operator_ends_no_lecturer_and_touches_no_operator(cast, operator):
    held = cast.trainer.memberships.get()
    assert client_of(operator).post(reverse("accounts:office_end", args=[held.pk])).status_code == 404
    for name in ("account_activation", "account_reset", "account_suspend", "account_restore"):
        assert client_of(operator).post(at(name, operator)).status_code == 404
    assert cast.trainer.memberships.exists()
    operator.refresh_from_db()
    assert operator.is_active


@pytest.mark.parametrize("who", ["manager", "rival", "officer", "regulator", "trainer"])
def test_nobody_else_reaches_an_account(cast, who):
    target = cast.finance
    before = Entry.objects.count()
    for name in ("account_activation", "account_reset", "account_suspend", "account_restore"):
        assert client_of(cast[who]).post(at(name, target)).status_code == 403
    target.refresh_from_db()
    assert target.is_active
    assert Entry.objects.count() == before
    assert not Activation.objects.exists()


def test_the_list_holds_offices_and_finds_others_by_their_whole_name_alone(cast, operator):
    client = client_of(operator)

    def found(**query):
        return {one.username for one in client.get(LIST, query).context["page"]}

    assert found() == {"manager", "rival", "officer", "regulator", "finance"}
    assert found(role="officer") == {"officer"}
    assert found(search="财政局") == {"finance"}
    assert found(search="周文博") == {"manager"}
    assert found(search="learn") == set()
    assert found(search="learner") == {"learner"}
    assert found(search="operator") == set()


def test_the_list_asks_the_same_number_of_questions_however_long_it_is(cast, operator, now):
    client = client_of(operator)

    def questions():
        with CaptureQueriesContext(connection) as asked:
            assert client.get(LIST, {"role": "officer"}).status_code == 200
        return len(asked)

    one = questions()
    for username in ("fengli", "fengyi"):
        offices.open_office(
            actor=operator, body=cast.bureau, role=Role.OFFICER, username=username, name="冯", at=now
        )
    assert questions() == one


@pytest.mark.parametrize("page", ["account", "account_activation", "account_reset", "account_suspend"])
def test_no_operator_reaches_another_operators_account(operator, now, page):
    other = found_operator(username="yunying", at=now)
    entries = Entry.objects.count()
    ask = client_of(operator).get if page == "account" else client_of(operator).post
    assert ask(at(page, other)).status_code == 404
    assert Entry.objects.count() == entries
    assert not Activation.objects.filter(user=other).exists()
