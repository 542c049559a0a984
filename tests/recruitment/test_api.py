"""Recruitment over HTTP."""

import uuid

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from classes.recruitment import actions, throttle
from classes.recruitment.models import CategoryEvidence, Registration
from config.demo.cast import made_up_id_number
from tests.cast import client_of
from tests.recruitment.conftest import details, photo

JSON = "application/json"
WIDE = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


def body_of(chosen, **changes):
    return {
        "key": str(uuid.uuid4()),
        "campaign": chosen.pk,
        "name": "陈国强",
        "id_number": made_up_id_number(1).value,
        "phone": "13700000001",
        "category": "rural_worker",
        "education": "junior",
        "occupation": "务农",
        "privacy_version": "registration-2026-01",
        **changes,
    }


def test_open_campaigns_are_for_everybody(campaign, manager, now):
    page = Client().get("/api/v1/campaigns/").json()
    assert [each["id"] for each in page["results"]] == [campaign.pk]
    actions.close_campaign(campaign=campaign, actor=manager, at=now)
    assert Client().get("/api/v1/campaigns/").json()["count"] == 0


def test_a_stranger_registers_and_hears_no_personal_data(campaign, event):
    body = body_of(campaign, event=event.code.lower())
    for _twice in range(2):
        answer = Client().post("/api/v1/registrations/", body, content_type=JSON)
        assert answer.status_code == 201
    registration = Registration.objects.get()
    assert registration.event == event
    assert answer.json() == {
        "number": registration.number,
        "state": "submitted",
        "institution": registration.institution.name,
        "course": registration.course.name,
        "stage": 2,
        "next": answer.json()["next"],
    }


def test_a_number_in_wide_digits_is_the_number(campaign):
    number = made_up_id_number(1)
    wide = number.value.translate(WIDE)
    body = body_of(campaign, id_number=f"{wide[:6]}\u200b{wide[6:]} ")
    assert Client().post("/api/v1/registrations/", body, content_type=JSON).status_code == 201
    assert Registration.objects.get().open_id_number() == number


def test_a_photo_comes_as_multipart(campaign):
    body = body_of(campaign, document="户口簿", photo=SimpleUploadedFile("a.jpg", photo()))
    assert Client().post("/api/v1/registrations/", body).status_code == 201
    assert CategoryEvidence.objects.get().picture.ciphertext


def test_what_is_wrong_has_a_code(campaign, manager, now, monkeypatch):
    def code(**changes):
        answer = Client().post("/api/v1/registrations/", body_of(campaign, **changes), content_type=JSON)
        return answer.status_code, answer.json()["code"]

    assert code(id_number="410105199001011234")[0] == 400
    assert code(phone="123") == (400, "phone_form")
    assert code(event="ZZZZZZ") == (400, "event_unknown")
    assert code(category="rich") == (400, "invalid")
    assert code(privacy_version="old") == (409, "privacy_outdated")
    assert code(campaign=10**9) == (404, "not_found")
    actions.close_campaign(campaign=campaign, actor=manager, at=now)
    assert code() == (409, "campaign_closed")
    monkeypatch.setattr(throttle, "REGISTRATIONS_PER_WINDOW", 0)
    assert code() == (429, "too_many_tries")
    assert Registration.objects.count() == 0


def test_the_institution_lists_reads_and_decides_its_own(screened, draft, manager, rival, learner):
    registration = screened(1)
    mine, theirs = client_of(manager), client_of(rival)
    [row] = mine.get("/api/v1/registrations/?state=screened").json()["results"]
    assert row["id"] == registration.pk
    assert row["stage"] == "awareness"
    assert row["id_number"] == registration.id_number_masked
    assert theirs.get("/api/v1/registrations/").json()["count"] == 0
    assert client_of(learner).get("/api/v1/registrations/").status_code == 403
    assert Client().get("/api/v1/registrations/").status_code in (401, 403)
    one = f"/api/v1/registrations/{registration.pk}/"
    assert theirs.get(one).status_code == 404
    found = mine.get(one).json()
    assert found["screening"]["judged"] == "awareness"
    assert (found["documents"], found["elsewhere"]) == ([], False)
    sent = {"verb": "assign", "class_id": draft.pk}
    assert theirs.post(f"{one}decision/", sent, content_type=JSON).status_code == 404
    assert mine.post(f"{one}decision/", {"verb": "assign"}, content_type=JSON).status_code == 404
    decided = mine.post(f"{one}decision/", sent, content_type=JSON).json()
    assert (decided["state"], decided["class_id"]) == ("assigned", draft.pk)
    refused = mine.post(f"{one}decision/", {"verb": "wait"}, content_type=JSON)
    assert (refused.status_code, refused.json()["code"]) == (409, "move_refused")
    for verb in ("release", "reject", "reopen"):
        answer = mine.post(f"{one}decision/", {"verb": verb, "reason": "下期"}, content_type=JSON)
        assert answer.status_code == 200
    assert answer.json()["state"] == "submitted"


def test_the_applicant_sees_only_where_their_own_stand(apply, learner, trainer):
    registration = apply(0, actor=learner)
    apply(1)
    page = client_of(learner).get("/api/v1/me/registrations/").json()
    assert [each["number"] for each in page["results"]] == [registration.number]
    assert client_of(trainer).get("/api/v1/me/registrations/").json()["count"] == 0


def test_elsewhere_names_no_institution(apply, manager, rival, school, now):
    theirs = actions.create_campaign(details=details(school.course), actor=rival, at=now)
    mine = apply(1)
    apply(1, campaign=theirs)
    found = client_of(manager).get(f"/api/v1/registrations/{mine.pk}/")
    assert found.json()["elsewhere"] is True
    assert school.cast.rival_school.name not in found.content.decode()
