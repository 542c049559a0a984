"""Rows that earn money against the evidence: who can only write rows is found, wherever it matters."""

import io
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from accounts.models import User
from audit.reconciliation import differences
from classes.models import TrainingClass
from policy.refusals import Refusal
from subsidies.actions.claims import decide_claim, submit_claim
from subsidies.models import Claim, PublicNotice
from subsidies.queries import trace_of
from tests.subsidies.conftest import ClassMaker

pytestmark = pytest.mark.django_db

ATTACKS = [
    (
        "update subsidies_claim set rate = 400, amount = effective_trainees * 400;"
        " update subsidies_claimline set amount = 400",
        {"subsidies_claim"},
    ),
    ("update subsidies_claimline set amount = 400", {"subsidies_claim"}),
    ("update exams_attempt set points = 99", {"exams_attempt"}),
    ("update exams_exam set total_points = 43", {"exams_attempt"}),
    ("update exams_certificate set issued_on = issued_on - 1", {"exams_certificate"}),
    ("update classes_enrolment set category = 'graduate'", {"classes_enrolment"}),
    ("update accounts_person set name = '张三'", {"classes_enrolment"}),
    (
        "update attendance_signin set requested_at = requested_at - interval '1 hour'",
        {"attendance_signin"},
    ),
    ("update attendance_signin set signed_out_at = null", {"attendance_signin"}),
    (
        "insert into live_presenceinterval (person_id, lesson_id, during, heartbeats, closing, connection)"
        " select person_id, lesson_id, tstzrange(lower(during) - interval '1 hour',"
        " lower(during) - interval '1 minute'), heartbeats, closing, gen_random_uuid()"
        " from live_presenceinterval order by id limit 1",
        {"live_presenceinterval"},
    ),
]


def attack(sql: str) -> None:
    """As the application's own login, past all actions."""
    with connection.cursor() as cursor:
        cursor.execute("select current_user")
        assert cursor.fetchone() == ("yuchuang_app",)
        cursor.execute(sql)


def tables(found: list) -> set[str]:
    return {difference.row.partition("/")[0] for difference in found}


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value.code


def test_honest_rows_are_borne_out(notice: PublicNotice, officer: User, over):
    decide_claim(actor=officer, claim=notice.claim, approved=True, reason="", at=over)
    assert differences() == []
    assert trace_of(notice.claim.lines.first()).differences == ()


@pytest.mark.parametrize(("sql", "found_in"), ATTACKS)
def test_a_row_changed_past_the_log_is_found_everywhere(
    claim: Claim, manager: User, now, sql: str, found_in: set[str]
):
    attack(sql)
    claim.refresh_from_db()
    chain = claim.training_class.subject
    assert tables(differences(chain)) == found_in
    assert tables(differences(None)) == found_in
    traces = [trace_of(line) for line in claim.lines.all()]
    assert tables([one for trace in traces for one in trace.differences]) == found_in
    # What changes the seconds is found by computing them again, before the rows are compared.
    assert refused(lambda: submit_claim(actor=manager, claim=claim, at=now)) in (
        "evidence_differs",
        "verdict_changed",
        "claim_outdated",
    )
    out = io.StringIO()
    with pytest.raises(CommandError, match="和留痕不一致"):
        call_command("verify_evidence", stdout=out)
    assert all(f"{table}/" in out.getvalue() for table in found_in)


def test_an_approval_is_refused_and_the_page_shows_no_green_badge(
    client, notice: PublicNotice, manager: User, officer: User, over
):
    claim = notice.claim
    attack("update exams_attempt set points = 99")
    assert (
        refused(lambda: decide_claim(actor=officer, claim=claim, approved=True, reason="", at=over))
        == "evidence_differs"
    )
    client.force_login(manager)
    page = client.get(f"/claims/{claim.pk}/lines/1/").content.decode()
    assert "留痕已核验，未被改动" not in page
    assert "与留痕不一致：结业考试成绩" in page


def test_another_trainees_rows_are_not_held_against_a_line(claim: Claim):
    line, other = claim.lines.order_by("n")[:2]
    attack(f"update exams_attempt set points = 99 where enrolment_id = {other.enrolment_id}")
    assert trace_of(line).differences == ()
    assert [found.code for found in trace_of(other).differences] == ["differs"]


@pytest.mark.parametrize(("sql", "table"), [(sql, *tables) for sql, tables in ATTACKS[7:]])
def test_no_verdict_on_rows_that_the_log_does_not_bear_out(maker: ClassMaker, sql: str, table: str):
    training_class: TrainingClass = maker.make()
    with transaction.atomic():
        attack(sql)
    assert refused(lambda: maker.finish(training_class)) == "evidence_differs"
    assert table in tables(differences(training_class.subject))
