"""Drawing up, submitting, announcing and deciding."""

import datetime
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import transaction

from accounts.models import User
from accounts.registers.actions import Order, end_measure, order_institution
from audit.models import Entry
from classes.models import TrainingClass
from config.demo.cast import Cast
from exams.actions.certificates import revoke_certificate
from policy.refusals import Refusal
from subsidies.actions.claims import (
    decide_claim,
    draw_up_claim,
    open_notice,
    redraw_claim,
    return_claim,
    submit_claim,
)
from subsidies.actions.objections import answer_objection, lodge_objection
from subsidies.models import Claim, PublicNotice
from subsidies.queries import paid_before
from subsidies.states import CLAIM_MOVES, ClaimState
from tests.cast import SHANGHAI
from tests.subsidies.conftest import DAY, LEARNER_SECONDS, ClassMaker, as_owner, snapshot

pytestmark = pytest.mark.django_db
LATER = datetime.timedelta(hours=1)


def kinds(claim: Claim) -> list[str]:
    return list(Entry.objects.filter(subject=claim.subject).order_by("seq").values_list("kind", flat=True))


def test_the_amount_is_heads_times_the_editions_rate(claim: Claim):
    assert (claim.effective_trainees, claim.rate, claim.amount) == (3, Decimal("200.00"), Decimal("600.00"))
    lines = claim.lines.select_related("enrolment__person", "verdict")
    assert [line.n for line in lines] == [1, 2, 3]
    assert sum(line.amount for line in lines) == claim.amount
    learner = next(line for line in lines if line.enrolment.person.name == "王小满")
    assert learner.verdict.credited_microseconds == LEARNER_SECONDS * 1_000_000
    assert kinds(claim) == ["claim.drawn_up"]
    facts = Entry.objects.get(kind="claim.drawn_up").facts
    assert (facts["heads"], facts["rate"], facts["amount"]) == (3, "200.00", "600.00")


def test_drawing_up_twice_gives_one_claim(finished: TrainingClass, claim: Claim, manager: User, now):
    assert draw_up_claim(actor=manager, training_class=finished, at=now + LATER) == claim
    assert kinds(claim) == ["claim.drawn_up"]


@pytest.mark.parametrize("missing", ["absent", "failed"])
def test_a_line_needs_exam_and_attendance(maker: ClassMaker, manager: User, now, missing: str):
    class_of_three = maker.make(absent=[1]) if missing == "absent" else maker.make(failed=[1])
    finished = maker.finish(class_of_three)
    claim = draw_up_claim(actor=manager, training_class=finished, at=now)
    assert (claim.effective_trainees, claim.amount) == (2, Decimal("400.00"))
    assert "陈国强" not in [line.enrolment.person.name for line in claim.lines.all()]


def test_nobody_effective_makes_no_claim(maker: ClassMaker, manager: User, now):
    finished = maker.finish(maker.make(failed=[0, 1, 2]))
    before = snapshot()
    with pytest.raises(Refusal, check=lambda r: r.code == "nobody_effective"):
        draw_up_claim(actor=manager, training_class=finished, at=now)
    assert snapshot() == before


def test_a_revoked_certificate_is_left_out(finished: TrainingClass, manager: User, officer: User, now):
    enrolment = finished.enrolments.get(person__name="陈国强")
    revoke_certificate(actor=officer, certificate=enrolment.certificate, reason="冒名参加考试", at=now)
    claim = draw_up_claim(actor=manager, training_class=finished, at=now)
    assert claim.effective_trainees == 2
    assert not claim.lines.filter(enrolment=enrolment).exists()


def test_a_class_that_runs_cannot_be_claimed(maker: ClassMaker, manager: User, now):
    running = maker.make()
    with pytest.raises(Refusal, check=lambda r: r.code == "class_not_finished"):
        draw_up_claim(actor=manager, training_class=running, at=now)
    assert not Claim.objects.exists()


def test_an_institution_that_lost_its_designation_cannot_claim(finished: TrainingClass, manager: User, now):
    finished.institution.designated_until = now.date() - datetime.timedelta(days=1)
    finished.institution.save()
    with pytest.raises(Refusal, check=lambda r: r.code == "institution_not_designated"):
        draw_up_claim(actor=manager, training_class=finished, at=now)


def test_an_institution_whose_training_qualification_is_cancelled_cannot_claim(
    finished: TrainingClass, cast: Cast, manager: User, now
):
    order = Order(kind="cancellation", row="Q9", ground="整改不到位。", since=now.date())
    measure = order_institution(institution=cast.school, order=order, actor=cast.officer, at=now)
    with pytest.raises(Refusal, check=lambda r: (r.code, r.rule) == ("qualification_cancelled", "Q9")):
        draw_up_claim(actor=manager, training_class=finished, at=now)
    assert not Claim.objects.exists()
    end_measure(measure=measure, reason="决定已撤销。", actor=cast.officer, at=now)
    draw_up_claim(actor=manager, training_class=finished, at=now)


def test_lessons_that_nobody_held_block_the_claim(maker: ClassMaker, manager: User, now):
    finished = maker.finish(maker.make(unheld=[4]))
    with pytest.raises(Refusal) as refused:
        draw_up_claim(actor=manager, training_class=finished, at=now)
    assert refused.value.code == "hours_not_delivered"
    assert "H4" in {finding["row"] for finding in refused.value.render()["details"]["findings"]}


# --- paid once per course type ---


@pytest.fixture
def second(maker: ClassMaker, cast: Cast) -> TrainingClass:
    """The rival's class of the same type a week later, with 王小满 and two others."""
    people = [cast.trainees(6)[n] for n in (0, 4, 5)]
    return maker.finish(
        maker.make(
            name="2026 年第 1 期",
            school=cast.rival_school,
            people=people,
            first=DAY + datetime.timedelta(days=7),
        )
    )


def test_a_person_is_claimed_once_per_course_type(submitted: Claim, second: TrainingClass, rival: User, now):
    learner = second.enrolments.get(person__name="王小满")
    assert paid_before(second, [learner.person_id]) == {learner.person_id}
    claim = draw_up_claim(actor=rival, training_class=second, at=now)
    assert claim.effective_trainees == 2
    assert not claim.lines.filter(enrolment=learner).exists()


def test_a_draft_or_a_rejected_claim_blocks_nobody(
    claim: Claim, second: TrainingClass, manager: User, officer: User, now, over
):
    learner = second.enrolments.get(person__name="王小满")
    assert paid_before(second, [learner.person_id]) == set()
    submit_claim(actor=manager, claim=claim, at=now)
    open_notice(actor=officer, claim=claim, at=now)
    assert paid_before(second, [learner.person_id]) == {learner.person_id}
    decide_claim(actor=officer, claim=claim, approved=False, reason="班级没有按备案开课。", at=over)
    assert paid_before(second, [learner.person_id]) == set()


def test_a_line_that_was_left_out_blocks_nobody(
    notice: PublicNotice, second: TrainingClass, officer: User, now, over
):
    learner = second.enrolments.get(person__name="王小满")
    n = notice.claim.lines.get(enrolment__person=learner.person).n
    objection = lodge_objection(
        notice=notice, line_number=n, text="她那几天在外地，没有上课。", contact="", at=now
    )
    answer_objection(actor=officer, objection=objection, upheld=True, answer="查实，不予付款。", at=now)
    decide_claim(actor=officer, claim=notice.claim, approved=True, reason="", at=over)
    assert paid_before(second, [learner.person_id]) == set()


def test_another_course_type_is_paid_too(submitted: Claim, maker: ClassMaker, cast: Cast):
    syb = maker.make(name="创办企业班", course_type="SYB", first=DAY + datetime.timedelta(days=7))
    assert paid_before(syb, [person.pk for person in cast.trainees(3)]) == set()


def test_who_was_claimed_elsewhere_meanwhile_stops_the_submission(
    claim: Claim, second: TrainingClass, manager: User, rival: User, now
):
    theirs = draw_up_claim(actor=rival, training_class=second, at=now)
    assert theirs.effective_trainees == 3
    submit_claim(actor=manager, claim=claim, at=now)
    before = snapshot()
    with pytest.raises(Refusal, check=lambda r: r.code == "claim_outdated"):
        submit_claim(actor=rival, claim=theirs, at=now + LATER)
    assert snapshot() == before
    theirs = redraw_claim(actor=rival, claim=theirs, at=now + LATER)
    assert (theirs.effective_trainees, theirs.amount) == (2, Decimal("400.00"))
    assert submit_claim(actor=rival, claim=theirs, at=now + LATER).state == ClaimState.SUBMITTED


# --- only on verdicts that stand ---


def shorten_presence(claim: Claim) -> None:
    """As the owner of the database: take ten minutes from a trainee who was claimed for."""
    person = claim.lines.get(enrolment__person__name="陈国强").enrolment.person_id
    with as_owner() as cursor:
        cursor.execute(
            "update live_presenceinterval"
            " set during = tstzrange(lower(during), upper(during) - interval '10 minutes')"
            " where id = (select min(id) from live_presenceinterval where person_id = %s)",
            [person],
        )
        assert cursor.rowcount == 1


def raise_verdict(claim: Claim) -> None:
    line = claim.lines.get(enrolment__person__name="王小满")
    with as_owner() as cursor:
        cursor.execute(
            "update attendance_verdict set credited_microseconds = credited_microseconds + 1"
            " where enrolment_id = %s",
            [line.enrolment_id],
        )


def rewrite_evidence(claim: Claim) -> None:
    with as_owner() as cursor:
        cursor.execute(
            "update audit_entry set facts = facts || '{\"heartbeats\": 9}' where kind = 'presence.closed'"
        )


ATTACKS = [
    (shorten_presence, "verdict_changed"),
    (raise_verdict, "verdict_changed"),
    (rewrite_evidence, "evidence_broken"),
]


@pytest.mark.parametrize(("attack", "code"), ATTACKS)
def test_tampering_stops_every_step_but_a_rejection(
    claim: Claim, manager: User, officer: User, now, over, attack, code
):
    def stopped(act: Callable[[], object]) -> None:
        """Attack, see the step refused, take the attack back."""
        with transaction.atomic():
            attack(claim)
            before = snapshot()
            with pytest.raises(Refusal) as refused:
                act()
            assert refused.value.code == code
            assert snapshot() == before
            transaction.set_rollback(True)

    stopped(lambda: submit_claim(actor=manager, claim=claim, at=now))
    submit_claim(actor=manager, claim=claim, at=now)
    stopped(lambda: open_notice(actor=officer, claim=claim, at=now))
    open_notice(actor=officer, claim=claim, at=now)
    stopped(lambda: decide_claim(actor=officer, claim=claim, approved=True, reason="", at=over))
    attack(claim)
    rejected = decide_claim(actor=officer, claim=claim, approved=False, reason="留痕对不上。", at=over)
    assert (rejected.state, rejected.decided_amount) == (ClaimState.REJECTED, Decimal("0.00"))


# --- steps ---


def test_a_returned_claim_is_corrected_and_handed_in_again(
    submitted: Claim, manager: User, officer: User, now
):
    revoke_certificate(
        actor=officer, certificate=submitted.lines.get(n=1).certificate, reason="冒名参加考试", at=now
    )
    with pytest.raises(Refusal, check=lambda r: r.code == "certificate_revoked"):
        open_notice(actor=officer, claim=submitted, at=now)
    returned = return_claim(actor=officer, claim=submitted, reason="第 1 行的合格证已撤销。", at=now)
    assert (returned.state, returned.reason) == (ClaimState.RETURNED, "第 1 行的合格证已撤销。")
    assert return_claim(actor=officer, claim=returned, reason="第 1 行的合格证已撤销。", at=now) == returned
    with pytest.raises(Refusal, check=lambda r: r.code == "claim_outdated"):
        submit_claim(actor=manager, claim=returned, at=now)
    redrawn = redraw_claim(actor=manager, claim=returned, at=now)
    assert (redrawn.state, redrawn.effective_trainees) == (ClaimState.RETURNED, 2)
    again = submit_claim(actor=manager, claim=redrawn, at=now)
    assert (again.state, again.reason) == (ClaimState.SUBMITTED, "")
    assert [remark.text for remark in again.remarks.all()] == ["第 1 行的合格证已撤销。"]
    assert kinds(again) == [
        "claim.drawn_up",
        "claim.submitted",
        "claim.returned",
        "claim.redrawn",
        "claim.submitted",
    ]


def test_a_return_says_why_and_names_no_number(submitted: Claim, officer: User, now):
    before = snapshot()
    for reason, code in (
        (" ", "reason_required"),
        ("改" * 1001, "reason_too_long"),
        ("打 13800000000 找我", "personal_data_in_text"),
    ):
        with pytest.raises(Refusal) as refused:
            return_claim(actor=officer, claim=submitted, reason=reason, at=now)
        assert (refused.value.code, refused.value.status) == (code, 400)
    assert snapshot() == before


def test_a_notice_runs_five_working_days_after_its_day(submitted: Claim, officer: User):
    vectors = {
        "2026-09-07": "2026-09-14",
        "2026-02-12": "2026-02-26",  # over the Spring Festival
        "2026-09-18": "2026-09-24",  # Sunday 20 September is worked
        "2026-04-29": "2026-05-09",  # a worked Saturday is the fifth day
        "2026-10-12": "2026-10-19",
    }
    for opened, last in vectors.items():
        at = datetime.datetime.fromisoformat(f"{opened}T16:30").replace(tzinfo=SHANGHAI)
        with transaction.atomic():
            notice = open_notice(actor=officer, claim=submitted, at=at)
            assert (notice.first_day.isoformat(), notice.last_day.isoformat()) == (opened, last)
            assert open_notice(actor=officer, claim=submitted, at=at + LATER) == notice
            transaction.set_rollback(True)


def test_a_notice_into_an_unpublished_year_is_refused(submitted: Claim, officer: User):
    at = datetime.datetime(2099, 12, 28, 9, tzinfo=SHANGHAI)
    before = snapshot()
    with pytest.raises(Refusal, check=lambda r: r.code == "calendar_unpublished"):
        open_notice(actor=officer, claim=submitted, at=at)
    assert snapshot() == before


@pytest.mark.parametrize("approved", [True, False])
def test_nothing_is_decided_before_the_notice_has_ended(
    notice: PublicNotice, officer: User, over, approved: bool
):
    last_minute = datetime.datetime.combine(notice.last_day, datetime.time(23, 59, 59), SHANGHAI)
    before = snapshot()
    with pytest.raises(Refusal, check=lambda r: r.code == "notice_running"):
        decide_claim(actor=officer, claim=notice.claim, approved=approved, reason="理由", at=last_minute)
    assert snapshot() == before
    midnight = last_minute + datetime.timedelta(seconds=1)
    decided = decide_claim(actor=officer, claim=notice.claim, approved=approved, reason="理由", at=midnight)
    assert decided.state == (ClaimState.APPROVED if approved else ClaimState.REJECTED)


def test_an_approval_pays_every_line(notice: PublicNotice, officer: User, over):
    claim = decide_claim(actor=officer, claim=notice.claim, approved=True, reason="", at=over)
    assert (claim.state, claim.decided_amount, claim.decided_by) == (
        ClaimState.APPROVED,
        claim.amount,
        officer,
    )
    assert {line.decided_amount for line in claim.lines.all()} == {Decimal("200.00")}
    before = snapshot()
    assert decide_claim(actor=officer, claim=claim, approved=True, reason="", at=over) == claim
    with pytest.raises(Refusal, check=lambda r: r.code == "claim_move"):
        decide_claim(actor=officer, claim=claim, approved=False, reason="后悔了", at=over)
    assert snapshot() == before


def test_a_certificate_revoked_during_the_notice_is_not_paid(notice: PublicNotice, officer: User, over):
    line = notice.claim.lines.get(n=2)
    revoke_certificate(actor=officer, certificate=line.certificate, reason="冒名参加考试", at=over)
    claim = decide_claim(actor=officer, claim=notice.claim, approved=True, reason="", at=over)
    assert claim.decided_amount == Decimal("400.00")
    assert [line.decided_amount for line in claim.lines.all()] == [200, 0, 200]
    assert Entry.objects.get(kind="claim.decided").facts["held_lines"] == [2]


def test_a_rejection_needs_a_reason(notice: PublicNotice, officer: User, over):
    before = snapshot()
    with pytest.raises(Refusal, check=lambda r: r.code == "reason_required"):
        decide_claim(actor=officer, claim=notice.claim, approved=False, reason=" ", at=over)
    assert snapshot() == before


# --- the whole grid, and who may ---

VERBS = sorted({verb for moves in CLAIM_MOVES.values() for verb in moves})


def take(verb: str, claim: Claim, actor: User, at: datetime.datetime) -> Claim:
    match verb:
        case "submit":
            return submit_claim(actor=actor, claim=claim, at=at)
        case "redraw":
            return redraw_claim(actor=actor, claim=claim, at=at)
        case "return":
            return return_claim(actor=actor, claim=claim, reason="少一份材料。", at=at)
        case "notice":
            return open_notice(actor=actor, claim=claim, at=at).claim
        case _:
            return decide_claim(
                actor=actor, claim=claim, approved=verb == "approve", reason="核对过了。", at=at
            )


PATHS = {
    ClaimState.DRAFT: [],
    ClaimState.SUBMITTED: ["submit"],
    ClaimState.RETURNED: ["submit", "return"],
    ClaimState.NOTICED: ["submit", "notice"],
    ClaimState.APPROVED: ["submit", "notice", "approve"],
    ClaimState.REJECTED: ["submit", "notice", "reject"],
}
# Repeating what was just done is answered with what is there.
REPEATED = {
    (ClaimState.SUBMITTED, "submit"),
    (ClaimState.RETURNED, "return"),
    (ClaimState.NOTICED, "notice"),
    (ClaimState.APPROVED, "approve"),
    (ClaimState.REJECTED, "reject"),
}


def test_every_verb_in_every_state(claim: Claim, cast: Cast, now: datetime.datetime, over: datetime.datetime):
    """One claim is led to each state, each verb is tried there and taken back."""

    def actor(verb: str) -> User:
        return cast.manager if verb in ("submit", "redraw") else cast.officer

    def when(verb: str) -> datetime.datetime:
        return over if verb in ("approve", "reject") else now

    tried = 0
    for state, path in PATHS.items():
        with transaction.atomic():
            reached = claim
            for verb in path:
                reached = take(verb, reached, actor(verb), when(verb))
            assert reached.state == state
            for verb in VERBS:
                before = snapshot()
                with transaction.atomic():
                    if verb in CLAIM_MOVES[state]:
                        after = take(verb, reached, actor(verb), when(verb))
                        assert after.state == CLAIM_MOVES[state][verb]
                        assert snapshot() != before
                    elif (state, verb) in REPEATED:
                        take(verb, reached, actor(verb), when(verb))
                        assert snapshot() == before
                    else:
                        with pytest.raises(Refusal, check=lambda r: r.code == "claim_move"):
                            take(verb, reached, actor(verb), when(verb))
                        assert snapshot() == before
                    transaction.set_rollback(True)
                tried += 1
            transaction.set_rollback(True)
    assert tried == len(ClaimState) * len(VERBS)


def test_only_the_manager_draws_up_and_submits(claim: Claim, finished: TrainingClass, cast: Cast, now):
    before = snapshot()
    for who in ("officer", "rival", "learner", "trainer", "regulator", "operator"):
        for verb in ("redraw", "submit"):
            with pytest.raises(Refusal) as refused:
                take(verb, claim, cast[who], now)
            assert (who, refused.value.code, refused.value.status) == (who, "manager_required", 403)
    assert snapshot() == before


def test_an_institution_never_enters_its_own_approval(submitted: Claim, cast: Cast, now):
    before = snapshot()
    for who in ("manager", "rival", "learner", "trainer", "regulator", "finance", "operator"):
        for verb in ("return", "notice"):
            with pytest.raises(Refusal) as refused:
                take(verb, submitted, cast[who], now)
            assert (who, refused.value.code, refused.value.status) == (who, "officer_required", 403)
    assert snapshot() == before


def test_nobody_but_the_office_decides(notice: PublicNotice, cast: Cast, over):
    before = snapshot()
    for who in ("manager", "rival", "learner", "trainer", "regulator", "finance", "operator"):
        for approved in (True, False):
            with pytest.raises(Refusal) as refused:
                decide_claim(actor=cast[who], claim=notice.claim, approved=approved, reason="好", at=over)
            assert (who, refused.value.code, refused.value.status) == (who, "officer_required", 403)
    assert snapshot() == before
