"""From a roster to a signed-in trainee: codes on slips, once, and for nobody else's account."""

import base64
import datetime
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from accounts.actions import grant_role
from accounts.models import Activation, User
from accounts.states import Role
from audit.models import Entry
from classes import actions
from classes.models import Enrolment, TrainingClass
from classes.states import ClassState
from policy.refusals import Refusal
from tests.cast import client_of
from tests.classes.school import School, roster_file, trainee_row

PASSWORD = "郑州的麦子 2026"


@pytest.fixture(autouse=True)
def _monday(time_machine, now):
    time_machine.move_to(now.astimezone(datetime.UTC), tick=False)


@pytest.fixture
def training_class(school: School, manager: User) -> TrainingClass:
    """A draft whose roster came in through the pages."""
    made = school.create()
    client = client_of(manager)
    file = SimpleUploadedFile("花名册.xlsx", roster_file([trainee_row(1), trainee_row(2)]))
    preview = client.post(reverse("classes:roster", args=[made.pk]), {"file": file})
    assert client.post(preview["Location"]).status_code == 302
    assert made.enrolments.count() == 2
    return made


def sheet(user: User, training_class: TrainingClass):
    return client_of(user).post(reverse("classes:activation_sheet", args=[training_class.pk]))


def codes(response) -> list[tuple[str, str]]:
    """(user name, code) as somebody with the sheet in hand reads them."""
    return re.findall(
        r'<dd class="mono">(t\d{8})</dd>.*?([2-9A-Z]{5}-[2-9A-Z]{5})', response.content.decode(), re.DOTALL
    )


def test_an_imported_trainee_activates_with_the_slip_and_signs_in(training_class, manager):
    roster = reverse("classes:roster", args=[training_class.pk])
    before = client_of(manager).get(roster).content.decode()
    assert before.count("没有发激活码") == 2
    printed = sheet(manager, training_class)
    assert "no-store" in printed["Cache-Control"]
    (username, code), _second = codes(printed)
    assert client_of(manager).get(roster).content.decode().count("已发激活码") == 2

    phone = Client()
    link = f"{reverse('accounts:activate')}?user={username}"
    assert username in phone.get(link).content.decode()
    form = {"username": username, "code": code, "password": PASSWORD, "repeated": PASSWORD}
    answer = phone.post(reverse("accounts:activate"), form, follow=True)
    assert answer.redirect_chain == [(reverse("start"), 302)]
    assert phone.get(reverse("classes:detail", args=[training_class.pk])).status_code == 404  # not filed yet

    later = Client().post(reverse("accounts:login"), {"username": username, "password": PASSWORD})
    assert later["Location"] == reverse("start")
    after = client_of(manager).get(roster).content.decode()
    assert "已激活" in after
    assert code not in after
    assert len(codes(sheet(manager, training_class))) == 1


def test_the_table_holds_what_the_slips_hold_as_text(training_class, manager):
    page = sheet(manager, training_class)
    packed = re.search(r'href="data:[^;]+;base64,([^"]+)"', page.content.decode())
    assert packed is not None
    table = load_workbook(io.BytesIO(base64.b64decode(packed[1]))).worksheets[0]
    rows = list(table.iter_rows(values_only=True))
    assert [(str(row[2]), str(row[3])) for row in rows[1:]] == codes(page)
    assert all("********" in str(row[1]) for row in rows[1:])


def test_a_new_code_ends_the_one_before(training_class, manager):
    enrolment = training_class.enrolments.first()
    address = reverse("classes:activation", args=[enrolment.pk])
    old, new = (codes(client_of(manager).post(address)) for _time in range(2))
    assert len(old) == len(new) == 1
    form = {"username": new[0][0], "password": PASSWORD, "repeated": PASSWORD}
    assert Client().post(reverse("accounts:activate"), {**form, "code": old[0][1]}).status_code == 400
    assert not User.objects.get(username=new[0][0]).has_usable_password()
    assert Client().post(reverse("accounts:activate"), {**form, "code": new[0][1]}).status_code == 302
    assert client_of(manager).post(address).status_code == 409


def test_codes_leave_evidence_without_the_code_and_only_a_hash(training_class, manager):
    slips = actions.issue_codes(training_class=training_class, actor=manager, at=training_class.created_at)
    entries = list(Entry.objects.filter(kind="account.activation_issued"))
    assert {entry.actor_id for entry in entries} == {manager.pk}
    assert len(entries) == 2
    for slip in slips:
        letters = slip.issued.code.replace("-", "")
        assert letters not in str([entry.facts for entry in entries]).replace("-", "")
        assert letters.encode() not in bytes(slip.issued.user.activation.code_hash)


@pytest.mark.parametrize("who", ["rival", "trainer", "officer", "operator"])
def test_nobody_but_the_manager_gets_a_code(training_class, cast, who):
    client = client_of(cast[who])
    enrolment = training_class.enrolments.first()
    assert sheet(cast[who], training_class).status_code in (403, 404)
    assert client.post(reverse("classes:activation", args=[enrolment.pk])).status_code in (403, 404)
    assert not Activation.objects.exists()


def test_an_account_with_an_office_elsewhere_is_not_handed_to_the_school(training_class, cast, manager, now):
    enrolment: Enrolment = training_class.enrolments.select_related("person__user").first()
    grant_role(user=enrolment.person.user, role=Role.MANAGER, institution=cast.rival_school)
    with pytest.raises(Refusal) as refused:
        actions.issue_codes(training_class=training_class, actor=manager, at=now, enrolment=enrolment)
    assert refused.value.code == "account_of_others"
    slips = actions.issue_codes(training_class=training_class, actor=manager, at=now)
    assert enrolment.pk not in [slip.enrolment.pk for slip in slips]


@pytest.mark.parametrize("name", ["activation", "reset"])
def test_a_roster_offers_nothing_for_an_account_of_others(training_class, cast, manager, name):
    first, second = training_class.enrolments.select_related("person__user").order_by("pk")[:2]
    for enrolment in (first, second):
        if name == "reset":
            with_password(enrolment)
    grant_role(user=first.person.user, role=Role.LECTURER, institution=cast.rival_school)
    client = client_of(manager)
    page = client.get(reverse("classes:roster", args=[training_class.pk])).content.decode()
    own, others = (reverse(f"classes:{name}", args=[one.pk]) for one in (second, first))
    assert own in page
    assert others not in page
    assert "请本人向原来的单位要" in page
    assert client.post(others).status_code == 403
    assert name == "activation" or client.get(others).status_code == 403


def with_password(enrolment: Enrolment) -> User:
    user = enrolment.person.user
    user.set_password(PASSWORD)
    user.save()
    return user


def test_a_trainee_who_lost_the_password_gets_a_new_one_and_the_old_one_ends(training_class, manager):
    enrolment = training_class.enrolments.select_related("person__user").first()
    user = with_password(enrolment)
    phone = client_of(user)
    address = reverse("classes:reset", args=[enrolment.pk])
    roster = client_of(manager).get(reverse("classes:roster", args=[training_class.pk])).content.decode()
    assert address in roster
    assert client_of(manager).get(address).status_code == 200
    assert phone.get(reverse("start")).status_code == 200
    slip = client_of(manager).post(address)
    ((username, code),) = codes(slip)
    assert phone.get(reverse("start")).status_code == 302
    old = {"username": username, "password": PASSWORD}
    assert Client().post(reverse("accounts:login"), old).status_code == 200
    new = {"username": username, "code": code, "password": "新的麦子 2027", "repeated": "新的麦子 2027"}
    assert Client().post(reverse("accounts:activate"), new).status_code == 302
    reset = Entry.objects.get(kind="account.reset")
    assert (reset.actor_id, reset.subject) == (manager.pk, f"person/{enrolment.person_id}")
    assert "忘了密码" in Client().get(reverse("accounts:login")).content.decode()


@pytest.mark.parametrize("who", ["rival", "trainer", "officer", "operator"])
def test_nobody_but_the_manager_resets_a_trainee(training_class, cast, who):
    enrolment = training_class.enrolments.select_related("person__user").first()
    with_password(enrolment)
    address = reverse("classes:reset", args=[enrolment.pk])
    assert client_of(cast[who]).get(address).status_code in (403, 404)
    assert client_of(cast[who]).post(address).status_code in (403, 404)
    assert User.objects.get(pk=enrolment.person.user.pk).check_password(PASSWORD)
    assert not Entry.objects.filter(kind="account.reset").exists()


def test_a_draft_roster_opens_nobody_who_learns_at_another_school(training_class, cast, manager, now):
    """Whoever knows an ID number can put it on a draft's roster; that must not hand them the account."""
    enrolment = training_class.enrolments.select_related("person__user").first()
    TrainingClass.objects.filter(pk=training_class.pk).update(institution=cast.rival_school)
    other = School(cast, now, training_class.course).create()
    actions.import_roster(
        training_class=other, content=roster_file([trainee_row(1), trainee_row(2)]), actor=manager, at=now
    )
    own = other.enrolments.get(person=enrolment.person)
    with pytest.raises(Refusal) as nobody:
        actions.issue_codes(training_class=other, actor=manager, at=now)
    assert nobody.value.code == "nobody_to_activate"
    user = with_password(enrolment)
    address = reverse("classes:reset", args=[own.pk])
    assert client_of(manager).post(address).status_code == 403
    assert User.objects.get(pk=user.pk).check_password(PASSWORD)
    assert not Activation.objects.exists()
    TrainingClass.objects.filter(pk=other.pk).update(state=ClassState.APPROVED)
    assert len(codes(client_of(manager).post(address))) == 1


def test_the_roster_asks_the_same_number_of_questions_however_many_there_are(training_class, manager, now):
    def questions(made: TrainingClass) -> int:
        with CaptureQueriesContext(connection) as asked:
            page = client_of(manager).get(reverse("classes:roster", args=[made.pk]))
        assert page.status_code == 200
        return len(asked)

    two = questions(training_class)
    actions.import_roster(
        training_class=training_class,
        content=roster_file([trainee_row(3), trainee_row(4), trainee_row(5)]),
        actor=manager,
        at=now,
    )
    assert questions(training_class) == two
    sheet(manager, training_class)
    assert questions(training_class) == two


def test_a_roster_shows_who_lost_their_account(training_class, manager):
    lost = training_class.enrolments.first().person
    User.objects.filter(person=lost).update(person=None)
    page = client_of(manager).get(reverse("classes:roster", args=[training_class.pk]))
    assert page.status_code == 200
    text = page.content.decode()
    assert (text.count("没有账号"), text.count("没有发激活码")) == (1, 1)
