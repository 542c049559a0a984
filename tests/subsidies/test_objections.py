"""Anybody objects, the office answers, a line that is disputed waits."""

import datetime
from decimal import Decimal

import pytest

from accounts.models import User
from audit.models import Entry
from config.demo.cast import Cast
from policy.refusals import Refusal
from subsidies.actions.claims import decide_claim
from subsidies.actions.objections import answer_objection, contact_of, lodge_objection
from subsidies.models import Objection, PublicNotice
from subsidies.states import OBJECTION_MOVES, ClaimState, ObjectionState
from tests.cast import SHANGHAI
from tests.subsidies.conftest import snapshot

pytestmark = pytest.mark.django_db
TEXT = "这一行的学员那几天在外地，没有上课。"


@pytest.fixture
def objection(notice: PublicNotice, now: datetime.datetime) -> Objection:
    return lodge_objection(notice=notice, line_number=2, text=TEXT, contact="邻居老李 0371-60001234", at=now)


def test_an_objection_is_kept_with_its_contact_sealed(objection: Objection):
    assert objection.line is not None
    assert objection.contact_sealed is not None
    assert (objection.line.n, objection.text, objection.state) == (2, TEXT, ObjectionState.OPEN)
    assert "老李".encode() not in bytes(objection.contact_sealed)
    assert contact_of(objection) == "邻居老李 0371-60001234"
    entry = Entry.objects.get(kind="objection.lodged")
    assert (entry.actor_id, entry.facts["line"]) == (None, 2)
    assert TEXT not in str(entry.facts)


def test_the_same_objection_again_is_the_same_objection(objection: Objection, notice: PublicNotice, now):
    again = lodge_objection(notice=notice, line_number=2, text=f" {TEXT} ", contact="", at=now)
    assert again == objection
    assert Entry.objects.filter(kind="objection.lodged").count() == 1


def test_an_objection_needs_words_and_a_line_that_is_there(notice: PublicNotice, now):
    before = snapshot()
    for line, text, contact, code in (
        (None, "太短了", "", "objection_length"),
        (None, "长" * 2001, "", "objection_length"),
        (99, TEXT, "", "notice_line_unknown"),
        (1, TEXT, "联" * 101, "contact_length"),
    ):
        with pytest.raises(Refusal) as refused:
            lodge_objection(notice=notice, line_number=line, text=text, contact=contact, at=now)
        assert (refused.value.code, refused.value.status) == (code, 400)
    assert snapshot() == before


def test_the_last_day_of_a_notice_still_takes_objections(notice: PublicNotice, over):
    last = datetime.datetime.combine(notice.last_day, datetime.time(23, 59), SHANGHAI)
    assert lodge_objection(notice=notice, line_number=None, text=TEXT, contact="", at=last).pk
    before = snapshot()
    with pytest.raises(Refusal, check=lambda r: r.code == "notice_over"):
        lodge_objection(notice=notice, line_number=1, text=TEXT, contact="", at=over)
    assert snapshot() == before


def test_an_open_objection_stops_the_decision(
    objection: Objection, notice: PublicNotice, officer: User, over
):
    before = snapshot()
    for approved in (True, False):
        with pytest.raises(Refusal, check=lambda r: r.code == "objection_open"):
            decide_claim(actor=officer, claim=notice.claim, approved=approved, reason="理由", at=over)
    assert snapshot() == before


@pytest.mark.parametrize(("upheld", "amount"), [(True, 400), (False, 600)])
def test_an_upheld_objection_holds_its_line_back(
    objection: Objection, notice: PublicNotice, officer: User, over, upheld: bool, amount: int
):
    answered = answer_objection(actor=officer, objection=objection, upheld=upheld, answer="已核查。", at=over)
    assert answered.state == (ObjectionState.UPHELD if upheld else ObjectionState.DISMISSED)
    claim = decide_claim(actor=officer, claim=notice.claim, approved=True, reason="", at=over)
    assert claim.decided_amount == Decimal(amount)
    assert [line.decided_amount for line in claim.lines.all()] == [200, 0 if upheld else 200, 200]


def test_an_upheld_objection_to_the_whole_notice_leaves_nothing_to_pay(
    notice: PublicNotice, officer: User, now, over
):
    whole = lodge_objection(notice=notice, line_number=None, text=TEXT, contact="", at=now)
    answer_objection(actor=officer, objection=whole, upheld=True, answer="整班没有按备案开课。", at=now)
    before = snapshot()
    with pytest.raises(Refusal, check=lambda r: r.code == "nothing_left_to_pay"):
        decide_claim(actor=officer, claim=notice.claim, approved=True, reason="", at=over)
    assert snapshot() == before
    claim = decide_claim(actor=officer, claim=notice.claim, approved=False, reason="整班不符。", at=over)
    assert (claim.state, claim.decided_amount) == (ClaimState.REJECTED, Decimal(0))


def test_an_answer_is_given_once(objection: Objection, officer: User, now):
    answered = answer_objection(
        actor=officer, objection=objection, upheld=False, answer="签到有录像。", at=now
    )
    before = snapshot()
    assert (
        answer_objection(actor=officer, objection=answered, upheld=False, answer="签到有录像。", at=now)
        == answered
    )
    for upheld, answer in ((True, "签到有录像。"), (False, "改个说法。")):
        with pytest.raises(Refusal, check=lambda r: r.code == "objection_answered"):
            answer_objection(actor=officer, objection=answered, upheld=upheld, answer=answer, at=now)
    assert snapshot() == before


def test_an_answer_says_something_and_names_no_number(objection: Objection, officer: User, now):
    before = snapshot()
    for answer, code in ((" ", "reason_required"), ("他的电话是13800000001", "personal_data_in_text")):
        with pytest.raises(Refusal) as refused:
            answer_objection(actor=officer, objection=objection, upheld=False, answer=answer, at=now)
        assert refused.value.code == code
    assert snapshot() == before


def test_only_the_office_answers(objection: Objection, cast: Cast, now):
    before = snapshot()
    for who in ("manager", "rival", "learner", "trainer", "regulator", "finance", "operator"):
        with pytest.raises(Refusal) as refused:
            answer_objection(actor=cast[who], objection=objection, upheld=False, answer="不成立。", at=now)
        assert (who, refused.value.code) == (who, "officer_required")
    assert snapshot() == before


def test_only_an_open_objection_moves():
    assert {state: set(moves) for state, moves in OBJECTION_MOVES.items()} == {
        ObjectionState.OPEN: {"uphold", "dismiss"},
        ObjectionState.UPHELD: set(),
        ObjectionState.DISMISSED: set(),
    }
