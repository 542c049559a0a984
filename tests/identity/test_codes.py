"""One-time codes: the equal way, in words and digits, guessed by nobody and locking out nobody."""

import datetime

import pytest
from django.db import transaction

from audit.models import Entry
from identity import actions
from identity.models import OneTimeCode
from policy.refusals import Refusal
from tests.identity.conftest import DESK

pytestmark = pytest.mark.django_db

SECOND = datetime.timedelta(seconds=1)
MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture
def digits(person, assistant, now) -> str:
    return actions.issue_code(person=person, subject=DESK, actor=assistant, at=now)


@pytest.fixture
def redeem(person, learner):
    def redeem(code: str, at: datetime.datetime, **changes: object) -> OneTimeCode:
        return actions.redeem_code(
            **{"person": person, "subject": DESK, "actor": learner, **changes}, code=code, at=at
        )

    return redeem


def wrong(digits: str) -> str:
    return f"{(int(digits) + 1) % 1_000_000:06d}"


def refusal_of(call, *args, **kwargs) -> Refusal:
    with pytest.raises(Refusal) as caught:
        call(*args, **kwargs)
    return caught.value


def test_the_code_proves_the_person_without_consent_or_face(digits, redeem, person, assistant, now):
    code = redeem(digits, now + MINUTE)
    assert (code.person, code.redeemed_at) == (person, now + MINUTE)
    issued, redeemed = Entry.objects.filter(kind__startswith="code.").order_by("pk")
    assert (issued.actor_id, issued.subject) == (assistant.pk, DESK)
    assert redeemed.facts == {"code": code.pk, "person": person.pk}


def test_the_digits_are_kept_nowhere(digits):
    code = OneTimeCode.objects.get()
    assert len(digits) == 6
    assert digits.encode() not in bytes(code.code_hash)
    assert all(digits not in str(entry.facts) for entry in Entry.objects.all())


@pytest.mark.parametrize("typed", ["{0} {1}", " {0}{1}\n", "wide"])
def test_digits_may_be_typed_with_spaces_or_full_width(digits, redeem, now, typed):
    if typed == "wide":
        typed = "".join(chr(ord(d) - ord("0") + ord("０")) for d in digits)
    assert redeem(typed.format(digits[:3], digits[3:]), now).redeemed_at


def test_the_same_digits_again_are_the_same_proof(digits, redeem, now):
    first = redeem(digits, now)
    assert redeem(digits, now + MINUTE) == first
    assert Entry.objects.filter(kind="code.redeemed").count() == 1


def test_a_wrong_code_is_refused_and_the_right_one_still_works(digits, redeem, now):
    assert refusal_of(redeem, wrong(digits), now).code == "code_wrong"
    assert not OneTimeCode.objects.get().redeemed_at
    wait = refusal_of(redeem, digits, now + SECOND)
    assert (wait.code, wait.status, wait.required) == ("code_wait", 429, 1)
    assert redeem(digits, now + 2 * SECOND).redeemed_at


def test_guessing_gets_slow_and_never_locks_out(digits, redeem, now):
    at, tries = now, 0
    while at < now + 10 * MINUTE:
        refusal = refusal_of(redeem, wrong(digits), at)
        tries += refusal.code == "code_wrong"
        at += SECOND
    assert tries <= 25
    assert redeem(digits, now + 10 * MINUTE).redeemed_at


def test_a_wrong_try_counts_although_its_transaction_is_rolled_back(digits, redeem, now):
    with pytest.raises(Refusal), transaction.atomic():
        redeem(wrong(digits), now)
    assert refusal_of(redeem, digits, now).code == "code_wait"


def test_a_code_lives_ten_minutes(digits, redeem, now):
    assert redeem(digits, now + 10 * MINUTE)
    assert refusal_of(redeem, digits, now + 10 * MINUTE + SECOND).code == "code_expired"


def test_a_new_code_voids_the_one_before(digits, redeem, person, assistant, now):
    newer = actions.issue_code(person=person, subject=DESK, actor=assistant, at=now + MINUTE)
    if newer != digits:
        assert refusal_of(redeem, digits, now + MINUTE).code == "code_wrong"
    assert redeem(newer, now + 2 * MINUTE)


def test_a_code_is_for_one_person_and_one_subject(digits, redeem, cast, now):
    assert refusal_of(redeem, digits, now, subject="desk/2").code == "code_missing"
    assert refusal_of(redeem, digits, now, actor=cast.trainer).code == "not_yourself"
    other = cast.trainer
    assert refusal_of(redeem, digits, now, actor=other, person=other.person).code == "code_missing"
    assert not OneTimeCode.objects.get().redeemed_at


def test_only_who_is_in_charge_issues_codes_and_never_for_themselves(person, cast, now):
    for user in (cast.learner, cast.manager, cast.rival, cast.regulator):
        assert (
            refusal_of(actions.issue_code, person=person, subject=DESK, actor=user, at=now).code
            == "not_in_charge"
        )
    own = refusal_of(
        actions.issue_code, person=cast.assistant.person, subject=DESK, actor=cast.assistant, at=now
    )
    assert own.code == "not_in_charge"
    assert not OneTimeCode.objects.exists()
    assert not Entry.objects.filter(kind="code.issued").exists()
