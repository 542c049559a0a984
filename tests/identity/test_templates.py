"""Templates: encrypted under a key of their own, bound to their person, destroyed for good and on time."""

import datetime
import hashlib

import pytest
from cryptography.exceptions import InvalidTag
from django.db import IntegrityError, transaction

from audit.models import Entry
from identity import actions, queries, sealing
from identity.faces import get_engine, judging
from identity.models import FaceTemplate, TemplateKey
from identity.states import Destroyed, Purpose
from policy.refusals import Refusal
from tests.identity.pictures import burst, portrait

pytestmark = pytest.mark.django_db

DAY = datetime.timedelta(days=1)


def test_enrolment_keeps_vectors_and_no_picture(enrolled, person, now):
    key = TemplateKey.objects.get(template=enrolled)
    opened = sealing.open_template(
        bytes(enrolled.ciphertext), bytes(key.sealed), person_id=person.pk, engine_id=enrolled.engine_id
    )
    assert len(judging.unpack(opened)) == enrolled.frames == 3
    assert len(bytes(enrolled.ciphertext)) == 12 + 3 * 512 + 16
    assert enrolled.expires_at == now + 180 * DAY
    assert opened not in bytes(enrolled.ciphertext)
    facts = Entry.objects.get(kind="face.enrolled").facts
    assert facts["template"] == enrolled.commitment == hashlib.sha256(bytes(enrolled.ciphertext)).hexdigest()
    assert facts["engine"] == get_engine().engine_id


def test_without_its_key_a_copy_of_a_template_is_noise(enrolled, person, learner, now):
    copy = bytes(enrolled.ciphertext)  # as a backup would hold it
    key = bytes(enrolled.key.sealed)
    actions.withdraw_consent(person=person, actor=learner, at=now)
    assert not TemplateKey.objects.exists()

    # Neither another template's key nor the platform's own opens the copy.
    _ciphertext, other = sealing.seal_template(bytes(512), person_id=person.pk, engine_id=enrolled.engine_id)
    with pytest.raises(InvalidTag):
        sealing.open_template(copy, other, person_id=person.pk, engine_id=enrolled.engine_id)
    assert sealing.open_template(
        copy, key, person_id=person.pk, engine_id=enrolled.engine_id
    )  # with it, it did


@pytest.mark.parametrize(("person_off", "engine"), [(1, None), (0, "another.engine")])
def test_a_template_opens_for_its_person_and_engine_alone(enrolled, person, person_off, engine):
    with pytest.raises(InvalidTag):
        sealing.open_template(
            bytes(enrolled.ciphertext),
            bytes(enrolled.key.sealed),
            person_id=person.pk + person_off,
            engine_id=engine or enrolled.engine_id,
        )


def test_frames_open_as_those_of_their_check_alone():
    frames = [b"one", b"", b"three" * 1000]
    sealed = sealing.seal_frames(frames, check_id=7)
    assert sealing.open_frames(sealed, check_id=7) == frames
    with pytest.raises(InvalidTag):
        sealing.open_frames(sealed, check_id=8)


def test_enrolling_again_replaces_the_template(enrolled, person, learner, now):
    later = actions.enrol_face(person=person, frames=burst("person_b_2"), actor=learner, at=now + DAY)
    enrolled.refresh_from_db()
    assert enrolled.destroyed_because == Destroyed.REPLACED
    assert queries.live_template(person, later.engine_id) == later
    assert TemplateKey.objects.count() == 1
    assert Entry.objects.filter(kind="face.enrolled").latest("pk").facts["likeness_permille"] > 450


def test_another_face_does_not_replace_the_template(enrolled, person, learner, now):
    with pytest.raises(Refusal) as caught:
        actions.enrol_face(person=person, frames=burst("impostor_1"), actor=learner, at=now + DAY)
    assert caught.value.code == "face_unlike_enrolled"
    assert int(str(caught.value.found)) < int(str(caught.value.required))
    assert queries.live_template(person, enrolled.engine_id) == enrolled
    assert Entry.objects.filter(kind__startswith="face.").count() == 1


def test_pictures_that_cannot_be_used_leave_nothing_behind(consented, learner, now):
    for frames in ([], [b"no picture"], [portrait("person_b_1"), portrait("impostor_1")]):
        with pytest.raises(Refusal):
            actions.enrol_face(person=consented, frames=frames, actor=learner, at=now)
    assert not FaceTemplate.objects.exists()


def test_nobody_enrols_somebody_else(consented, assistant, now):
    with pytest.raises(Refusal) as caught:
        actions.enrol_face(person=consented, frames=burst("person_b_1"), actor=assistant, at=now)
    assert caught.value.code == "not_yourself"
    assert not FaceTemplate.objects.exists()


def test_each_engine_has_a_template_of_its_own(enrolled, person, learner, now, settings):
    settings.FACE_ENGINE = "dlib"
    with pytest.raises(Refusal) as caught:  # never compared across engines
        actions.request_check(
            person=person,
            purpose=Purpose.SIGN_IN,
            subject="desk/1",
            frames=burst("person_b_2", 1),
            actor=learner,
            at=now,
        )
    assert caught.value.code == "face_not_enrolled"
    other = actions.enrol_face(person=person, frames=burst("person_b_1"), actor=learner, at=now)
    assert other.engine_id != enrolled.engine_id
    assert FaceTemplate.objects.filter(destroyed_at__isnull=True).count() == 2
    assert actions.check_face(
        person=person,
        purpose=Purpose.SIGN_IN,
        subject="desk/1",
        frames=burst("person_b_2", 2),
        actor=learner,
        at=now,
    ).passed


def test_templates_are_destroyed_when_their_time_is_over(enrolled, person, now):
    assert actions.destroy_expired_templates(at=enrolled.expires_at - datetime.timedelta(seconds=1)) == 0
    assert actions.destroy_expired_templates(at=enrolled.expires_at) == 1
    assert actions.destroy_expired_templates(at=enrolled.expires_at) == 0
    enrolled.refresh_from_db()
    assert enrolled.destroyed_because == Destroyed.EXPIRED
    assert not TemplateKey.objects.exists()
    entry = Entry.objects.get(kind="face.destroyed")
    assert (entry.actor_id, entry.facts["because"]) == (None, "expired")


def test_an_expired_template_is_not_used_even_before_it_is_destroyed(enrolled, person, learner):
    later = {"person": person, "actor": learner, "at": enrolled.expires_at}
    with pytest.raises(Refusal) as caught:
        actions.request_check(
            **later, purpose=Purpose.SIGN_IN, subject="desk/1", frames=burst("person_b_2", 1)
        )
    assert caught.value.code == "face_not_enrolled"
    # Nor does it bind the next enrolment, whoever it shows.
    assert actions.enrol_face(**later, frames=burst("person_a_2", 1))
    enrolled.refresh_from_db()
    assert enrolled.destroyed_because == Destroyed.REPLACED


def test_the_count_towards_the_filing_duty_is_of_people(enrolled, person, learner, now, settings):
    assert queries.stored_face_people() == 1
    settings.FACE_ENGINE = "dlib"
    actions.enrol_face(person=person, frames=burst("person_b_1", 1), actor=learner, at=now)
    assert queries.stored_face_people() == 1
    actions.withdraw_consent(person=person, actor=learner, at=now)
    assert queries.stored_face_people() == 0


def test_the_database_refuses_a_second_live_template(enrolled):
    with pytest.raises(IntegrityError, match="face_template_one_live"), transaction.atomic():
        FaceTemplate.objects.create(
            person=enrolled.person,
            consent=enrolled.consent,
            engine_id=enrolled.engine_id,
            ciphertext=b"x",
            frames=1,
            created_at=enrolled.created_at,
            expires_at=enrolled.expires_at,
        )


def test_the_database_refuses_a_destroyed_template_with_content(enrolled, now):
    with pytest.raises(IntegrityError, match="destroyed_is_empty"), transaction.atomic():
        FaceTemplate.objects.filter(pk=enrolled.pk).update(destroyed_at=now, destroyed_because="expired")
