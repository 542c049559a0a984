"""Category evidence: stripped, sealed under a key of its own, checked, and judged at filing (S1-S6, I5)."""

import datetime
import io
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from django.http import Http404
from PIL import Image

from accounts import pictures
from accounts.editions import edition
from audit.models import Entry
from classes.actions import submit_filing
from classes.checks import check_draft
from classes.recruitment import actions
from classes.recruitment.findings import findings_on
from classes.recruitment.models import (
    CategoryEvidence,
    EvidencePicture,
    EvidencePictureKey,
    Registration,
)
from classes.recruitment.signals import signals_of
from classes.recruitment.states import EvidenceState
from classes.timetables import drafts_of
from config.demo.cast import made_up_id_number
from policy.findings import Outcome
from policy.refusals import Refusal
from policy.terms import TraineeCategory
from tests.recruitment.conftest import details, document, photo


def by_code(training_class):
    return {finding.code: finding for finding in findings_on(training_class, datetime.date(2026, 9, 7))}


# --- pictures ---


def test_what_is_kept_is_a_bare_upright_jpeg_of_the_pixels():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010F] = "made by a phone"
    exif.get_ifd(0x8825)[1] = "N"  # a place
    kept = Image.open(io.BytesIO(pictures.clean(photo((640, 480), exif=exif, comment=b"here"))))
    assert (kept.format, kept.size) == ("JPEG", (480, 640))
    assert not dict(kept.getexif())
    assert "comment" not in kept.info


def test_a_large_photo_becomes_smaller_and_a_png_becomes_a_jpeg():
    kept = Image.open(io.BytesIO(pictures.clean(photo((4000, 1000), kind="PNG"))))
    assert (kept.format, kept.size) == ("JPEG", (2000, 500))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "picture_unreadable"),
        (b"%PDF-1.7", "picture_unreadable"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "picture_unreadable"),
        (photo()[:600], "picture_unreadable"),
        (photo((150, 400)), "picture_too_small"),
        (photo((100, 100), kind="GIF"), "picture_unreadable"),
        (b"\xff\xd8" + b"0" * pictures.MAX_BYTES, "picture_too_big"),
        (photo((6000, 5000), kind="PNG"), "picture_too_big"),
    ],
)
def test_what_is_no_usable_photo_is_refused(data, code):
    with pytest.raises(Refusal) as refused:
        pictures.clean(data)
    assert (refused.value.code, refused.value.status) == (code, 422)


def test_a_photo_opens_only_as_the_record_it_belongs_to():
    ciphertext, key = pictures.seal(b"pixels", context=b"1")
    assert b"pixels" not in ciphertext
    assert pictures.open_sealed(ciphertext, key, context=b"1") == b"pixels"
    with pytest.raises(InvalidTag):
        pictures.open_sealed(ciphertext, key, context=b"2")


# --- documents ---


def test_a_photo_comes_in_with_the_form_and_lies_sealed(apply):
    registration = apply(1, document=document())
    evidence = registration.evidence.get()
    assert (evidence.category, evidence.state) == ("rural_worker", EvidenceState.WAITING)
    stored = bytes(evidence.picture.ciphertext)
    assert b"JFIF" not in stored
    assert evidence.picture.sha256 == Entry.objects.get(kind="category_evidence.handed_in").facts["picture"]


def test_a_form_with_a_broken_photo_is_not_taken_in_half(apply):
    with pytest.raises(Refusal) as refused:
        apply(1, document=document(picture=b"no picture"))
    assert refused.value.code == "picture_unreadable"
    assert (Registration.objects.count(), CategoryEvidence.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": " "}, "document_missing"),
        ({"valid_until": datetime.date(2025, 12, 31)}, "document_dates_reversed"),
        ({"category": "rich"}, "category_unknown"),
    ],
)
def test_a_document_that_makes_no_sense_is_refused(apply, changes, code):
    with pytest.raises(Refusal) as refused:
        apply(1, document=document(**changes))
    assert refused.value.code == code
    assert Registration.objects.count() == 0


def test_the_manager_checks_and_a_refusal_has_a_reason(apply, manager, rival, now):
    evidence = apply(1, document=document()).evidence.get()
    with pytest.raises(Http404):
        actions.check_evidence(evidence=evidence, accepted=True, reason="", actor=rival, at=now)
    with pytest.raises(Refusal) as refused:
        actions.check_evidence(evidence=evidence, accepted=False, reason=" ", actor=manager, at=now)
    assert refused.value.code == "reason_missing"
    evidence.refresh_from_db()
    assert evidence.state == EvidenceState.WAITING
    for _twice in range(2):
        actions.check_evidence(evidence=evidence, accepted=True, reason="", actor=manager, at=now)
    evidence.refresh_from_db()
    assert (evidence.state, evidence.checked_by) == (EvidenceState.ACCEPTED, manager)
    assert Entry.objects.filter(kind="category_evidence.checked").count() == 1


def test_every_look_at_a_photo_is_on_record(apply, manager, rival, officer, now):
    evidence = apply(1, document=document()).evidence.get()
    data = actions.open_picture(evidence=evidence, actor=manager, at=now)
    assert Image.open(io.BytesIO(data)).format == "JPEG"
    for stranger in (rival, officer):  # no class of this trainee was filed yet
        with pytest.raises(Http404):
            actions.open_picture(evidence=evidence, actor=stranger, at=now)
    seen = Entry.objects.filter(kind="category_evidence.seen")
    assert [entry.actor_id for entry in seen] == [manager.pk]


def test_without_its_key_a_photo_is_gone(apply, manager, now):
    evidence = apply(1, document=document()).evidence.get()
    EvidencePictureKey.objects.all().delete()
    with pytest.raises(Refusal) as refused:
        actions.open_picture(evidence=evidence, actor=manager, at=now)
    assert (refused.value.code, refused.value.status) == ("picture_missing", 404)
    assert EvidencePicture.objects.exists()


def test_a_document_is_handed_in_by_oneself_or_by_the_institution(apply, learner, rival, manager, now):
    registration = apply(0, actor=learner)
    sent = {
        "institution": registration.institution,
        "index": bytes(registration.id_number_index),
        "document": document(picture=None),
        "registration": registration,
        "at": now,
    }
    with pytest.raises(Http404):
        actions.hand_in(**sent, actor=rival)
    for actor in (learner, manager):
        assert actions.hand_in(**sent, actor=actor).handed_in_by == actor


# --- at filing ---


@pytest.fixture
def assigned(screened, draft, manager, now):
    """Somebody on the roster of the draft, with a document."""

    def put(n, **changes):
        registration = screened(n, **changes)
        actions.assign(registration=registration, training_class=draft, actor=manager, at=now)
        registration.refresh_from_db()
        return registration

    return put


def test_evidence_is_valid_on_the_day_the_class_starts(assigned, draft, manager, now):
    """The demo edition wants it by the claim: at filing a gap is noted and does not block."""
    starts = draft.starts_on
    cases = [
        (1, document(valid_until=starts), True),
        (2, document(valid_until=starts - datetime.timedelta(days=1)), False),
        (3, document(valid_from=starts), True),
        (4, document(valid_from=starts + datetime.timedelta(days=1)), False),
        (5, document(valid_from=None, valid_until=None), True),
        (6, document(category="graduate"), False),  # another category than on the roster
        (7, None, False),
    ]
    for n, held, _valid in cases:
        registration = assigned(n, document=held)
        for evidence in registration.evidence.all():
            actions.check_evidence(evidence=evidence, accepted=True, reason="", actor=manager, at=now)
    finding = by_code(draft)["category_evidence"]
    assert (finding.actual, finding.required) == (sum(valid for _n, _held, valid in cases), len(cases))
    assert finding.outcome is Outcome.NOTED
    assert finding.passed
    assert edition(draft.edition).reading("category_evidence_due").code == "claim"


def test_a_document_that_nobody_checked_or_that_was_refused_does_not_count(assigned, draft, manager, now):
    assigned(1, document=document())
    refused = assigned(2, document=document())
    actions.check_evidence(
        evidence=refused.evidence.get(), accepted=False, reason="看不清", actor=manager, at=now
    )
    assert by_code(draft)["category_evidence"].actual == 0


def test_the_findings_stand_in_the_check_of_the_class(assigned, draft, manager, school):
    assigned(1)
    check = check_draft(draft, drafts_of(draft.lessons.all()), filed_on=datetime.date(2026, 9, 7))
    found = {finding.code: finding for finding in check.findings}
    assert found["registration_forms"].outcome is Outcome.PASSED
    assert found["category_evidence"].outcome is Outcome.NOTED
    assert {"paid_once", "registered_elsewhere"} <= found.keys()


def test_promotion_and_screening_on_record_come_before_the_filing(assigned, draft):
    """F1: who came through a campaign and was screened leaves nothing to ask."""
    assigned(1)
    finding = by_code(draft)["stage_order"]
    assert (finding.row, finding.outcome) == ("F1", Outcome.PASSED)
    assert finding.actual == ["promotion", "screening", "filing"]


def test_a_roster_that_nobody_screened_here_is_shown_to_the_office_and_stops_nothing(school, manager):
    training_class = school.ready()
    finding = by_code(training_class)["stage_order"]
    assert (finding.outcome, finding.passed, finding.blocks) == (Outcome.NOTED, True, False)
    assert finding.render()["message"] == "“开班备案”开始以前，要先有“项目推介”。"
    assert finding.actual == ["filing"]


def test_an_empty_roster_has_no_findings_of_recruitment(draft):
    assert by_code(draft) == {}


def test_somebody_at_another_institution_is_noted_without_saying_where(
    assigned, screened, draft, rival, school, now
):
    assigned(1)
    assert by_code(draft)["registered_elsewhere"].outcome is Outcome.PASSED
    theirs = actions.create_campaign(details=details(school.course), actor=rival, at=now)
    screened(1, campaign=theirs)
    finding = by_code(draft)["registered_elsewhere"]
    assert (finding.actual, finding.outcome, finding.passed) == (1, Outcome.NOTED, True)
    assert school.cast.rival_school.name not in str(finding.render())


def test_a_second_class_of_the_same_type_is_noted_as_paid_once(assigned, draft, school):
    registration = assigned(1)
    filed = school.filed(name="另一个班")
    person = registration.person
    enrolment = filed.training_class.enrolments.first()
    enrolment.person = person
    enrolment.save()
    finding = by_code(draft)["paid_once"]
    assert (finding.actual, finding.outcome, finding.row) == (1, Outcome.NOTED, "S6")


# --- signals for the office ---


def test_one_phone_of_several_people_and_a_shared_recruiter_are_signals(
    assigned, apply, event, draft, rival, school, now
):
    assigned(1, event=event, phone="13712345678")
    assigned(2, event=event, phone="13712345678")
    theirs = actions.create_campaign(details=details(school.course), actor=rival, at=now)
    other = actions.create_event(
        campaign=theirs,
        title="宣讲",
        held_on=event.held_on,
        venue="别处",
        recruiter=event.recruiter,
        actor=rival,
        at=now,
    )
    apply(3, campaign=theirs, event=other, phone="13712345678")
    signals = signals_of(draft, trainees=3)
    [shared] = signals.phones
    assert (len(shared.names), shared.others, shared.elsewhere) == (2, 1, 1)
    [word] = signals.words
    assert (word.word, word.institutions) == (event.recruiter, 1)
    assert signals.finding.outcome is Outcome.NOTED
    assert signals.sources == (("event", "社区宣讲会", 2),)
    assert signals.imported == 1
    assert school.cast.rival_school.name not in str(signals)


def test_one_person_with_two_registrations_is_no_signal(assigned, apply, draft):
    assigned(1)
    apply(1)
    assert signals_of(draft, trainees=1).phones == ()


def test_photos_of_who_was_turned_down_go_after_half_a_year(apply, manager, now):
    turned_down, open_one = apply(1, document=document()), apply(2, document=document())
    actions.reject(registration=turned_down, reason="下期再来", actor=manager, at=now)
    half_a_year = datetime.timedelta(days=180)
    assert actions.destroy_stale_pictures(at=now + half_a_year - datetime.timedelta(seconds=1)) == 0
    assert actions.destroy_stale_pictures(at=now + half_a_year) == 1
    assert actions.destroy_stale_pictures(at=now + half_a_year) == 0
    assert [row.evidence.registration for row in EvidencePicture.objects.all()] == [open_one]
    assert EvidencePictureKey.objects.count() == 1


def test_a_class_with_a_child_of_a_poor_family_is_not_filed_and_the_child_is_not_named(school):
    draft = school.ready()
    child = draft.enrolments.select_related("person").first()
    child.category = TraineeCategory.POOR_FAMILY
    child.save(update_fields=["category"])
    child.person.seal_id_number(made_up_id_number(3, born=datetime.date(2019, 6, 1)))
    child.person.save()
    finding = by_code(draft)["working_age"]
    assert (finding.row, finding.blocks, finding.actual) == ("S1", True, 1)
    assert child.person.name not in str(finding.render())
    with pytest.raises(Refusal) as refused:
        submit_filing(training_class=draft, actor=school.cast.manager, at=school.at)
    findings: Any = refused.value.details["findings"]
    assert [one.code for one in findings if one.blocks] == ["working_age"]
    child.category = TraineeCategory.SCHOOL_LEAVER
    child.save(update_fields=["category"])
    assert by_code(draft)["working_age"].outcome is Outcome.NOTED
