"""Disqualification, rectification and cancellation: from a day on, until they are lifted (L5-L7, Q8, Q9)."""

import datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.http import Http404

from accounts.models import Institution, User
from accounts.registers import actions
from accounts.registers.actions import Order
from accounts.registers.models import Measure
from accounts.registers.queries import announced, disqualified_on
from accounts.registers.states import Ground, MeasureKind
from audit.models import Entry
from classes.actions import open_lesson, submit_filing
from classes.checks import check_draft
from classes.models import TrainingClass
from classes.states import LessonState
from classes.timetables import drafts_of
from policy.refusals import Refusal
from tests.classes.school import FIRST_DAY, School
from tests.registers.conftest import Registers

DAY = datetime.timedelta(days=1)


def outcomes(training_class: TrainingClass, filed_on: datetime.date) -> dict[str, str]:
    check = check_draft(training_class, drafts_of(training_class.lessons.all()), filed_on=filed_on)
    return {finding.code: finding.outcome.value for finding in check.findings}


@pytest.mark.parametrize(
    ("since", "outcome"),
    [
        (FIRST_DAY, "failed"),
        (FIRST_DAY + 13 * DAY, "failed"),  # the last day of the class: a session could fall on it
        (FIRST_DAY + 14 * DAY, "passed"),
    ],
)
def test_a_lecturer_disqualified_on_a_day_of_the_class_is_not_filed(
    registers: Registers, school: School, since: datetime.date, outcome: str
):
    training_class = school.ready()
    registers.disqualify(since=since)
    assert outcomes(training_class, registers.at.date())["lecturer_in_good_standing"] == outcome
    if outcome == "failed":
        with pytest.raises(Refusal, check=lambda refusal: refusal.code == "findings_failed"):
            submit_filing(training_class=training_class, actor=registers.cast.manager, at=registers.at)


def test_lifted_it_no_longer_holds_and_stays_on_record(registers: Registers):
    measure = registers.disqualify()
    today = registers.at.date()
    assert disqualified_on(registers.trainer.pk, today) == today
    ended = registers.end(measure, days=3)
    assert ended.ended_on == today + 3 * DAY
    assert disqualified_on(registers.trainer.pk, today + 2 * DAY) == today
    assert disqualified_on(registers.trainer.pk, today + 3 * DAY) is None
    assert registers.end(ended, days=9).ended_on == today + 3 * DAY  # again: nothing changes
    found = Entry.objects.filter(subject=measure.subject).order_by("seq")
    assert [entry.kind for entry in found] == ["measure.ordered", "measure.ended"]
    assert found[0].actor_id == registers.cast.officer.pk
    assert measure.ground not in str(found[0].facts)


def test_a_disqualified_lecturer_opens_no_lesson_from_that_day_on(registers: Registers, school: School):
    training_class = school.approved()
    first, second = training_class.lessons.order_by("starts_at")[:2]
    registers.disqualify(since=FIRST_DAY + DAY)
    opened = open_lesson(lesson=first, actor=registers.cast.trainer, at=first.starts_at)
    assert opened.state == LessonState.OPEN
    for actor in (registers.cast.trainer, registers.cast.assistant):
        with pytest.raises(Refusal) as refused:
            open_lesson(lesson=second, actor=actor, at=second.starts_at)
        assert (refused.value.code, refused.value.rule) == ("lecturer_disqualified", "T3")
    second.refresh_from_db()
    assert second.state == LessonState.PLANNED


def test_who_was_struck_off_meanwhile_is_not_approved(registers: Registers, school: School):
    filing = school.filed()
    registers.disqualify(since=FIRST_DAY)
    with pytest.raises(Refusal, check=lambda refusal: refusal.code == "standing_lost"):
        school.decide(filing)
    assert school.decide(filing, approved=False).reason


def test_a_designation_that_was_shortened_meanwhile_is_not_approved(registers: Registers, school: School):
    filing = school.filed()
    designate(filing.training_class.institution, until=filing.training_class.ends_on - DAY)
    with pytest.raises(Refusal) as refused:
        school.decide(filing)
    assert (refused.value.code, refused.value.rule) == ("standing_lost", "I1")
    assert school.decide(filing, approved=False).reason


@pytest.mark.parametrize(
    ("lose", "code", "rule"),
    [("designation", "institution_not_designated", "I1"), ("order", "qualification_cancelled", "Q9")],
)
def test_an_institution_that_may_no_longer_train_opens_no_lesson(
    registers: Registers, school: School, lose: str, code: str, rule: str
):
    training_class = school.approved()
    first, second = training_class.lessons.order_by("starts_at")[:2]
    if lose == "designation":
        designate(training_class.institution, until=FIRST_DAY)
    else:
        registers.order(
            kind=MeasureKind.CANCELLATION, row=Ground.CANCELLED, deadline=None, since=FIRST_DAY + DAY
        )
    assert open_lesson(lesson=first, actor=registers.cast.trainer, at=first.starts_at).state == "open"
    with pytest.raises(Refusal) as refused:
        open_lesson(lesson=second, actor=registers.cast.trainer, at=second.starts_at)
    assert (refused.value.code, refused.value.rule) == (code, rule)
    second.refresh_from_db()
    assert second.state == LessonState.PLANNED


def designate(institution: Institution, *, until: datetime.date) -> None:
    institution.designated_until = until
    institution.save(update_fields=["designated_until"])


@pytest.mark.parametrize(
    ("filed_on", "outcome"),
    [
        (datetime.date(2026, 9, 14), "noted"),  # the deadline itself is in time
        (datetime.date(2026, 9, 15), "failed"),
    ],
)
def test_an_open_rectification_past_its_deadline_blocks_new_filings(
    registers: Registers, school: School, filed_on: datetime.date, outcome: str
):
    training_class = school.ready()
    assert outcomes(training_class, filed_on)["rectification"] == "passed"
    measure = registers.order()
    assert outcomes(training_class, filed_on)["rectification"] == outcome
    registers.end(measure, days=1)
    assert outcomes(training_class, filed_on)["rectification"] == "passed"


def test_cancellation_works_from_its_day(registers: Registers, school: School):
    training_class = school.ready()
    cancelled = {"kind": MeasureKind.CANCELLATION, "row": Ground.CANCELLED, "deadline": None}
    measure = registers.order(**cancelled, since=FIRST_DAY + 14 * DAY)
    assert outcomes(training_class, registers.at.date())["training_qualification"] == "passed"
    registers.end(measure)
    registers.order(**cancelled, since=FIRST_DAY + 13 * DAY)
    assert outcomes(training_class, registers.at.date())["training_qualification"] == "failed"


def test_an_order_against_the_platform_is_the_provinces_and_holds_for_every_school(
    registers: Registers, school: School, provincial: User
):
    order = Order(
        kind=MeasureKind.CANCELLATION,
        row=Ground.CANCELLED,
        ground="直播多次中断，整改不到位。",
        since=registers.at.date(),
    )
    with pytest.raises(Refusal, check=lambda refusal: refusal.code == "not_the_office"):
        actions.order_institution(
            institution=None, order=order, actor=registers.cast.officer, at=registers.at
        )
    measure = actions.order_institution(institution=None, order=order, actor=provincial, at=registers.at)
    assert measure.subject == f"platform/record/measure/{measure.pk}"
    assert outcomes(school.ready(), registers.at.date())["training_qualification"] == "failed"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kind": MeasureKind.DISQUALIFICATION, "row": Ground.LOSS}, "measure_kind"),
        ({"row": Ground.CANCELLED}, "measure_kind"),
        ({"ground": " "}, "ground_missing"),
        ({"since": datetime.date(2026, 9, 6)}, "measure_backdated"),
        ({"deadline": None}, "deadline_missing"),
        ({"deadline": datetime.date(2026, 9, 6)}, "deadline_reversed"),
    ],
)
def test_an_order_that_does_not_hold_together_is_refused(
    registers: Registers, changes: dict[str, Any], code: str
):
    with pytest.raises(Refusal, check=lambda refusal: refusal.code == code):
        registers.order(**changes)
    assert not Measure.objects.exists()


def test_the_same_measure_is_not_ordered_twice_while_it_holds(registers: Registers):
    measure = registers.order()
    with pytest.raises(Refusal, check=lambda refusal: refusal.code == "measure_in_force"):
        registers.order()
    registers.end(measure)
    registers.order()


@pytest.mark.parametrize("who", ["manager", "rival", "regulator", "operator"])
def test_only_the_office_of_the_region_orders_and_lifts(registers: Registers, who: str):
    with pytest.raises((Refusal, Http404)):
        registers.order(actor=registers.cast[who])
    measure = registers.order()
    with pytest.raises((Refusal, Http404)):
        actions.end_measure(measure=measure, reason="算了", actor=registers.cast[who], at=registers.at)
    measure.refresh_from_db()
    assert measure.ended_on is None


def test_serious_cases_are_announced_until_they_are_lifted(registers: Registers):
    registers.disqualify(registers.novice)
    measure = registers.disqualify(is_announced=True)
    assert list(announced()) == [measure]
    registers.end(measure)
    assert list(announced()) == []


def test_a_measure_against_somebody_else_than_its_kind_says_cannot_be_stored(registers: Registers):
    measure = registers.order()
    with pytest.raises(IntegrityError), transaction.atomic():
        Measure.objects.filter(pk=measure.pk).update(kind=MeasureKind.DISQUALIFICATION)
