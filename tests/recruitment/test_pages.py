"""The pages: a stranger registers on a phone, the institution answers, the applicant sees where it stands."""

import re
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from audit.models import Entry
from classes.recruitment import actions, throttle
from classes.recruitment.models import Campaign, CategoryEvidence, OfflineEvent, Registration
from classes.recruitment.states import RegistrationState, Source
from config.demo.cast import made_up_id_number
from tests.cast import client_of
from tests.recruitment.conftest import answers, details, document, photo

WIDE = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


def sent(**changes):
    """What a phone sends from the form."""
    values = {
        "key": str(uuid.uuid4()),
        "privacy_version": "registration-2026-01",
        "name": "陈国强",
        "id_number": made_up_id_number(1).value,
        "phone": "137 0000 0001",
        "category": "rural_worker",
        "education": "junior",
        "occupation": "务农",
        "wish": "想开早餐店",
        "agree": "on",
    }
    return {key: value for key, value in (values | changes).items() if value is not None}


def upload(data=None, name="证.jpg"):
    return SimpleUploadedFile(name, photo() if data is None else data, content_type="image/jpeg")


def address(campaign):
    return reverse("recruitment:register", args=[campaign.pk])


def test_a_stranger_registers_answers_and_sees_where_it_stands(campaign, event):
    client = Client()
    page = client.get(reverse("recruitment:institution", args=[campaign.institution_id]))
    assert address(campaign) in page.content.decode()
    poster = client.get(reverse("recruitment:event", args=[event.code.lower()]))
    assert poster["Location"] == f"{address(campaign)}?event={event.code}"
    form = client.get(poster["Location"])
    assert event.title in form.content.decode()
    answer = client.post(address(campaign), sent(event=event.code, document="户口簿", photo=upload()))
    assert answer["Location"] == reverse("recruitment:questionnaire")
    registration = Registration.objects.get()
    assert (registration.source, registration.event) == (Source.EVENT, event)
    assert CategoryEvidence.objects.get().registration == registration
    assert client.post(answer["Location"], answers())["Location"] == reverse("recruitment:done")
    done = client.get(reverse("recruitment:done")).content.decode()
    assert registration.spoken_number in done
    for secret in ("陈国强", made_up_id_number(1).value, "13700000001"):
        assert secret not in done


def test_a_form_sent_twice_is_one_registration(campaign):
    client, body = Client(), sent()
    for _twice in range(2):
        assert client.post(address(campaign), body).status_code == 302
    assert Registration.objects.count() == 1


def test_a_number_in_wide_digits_is_the_number(campaign):
    number = made_up_id_number(1)
    wide = number.value.translate(WIDE)
    assert Client().post(address(campaign), sent(id_number=f"{wide[:6]} {wide[6:]}")).status_code == 302
    assert Registration.objects.get().open_id_number() == number


def test_what_was_typed_stays_when_something_is_wrong(campaign):
    answer = Client().post(address(campaign), sent(id_number="410105199001011234", agree=None))
    text = answer.content.decode()
    assert answer.status_code == 400
    assert "校验位" in text or "出生日期" in text
    assert 'value="陈国强"' in text
    assert 'value="务农"' in text
    assert re.search(r'value="rural_worker"[^>]*checked', text)
    assert Registration.objects.count() == 0


def test_a_file_that_is_no_photo_is_refused_beside_its_field(campaign):
    answer = Client().post(address(campaign), sent(document="户口簿", photo=upload(b"MZ virus", "证.exe")))
    assert answer.status_code == 422
    assert "这张照片打不开" in answer.content.decode()
    assert Registration.objects.count() == 0


def test_a_signed_in_person_is_not_asked_for_name_and_number(campaign, learner):
    client = client_of(learner)
    text = client.get(address(campaign)).content.decode()
    assert 'name="id_number"' not in text
    assert learner.person.id_number_masked in text
    client.post(address(campaign), sent(name=None, id_number=None))
    registration = Registration.objects.get()
    assert registration.name == learner.person.name
    assert registration.entered_by == learner
    assert registration.spoken_number in client.get(reverse("recruitment:mine")).content.decode()


def test_one_address_registers_only_so_often(campaign, monkeypatch):
    monkeypatch.setattr(throttle, "REGISTRATIONS_PER_WINDOW", 2)
    client = Client(REMOTE_ADDR=f"2001:db8::{uuid.uuid4().hex[:4]}")  # nobody else's counter
    codes = [client.post(address(campaign), sent()).status_code for _n in range(3)]
    assert codes == [302, 302, 429]
    assert Registration.objects.count() == 2


def test_a_closed_campaign_says_so(campaign, manager, now):
    actions.close_campaign(campaign=campaign, actor=manager, at=now)
    assert "已经停止报名" in Client().get(address(campaign)).content.decode()
    answer = Client().post(address(campaign), sent())
    assert answer.status_code == 409
    assert Registration.objects.count() == 0


def test_an_unknown_event_code_is_said_and_the_way_goes_on(campaign, event):
    client = Client()
    led = client.get(reverse("recruitment:event", args=["ZZZZZZ"]), follow=True)
    assert "没有这个活动码" in led.content.decode()
    entry = reverse("recruitment:entry")
    assert client.post(entry, {"code": "ZZZZZZ"}).status_code == 400
    typed = f"{event.code[:3]}-{event.code[3:].lower()}"
    assert client.post(entry, {"code": typed})["Location"].endswith(f"?event={event.code}")


def test_number_and_phone_tell_the_state_and_a_wrong_pair_nothing(apply):
    registration = apply(1)
    client, lookup = Client(), reverse("recruitment:lookup")
    wrong = client.post(lookup, {"number": registration.number, "phone": "13700000002"})
    assert wrong.status_code == 400
    unknown = client.post(lookup, {"number": "22222222", "phone": "13700000001"})
    assert "没有找到" in wrong.content.decode()
    assert "没有找到" in unknown.content.decode()
    assert client.get(reverse("recruitment:done")).status_code == 404
    right = client.post(lookup, {"number": registration.spoken_number.lower(), "phone": "137 0000 0001"})
    assert right["Location"] == reverse("recruitment:done")
    assert registration.name not in client.get(right["Location"]).content.decode()


def test_the_questionnaire_keeps_what_was_chosen(apply):
    registration = apply(1)
    client = Client()
    client.post(reverse("recruitment:lookup"), {"number": registration.number, "phone": "13700000001"})
    page = client.post(reverse("recruitment:questionnaire"), {"idea": "vague"})
    assert page.status_code == 400
    assert re.search(r'value="vague"[^>]*checked', page.content.decode())
    registration.refresh_from_db()
    assert registration.state == RegistrationState.SUBMITTED


# --- the institution's desk ---


def test_the_inbox_filters_searches_and_is_one_institutions(screened, apply, manager, rival):
    first, second = screened(1), apply(2, category="graduate")
    inbox = reverse("recruitment:inbox")
    client = client_of(manager)

    def names(query):
        text = client.get(f"{inbox}{query}").content.decode()
        return {each.name for each in (first, second) if each.name in text}

    assert names("") == {first.name, second.name}
    assert names("?state=submitted") == {second.name}
    assert names("?category=rural_worker") == {first.name}
    assert names(f"?search={second.name[0]}") == {second.name}
    assert names(f"?search={first.spoken_number.lower()}") == {first.name}
    assert names("?course=x&campaign=y&state=nothing") == {first.name, second.name}
    theirs = client_of(rival).get(inbox).content.decode()
    assert first.name not in theirs


def test_a_source_says_which_campaign_or_event_it_was(screened, apply, event, manager):
    by_page, by_event = apply(1), apply(2, event=event)
    client = client_of(manager)
    inbox = client.get(reverse("recruitment:inbox")).content.decode()
    campaign = f"{by_page.course.name}，计划 2026年10月12日 开班"
    assert by_page.campaign.title == campaign
    for name in (campaign, "社区宣讲会"):
        assert name in inbox
    for registration, source in ((by_page, f"推介页面（{campaign}）"), (by_event, "线下活动（社区宣讲会）")):
        page = client.get(reverse("recruitment:registration", args=[registration.pk])).content.decode()
        assert source in page
    listed = client.get("/api/v1/registrations/").json()["results"]
    assert {row["source"]: row["source_name"] for row in listed} == {
        "campaign": campaign,
        "event": "社区宣讲会",
    }


def test_a_name_in_the_inbox_keeps_its_line_beside_what_is_noted_about_it(
    screened, manager, rival, school, now
):
    """On a phone a cell lays its children out side by side, so what belongs together is one child."""
    screened(1)
    theirs = actions.create_campaign(details=details(school.course), actor=rival, at=now)
    screened(1, campaign=theirs)
    body = client_of(manager).get(reverse("recruitment:inbox")).content.decode()
    assert "在其他机构已报名同类培训" in body
    [cell] = re.findall(r"<tr><td>(.*?)</td>", body, re.DOTALL)
    inner = re.sub(r"<(input|br)[^>]*>|<svg.*?</svg>", "", cell, flags=re.DOTALL)
    depth = [
        inner[: found.end()].count("<span") - inner[: found.end()].count("</span")
        for found in re.finditer("</span>", inner)
    ]
    assert depth.count(0) == 1


def test_the_inbox_asks_as_often_for_one_as_for_three(screened, manager, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client, inbox = client_of(manager), reverse("recruitment:inbox")
    screened(1)
    client.get(inbox)
    with CaptureQueriesContext(connection) as one:
        client.get(inbox)
    screened(2)
    screened(3)
    with django_assert_num_queries(len(one)):
        client.get(inbox)


def test_several_are_assigned_at_once_and_the_page_says_what_became_of_them(screened, apply, draft, manager):
    first, second, unscreened = screened(1), screened(2), apply(3)
    client = client_of(manager)
    page = client.post(
        reverse("recruitment:bulk"),
        {"picked": [first.pk, second.pk, unscreened.pk], "training_class": draft.pk},
        follow=True,
    )
    text = page.content.decode()
    assert "已分班 2 人" in text
    assert f"{unscreened.name}没有分班" in text
    assert draft.enrolments.count() == 2
    assert "请先勾选学员" in client.post(reverse("recruitment:bulk"), {}, follow=True).content.decode()


def test_the_rival_cannot_slip_another_schools_registration_into_the_list(screened, rival):
    registration = screened(1)
    page = client_of(rival).post(reverse("recruitment:bulk"), {"picked": [registration.pk]}, follow=True)
    assert registration.name not in page.content.decode()
    registration.refresh_from_db()
    assert registration.state == RegistrationState.SCREENED


def test_the_desk_screens_rejudges_notes_assigns_and_releases(apply, draft, school, manager):
    registration = apply(1)
    client = client_of(manager)

    def post(name, **body):
        return client.post(reverse(f"recruitment:{name}", args=[registration.pk]), body)

    assert post("screening", **answers()).status_code == 302
    assert post("rejudge", stage="start_up", course=school.course.pk, reason=" ").status_code == 400
    assert post("rejudge", stage="start_up", course=school.course.pk, reason="有店面").status_code == 302
    assert post("note", text="晚上打电话").status_code == 302
    assert post("decide", verb="assign").status_code == 400
    assert post("decide", verb="assign", training_class=draft.pk).status_code == 302
    page = client.get(reverse("recruitment:registration", args=[registration.pk])).content.decode()
    for said in ("已分班", "改判", "有店面", "晚上打电话", "出示激活码", draft.name):
        assert said in page
    code = post("activation")
    assert registration.name in code.content.decode()
    assert "no-store" in code["Cache-Control"]
    assert post("decide", verb="release").status_code == 302
    refused = post("decide", verb="release")
    assert refused.status_code == 409
    assert post("decide", verb="reject", reason="").status_code == 400
    assert post("decide", verb="reject", reason="下期再来").status_code == 302
    assert post("decide", verb="reopen").status_code == 302
    registration.refresh_from_db()
    assert registration.state == RegistrationState.SUBMITTED


def test_the_page_says_that_somebody_is_known_elsewhere_and_not_where(apply, manager, rival, school, now):
    theirs = actions.create_campaign(details=details(school.course), actor=rival, at=now)
    mine = apply(1)
    apply(1, campaign=theirs)
    page = client_of(manager).get(reverse("recruitment:registration", args=[mine.pk])).content.decode()
    assert "此人在其他机构已报名同类培训（不显示机构）" in page
    assert school.cast.rival_school.name not in page


def test_the_waiting_list_fills_a_class_in_order(screened, draft, manager, now):
    registration = screened(1)
    actions.put_on_waiting_list(registration=registration, actor=manager, at=now)
    client = client_of(manager)
    assert registration.name in client.get(reverse("recruitment:waiting")).content.decode()
    page = client.post(reverse("recruitment:promote", args=[draft.pk]), follow=True)
    assert "已分班 1 人" in page.content.decode()
    again = client.post(reverse("recruitment:promote", args=[draft.pk]), follow=True)
    assert "候补名单上没有人" in again.content.decode()


def test_a_campaign_is_published_closed_and_has_a_poster(school, manager):
    client = client_of(manager)
    body = {
        "course": school.course.pk,
        "planned_from": "2026-10-12",
        "planned_until": "2026-10-10",
        "places": 60,
    }
    create = reverse("recruitment:campaign_create")
    assert client.post(create, body).status_code == 400
    assert client.post(create, body | {"planned_until": "2026-10-19"}).status_code == 302
    campaign = Campaign.objects.get()
    event = {"title": "宣讲", "held_on": "2026-09-10", "venue": "社区", "recruiter": "周文博"}
    client.post(reverse("recruitment:event_create", args=[campaign.pk]), event)
    found = OfflineEvent.objects.get()
    poster = client.get(reverse("recruitment:event_poster", args=[found.pk])).content.decode()
    assert found.code in poster
    assert "data:image/svg+xml" in poster
    client.post(reverse("recruitment:campaign_move", args=[campaign.pk]), {"verb": "close"})
    campaign.refresh_from_db()
    assert campaign.state == "closed"
    assert (
        campaign.course.name
        not in Client()
        .get(reverse("recruitment:institution", args=[campaign.institution_id]))
        .content.decode()
    )


def test_the_staff_fills_in_the_form_for_somebody(campaign, manager):
    client = client_of(manager)
    answer = client.post(reverse("recruitment:enter", args=[campaign.pk]), sent())
    registration = Registration.objects.get()
    assert answer["Location"] == reverse("recruitment:registration", args=[registration.pk])
    assert (registration.source, registration.entered_by) == (Source.STAFF, manager)


def test_a_document_is_looked_at_and_checked(apply, manager, rival):
    evidence = apply(1, document=document()).evidence.get()
    client = client_of(manager)
    picture = client.get(reverse("recruitment:evidence_picture", args=[evidence.pk]))
    assert picture["Content-Type"] == "image/jpeg"
    assert "no-store" in picture["Cache-Control"]
    assert Entry.objects.filter(kind="category_evidence.seen", actor_id=manager.pk).count() == 1
    check = reverse("recruitment:evidence_check", args=[evidence.pk])
    assert client.post(check, {"accepted": "no", "reason": ""}).status_code == 400
    assert client_of(rival).post(check, {"accepted": "yes"}).status_code == 404
    assert client.post(check, {"accepted": "yes"}).status_code == 302
    evidence.refresh_from_db()
    assert evidence.state == "accepted"


def test_the_office_sees_evidence_and_signals_once_the_class_is_filed(school, manager, officer, draft):
    office, desk = client_of(officer), client_of(manager)
    before = reverse("recruitment:class_evidence", args=[draft.pk])
    assert office.get(before).status_code == 404
    filed = school.filed(name="备案的班").training_class
    evidence = reverse("recruitment:class_evidence", args=[filed.pk])
    signals = reverse("recruitment:signals", args=[filed.pk])
    assert "还没有类别证明" in office.get(evidence).content.decode()
    assert office.get(signals).status_code == 200
    assert desk.get(signals).status_code == 404
    filing = reverse("classes:filing", args=[filed.pk])
    assert signals in office.get(filing).content.decode()
    assert signals not in desk.get(filing).content.decode()


def test_the_applicant_hands_in_a_document_and_takes_the_registration_back(apply, learner):
    registration = apply(0, actor=learner)
    client = client_of(learner)
    late = reverse("recruitment:own_document", args=[registration.pk])
    body = {"category": "rural_worker", "document": "户口簿", "photo": upload()}
    assert client.post(late, body)["Location"] == reverse("recruitment:mine")
    assert "户口簿" in client.get(reverse("recruitment:mine")).content.decode()
    away = reverse("recruitment:withdraw", args=[registration.pk])
    assert "马上销毁" in client.get(away).content.decode()
    client.post(away)
    registration.refresh_from_db()
    assert registration.state == RegistrationState.WITHDRAWN


@pytest.mark.parametrize("name", ["withdraw", "own_document"])
def test_somebody_elses_registration_does_not_exist(apply, learner, name):
    registration = apply(1)
    assert client_of(learner).get(reverse(f"recruitment:{name}", args=[registration.pk])).status_code == 404


def test_the_start_page_says_what_waits(apply, screened, manager, learner):
    apply(1)
    screened(2)
    apply(0, actor=learner)
    text = client_of(manager).get(reverse("start")).content.decode()
    assert "2 份报名等着筛选" in text
    assert "1 名学员等着分班" in text
    assert "筛选问卷" in client_of(learner).get(reverse("start")).content.decode()


def test_no_personal_data_stands_in_an_address_or_in_the_log(campaign, caplog):
    client = Client()
    answer = client.post(address(campaign), sent(document="户口簿", photo=upload()), follow=True)
    addresses = [where for where, _status in answer.redirect_chain]
    for secret in ("陈国强", made_up_id_number(1).value, "13700000001"):
        assert secret not in "".join(addresses)
        assert secret not in caplog.text
