"""The school's own lecturers and assistants: added, given a code, ended, by its manager alone."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.actions import grant_role
from accounts.models import Membership, User
from accounts.states import Role
from audit.models import Entry
from config.demo.cast import made_up_id_number
from tests.cast import client_of

STAFF = "/staff/"
PASSWORD = "洛阳的牡丹 2026"
WIDE = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


def new_lecturer(**changes):
    number = made_up_id_number(81, region="410302").value
    return {"name": "秦怀远", "id_number": number, "phone": "13700000081", "role": "lecturer"} | changes


def test_a_school_without_staff_adds_a_lecturer_who_signs_in(cast, rival):
    client = client_of(rival)
    assert "还没有讲师和助教" in client.get(STAFF).content.decode()
    page = client.post(STAFF, new_lecturer())
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    found = re.search(r'<dd class="mono">(\w+)</dd>.*?(\w{5}-\w{5})', page.content.decode(), re.DOTALL)
    assert found is not None
    form = {"username": found[1], "code": found[2], "password": PASSWORD, "repeated": PASSWORD}
    assert Client().post(reverse("accounts:activate"), form).status_code == 302
    user = User.objects.get(username=found[1])
    assert user.roles == {Role.LECTURER}
    assert user.institution == cast.rival_school
    assert "已激活" in client.get(STAFF).content.decode()
    listed = client.get("/api/v1/people/", {"role": "lecturer"}).json()
    assert "秦怀远" in str(listed)
    granted = Entry.objects.filter(kind="role.granted").latest("pk")
    assert (granted.actor_id, granted.facts["role"]) == (rival.pk, "lecturer")
    assert found[2] not in str([entry.facts for entry in Entry.objects.all()])


def test_a_number_typed_in_another_way_is_the_same_person(cast, rival):
    number = cast.trainer.person.open_id_number().translate(
        str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
    )
    spaced = f"{number[:6]} {number[6:14]} {number[14:]}"
    page = client_of(rival).post(STAFF, new_lecturer(name=cast.trainer.person.name, id_number=spaced))
    assert page.status_code == 302
    assert cast.trainer.memberships.count() == 2


def test_somebody_known_gets_the_role_and_keeps_the_account(cast, rival):
    trainer = cast.trainer
    number = trainer.person.open_id_number()
    wrong = client_of(rival).post(STAFF, new_lecturer(name="李四海", id_number=number))
    assert wrong.status_code == 409
    assert trainer.person.name not in wrong.content.decode()
    assert trainer.memberships.count() == 1
    entry = Entry.objects.get(kind="staff.name_differs")  # who asks whose number it is leaves a trace
    assert (entry.chain, entry.actor_id) == (f"institution/{rival.institution.pk}", rival.pk)
    assert entry.facts == {"role": "lecturer"}
    page = client_of(rival).post(STAFF, new_lecturer(name=trainer.person.name, id_number=number))
    assert page.status_code == 302
    assert trainer.memberships.count() == 2


def test_a_membership_ends_and_leaves_evidence(cast, manager):
    held = cast.trainer.memberships.get()
    assert client_of(manager).post(reverse("accounts:staff_end", args=[held.pk])).status_code == 302
    assert not cast.trainer.memberships.exists()
    assert Entry.objects.get(kind="role.revoked").facts["role"] == "lecturer"


@pytest.mark.parametrize("who", ["rival", "trainer", "officer", "operator", "regulator"])
def test_nobody_else_ends_a_membership(cast, who):
    held = cast.trainer.memberships.get()
    for name in ("staff_end", "staff_activation"):
        answer = client_of(cast[who]).post(reverse(f"accounts:{name}", args=[held.pk]))
        assert answer.status_code in (403, 404)
    assert cast.trainer.memberships.filter(pk=held.pk).exists()


def test_a_manager_grants_no_other_role_and_ends_no_manager(cast, manager):
    before = Membership.objects.count()
    assert client_of(manager).post(STAFF, new_lecturer(role="manager")).status_code == 400
    assert client_of(manager).post(STAFF, new_lecturer(id_number="41010519700101901X")).status_code == 400
    own = manager.memberships.get()
    assert client_of(manager).post(reverse("accounts:staff_end", args=[own.pk])).status_code == 404
    assert Membership.objects.count() == before


def test_a_code_is_not_issued_for_an_account_with_an_office_elsewhere(cast, manager, rival):
    client_of(rival).post(STAFF, new_lecturer())
    client_of(manager).post(STAFF, new_lecturer())
    held = Membership.objects.get(institution=cast.school, user__person__name="秦怀远")
    refused = client_of(manager).post(reverse("accounts:staff_activation", args=[held.pk]))
    assert refused.status_code == 403


def test_a_lecturer_who_lost_the_password_is_reset_by_their_own_manager_alone(cast, manager, rival):
    trainer = cast.trainer
    trainer.set_password(PASSWORD)
    trainer.save()
    browser = client_of(trainer)
    address = reverse("accounts:staff_reset", args=[trainer.memberships.get().pk])
    assert address in client_of(manager).get(STAFF).content.decode()
    for stranger in (rival, trainer, cast.officer, cast.operator):
        assert client_of(stranger).post(address).status_code in (403, 404)
    assert client_of(manager).get(address).status_code == 200
    assert browser.get(reverse("start")).status_code == 200
    slip = client_of(manager).post(address)
    code = re.search(r'id="code">(\w{5}-\w{5})<', slip.content.decode())
    assert code is not None
    assert browser.get(reverse("start")).status_code == 302
    form = {"username": "trainer", "code": code[1], "password": "新的牡丹 2027", "repeated": "新的牡丹 2027"}
    assert Client().post(reverse("accounts:activate"), form).status_code == 302
    assert Entry.objects.get(kind="account.reset").actor_id == manager.pk


@pytest.mark.parametrize("elsewhere", ["trainee", "lecturer"])
def test_naming_somebody_as_staff_does_not_hand_over_their_account(cast, manager, rival, elsewhere):
    victim = cast.learner if elsewhere == "trainee" else cast.trainer
    victim.set_password(PASSWORD)
    victim.save()
    number = victim.person.open_id_number()
    client_of(rival).post(STAFF, new_lecturer(name=victim.person.name, id_number=number))
    held = Membership.objects.get(user=victim, institution=cast.rival_school)
    for name in ("staff_reset", "staff_activation"):
        assert client_of(rival).post(reverse(f"accounts:{name}", args=[held.pk])).status_code == 403
    assert User.objects.get(pk=victim.pk).check_password(PASSWORD)


def test_the_page_asks_the_same_number_of_questions_of_one_and_of_three(cast, rival):
    def questions():
        with CaptureQueriesContext(connection) as asked:
            assert client_of(rival).get(STAFF).status_code == 200
        return len(asked)

    client_of(rival).post(STAFF, new_lecturer())
    one = questions()
    for serial, name in ((82, "马一鸣"), (83, "马二鸣")):
        number = made_up_id_number(serial, region="410302").value
        assert client_of(rival).post(STAFF, new_lecturer(name=name, id_number=number)).status_code == 200
    assert cast.rival_school.memberships.filter(role=Role.LECTURER).count() == 3
    assert questions() == one


def test_a_shared_account_is_offered_no_new_password_but_told_why(cast, rival):
    cast.trainer.set_password(PASSWORD)
    cast.trainer.save()
    membership = cast.trainer.memberships.get()
    reset = reverse("accounts:staff_reset", args=[membership.pk])
    before = client_of(cast.manager).get(STAFF).content.decode()
    assert reset in before
    grant_role(user=cast.trainer, role=Role.LECTURER, institution=cast.rival_school)
    page = client_of(cast.manager).get(STAFF).content.decode()
    assert reset not in page
    assert page.count("账号还有别的职务或者也是学员") == 1
    assert client_of(cast.manager).post(reset).status_code == 403
