"""Filing: submit, decide, return, withdraw, and the package."""

import datetime
import threading
import time

import pytest
from django.db import connection, connections
from django.http import Http404

from accounts.models import User
from audit.models import Entry
from classes import actions, queries
from classes.actions.filing import snapshot_digest
from classes.models import Filing
from classes.states import ClassState, FilingState
from policy.refusals import Refusal
from tests.classes.school import draft, gyb_drafts, weeks_later


def refused(call, code):
    with pytest.raises(Refusal) as error:
        call()
    assert error.value.code == code
    return error.value


def kinds(training_class):
    return list(
        Entry.objects.filter(chain=training_class.subject, kind__startswith="filing.")
        .order_by("seq")
        .values_list("kind", flat=True)
    )


def test_a_submission_freezes_what_was_filed(school):
    filing = school.filed()
    training_class = filing.training_class
    training_class.refresh_from_db()
    assert (filing.state, training_class.state) == (FilingState.SUBMITTED, ClassState.SUBMITTED)
    assert filing.snapshot["total"] == "24.00"
    assert len(filing.snapshot["timetable"]) == 8
    assert {row["id_number"][6:14] for row in filing.snapshot["roster"]} == {"********"}
    assert all(finding["passed"] for finding in filing.findings)
    entry = Entry.objects.get(chain=training_class.subject, kind="filing.submitted")
    assert entry.facts == {
        "filing": filing.pk,
        "round": 1,
        "lessons": 8,
        "trainees": 3,
        "snapshot": snapshot_digest(filing.snapshot),
        "findings": snapshot_digest(filing.findings),
        "exceptions": [],
    }


def test_a_submission_with_a_failing_finding_leaves_nothing(school, manager, now):
    training_class = school.create()
    school.enrol(training_class)
    school.schedule(training_class, gyb_drafts()[:-1])
    error = refused(
        lambda: actions.submit_filing(training_class=training_class, actor=manager, at=now),
        "findings_failed",
    )
    assert [finding.code for finding in error.details["findings"] if not finding.passed] == ["total_hours"]
    training_class.refresh_from_db()
    assert training_class.state == ClassState.DRAFT
    assert not Filing.objects.exists()
    assert kinds(training_class) == []


def test_a_late_submission_is_refused_with_the_earliest_day(school, manager):
    training_class = school.ready()
    late = datetime.datetime(2026, 9, 16, 0, 0, 1, tzinfo=school.at.tzinfo)
    error = refused(
        lambda: actions.submit_filing(training_class=training_class, actor=manager, at=late),
        "findings_failed",
    )
    [finding] = [finding for finding in error.details["findings"] if not finding.passed]
    assert (finding.row, finding.required) == ("F7", datetime.date(2026, 9, 22))


def test_an_approval_gives_the_number(school, officer):
    filing = school.decide(school.filed())
    filing.refresh_from_db()
    filing.training_class.refresh_from_db()
    assert (filing.state, filing.training_class.state) == (FilingState.APPROVED, ClassState.APPROVED)
    assert (filing.number, filing.decided_by) == ("郑创备〔2026〕0412 号", officer)
    assert kinds(filing.training_class) == ["filing.submitted", "filing.approved"]


def test_a_returned_class_is_changed_and_submitted_again(school, manager, now):
    filing = school.decide(school.filed(), approved=False)
    training_class = filing.training_class
    training_class.refresh_from_db()
    assert (filing.state, training_class.state) == (FilingState.RETURNED, ClassState.RETURNED)
    drafts = [*gyb_drafts()[:-1], draft(6, "09:30", "exam", 2, "线上结业考试，改期")]
    school.schedule(training_class, drafts)
    later = now + datetime.timedelta(days=2)
    second = actions.submit_filing(training_class=training_class, actor=manager, at=later)
    assert list(queries.filings_before(second)) == [filing]
    assert Entry.objects.get(kind="filing.submitted", facts__filing=second.pk).facts["round"] == 2


BLANK = ["\u200b", "\u2060", "\ufeff", "\u00ad", "\u3164"]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"approved": True, "number": " "}, "filing_number_missing"),
        ({"approved": True, "number": "号" * 41}, "filing_number_missing"),
        ({"approved": False, "reason": " "}, "reason_missing"),
        *(({"approved": True, "number": blank}, "filing_number_missing") for blank in BLANK),
        *(({"approved": False, "reason": blank}, "reason_missing") for blank in BLANK),
    ],
)
def test_half_a_decision_is_refused(school, sent, code):
    filing = school.filed()
    refused(lambda: school.decide(filing, **sent), code)
    filing.refresh_from_db()
    assert filing.state == FilingState.SUBMITTED
    assert kinds(filing.training_class) == ["filing.submitted"]


@pytest.mark.parametrize(
    "number",
    [
        "郑创备〔2026〕0412 号",
        "郑创备〔2026〕0412  号 ",
        "郑创备〔２０２６〕０４１２　号",
        "\u200b郑创备\u2060〔2026〕0412 号\ufeff",
    ],
    ids=ascii,
)
def test_a_number_is_given_once_however_it_is_spelt(school, number):
    first = school.filed()
    assert school.decide(school.decide(first), number=number).number == "郑创备〔2026〕0412 号"
    other = school.ready(name="第 8 期", **weeks_later(1))
    filing = actions.submit_filing(training_class=other, actor=school.cast.manager, at=school.at)
    refused(lambda: school.decide(filing, number=number), "filing_number_taken")
    filing.refresh_from_db()
    assert filing.state == FilingState.SUBMITTED


def test_nobody_approves_a_class_whose_first_day_is_over(school, officer):
    filing = school.filed()
    late = datetime.datetime(2026, 9, 22, 0, 0, tzinfo=school.at.tzinfo)
    refused(
        lambda: actions.decide_filing(
            filing=filing, approved=True, reason="", number="1", actor=officer, at=late
        ),
        "start_has_passed",
    )


def test_the_same_decision_again_changes_nothing_and_another_is_refused(school):
    filing = school.filed()
    first = school.decide(filing)
    again = school.decide(filing)
    assert again.decided_at == first.decided_at
    refused(lambda: school.decide(filing, approved=False), "filing_already_decided")
    refused(lambda: school.decide(filing, number="另一个号"), "filing_already_decided")
    filing.refresh_from_db()
    assert filing.state == FilingState.APPROVED
    assert kinds(filing.training_class) == ["filing.submitted", "filing.approved"]


def test_a_withdrawn_filing_leaves_a_draft(school, manager, now):
    filing = school.filed()
    for _ in range(2):
        actions.withdraw_filing(filing=filing, actor=manager, at=now)
    filing.refresh_from_db()
    filing.training_class.refresh_from_db()
    assert (filing.state, filing.training_class.state) == (FilingState.WITHDRAWN, ClassState.DRAFT)
    assert kinds(filing.training_class) == ["filing.submitted", "filing.withdrawn"]
    refused(lambda: school.decide(filing), "filing_already_decided")


def test_a_decided_filing_is_not_withdrawn(school, manager, now):
    filing = school.decide(school.filed())
    refused(lambda: actions.withdraw_filing(filing=filing, actor=manager, at=now), "move_refused")


def test_only_the_office_decides(school, cast, now):
    filing = school.filed()

    def decide(user):
        return actions.decide_filing(
            filing=filing, approved=True, reason="", number="自批", actor=user, at=now
        )

    refused(lambda: decide(cast.manager), "not_the_office")
    refused(lambda: decide(cast.trainer), "not_the_office")
    refused(lambda: decide(cast.operator), "not_the_office")
    for stranger in (cast.rival, cast.regulator, cast.finance):
        with pytest.raises(Http404):
            decide(stranger)
    filing.refresh_from_db()
    assert filing.state == FilingState.SUBMITTED


def test_an_officer_of_another_city_does_not_see_the_filing(school, cast, now):
    from accounts.actions import grant_role
    from accounts.models import Bureau, Region, User

    luoyang = Bureau.objects.create(
        name="洛阳市人力资源和社会保障局", department="hrss", region=Region.objects.get(code="410300")
    )
    stranger = User.objects.create_user("officer2")
    grant_role(user=stranger, role="officer", bureau=luoyang)
    filing = school.filed()
    assert list(queries.filings_decided_by(cast.officer)) == [filing]
    assert not queries.filings_decided_by(stranger).exists()
    with pytest.raises(Http404):
        actions.decide_filing(filing=filing, approved=True, reason="", number="1", actor=stranger, at=now)


@pytest.mark.django_db(transaction=True)
def test_two_decisions_at_the_same_moment_become_one(school):
    """Approve and return wait for the same lock; whoever comes second is told."""
    filing = school.filed()
    outcomes: list[str] = []

    def decide(approved: bool) -> None:
        try:
            school.decide(filing, approved=approved)
            outcomes.append("decided")
        except Refusal as refusal:
            outcomes.append(refusal.code)
        finally:
            connections.close_all()

    from django.db import transaction

    from classes.actions.classes import lock_class

    threads = [threading.Thread(target=decide, args=(approved,)) for approved in (True, False)]
    with transaction.atomic():
        lock_class(filing.training_class_id)
        for thread in threads:
            thread.start()
        _until_two_wait_for_a_lock()
    for thread in threads:
        thread.join(timeout=20)
    assert sorted(outcomes) == ["decided", "filing_already_decided"]
    filing.refresh_from_db()
    decided = [
        kind for kind in kinds(filing.training_class) if kind in ("filing.approved", "filing.returned")
    ]
    assert decided == [f"filing.{filing.state}"]


def _until_two_wait_for_a_lock() -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from pg_locks where not granted")
            if cursor.fetchone()[0] >= 2:
                return
        time.sleep(0.02)
    raise AssertionError("the two decisions never waited for the class")


def test_nobody_decides_by_a_role_that_was_put_in_past_the_log(school, rival, now):
    filing, entries = school.filed(), Entry.objects.count()
    attack = (
        "insert into accounts_membership (user_id, role, bureau_id)"
        " select %s, 'officer', id from accounts_bureau where id = %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(attack, [rival.pk, school.cast.bureau.pk])
    forged = User.objects.get(pk=rival.pk)
    for approved in (True, False):
        with pytest.raises(Refusal) as refused:
            actions.decide_filing(
                filing=filing, actor=forged, approved=approved, reason="不同意", number="豫创备1号", at=now
            )
        assert (refused.value.code, refused.value.status) == ("role_not_on_record", 403)
        assert (refused.value.rule, refused.value.found) == ("F8", f"账号编号 {rival.pk}，角色 经办人员")
    with pytest.raises(Refusal) as refused:
        actions.upload_receipt(content=b"", filename="回执.xlsx", actor=forged, at=now)
    assert refused.value.code == "role_not_on_record"
    filing.refresh_from_db()
    assert (filing.state, Entry.objects.count()) == (FilingState.SUBMITTED, entries)
    assert school.decide(filing).state == FilingState.APPROVED
