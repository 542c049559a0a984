"""Rows that earn money against the evidence: who can only write rows is found, wherever it matters."""

import datetime
import io
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from django.test import Client

from accounts.models import Person, User
from attendance.models import SignIn, Verdict
from audit.reconciliation import Difference, differences
from classes.models import Enrolment, Lesson, TrainingClass
from config.demo.cast import Cast
from exams.actions.certificates import revoke_certificate
from exams.models import Attempt, Certificate
from policy.refusals import Refusal
from subsidies.actions.claims import decide_claim, draw_up_claim, return_claim, submit_claim
from subsidies.actions.exports import write_export
from subsidies.actions.objections import answer_objection, lodge_objection
from subsidies.models import Claim, ClaimLine, Objection, PublicNotice
from subsidies.queries import trace_of
from tests.cast import client_of
from tests.subsidies.conftest import ClassMaker, clock
from tests.world import build_world

pytestmark = pytest.mark.django_db

# Before the verdict: rows of the class itself, which also stand behind the claim.
EARLY = {
    "earlier sign-in": (
        "update attendance_signin set requested_at = requested_at - interval '1 hour'",
        {"attendance_signin"},
    ),
    "moved confirmation": (
        "update attendance_signin set decided_at = decided_at + interval '1 hour'",
        {"attendance_signin"},
    ),
    "no sign-out": ("update attendance_signin set signed_out_at = null", {"attendance_signin"}),
    "later sign-out": (
        "update attendance_signin set signed_out_at = signed_out_at + interval '1 second'",
        {"attendance_signin"},
    ),
    "sign-in of somebody who was never there": (
        "insert into attendance_signin"
        " (enrolment_id, lesson_id, method, state, requested_at, decided_at, reason)"
        " select enrolment_id, lesson_id, 'code', 'accepted', requested_at, decided_at, ''"
        " from attendance_signin order by id limit 1",
        {"attendance_signin"},
    ),
    "sign-in gone": (
        "delete from attendance_signin where id = (select min(id) from attendance_signin)",
        {"attendance_signin"},
    ),
    "more presence": (
        "insert into live_presenceinterval (person_id, lesson_id, during, heartbeats, closing, connection)"
        " select person_id, lesson_id, tstzrange(lower(during) - interval '1 hour',"
        " lower(during) - interval '1 minute'), heartbeats, closing, gen_random_uuid()"
        " from live_presenceinterval order by id limit 1",
        {"live_presenceinterval"},
    ),
    "still present in a lesson that is over": (
        "insert into live_openpresence (person_id, lesson_id, connection, started_at, last_seen_at,"
        " heartbeats, longest_gap_ms, device)"
        " select e.person_id, l.id, gen_random_uuid(), l.starts_at, l.ends_at, 9, 9, ''"
        " from classes_lesson l, classes_enrolment e where l.state = 'closed' order by l.id, e.id limit 1",
        {"live_openpresence"},
    ),
    "longer check": (
        "update attendance_check set due_at = due_at - interval '1 second'",
        {"attendance_check"},
    ),
    "check reopened": (
        "update attendance_check set closed_at = null where id = (select max(id) from attendance_check)",
        {"attendance_check"},
    ),
    "asked afterwards": (
        "insert into attendance_checktarget (check_id, enrolment_id)"
        " select (select max(id) from attendance_check), max(id) from classes_enrolment",
        {"attendance_check"},
    ),
    "answered afterwards": (
        "insert into attendance_checkanswer (target_id, answered_at) select g.id, c.opened_at"
        " from attendance_checktarget g join attendance_check c on c.id = g.check_id"
        " where c.kind = 'roll_call'",
        {"attendance_checkanswer"},
    ),
    "handed in nothing": (
        "insert into attendance_unitcredit (enrolment_id, lesson_id, source, credited_at)"
        " select min(e.id), min(l.id), 'attempt/9', now() from classes_enrolment e, classes_lesson l"
        " where l.kind = 'live'",
        {"attendance_unitcredit"},
    ),
    "lesson worth more": (
        "update classes_lesson set hours = hours + 1 where kind = 'homework'",
        # its filing, and whoever handed it in when it was worth less
        {"classes_lesson", "classes_trainingclass", "attendance_unitcredit"},
    ),
    "longer lesson": (
        "update classes_lesson set ends_at = ends_at + interval '1 minute' where kind = 'quality'",
        {"classes_lesson", "classes_trainingclass"},
    ),
    "lesson closed later": (
        "update classes_lesson set closed_at = closed_at + interval '1 minute' where kind = 'quality'",
        {"classes_lesson"},
    ),
    "lesson that was not held": (
        "update classes_lesson set state = 'closed', opened_at = starts_at, closed_at = ends_at"
        " where kind = 'homework'",
        {"classes_lesson"},
    ),
    "one lesson more": (
        "insert into classes_lesson (training_class_id, starts_at, ends_at, kind, hours, title, state)"
        " select training_class_id, min(starts_at) - interval '25 hours', min(starts_at) - interval '1 day',"
        " 'tutoring', 1, '辅导', 'planned' from classes_lesson group by 1",
        {"classes_lesson", "classes_trainingclass"},
    ),
    "another edition": (
        "update classes_trainingclass set edition = 'ningxia-2020'",
        {"classes_trainingclass"},
    ),
    "another lecturer": (
        "update classes_trainingclass set lecturer_id = null",
        {"classes_trainingclass"},
    ),
    "what was filed": (
        "update classes_filing set snapshot = jsonb_set(snapshot, '{total}', '\"25\"')",
        {"classes_filing"},
    ),
    "no filing": (
        "update classes_filing set state = 'withdrawn', decided_at = null, decided_by_id = null, number = ''",
        {"classes_filing"},
    ),
    "filing gone": ("delete from classes_filing", {"classes_filing"}),
    "another category": (
        "update classes_enrolment set category = 'graduate'",
        {"classes_enrolment"},
    ),
    "another name": ("update accounts_person set name = '张三'", {"classes_enrolment"}),
    "two people swapped": (
        "update classes_enrolment e set commitment_salt_sealed = o.commitment_salt_sealed"
        " from classes_enrolment o where o.id <> e.id"
        " and e.id in (select id from classes_enrolment order by id limit 2)"
        " and o.id in (select id from classes_enrolment order by id limit 2)",
        {"classes_enrolment"},
    ),
}
# After the claim was drawn up.
LATE = {
    "higher rate": (
        "update subsidies_claim set rate = 400, amount = effective_trainees * 400;"
        " update subsidies_claimline set amount = 400",
        {"subsidies_claim"},
    ),
    "higher line": ("update subsidies_claimline set amount = 400", {"subsidies_claim"}),
    "other lines": (
        "update subsidies_claimline set certificate_id = (select max(id) from exams_certificate) where n = 1",
        {"subsidies_claim"},
    ),
    "claim's number": ("update subsidies_claim set number = '209901-000001'", {"subsidies_claim"}),
    "claim's edition": ("update subsidies_claim set edition = 'henan-2020-97'", {"subsidies_claim"}),
    "claim's institution": (
        "update subsidies_claim set institution_id = (select max(id) from accounts_institution"
        " where id <> institution_id)",
        {"subsidies_claim"},
    ),
    "claim gone": (
        "delete from subsidies_claimline; delete from subsidies_claim",
        {"subsidies_claim"},
    ),
    "more points": ("update exams_attempt set points = 44", {"exams_attempt"}),
    "easier paper": ("update exams_exam set total_points = 43", {"exams_exam", "exams_attempt"}),
    "sat somewhat earlier": (
        "update exams_attempt set submitted_at = submitted_at - interval '1 hour'",
        {"exams_attempt"},
    ),
    "certificate's day": (
        "update exams_certificate set issued_on = issued_on - 1",
        {"exams_certificate"},
    ),
    "certificate's file": (
        "update exams_certificate set pdf_sha256 = repeat('0', 64)",
        {"exams_certificate"},
    ),
    "claim's file": ("update subsidies_claim set export_sha256 = repeat('0', 64)", {"subsidies_claim"}),
    "not finished then": (
        "update classes_trainingclass set finished_at = finished_at - interval '1 day'",
        {"classes_trainingclass"},
    ),
}
REFUSALS = {
    "evidence_differs",
    # What changes a figure is found by computing it again, before the rows are compared.
    "verdict_changed",
    "claim_outdated",
    "hours_not_delivered",
    "nobody_effective",
    "edition_unset",
}


def cases(attacks: dict[str, tuple[str, set[str]]]) -> Iterable[Any]:
    return [pytest.param(sql, found, id=name) for name, (sql, found) in attacks.items()]


def attack(sql: str) -> None:
    """As the application's own login, past all actions."""
    with connection.cursor() as cursor:
        cursor.execute("select current_user")
        assert cursor.fetchone() == ("yuchuang_app",)
        cursor.execute(sql)
        assert cursor.rowcount > 0


def tables(found: Iterable[Difference]) -> set[str]:
    return {difference.row.partition("/")[0] for difference in found}


def refusal_of(act: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


def verified() -> str:
    """What the command says of rows that differ; empty where nothing does."""
    out = io.StringIO()
    try:
        call_command("verify_evidence", stdout=out)
    except CommandError as error:
        return f"{out.getvalue()}{error}"
    return ""


# --- what is honest is sound ---


def test_honest_rows_are_borne_out(notice: PublicNotice, officer: User, over):
    claim = notice.claim
    write_export(claim_id=claim.pk, at=over)
    objection = lodge_objection(
        notice=notice, line_number=2, text="这个人第二天在外地，没有上课。", contact="", at=notice.opened_at
    )
    assert differences() == []
    answer_objection(actor=officer, objection=objection, upheld=True, answer="查过，属实。", at=over)
    assert differences() == []
    decide_claim(actor=officer, claim=claim, approved=True, reason="", at=over)
    assert differences() == []
    revoke_certificate(actor=officer, certificate=Certificate.objects.all()[0], reason="冒名", at=over)
    assert differences() == []
    assert verified() == ""
    for line in claim.lines.all():
        assert trace_of(line).differences == ()


def test_a_claim_that_went_back_and_forth_is_borne_out(submitted: Claim, manager: User, officer: User, now):
    from subsidies.actions.claims import redraw_claim

    write_export(claim_id=submitted.pk, at=now)
    return_claim(actor=officer, claim=submitted, reason="请补充说明。", at=now)
    assert differences() == []
    redraw_claim(actor=manager, claim=submitted, at=now)
    assert differences() == []
    submit_claim(actor=manager, claim=submitted, at=now)
    assert differences() == []


def test_the_demo_is_borne_out(cast: Cast, now: datetime.datetime):
    world = build_world(cast, now=now, most=2)
    assert differences() == []
    assert verified() == ""
    for training_class in world.classes.values():
        assert differences(training_class.subject) == []


# --- what was changed past the log is found ---


@pytest.mark.parametrize(("sql", "found_in"), cases(EARLY))
def test_no_verdict_on_rows_that_the_log_does_not_bear_out(maker: ClassMaker, sql: str, found_in: set[str]):
    training_class: TrainingClass = maker.make()
    with transaction.atomic():
        attack(sql)
    assert tables(differences(training_class.subject)) == found_in
    assert tables(differences()) == found_in
    said = verified()
    assert all(f"{table}/" in said for table in found_in)
    training_class.refresh_from_db()
    with transaction.atomic():
        refusal = refusal_of(lambda: maker.finish(training_class))
    assert (refusal.code, refusal.rule) == ("evidence_differs", "M6")
    assert refusal.next_step
    assert refusal.details is not None
    rows = refusal.details["rows"]
    assert isinstance(rows, list)
    assert {row.partition("/")[0] for row in rows} == found_in
    assert not Verdict.objects.exists()
    assert not Certificate.objects.exists()


# Under an edition that leaves the lesson hour open nothing can be computed, let alone opened.
COMPUTABLE = {name: case for name, case in EARLY.items() if name != "another edition"}


@pytest.mark.parametrize(("sql", "found_in"), cases({**COMPUTABLE, **LATE}))
def test_a_row_changed_past_the_log_is_found_everywhere(
    claim: Claim, manager: User, now, sql: str, found_in: set[str]
):
    lines = list(claim.lines.select_related("claim__training_class"))
    attack(sql)
    chain = claim.training_class.subject
    found = differences(chain)
    assert tables(found) == found_in
    assert tables(differences()) == found_in
    said = verified()
    assert all(f"{table}/" in said for table in found_in)
    assert all(difference.sentence in said for difference in found)
    if sql == LATE["claim gone"][0]:
        return
    assert tables(one for line in lines for one in trace_of(line).differences) == found_in
    with transaction.atomic():
        refusal = refusal_of(lambda: submit_claim(actor=manager, claim=claim, at=now))
    assert refusal.code in REFUSALS
    assert refusal.rule
    assert refusal.next_step
    assert Claim.objects.get().submitted_at is None


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("update subsidies_publicnotice set last_day = last_day - 3", "subsidies_publicnotice"),
        ("delete from subsidies_objection", "subsidies_objection"),
        ("update subsidies_objection set line_id = null", "subsidies_objection"),
        ("update subsidies_objection set text = '没有意见，都很好。'", "subsidies_objection"),
        (
            "update subsidies_objection set state = 'dismissed', answer = '不成立', answered_at = now(),"
            " answered_by_id = (select max(id) from accounts_user)",
            "subsidies_objection",
        ),
        ("update exams_attempt set points = 44", "exams_attempt"),
    ],
)
def test_nothing_is_approved_on_a_changed_notice_or_objection(
    notice: PublicNotice, officer: User, over, sql: str, table: str
):
    objection = lodge_objection(
        notice=notice, line_number=2, text="这个人第二天在外地，没有上课。", contact="", at=notice.opened_at
    )
    if table != "subsidies_objection":
        answer_objection(actor=officer, objection=objection, upheld=False, answer="查过，不属实。", at=over)
    attack(sql)
    assert tables(differences(notice.claim.training_class.subject)) == {table}
    with transaction.atomic():
        refusal = refusal_of(
            lambda: decide_claim(actor=officer, claim=notice.claim, approved=True, reason="", at=over)
        )
    waiting = Objection.objects.filter(state="open").exists()
    assert refusal.code == ("objection_open" if waiting else "evidence_differs")
    assert Claim.objects.get().decided_amount is None


def test_a_changed_decision_is_found(notice: PublicNotice, officer: User, over):
    decide_claim(actor=officer, claim=notice.claim, approved=False, reason="材料不全。", at=over)
    attack("update subsidies_claim set state = 'approved', decided_amount = amount")
    attack("update subsidies_claimline set decided_amount = amount")
    found = differences(notice.claim.training_class.subject)
    assert {(one.what, one.says, one.recorded) for one in found} == {
        ("补贴申请", "状态 已核定", "状态 不予补贴"),
        ("核定金额", "核定金额（元） 600.00，不付的行 没有", "核定金额（元） 0.00，不付的行 1+2+3"),
    }


def test_a_trainee_taken_off_the_roster_or_put_back_is_found(claim: Claim):
    left = claim.lines.get(n=1).enrolment
    attack(f"update classes_enrolment set state = 'left' where id = {left.pk}")
    found = differences(claim.training_class.subject)
    said = {(one.what, one.code, one.says, one.recorded) for one in found}
    assert ("学员", "differs", "状态 已退出", "状态 在册") in said
    assert ("花名册", "differs", "在册人数 2", "在册人数 3") in said


def test_the_rows_say_what_is_gone(claim: Claim):
    attack("delete from attendance_signin where id = (select min(id) from attendance_signin)")
    found = differences(claim.training_class.subject)
    assert {one.code for one in found} == {"gone"}
    assert {one.what for one in found} == {"签到", "签退"}
    assert all("在留痕里有" in one.sentence and "数据库里没有" in one.sentence for one in found)


# Through the ORM, as a careless or dishonest programmer would.
ORM: dict[str, Callable[[], models.QuerySet[Any]]] = {
    "claim": Claim.objects.all,
    "line": ClaimLine.objects.all,
    "attempt": Attempt.objects.all,
    "enrolment": Enrolment.objects.all,
    "person": Person.objects.all,
    "sign-in": SignIn.objects.all,
    "lesson": Lesson.objects.all,
}
CHANGES: dict[str, dict[str, Any]] = {
    "claim": {"amount": 1200, "rate": 400},
    "line": {"amount": 400},
    "attempt": {"points": 50},
    "enrolment": {"category": "graduate"},
    "person": {"name": "张三"},
    "sign-in": {"requested_at": clock("08:00")},
    "lesson": {"title": "别的内容"},
}


@pytest.mark.parametrize("name", ORM)
def test_a_row_changed_with_the_orm_is_found(claim: Claim, manager: User, now, name: str):
    ORM[name]().update(**CHANGES[name])
    assert differences(claim.training_class.subject)
    with transaction.atomic():
        assert refusal_of(lambda: submit_claim(actor=manager, claim=claim, at=now)).code in REFUSALS


# --- where it is shown, and to whom it belongs ---


def test_an_approval_is_refused_and_the_page_shows_both(
    notice: PublicNotice, manager: User, officer: User, over
):
    claim = notice.claim
    attack("update exams_attempt set points = 44")
    refusal = refusal_of(lambda: decide_claim(actor=officer, claim=claim, approved=True, reason="", at=over))
    assert (refusal.code, refusal.found, refusal.required, refusal.rule) == (
        "evidence_differs",
        "得分 44",
        "得分 43",
        "P10",
    )
    attempt = Attempt.objects.get(enrolment=claim.lines.get(n=1).enrolment)
    page = client_of(manager).get(f"/claims/{claim.pk}/lines/1/").content.decode()
    assert "留痕已核验，未被改动" not in page
    for words in ("结业考试成绩", f"编号 {attempt.pk}", "得分 44", "得分 43"):
        assert words in page
    body = client_of(manager).get(f"/api/v1/claims/{claim.pk}/lines/1/trace/").json()
    assert body["differences"] == [
        {
            "row": f"exams_attempt/{attempt.pk}",
            "code": "differs",
            "what": "结业考试成绩",
            "says": "得分 44",
            "recorded": "得分 43",
            "message": "与留痕不一致：结业考试成绩在数据库里是得分 44，留痕是得分 43",
        }
    ]


def test_the_class_s_attendance_warns_whoever_answers_for_it(
    claim: Claim, cast: Cast, manager: User, officer: User
):
    address = f"/classes/{claim.training_class_id}/attendance/"
    assert "和留痕不一致" not in client_of(manager).get(address).content.decode()
    attack("update attendance_signin set requested_at = requested_at - interval '1 hour'")
    for user in (manager, officer):
        page = client_of(user).get(address).content.decode()
        assert "处和留痕不一致" in page
        assert "签到" in page
        assert "attendance_signin" not in page
    assert "和留痕不一致" not in client_of(cast.trainer).get(address).content.decode()


def test_another_trainees_rows_are_not_held_against_a_line(claim: Claim):
    line, other = claim.lines.order_by("n")[:2]
    attack(f"update exams_attempt set points = 44 where enrolment_id = {other.enrolment_id}")
    assert trace_of(line).differences == ()
    assert [found.code for found in trace_of(other).differences] == ["differs"]


def test_another_class_and_institution_are_not_held_against_a_claim(
    maker: ClassMaker, claim: Claim, cast: Cast, manager: User, now
):
    theirs = maker.make(name="洛阳的班", school=cast.rival_school, people=cast.trainees(6)[3:])
    attack(f"update classes_enrolment set category = 'graduate' where training_class_id = {theirs.pk}")
    assert differences(claim.training_class.subject) == []
    assert tables(differences(theirs.subject)) == {"classes_enrolment"}
    submit_claim(actor=manager, claim=claim, at=now)
    assert differences("platform/evidence") == []


def test_evidence_of_somebody_else_bears_nothing_out(claim: Claim):
    """A sign-in moved to another trainee has an entry with its number, but not with that person."""
    first, second = claim.lines.order_by("n")[:2]
    attack(
        f"update attendance_signin set enrolment_id = {second.enrolment_id}"
        f" where enrolment_id = {first.enrolment_id}"
        f" and lesson_id = (select min(lesson_id) from attendance_signin)"
    )
    assert tables(differences(claim.training_class.subject)) == {"attendance_signin"}


def test_more_trainees_and_lines_take_no_more_queries(
    maker: ClassMaker, claim: Claim, manager: User, cast: Cast, now, django_assert_num_queries: Any
):
    alone = maker.finish(maker.make(name="一个人的班", people=cast.trainees(4)[3:], course_type="SYB"))
    for training_class in (claim.training_class, alone):
        with django_assert_num_queries(14):
            assert differences(training_class.subject) == []
    with django_assert_num_queries(17):
        assert differences() == []


def test_a_page_of_the_rival_stays_closed(claim: Claim, cast: Cast):
    attack("update exams_attempt set points = 44")
    rival: Client = client_of(cast.rival)
    assert rival.get(f"/claims/{claim.pk}/lines/1/").status_code == 404
    assert rival.get(f"/api/v1/claims/{claim.pk}/lines/1/trace/").status_code == 404
    assert rival.get(f"/classes/{claim.training_class_id}/attendance/").status_code == 404


def test_a_new_claim_is_not_drawn_up_on_changed_rows(finished: TrainingClass, manager: User, now):
    attack("update exams_attempt set points = 44")
    with transaction.atomic():
        refusal = refusal_of(lambda: draw_up_claim(actor=manager, training_class=finished, at=now))
    assert refusal.code == "evidence_differs"
    assert not Claim.objects.exists()
