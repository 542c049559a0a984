"""Claims, traces, papers and notices over HTTP."""

import datetime
import io
import json
import zipfile
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts.models import User
from audit.models import Entry
from classes.models import TrainingClass
from config.demo.cast import Cast
from subsidies.actions.exports import write_export
from subsidies.actions.objections import lodge_objection
from subsidies.models import Claim, Objection, PublicNotice
from tests.subsidies.conftest import LEARNER_SECONDS, clock, snapshot

pytestmark = pytest.mark.django_db
TEXT = "这一行的学员那几天在外地，没有上课。"


@pytest.fixture(autouse=True)
def clock_at_now(now: datetime.datetime) -> Any:
    with time_machine.travel(now.astimezone(datetime.UTC), tick=False) as travelling:
        yield travelling


def api(user: User | None) -> APIClient:
    client = APIClient()
    if user is not None:
        client.force_authenticate(User.objects.get(pk=user.pk))
    return client


def test_the_whole_way_over_the_api(
    finished: TrainingClass, manager: User, officer: User, over, clock_at_now: Any
):
    made = api(manager).post("/api/v1/claims/", {"class": finished.pk})
    assert made.status_code == 201
    body = made.json()
    assert (body["class"], body["state"], body["amount"], body["rate"]) == (
        finished.pk,
        "draft",
        "600.00",
        "200.00",
    )
    assert [line["n"] for line in body["lines"]] == [1, 2, 3]
    assert all("*" in line["id_number"] for line in body["lines"])
    clock_at_now.shift(datetime.timedelta(seconds=1))
    again = api(manager).post("/api/v1/claims/", {"class": finished.pk})
    assert (again.status_code, again.json()) == (200, body)
    address = f"/api/v1/claims/{body['id']}/"
    assert api(manager).post(f"{address}submit/").json()["state"] == "submitted"
    returned = api(officer).post(f"{address}return/", {"reason": "第 1 行请核对。"}).json()
    assert (returned["state"], returned["reason"]) == ("returned", "第 1 行请核对。")
    assert api(manager).post(f"{address}redraw/").json()["effective_trainees"] == 3
    api(manager).post(f"{address}submit/")
    notice = api(officer).post(f"{address}notice/")
    assert notice.status_code == 201
    assert (notice.json()["first_day"], notice.json()["last_day"]) == ("2026-09-07", "2026-09-14")
    early = api(officer).post(f"{address}decision/", {"approved": True})
    assert (early.status_code, early.json()["code"]) == (409, "notice_running")
    assert early.json()["details"]["required"] == "2026-09-14"
    clock_at_now.move_to(over.astimezone(datetime.UTC))
    decided = api(officer).post(f"{address}decision/", {"approved": True}).json()
    assert (decided["state"], decided["decided_amount"]) == ("approved", "600.00")
    assert api(manager).get(address).json()["state"] == "approved"
    settled = api(manager).post("/api/v1/claims/", {"class": finished.pk})
    assert (settled.status_code, settled.json()["code"]) == (409, "claim_settled")
    details = settled.json()["details"]
    assert (details["found"], details["rule"], details["claim"]) == ("approved", "Q4", body["id"])
    assert details["required"] == ["draft", "submitted", "returned", "noticed"]
    assert details["next"]
    assert Claim.objects.count() == 1
    listed = api(officer).get("/api/v1/claims/?state=approved").json()
    assert (listed["count"], [row["id"] for row in listed["results"]]) == (1, [body["id"]])


def test_a_trace_is_exact_and_adds_up(claim: Claim, manager: User):
    line = claim.lines.get(enrolment__person__name="王小满")
    body = api(manager).get(f"/api/v1/claims/{claim.pk}/lines/{line.n}/trace/").json()
    assert body["credited_microseconds"] == LEARNER_SECONDS * 1_000_000
    assert body["computed_microseconds"] == body["credited_microseconds"]
    assert body["same_as_verdict"] is True
    assert sum(body["by_kind"].values()) == body["credited_microseconds"]
    assert sum(lesson["credited_microseconds"] for lesson in body["lessons"]) == body["credited_microseconds"]
    story = body["lessons"][1]
    assert [one["microseconds"] for one in story["intervals"]] == [
        4_090_000_000,
        2_590_000_000,
        2_400_000_000,
    ]
    starts = [datetime.datetime.fromisoformat(one["starts_at"]) for one in story["intervals"]]
    assert starts == [clock("08:33", 1), clock("09:52:15", 1), clock("10:50", 1)]
    assert [(one["fate"], one["reason"]) for one in story["not_credited"]] == [
        ("absent", "came_late"),
        ("absent", "line_lost"),
        ("unproven", "check_missed"),
    ]
    assert body["chain"]["verified"] is True
    seqs = {entry["seq"]: entry for entry in story["evidence"]}
    for interval in story["intervals"]:
        assert interval["evidence"]
        assert set(interval["evidence"]) <= set(seqs)
    for seq, entry in seqs.items():
        stored = Entry.objects.get(chain=claim.training_class.subject, seq=seq)
        assert (entry["hash"], entry["prev"], entry["sentence"]) == (
            stored.hash,
            stored.prev_hash,
            stored.sentence,
        )


def test_strangers_get_404_and_the_other_side_403(submitted: Claim, cast: Cast):
    before = snapshot()
    addresses = {
        "": "get", "submit/": "post", "redraw/": "post", "return/": "post", "notice/": "post",
        "decision/": "post", "lines/1/trace/": "get", "export/": "get", "dossier/": "get",
    }  # fmt: skip
    for who in ("rival", "learner", "trainer", "regulator", "operator"):
        for path, method in addresses.items():
            answer = getattr(api(cast[who]), method)(f"/api/v1/claims/{submitted.pk}/{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), (who, path)
    for path, method in addresses.items():
        assert getattr(api(None), method)(f"/api/v1/claims/{submitted.pk}/{path}").status_code == 401
    data = {"reason": "好", "approved": True}
    for who, path in (
        ("manager", "notice/"),
        ("manager", "decision/"),
        ("manager", "return/"),
        ("officer", "submit/"),
    ):
        answer = api(cast[who]).post(f"/api/v1/claims/{submitted.pk}/{path}", data)
        assert (answer.status_code, answer.json()["code"]) == (
            403,
            "officer_required" if who == "manager" else "manager_required",
        )
    assert snapshot() == before


def test_a_class_of_others_cannot_be_claimed(finished: TrainingClass, cast: Cast):
    for who, status in (("rival", 404), ("officer", 403), ("learner", 403), ("regulator", 404)):
        answer = api(cast[who]).post("/api/v1/claims/", {"class": finished.pk})
        assert (who, answer.status_code) == (who, status)
    assert not Claim.objects.exists()


def test_papers_come_whatever_the_client_accepts(submitted: Claim, officer: User, now):
    write_export(claim_id=submitted.pk, at=now)
    client = api(officer)
    table = client.get(f"/api/v1/claims/{submitted.pk}/export/", headers={"accept": "application/zip"})
    assert (table.status_code, table.content[:2]) == (200, b"PK")
    dossier = client.get(f"/api/v1/claims/{submitted.pk}/dossier/", headers={"accept": "application/zip"})
    with zipfile.ZipFile(io.BytesIO(dossier.content)) as archive:
        assert "verify.py" in archive.namelist()
    assert {
        entry.actor_id
        for entry in Entry.objects.filter(kind__in=["claim.export_downloaded", "claim.dossier_made"])
    } == {officer.pk}


# --- public ---


def test_notices_are_public_and_masked(notice: PublicNotice):
    listed = api(None).get("/api/v1/notices/").json()
    assert (listed["count"], listed["results"][0]["amount"]) == (1, "600.00")
    body = api(None).get(f"/api/v1/notices/{notice.pk}/").json()
    assert [line["name"] for line in body["lines"]] == ["陈*强", "杜*英", "王*满"]
    assert body["takes_objections"] is True
    for line in notice.claim.lines.select_related("enrolment__person"):
        person = line.enrolment.person
        for secret in (person.name, person.id_number_masked, person.open_id_number(), person.open_phone()):
            assert secret not in str(body)


def test_objections_are_public_to_lodge_and_private_to_read(notice: PublicNotice, now):
    answer = api(None).post(
        f"/api/v1/notices/{notice.pk}/objections/", {"line": 2, "text": TEXT, "contact": "老李"}
    )
    assert (answer.status_code, answer.json()["line"], answer.json()["state"]) == (201, 2, "open")
    lodge_objection(notice=notice, line_number=None, text=TEXT, contact="", at=now)
    body = api(None).get(f"/api/v1/notices/{notice.pk}/").json()
    assert [one["line"] for one in body["objections"]] == [2, None]
    assert TEXT not in str(body)
    assert "老李" not in str(body)


# --- input that nobody means well ---

HOSTILE: list[Any] = [
    None, "", "x", -1, 0, 1.5, 10**30, True, [], {}, "\x00", "9" * 400, "\ud800", "’; drop table", [1],
    {"a": 1},
]  # fmt: skip


def test_hostile_input_is_refused_and_leaves_nothing(submitted: Claim, notice: PublicNotice, cast: Cast):
    before = snapshot()
    pk = submitted.pk

    def tried(user: User | None, path: str, data: Any) -> None:
        # Written out here: the client's own encoder stumbles over half a character.
        answer = api(user).generic(
            "POST", f"/api/v1/{path}", json.dumps(data), content_type="application/json"
        )
        assert answer.status_code in (400, 404, 409, 429), (path, data, answer.status_code)
        assert answer.json()["code"]

    for value in HOSTILE:
        tried(cast.manager, "claims/", {"class": value})
        tried(cast.officer, f"claims/{pk}/return/", {"reason": value})
        tried(cast.officer, f"claims/{pk}/decision/", {"approved": value, "reason": value})
        tried(None, f"notices/{notice.pk}/objections/", {"text": value, "line": value})
    for path in (
        f"claims/{10**30}/",
        f"claims/{pk}/lines/{10**30}/trace/",
        f"notices/{10**30}/",
        "claims/0/",
    ):
        assert api(cast.manager).get(f"/api/v1/{path}").status_code == 404
    for query in ("?state=%00", "?q=%00", "?page=0", "?page=9999999999999999999999", "?page_size=-1"):
        assert api(cast.manager).get(f"/api/v1/claims/{query}").status_code in (200, 404)
        assert api(None).get(f"/api/v1/notices/{query}").status_code in (200, 404)
    assert (snapshot(), Objection.objects.count()) == (before, 0)
