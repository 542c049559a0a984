"""原则上: what the norm says only in principle may be excepted, with a reason, by an officer, on record."""

import datetime
from dataclasses import replace

import pytest
from django.urls import reverse
from rest_framework.test import APIClient

from audit.models import Entry
from classes import actions
from classes.actions.filing import snapshot_digest
from classes.models import Filing
from classes.reviews import differences
from classes.states import ClassState, FilingState
from classes.timetables import drafts_of
from policy.refusals import Refusal
from policy.terms import HourKind
from tests.cast import client_of
from tests.classes.school import gyb_drafts
from tests.classes.test_filing import refused

REASON = "山区学员集中线下三天有困难，多上直播。"


@pytest.fixture(autouse=True)
def _monday(time_machine, now):
    """Views ask the clock themselves: it is the Monday of the cast."""
    time_machine.move_to(now.astimezone(datetime.UTC), tick=False)


def submit(school, training_class, reason=REASON, code="offline_share"):
    return actions.submit_filing(
        training_class=training_class, actor=school.cast.manager, at=school.at, exceptions={code: reason}
    )


def test_without_a_reason_the_share_blocks_like_any_other(school, manager, now):
    training_class = school.mostly_online()
    error = refused(
        lambda: actions.submit_filing(training_class=training_class, actor=manager, at=now),
        "findings_failed",
    )
    [finding] = [finding for finding in error.details["findings"] if finding.blocks]
    assert (finding.code, finding.row, finding.waivable) == ("offline_share", "H11", True)


def test_an_exception_stands_in_snapshot_findings_and_evidence(school):
    filing = submit(school, school.mostly_online())
    [exception] = filing.exceptions
    assert exception["reason"] == REASON
    assert (exception["code"], exception["row"]) == ("offline_share", "H11")
    assert (exception["required"], exception["actual"]) == ("16.8", 16)
    [finding] = [finding for finding in filing.findings if not finding["passed"]]
    assert finding["code"] == "offline_share"
    facts = Entry.objects.get(kind="filing.submitted").facts
    assert facts["exceptions"] == ["offline_share"]
    assert facts["snapshot"] == snapshot_digest(filing.snapshot)  # and with it the reason
    assert REASON not in str(facts)


@pytest.mark.parametrize(
    ("code", "reason", "refusal"),
    [
        ("offline_share", "  ", "exception_reason_missing"),
        ("offline_share", "长" * 501, "exception_reason_missing"),
        ("live_share", REASON, "exception_not_allowed"),
        ("无此项", REASON, "exception_not_allowed"),
    ],
)
def test_what_is_no_exception_is_refused(school, code, reason, refusal):
    training_class = school.mostly_online()
    error = refused(lambda: submit(school, training_class, reason, code), refusal).render()
    words = [error["message"], error["details"]["next"], str(error["details"].get("words", ""))]
    assert code not in " ".join(words)
    training_class.refresh_from_db()
    assert training_class.state == ClassState.DRAFT
    assert not Filing.objects.exists()


def test_a_rule_that_is_not_only_in_principle_cannot_be_excepted(school):
    training_class = school.create()
    school.enrol(training_class)
    school.schedule(training_class, gyb_drafts()[:-1])
    error = refused(lambda: submit(school, training_class, code="total_hours"), "exception_not_allowed")
    assert error.required == []


def test_the_exception_does_not_reach_the_last_offline_hour(school):
    """A5: less than 70 % offline may be accepted, nothing offline is another mode."""
    training_class = school.mostly_online()
    drafts = drafts_of(training_class.lessons.all())
    online = [replace(one, kind=HourKind.LIVE) if one.kind == HourKind.OFFLINE else one for one in drafts]
    school.schedule(training_class, online)
    error = refused(lambda: submit(school, training_class), "findings_failed")
    assert "mode_parts" in {finding.code for finding in error.details["findings"] if finding.blocks}
    for code in ("mode_parts", "offline_share"):
        assert Filing.objects.filter(training_class=training_class).count() == 0
        refused(
            lambda code=code: submit(school, training_class, code=code),
            "exception_not_allowed" if code == "mode_parts" else "findings_failed",
        )


def test_a_passing_finding_needs_no_exception(school):
    training_class = school.ready()
    refused(lambda: submit(school, training_class), "exception_not_allowed")


def test_an_edition_without_exceptions_has_none(school, monkeypatch):
    """`mixed_offline_exception: never` makes "in principle" mean always."""
    from policy.editions import Edition

    reading = Edition.reading

    def never(self, name):
        found = reading(self, name)
        return (
            type(found)(**{**vars_of(found), "code": "never"}) if name == "mixed_offline_exception" else found
        )

    def vars_of(row):
        return {name: getattr(row, name) for name in row.__dataclass_fields__}

    training_class = school.mostly_online()
    monkeypatch.setattr(Edition, "reading", never)
    refused(lambda: submit(school, training_class), "exception_not_allowed")


def test_an_approval_accepts_every_exception_or_is_refused(school):
    filing = submit(school, school.mostly_online())
    error = refused(lambda: school.decide(filing), "exceptions_not_accepted")
    assert (error.found, error.required, error.rule) == ([], ["offline_share"], "H11")
    filing.refresh_from_db()
    assert filing.state == FilingState.SUBMITTED
    unknown = refused(
        lambda: school.decide(filing, accepted=["offline_share", "something else"]), "exception_unknown"
    )
    assert (unknown.found, unknown.required) == ("something else", ["offline_share"])
    school.decide(filing, accepted=["offline_share"])
    filing.refresh_from_db()
    assert (filing.state, filing.accepted) == (FilingState.APPROVED, ["offline_share"])
    assert Entry.objects.get(kind="filing.approved").facts["exceptions"] == ["offline_share"]


def test_a_return_accepts_nothing(school):
    filing = school.decide(submit(school, school.mostly_online()), approved=False, accepted=["offline_share"])
    assert (filing.state, filing.accepted) == (FilingState.RETURNED, [])


def test_the_pages_lead_through_an_exception(school, manager, officer):
    training_class = school.mostly_online()
    url = reverse("classes:filing", args=[training_class.pk])
    page = client_of(manager).get(url).content.decode()
    assert "申请例外，核对并提交" in page
    again = client_of(manager).post(url, {"exception_offline_share": REASON}).content.decode()
    assert "申请例外：线下课时" in again
    assert REASON in again
    client_of(manager).post(url, {"exception_offline_share": REASON, "confirmed": "1"})
    filing = Filing.objects.get()
    assert "例外的理由：" + REASON in client_of(manager).get(url).content.decode()

    review = client_of(officer).get(url).content.decode()
    assert f"认可例外：线下课时。理由：{REASON}" in review
    decision = {"decision": "approve", "number": "郑创备 9 号", "reason": "", "staff_seen": "on"}
    decide = reverse("classes:decide", args=[filing.pk])
    unticked = client_of(officer).post(decide, decision)
    assert unticked.status_code == 400
    assert "同意备案要逐项认可例外" in unticked.content.decode()
    ticked = decision | {"accept_offline_share": "on"}
    repeated = client_of(officer).post(decide, ticked).content.decode()
    assert 'name="accept_offline_share" value="on"' in repeated
    client_of(officer).post(decide, ticked | {"confirmed": "1"})
    filing.refresh_from_db()
    assert (filing.state, filing.accepted) == (FilingState.APPROVED, ["offline_share"])
    assert "例外，已认可" in client_of(manager).get(url).content.decode()


def test_the_api_takes_and_shows_exceptions(school, manager, officer):
    training_class = school.mostly_online()
    client = APIClient()
    client.force_authenticate(manager)
    url = f"/api/v1/classes/{training_class.pk}/filing/"
    assert client.post(url).status_code == 409
    filed = client.post(url, {"exceptions": {"offline_share": REASON}}, format="json")
    assert filed.status_code == 201
    assert filed.json()["exceptions"][0]["reason"] == REASON
    client.force_authenticate(officer)
    decide = f"/api/v1/filings/{filed.json()['id']}/decision/"
    sent = {"approved": True, "number": "9 号"}
    assert client.post(decide, sent, format="json").json()["code"] == "exceptions_not_accepted"
    body = client.post(decide, sent | {"accepted": ["offline_share"]}, format="json").json()
    assert body["decision"]["accepted"] == ["offline_share"]


def test_a_receipt_cannot_accept_an_exception(school):
    from classes.decisions import judge_decision

    filing = submit(school, school.mostly_online())
    with pytest.raises(Refusal) as error:  # as a row of a receipt is judged
        judge_decision(filing, approved=True, reason="", number="1", at=school.at)
    assert error.value.code == "exceptions_not_accepted"


def test_exceptions_are_among_the_differences(school):
    first = school.decide(submit(school, school.mostly_online()), approved=False)
    training_class = first.training_class
    training_class.refresh_from_db()
    second = submit(school, training_class, "换了理由")
    [difference] = differences(first.snapshot, second.snapshot)
    assert (difference.part, difference.new) == ("申请的例外", "线下课时：换了理由")
