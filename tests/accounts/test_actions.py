"""People and bodies: entered once, kept sealed, found again."""

import datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import override_settings

from accounts import actions
from accounts.models import Institution, Person, Region, User
from audit.models import Entry
from audit.queries import entries_about
from audit.reconciliation import differences
from config import settings as production
from config.demo.cast import made_up_id_number
from policy.refusals import Refusal
from tests.cast import SHANGHAI

pytestmark = pytest.mark.django_db


def test_a_person_is_entered_once_whatever_institution_names_them(now):
    number = made_up_id_number(70)
    first = actions.find_or_create_person(name="赵长河", id_number=number, phone="13800001234", at=now)
    again = actions.find_or_create_person(name="赵长河", id_number=number, phone="13999999999", at=now)
    assert first == again
    assert Person.objects.get().open_phone() == "13800001234"


def test_an_id_number_under_another_name_is_refused_without_telling_the_name(now):
    number = made_up_id_number(71)
    actions.find_or_create_person(name="赵长河", id_number=number, at=now)
    with pytest.raises(Refusal) as refusal:
        actions.find_or_create_person(name="赵大河", id_number=number, at=now)
    assert refusal.value.code == "name_differs"
    assert "赵长河" not in str(refusal.value.render())
    assert Person.objects.count() == 1


def test_nobody_is_entered_who_is_not_born_yet():
    number = made_up_id_number(73)
    eve = datetime.datetime.combine(number.birthday, datetime.time(), tzinfo=SHANGHAI)
    with pytest.raises(Refusal) as refusal:
        actions.find_or_create_person(
            name="赵长河", id_number=number, at=eve - datetime.timedelta(microseconds=1)
        )
    assert (refusal.value.code, refusal.value.found) == ("id_number_date", number.birthday)
    assert not Person.objects.exists()
    assert actions.find_or_create_person(name="赵长河", id_number=number, at=eve).pk


def test_the_table_holds_no_readable_id_number_or_phone(now):
    number = made_up_id_number(72)
    actions.find_or_create_person(name="赵长河", id_number=number, phone="13800001234", at=now)
    with connection.cursor() as cursor:
        cursor.execute("select row_to_json(p)::text from accounts_person p")
        row = cursor.fetchone()[0]
    assert number.value not in row
    assert number.value.encode().hex() not in row
    assert "13800001234" not in row
    assert number.masked in row


def test_the_eighteen_prefecture_level_units_are_there_with_their_counties():
    assert Region.objects.filter(level=2).count() == 18
    assert Region.objects.get(code="410105", parent__name="郑州市")
    assert Region.objects.get(code="419001", parent__name="河南省")


@pytest.mark.parametrize("code", ["", "52410105MJY1234560", "52410105MJY12345", "O2410105MJY123456L"])
def test_an_institution_needs_a_true_credit_code(code, now):
    with pytest.raises(Refusal) as refusal:
        actions.register_institution(
            actor=None, name="甲", credit_code=code, region=Region.objects.get(code="410105"),
            designated_from=None, at=now,
        )  # fmt: skip
    assert refusal.value.code == "credit_code_invalid"
    assert not Institution.objects.exists()
    assert not Entry.objects.exists()


def test_an_institution_is_registered_once_and_leaves_evidence(cast, now):
    assert Entry.objects.filter(
        subject=f"institution/{cast.school.pk}", kind="institution.registered"
    ).exists()
    with pytest.raises(Refusal) as refusal:
        actions.register_institution(
            actor=None, name="别的名字", credit_code=cast.school.credit_code,
            region=cast.school.region, designated_from=None, at=now,
        )  # fmt: skip
    assert refusal.value.code == "institution_exists"
    assert Institution.objects.count() == 2


def test_designation_holds_from_its_first_to_its_last_day(cast):
    school = cast.school
    school.designated_until = datetime.date(2026, 9, 30)
    assert school.is_designated_on(datetime.date(2024, 1, 1))
    assert school.is_designated_on(datetime.date(2026, 9, 30))
    assert not school.is_designated_on(datetime.date(2023, 12, 31))
    assert not school.is_designated_on(datetime.date(2026, 10, 1))


def test_a_trainees_role_is_on_record_once(cast, now):
    new = actions.find_or_create_person(name="赵长河", id_number=made_up_id_number(73), at=now)
    for person in (new, cast.trainer.person):  # a stranger, and one of the staff who is taught as well
        user = actions.ensure_trainee_account(person=person, at=now)
        actions.ensure_trainee_account(person=person, at=now)
        granted = entries_about(f"person/{person.pk}").filter(kind="role.granted", facts__role="trainee")
        [entry] = granted
        assert (entry.actor_id, entry.facts["user"]) == (None, user.pk)
    assert differences() == []


def test_a_trainee_gets_one_account_and_sets_its_password_once(now):
    person = actions.find_or_create_person(name="赵长河", id_number=made_up_id_number(73), at=now)
    user = actions.ensure_trainee_account(person=person, at=now)
    assert user == actions.ensure_trainee_account(person=person, at=now)
    assert user.roles == {"trainee"}
    assert not user.has_usable_password()
    old = actions.issue_activation(user=user, actor=None, at=now)
    new = actions.issue_activation(user=user, actor=None, at=now)
    for code, at in ((old.code, now), (new.code, new.valid_until)):
        with pytest.raises(Refusal) as refusal:
            actions.activate(username=user.username, code=code, password="a-long-phrase-of-mine", at=at)
        assert refusal.value.code == "activation_invalid"
    typed = {"username": user.username.upper(), "code": new.code.lower().replace("-", " ")}
    assert new.code.replace("-", "").encode() not in bytes(user.activation.code_hash)
    assert actions.activate(**typed, password="a-long-phrase-of-mine", at=now) == user
    assert User.objects.get(pk=user.pk).check_password("a-long-phrase-of-mine")
    with pytest.raises(Refusal) as refusal:
        actions.activate(**typed, password="another-long-phrase", at=now)
    assert refusal.value.code == "activation_invalid"
    with pytest.raises(Refusal) as refusal:
        actions.issue_activation(user=user, actor=None, at=now)
    assert refusal.value.code == "account_active"
    assert User.objects.get(pk=user.pk).check_password("a-long-phrase-of-mine")


def test_a_password_is_kept_as_production_keeps_it(learner):
    with override_settings(PASSWORD_HASHERS=production.PASSWORD_HASHERS):
        learner.set_password("a-long-phrase-of-mine")
        assert learner.password.startswith("argon2$argon2id$")
        assert learner.check_password("a-long-phrase-of-mine")
        assert not learner.check_password("another-long-phrase")


@pytest.mark.parametrize(
    ("role", "body"), [("manager", None), ("officer", None), ("officer", "school"), ("trainee", "school")]
)
def test_a_role_without_its_body_is_refused_by_the_database(cast, role, body):
    with pytest.raises(IntegrityError), transaction.atomic():
        actions.grant_role(
            user=cast.operator, role=role, institution=cast.school if body == "school" else None
        )
