"""The API of DESIGN §6 for classes, rosters, timetables and filings."""

import io
from dataclasses import replace
from typing import Any

import pytest
from django.urls import reverse
from openpyxl import load_workbook
from rest_framework.test import APIClient

from audit.models import Entry
from classes.models import Enrolment, Filing, TrainingClass
from classes.rosters import HEADERS
from policy.refusals import Refusal
from tests.cast import client_of
from tests.classes.school import FIRST_DAY, draft, gyb_drafts, roster_file, trainee_row


def api(user=None) -> Any:
    client = APIClient()
    if user is not None:
        client.force_authenticate(user)
    return client


def upload(content: bytes, name: str = "花名册.xlsx") -> dict[str, Any]:
    file = io.BytesIO(content)
    file.name = name
    return {"file": file}


def lesson_json(row) -> dict[str, Any]:
    return {
        "starts_at": row.starts_at.isoformat(),
        "ends_at": row.ends_at.isoformat(),
        "kind": row.kind.value,
        "hours": str(row.hours),
        "title": row.title,
    }


# --- the policy's questions ---


def test_everybody_may_read_the_editions(db):
    body = api().get("/api/v1/policy/editions/").json()
    assert {"henan-2020-97", "demo"} <= {edition["id"] for edition in body["results"]}
    norm = next(edition for edition in body["results"] if edition["id"] == "henan-2020-97")
    least_live = next(p for p in norm["parameters"] if p["name"] == "full_live_min_live_share")
    assert (least_live["value"], least_live["unit"]) == (60, "percent")
    assert least_live["citation"]


def check(**changes) -> Any:
    body = {
        "edition": "demo",
        "course_type": "GYB",
        "mode": "full_live",
        "hours": {"live": 16, "homework": 2, "exam": 2, "quality": 1, "tutoring": 3},
    }
    return api().post("/api/v1/policy/timetable-check/", body | changes, format="json")


def test_a_timetable_is_checked_without_any_class(db):
    response = check()
    assert response.status_code == 200
    assert (response.json()["passed"], response.json()["least_live_hours"]) == (True, 16)
    failing = check(hours={"live": 15, "homework": 4, "tutoring": 5}).json()
    assert [finding["row"] for finding in failing["findings"] if not finding["passed"]] == ["H7"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"edition": "nowhere"}, "edition_unknown"),
        ({"edition": None}, "invalid"),
        ({"course_type": "XYZ"}, "course_type_unknown"),
        ({"mode": "hybrid"}, "mode_unknown"),
        ({"hours": {"live": -1}}, "hours_negative"),
        ({"hours": {"live": "sixteen"}}, "hours_malformed"),
        ({"hours": {"sleep": 1}}, "hours_unknown_kind"),
        ({"hours": {"live": 1e300}}, "hours_out_of_range"),
        ({"hours": {"live": [1]}}, "hours_malformed"),
        ({"hours": {"live": True}}, "hours_malformed"),
        ({"hours": [1, 2]}, "hours_malformed"),
        ({"hours": None}, "invalid"),
    ],
)
def test_a_malformed_timetable_check_is_a_400_with_a_code(db, changes, code):
    response = check(**changes)
    assert (response.status_code, response.json()["code"]) == (400, code)


def test_a_body_that_is_no_object_is_a_400(db):
    response = api().post("/api/v1/policy/timetable-check/", [1], format="json")
    assert (response.status_code, response.json()["code"]) == (400, "malformed")


def start(filed_on, edition="demo") -> Any:
    return api().post("/api/v1/policy/earliest-start/", {"edition": edition, "filed_on": filed_on})


@pytest.mark.parametrize(
    ("filed_on", "earliest"),
    [("2026-02-12", "2026-02-26"), ("2026-09-18", "2026-09-24"), ("2026-04-29", "2026-05-09")],
)
def test_the_earliest_start_counts_working_days(db, filed_on, earliest):
    body = start(filed_on).json()
    assert (body["date"], body["working_days"]) == (earliest, 5)


@pytest.mark.parametrize("filed_on", ["2031-01-05", "9999-12-31", "0001-01-01"])
def test_an_unpublished_year_is_refused(db, filed_on):
    response = start(filed_on)
    assert (response.status_code, response.json()["code"]) == (409, "calendar_unpublished")


@pytest.mark.parametrize("filed_on", ["2026-02-30", "tomorrow", "", None, 20260212])
def test_a_day_that_is_none_is_a_400(db, filed_on):
    assert start(filed_on).status_code == 400


# --- classes ---


def class_json(school, **changes) -> dict[str, Any]:
    return {
        "name": "2026 年第 7 期",
        "course": school.course.pk,
        "mode": "full_live",
        "edition": "demo",
        "starts_on": "2026-09-21",
        "ends_on": "2026-10-04",
        "lecturer": school.cast.trainer.person_id,
        "assistant": school.cast.assistant.person_id,
    } | changes


def test_people_are_those_of_ones_own_institution(school, manager, rival, cast):
    body = api(manager).get("/api/v1/people/?role=lecturer").json()
    assert body["results"] == [{"id": cast.trainer.person_id, "name": "李明远"}]
    assert api(rival).get("/api/v1/people/?role=lecturer").json()["results"] == []
    assert api(manager).get("/api/v1/people/?role=chef").status_code == 400
    assert api(cast.learner).get("/api/v1/people/?role=lecturer").status_code == 403


def test_a_manager_makes_and_changes_a_class(school, manager):
    made = api(manager).post("/api/v1/classes/", class_json(school), format="json")
    assert made.status_code == 201
    assert made.json()["state"] == "draft"
    url = f"/api/v1/classes/{made.json()['id']}/"
    changed = api(manager).patch(url, {"name": "改过的名字"}, format="json")
    assert (changed.status_code, changed.json()["name"]) == (200, "改过的名字")
    assert api(manager).get(url).json() == changed.json()
    assert [row["id"] for row in api(manager).get("/api/v1/classes/").json()["results"]] == [
        made.json()["id"]
    ]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"name": ""}, 400, "invalid"),
        ({"name": "a\0b"}, 400, "invalid"),
        ({"course": 0}, 400, "invalid"),
        ({"course": "GYB"}, 400, "invalid"),
        ({"course": None}, 400, "invalid"),
        ({"mode": "both"}, 400, "invalid"),
        ({"edition": "nowhere"}, 400, "edition_unknown"),
        ({"edition": "henan-2020-97"}, 409, "edition_unset"),
        ({"starts_on": "2026-13-01"}, 400, "invalid"),
        ({"ends_on": "2026-09-20"}, 400, "class_dates_reversed"),
        ({"lecturer": 10**30}, 400, "invalid"),
        ({"lecturer": {"id": 1}}, 400, "invalid"),
    ],
)
def test_a_bad_class_is_refused_and_leaves_nothing(school, manager, changes, status, code):
    response = api(manager).post("/api/v1/classes/", class_json(school, **changes), format="json")
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert not TrainingClass.objects.exists()


def test_nobody_but_a_manager_makes_a_class(school, cast):
    for user in (cast.learner, cast.trainer, cast.officer, cast.regulator, cast.operator):
        response = api(user).post("/api/v1/classes/", class_json(school), format="json")
        assert (response.status_code, response.json()["code"]) == (403, "role_required")
    assert api().post("/api/v1/classes/", class_json(school), format="json").status_code == 401
    assert not TrainingClass.objects.exists()


def test_the_class_list_is_filtered_and_counts_the_same_queries(school, manager, django_assert_num_queries):
    school.create(name="第 1 期")
    client = api(manager)
    client.get("/api/v1/classes/")  # memberships are read once per user object
    with django_assert_num_queries(2):
        assert client.get("/api/v1/classes/").json()["count"] == 1
    school.create(name="第 2 期")
    school.create(name="第 3 期")
    with django_assert_num_queries(2):
        assert client.get("/api/v1/classes/").json()["count"] == 3
    assert client.get("/api/v1/classes/?search=第 2").json()["count"] == 1
    assert client.get("/api/v1/classes/?state=running").json()["count"] == 0
    assert client.get("/api/v1/classes/?search=%00").status_code == 200


# --- the rival ---


def test_the_rival_meets_404_everywhere_and_changes_nothing(school, rival, learner, regulator):
    filing = school.filed()
    pk = filing.training_class_id
    before = (Entry.objects.count(), TrainingClass.objects.values().get(), Filing.objects.values().get())
    for user in (rival, regulator, learner):
        client = api(user)
        answers = [
            client.get(f"/api/v1/classes/{pk}/"),
            client.patch(f"/api/v1/classes/{pk}/", {"name": "x"}, format="json"),
            client.get(f"/api/v1/classes/{pk}/roster/"),
            client.get(f"/api/v1/classes/{pk}/roster/template/"),
            client.post(
                f"/api/v1/classes/{pk}/roster/", upload(roster_file([trainee_row(9)])), format="multipart"
            ),
            client.get(f"/api/v1/classes/{pk}/timetable/"),
            client.put(f"/api/v1/classes/{pk}/timetable/", [], format="json"),
            client.get(f"/api/v1/classes/{pk}/filing/"),
            client.post(f"/api/v1/classes/{pk}/filing/"),
            client.get(f"/api/v1/classes/{pk}/filing/package/"),
            client.get(f"/api/v1/filings/{filing.pk}/"),
            client.post(f"/api/v1/filings/{filing.pk}/decision/", {"approved": True, "number": "1"}),
            client.post(f"/api/v1/filings/{filing.pk}/withdrawal/"),
        ]
        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
            (404, "not_found")
        ] * len(answers)
        assert client.get("/api/v1/filings/").json()["results"] == []
    after = (Entry.objects.count(), TrainingClass.objects.values().get(), Filing.objects.values().get())
    assert after == before


# --- roster ---


def test_the_roster_comes_in_by_template_and_goes_out_masked(school, manager, trainer):
    training_class = school.create()
    url = f"/api/v1/classes/{training_class.pk}/roster/"
    template = api(manager).get(f"{url}template/")
    sheet = load_workbook(io.BytesIO(template.content)).worksheets[0]
    assert [cell.value for cell in sheet[1]] == list(HEADERS)
    content = roster_file([trainee_row(0), trainee_row(1)])
    dry = api(manager).post(f"{url}?dry_run=1", upload(content), format="multipart")
    assert (dry.status_code, dry.json()) == (200, {"accepted": 2, "rejected": []})
    assert not Enrolment.objects.exists()
    done = api(manager).post(url, upload(content), format="multipart")
    assert (done.status_code, done.json()) == (200, {"accepted": 2, "rejected": []})
    rows = api(trainer).get(url).json()["results"]
    assert {row["name"] for row in rows} == {"王小满", "陈国强"}
    assert all("********" in row["id_number"] for row in rows)


def test_a_rejected_roster_is_a_409_with_every_fault(school, manager):
    training_class = school.create()
    url = f"/api/v1/classes/{training_class.pk}/roster/"
    content = roster_file([trainee_row(0), trainee_row(1, id_number=410122198005069006)])
    dry = api(manager).post(f"{url}?dry_run=1", upload(content), format="multipart").json()
    assert dry["accepted"] == 1
    assert [(fault["row"], fault["column"], fault["code"]) for fault in dry["rejected"]] == [
        (3, "B", "id_number_numeric")
    ]
    response = api(manager).post(url, upload(content), format="multipart")
    body = response.json()
    assert (response.status_code, body["code"], body["accepted"]) == (409, "roster_rejected", 0)
    assert body["rejected"] == body["details"]["rejected"] == dry["rejected"]
    assert not Enrolment.objects.exists()


def test_a_roster_that_is_no_workbook_is_a_400(school, manager):
    url = f"/api/v1/classes/{school.create().pk}/roster/"
    for content in (b"", b"hello"):
        response = api(manager).post(url, upload(content), format="multipart")
        assert response.status_code == 400
        assert response.json()["code"] in ("file_empty", "file_not_xlsx")
    assert api(manager).post(url, {}, format="multipart").json()["code"] == "file_missing"
    assert api(manager).post(url, {"file": "text"}, format="multipart").json()["code"] == "file_missing"
    assert api(manager).post(url, {}, format="json").status_code == 415


def test_a_trainee_sees_only_their_own_line(school, learner):
    from config.demo.cast import made_up_id_number

    training_class = school.create()
    school.enrol(training_class, 3, first=1)
    own = trainee_row(0, name=learner.person.name, id_number=made_up_id_number(0).value)
    from classes import actions

    actions.import_roster(
        training_class=training_class,
        content=roster_file([own]),
        actor=school.cast.manager,
        at=school.at,
    )
    school.take_as_approved(training_class)
    rows = api(learner).get(f"/api/v1/classes/{training_class.pk}/roster/").json()["results"]
    assert [row["name"] for row in rows] == ["王小满"]


# --- timetable and filing ---


def test_a_timetable_is_put_and_got_as_one_document(school, manager):
    training_class = school.create()
    url = f"/api/v1/classes/{training_class.pk}/timetable/"
    response = api(manager).put(url, [lesson_json(row) for row in gyb_drafts()], format="json")
    assert response.status_code == 200
    got = api(manager).get(url).json()
    assert got == response.json()
    assert (got[0]["starts_at"], got[0]["hours"]) == ("2026-09-21T08:30:00+08:00", 4)


def test_a_timetable_that_somebody_saved_meanwhile_is_not_overwritten_unseen(school, manager):
    training_class = school.create()
    school.schedule(training_class, gyb_drafts())
    url = f"/api/v1/classes/{training_class.pk}/timetable/"
    mine, theirs = (lesson_json(draft(0, "08:30", "live", 4, title)) for title in ("我改的", "他改的"))
    seen = api(manager).get(url)["ETag"]
    theirs_saved = api(manager).put(url, [theirs], format="json", HTTP_IF_MATCH=seen)
    assert (theirs_saved.status_code, theirs_saved["ETag"]) == (200, api(manager).get(url)["ETag"])
    for older in (seen, f"W/{seen}", '"made-up"', ""):
        refused = api(manager).put(url, [mine], format="json", HTTP_IF_MATCH=older)
        assert (refused.status_code, refused.json()["code"]) == (412, "timetable_changed")
        assert training_class.lessons.get().title == "他改的"
    for newer in (f"W/{theirs_saved['ETag']}", "*"):
        assert api(manager).put(url, [mine], format="json", HTTP_IF_MATCH=newer).status_code == 200
        assert training_class.lessons.get().title == "我改的"
        school.schedule(training_class, [draft(0, "08:30", "live", 4, "他改的")])


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"starts_at": "2026-09-21T08:30:00"}, 400, "invalid"),
        ({"starts_at": "yesterday"}, 400, "invalid"),
        ({"starts_at": 5}, 400, "invalid"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, 400, "invalid"),
        ({"kind": "party"}, 400, "invalid"),
        ({"hours": "many"}, 400, "invalid"),
        ({"hours": "NaN"}, 400, "invalid"),
        ({"hours": 0}, 400, "invalid"),
        ({"hours": "5"}, 409, "timetable_rejected"),
        ({"title": ""}, 400, "invalid"),
        ({"ends_at": "2026-09-21T08:30:00+08:00"}, 409, "timetable_rejected"),
    ],
)
def test_a_bad_lesson_is_refused_and_the_old_timetable_stands(school, manager, change, status, code):
    training_class = school.create()
    school.schedule(training_class, gyb_drafts()[:1])
    url = f"/api/v1/classes/{training_class.pk}/timetable/"
    row = lesson_json(draft(0, "08:30", "live", 4, "改")) | change
    response = api(manager).put(url, [row], format="json")
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert api(manager).put(url, {"a": 1}, format="json").status_code == 400
    assert [lesson.title for lesson in training_class.lessons.all()] == [gyb_drafts()[0].title]


@pytest.mark.parametrize("title", ["\u200b", " \ufeff", 5], ids=ascii)
def test_a_lesson_needs_a_title_that_shows(school, manager, title):
    training_class = school.create()
    url = f"/api/v1/classes/{training_class.pk}/timetable/"
    rows = [lesson_json(gyb_drafts()[0]) | {"title": title}]
    answer = api(manager).put(url, rows, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    if isinstance(title, str):  # as the editor sends it, or a program of our own
        with pytest.raises(Refusal):
            school.schedule(training_class, [replace(gyb_drafts()[0], title=title)])
    assert not training_class.lessons.exists()


@pytest.mark.parametrize("reason", [5, True, "\u200b", ""], ids=ascii)
def test_a_reason_for_an_exception_is_written(school, manager, reason):
    training_class = school.mostly_online()
    url = f"/api/v1/classes/{training_class.pk}/filing/"
    answer = api(manager).post(url, {"exceptions": {"offline_share": reason}}, format="json")
    assert answer.status_code == 400
    assert not Filing.objects.exists()


def test_a_filing_that_fails_answers_with_its_findings(school, manager):
    training_class = school.create()
    url = f"/api/v1/classes/{training_class.pk}/filing/"
    before = api(manager).get(url).json()
    assert (before["state"], before["id"], before["findings_of"]) == ("draft", None, "today")
    response = api(manager).post(url)
    body = response.json()
    assert (response.status_code, body["code"]) == (409, "findings_failed")
    assert body["findings"] == body["details"]["findings"]
    assert "H4" in [finding["row"] for finding in body["findings"] if not finding["passed"]]
    assert not Filing.objects.exists()


def test_a_filing_goes_its_whole_way(
    school, manager, officer, trainer, time_machine, django_capture_on_commit_callbacks
):
    time_machine.move_to(school.at)
    pk = school.ready().pk
    url = f"/api/v1/classes/{pk}/filing/"
    with django_capture_on_commit_callbacks() as after:
        submitted = api(manager).post(url)
    assert (submitted.status_code, submitted.json()["state"]) == (201, "submitted")
    filing = submitted.json()["id"]
    assert [row["id"] for row in api(officer).get("/api/v1/filings/?state=submitted").json()["results"]] == [
        filing
    ]
    decide = f"/api/v1/filings/{filing}/decision/"
    denied = api(manager).post(decide, {"approved": True, "number": "1"}, format="json")
    assert (denied.status_code, denied.json()["code"]) == (403, "not_the_office")
    assert api(manager).get(f"{url}package/").json()["code"] == "package_not_ready"
    for callback in after:
        callback()
    assert api(trainer).get(url).json()["code"] == "filing_hidden"
    for number in ({}, *({"number": blank} for blank in "\u200b\u2060\ufeff\u00ad\u3164")):
        bare = api(officer).post(decide, {"approved": True, **number}, format="json")
        assert (bare.status_code, bare.json()["code"]) == (400, "filing_number_missing")
    approved = api(officer).post(
        decide, {"approved": True, "number": "郑创备 1", "reason": "材料齐全"}, format="json"
    )
    assert (approved.status_code, approved.json()["state"]) == (200, "approved")
    assert approved.json()["decision"]["number"] == "郑创备 1"
    second = api(officer).post(decide, {"approved": False, "reason": "改主意"}, format="json")
    assert (second.status_code, second.json()["code"]) == (409, "filing_already_decided")
    package = api(manager).get(f"{url}package/")
    assert package["Content-Disposition"] == f'attachment; filename="filing-{filing}.xlsx"'
    assert load_workbook(io.BytesIO(package.content)).sheetnames == [
        "班级",
        "花名册",
        "课表",
        "申请的例外",
        "数据字典",
        "校验",
    ]
    assert api(manager).get(f"/api/v1/classes/{pk}/").json()["state"] == "approved"


def test_a_returned_class_is_judged_as_it_stands_today(school, manager):
    filing = school.decide(school.filed(), approved=False)
    pk = filing.training_class_id
    school.schedule(filing.training_class, gyb_drafts()[:-1])
    body = api(manager).get(f"/api/v1/classes/{pk}/filing/").json()
    assert (body["state"], body["id"], body["findings_of"]) == ("returned", filing.pk, "today")
    assert "H4" in [finding["row"] for finding in body["findings"] if not finding["passed"]]
    shown = client_of(manager).get(reverse("classes:filing", args=[pk])).context
    lines = [line.finding for line in (*shown["pressing"], *shown["passed"])]
    assert sorted(lines, key=str) == sorted(body["findings"], key=str)
    frozen = api(manager).get(f"/api/v1/filings/{filing.pk}/").json()
    assert frozen["findings_of"] == "submission"
    assert frozen["findings"] == filing.findings
    assert all(finding["passed"] for finding in frozen["findings"])


def test_a_submitted_class_keeps_the_findings_of_its_submission(school, manager):
    filing = school.filed()
    body = api(manager).get(f"/api/v1/classes/{filing.training_class_id}/filing/").json()
    assert (body["findings_of"], body["findings"]) == ("submission", filing.findings)


def test_a_filing_is_taken_back(school, manager):
    filing = school.filed()
    response = api(manager).post(f"/api/v1/filings/{filing.pk}/withdrawal/")
    assert (response.status_code, response.json()["state"]) == (200, "withdrawn")
    assert api(manager).get(f"/api/v1/classes/{filing.training_class_id}/filing/").json()["state"] == "draft"
    assert FIRST_DAY  # the class keeps its dates


BROKEN = [b"{", b"[]", b'"x"', b"null", b"7", b"\xff\x00\xfe", b"[" * 100_000]


@pytest.mark.parametrize("body", BROKEN, ids=lambda body: repr(body[:4]))
def test_a_body_that_cannot_be_read_files_and_withdraws_nothing(school, manager, body):
    ready, filing = school.ready(), school.filed(name="第 8 期")
    entries = Entry.objects.count()
    for address in (f"/api/v1/classes/{ready.pk}/filing/", f"/api/v1/filings/{filing.pk}/withdrawal/"):
        answer = api(manager).post(address, body, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
        assert set(answer.json()["details"]) == {"found", "required", "rule", "next"}
    assert Entry.objects.count() == entries
    assert list(Filing.objects.values_list("state", flat=True)) == ["submitted"]


@pytest.mark.parametrize(
    ("hours", "said"),
    [("100000", "这个数太大。"), ("123456.5", "这个数太大。"), ("1.125", "小数位太多，最多两位。")],
)
def test_hours_of_too_many_digits_are_told_in_plain_words(school, manager, hours, said):
    url = f"/api/v1/classes/{school.create().pk}/timetable/"
    answer = api(manager).put(url, [lesson_json(gyb_drafts()[0]) | {"hours": hours}], format="json")
    assert answer.status_code == 400
    assert said in str(answer.json()["details"]["fields"])
