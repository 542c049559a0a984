"""The form: received once, with its source, sealed, and without telling who is known (M1, I4)."""

import datetime
import uuid

import pytest
from django.http import Http404

from accounts.models import Person, User
from audit.models import Entry
from classes.recruitment import actions
from classes.recruitment.models import EvidencePicture, EvidencePictureKey, Registration, StaffNote
from classes.recruitment.states import RegistrationState, Source
from policy.refusals import Refusal
from tests.recruitment.conftest import application, details, document


def code_of(refused) -> str:
    return str(refused.value.code)


def test_a_form_is_received_with_its_source_and_nothing_of_it_in_plain(apply, now):
    registration = apply(1)
    assert registration.state == RegistrationState.SUBMITTED
    assert (registration.source, registration.entered_by) == (Source.CAMPAIGN, None)
    assert registration.id_number_masked.count("*") == 8
    assert registration.phone_masked == "137****0001"
    sealed = bytes(registration.id_number_sealed) + bytes(registration.phone_sealed)
    assert application(1).id_number.value.encode() not in sealed
    assert registration.open_id_number() == application(1).id_number
    assert registration.open_phone() == "13700000001"
    entry = Entry.objects.get(kind="registration.received")
    assert entry.chain == f"institution/{registration.institution_id}"
    assert entry.facts["source"] == "campaign"
    assert registration.name not in str(entry.facts)


def test_no_person_and_no_account_is_made_of_a_public_form(apply):
    people, users = Person.objects.count(), User.objects.count()
    registration = apply(25)
    assert registration.person is None
    assert (Person.objects.count(), User.objects.count()) == (people, users)


def test_the_same_form_sent_twice_is_one_registration(apply):
    key = uuid.uuid4()
    first, second = apply(1, key=key), apply(1, key=key)
    assert first == second
    assert Registration.objects.count() == 1
    assert Entry.objects.filter(kind="registration.received").count() == 1


def test_a_registration_at_an_event_names_it(apply, event):
    registration = apply(1, event=event)
    assert (registration.source, registration.event) == (Source.EVENT, event)
    assert Entry.objects.get(kind="registration.received").facts["event"] == event.code


def test_what_the_staff_enters_says_so(apply, manager):
    registration = apply(1, actor=manager)
    assert (registration.source, registration.entered_by) == (Source.STAFF, manager)


def test_a_stranger_is_not_told_that_somebody_is_known(apply, learner):
    """王小满 is on the platform, under this number; a stranger with a wrong name hears nothing of it."""
    first = apply(0, name="冒名顶")
    second = apply(0)
    assert first.state == second.state == RegistrationState.SUBMITTED
    assert bytes(first.id_number_index) == bytes(second.id_number_index)


def test_the_person_and_the_staff_hear_that_they_registered_before(apply, learner, manager):
    first = apply(0, actor=learner)
    for actor in (learner, manager):
        with pytest.raises(Refusal) as refused:
            apply(0, actor=actor)
        assert code_of(refused) == "already_registered"
        assert refused.value.found == first.spoken_number
    assert Registration.objects.count() == 1


def test_after_a_withdrawal_one_may_register_again(apply, learner, now):
    first = apply(0, actor=learner)
    actions.withdraw_registration(registration=first, actor=learner, at=now)
    assert apply(0, actor=learner).state == RegistrationState.SUBMITTED


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "王5"}, "name_form"),
        ({"phone": "12345678901"}, "phone_form"),
        ({"occupation": " "}, "occupation_missing"),
        ({"category": "rich"}, "category_unknown"),
        ({"education": "phd"}, "education_unknown"),
        ({"privacy_version": "registration-2001-01"}, "privacy_outdated"),
    ],
)
def test_what_is_wrong_on_the_form_is_said(apply, changes, code):
    with pytest.raises(Refusal) as refused:
        apply(1, **changes)
    assert code_of(refused) == code
    assert refused.value.next_step
    assert Registration.objects.count() == 0


def test_a_closed_campaign_takes_nobody(apply, campaign, manager, now):
    actions.close_campaign(campaign=campaign, actor=manager, at=now)
    with pytest.raises(Refusal) as refused:
        apply(1)
    assert code_of(refused) == "campaign_closed"
    actions.reopen_campaign(campaign=campaign, actor=manager, at=now)
    assert apply(1).pk


def test_a_name_typed_with_spaces_is_the_name(apply):
    assert apply(1, name=" 陈 国 强 ").name == "陈国强"


def test_withdrawing_destroys_the_photo_and_says_so(apply, learner, now):
    registration = apply(0, actor=learner, document=document())
    assert EvidencePicture.objects.count() == EvidencePictureKey.objects.count() == 1
    actions.withdraw_registration(registration=registration, actor=learner, at=now)
    registration.refresh_from_db()
    assert registration.state == RegistrationState.WITHDRAWN
    assert EvidencePicture.objects.count() == EvidencePictureKey.objects.count() == 0
    assert Entry.objects.filter(kind="category_evidence.destroyed").count() == 1


def test_nobody_else_withdraws_a_registration(apply, learner, trainer, manager, now):
    registration = apply(0, actor=learner)
    for actor in (trainer, manager):
        with pytest.raises(Refusal) as refused:
            actions.withdraw_registration(registration=registration, actor=actor, at=now)
        assert code_of(refused) == "not_yourself"
    registration.refresh_from_db()
    assert registration.state == RegistrationState.SUBMITTED


def test_a_note_is_for_the_own_institution(apply, manager, rival, now):
    registration = apply(1)
    with pytest.raises(Http404):
        actions.add_note(registration=registration, text="好", actor=rival, at=now)
    with pytest.raises(Refusal) as refused:
        actions.add_note(registration=registration, text=" ", actor=manager, at=now)
    assert code_of(refused) == "note_missing"
    assert StaffNote.objects.count() == 0
    actions.add_note(registration=registration, text="晚上打电话。", actor=manager, at=now)
    assert StaffNote.objects.get().written_by == manager
    assert "晚上" not in str(Entry.objects.get(kind="registration.noted").facts)


# --- campaigns and events ---


def test_a_campaign_belongs_to_its_manager(campaign, rival, manager, learner, now, school):
    with pytest.raises(Http404):
        actions.close_campaign(campaign=campaign, actor=rival, at=now)
    with pytest.raises(Refusal) as refused:
        actions.create_campaign(details=details(school.course), actor=learner, at=now)
    assert code_of(refused) == "role_required"
    campaign.refresh_from_db()
    assert campaign.state == "open"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"planned_until": datetime.date(2026, 10, 11)}, "campaign_dates_reversed"),
        ({"places": 0}, "campaign_places"),
        ({"planned_from": datetime.date(9999, 12, 31)}, "date_out_of_range"),
        ({"planned_from": datetime.date(1, 1, 1)}, "date_out_of_range"),
        ({"planned_until": datetime.date(9999, 12, 31)}, "date_out_of_range"),
    ],
)
def test_a_campaign_that_makes_no_sense_is_refused(school, manager, now, changes, code):
    with pytest.raises(Refusal) as refused:
        actions.create_campaign(details=details(school.course, **changes), actor=manager, at=now)
    assert code_of(refused) == code


def test_a_campaign_with_registrations_keeps_its_course(apply, campaign, school, manager, now):
    other = type(school.course).objects.exclude(pk=school.course.pk).first()
    apply(1)
    with pytest.raises(Refusal) as refused:
        actions.update_campaign(campaign=campaign, details=details(other), actor=manager, at=now)
    assert code_of(refused) == "campaign_has_registrations"


def test_an_event_code_is_short_and_has_no_letters_that_look_alike(event):
    assert len(event.code) == 6
    assert not set(event.code) & set("01OIL")
