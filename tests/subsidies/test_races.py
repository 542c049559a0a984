"""Two connections at once, where a mistake would cost money."""

import datetime
import threading
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import close_old_connections, connections, transaction

from audit.models import Entry
from config.demo.cast import build_cast
from policy.refusals import Refusal
from subsidies.actions.claims import decide_claim, draw_up_claim, open_notice, submit_claim
from subsidies.actions.objections import lodge_objection
from subsidies.models import Claim, Objection
from subsidies.states import ClaimState
from tests.cast import MONDAY, SHANGHAI
from tests.subsidies.conftest import DAY, ClassMaker

pytestmark = pytest.mark.django_db(transaction=True)
OVER = MONDAY + datetime.timedelta(days=8)


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Run each act on its own connection, all released together; results, or the refusal's code."""
    barrier = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(place: int, act: Callable[[], object]) -> None:
        close_old_connections()
        try:
            barrier.wait(timeout=30)
            results[place] = act()
        except Refusal as refused:
            results[place] = refused.code
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    return results


@pytest.fixture
def maker(db: None) -> ClassMaker:
    with transaction.atomic():
        return ClassMaker(build_cast(at=MONDAY, password=None))


def noticed(maker: ClassMaker) -> Claim:
    cast = maker.cast
    with transaction.atomic():
        finished = maker.finish(maker.make())
    claim = draw_up_claim(actor=cast.manager, training_class=finished, at=MONDAY)
    submit_claim(actor=cast.manager, claim=claim, at=MONDAY)
    open_notice(actor=cast.officer, claim=claim, at=MONDAY)
    return Claim.objects.get(pk=claim.pk)


def test_a_claim_is_decided_once(maker: ClassMaker):
    claim, officer = noticed(maker), maker.cast.officer

    def decide(approved: bool) -> Callable[[], object]:
        return lambda: decide_claim(
            actor=officer, claim=claim, approved=approved, reason="核对过了。", at=OVER
        )

    results = at_once(decide(True), decide(False))
    claim.refresh_from_db()
    assert claim.state in (ClaimState.APPROVED, ClaimState.REJECTED)
    assert sorted(isinstance(result, Claim) for result in results) == [False, True]
    assert "claim_move" in results
    assert Entry.objects.filter(kind="claim.decided").count() == 1
    assert claim.decided_amount == sum(line.decided_amount or Decimal(0) for line in claim.lines.all())


def test_the_same_decision_twice_is_one_decision(maker: ClassMaker):
    claim, officer = noticed(maker), maker.cast.officer

    def approve() -> object:
        return decide_claim(actor=officer, claim=claim, approved=True, reason="", at=OVER)

    assert all(isinstance(result, Claim) for result in at_once(approve, approve))
    assert Entry.objects.filter(kind="claim.decided").count() == 1


def test_one_class_gets_one_claim(maker: ClassMaker):
    with transaction.atomic():
        finished = maker.finish(maker.make())

    def draw() -> object:
        return draw_up_claim(actor=maker.cast.manager, training_class=finished, at=MONDAY).pk

    first, second = at_once(draw, draw)
    assert first == second == Claim.objects.get().pk
    assert Entry.objects.filter(kind="claim.drawn_up").count() == 1


def test_one_person_is_paid_once_however_close_two_schools_are(maker: ClassMaker):
    cast = maker.cast
    with transaction.atomic():
        ours = maker.finish(maker.make())
        theirs = maker.finish(
            maker.make(name="第 1 班", school=cast.rival_school, first=DAY + datetime.timedelta(days=7))
        )
    claims = [
        (cast.manager, draw_up_claim(actor=cast.manager, training_class=ours, at=MONDAY)),
        (cast.rival, draw_up_claim(actor=cast.rival, training_class=theirs, at=MONDAY)),
    ]

    def submit(place: int) -> Callable[[], object]:
        actor, claim = claims[place]
        return lambda: submit_claim(actor=actor, claim=claim, at=MONDAY).state

    results = at_once(submit(0), submit(1))
    assert sorted(map(str, results)) == ["nobody_effective", "submitted"]
    assert Claim.objects.filter(state=ClaimState.SUBMITTED).count() == 1


def test_an_objection_is_either_waited_for_or_too_late(maker: ClassMaker):
    """Who objects on the last day may be overtaken by a decision that was asked for later."""
    claim, officer = noticed(maker), maker.cast.officer
    last_noon = datetime.datetime.combine(claim.notice.last_day, datetime.time(12), tzinfo=SHANGHAI)

    def lodge() -> object:
        text = "这一行的学员那几天在外地，没有上课。"
        return lodge_objection(notice=claim.notice, line_number=1, text=text, contact="", at=last_noon)

    def decide() -> object:
        return decide_claim(actor=officer, claim=claim, approved=True, reason="", at=OVER)

    lodged, decided = at_once(lodge, decide)
    claim.refresh_from_db()
    if isinstance(lodged, Objection) and decided == "objection_open":
        assert claim.state == ClaimState.NOTICED
    else:
        assert (lodged, claim.state) == ("notice_over", ClaimState.APPROVED)
        assert not Objection.objects.exists()
