"""From a yuan to a second: every rung adds up to the one above and ends at evidence that verifies."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.actions import seal_now
from audit.models import Entry
from audit.proofs import proof_of, verify_proof
from classes.models import TrainingClass
from subsidies.models import Claim, ClaimLine
from subsidies.queries import lines_of
from subsidies.trace import EvidenceOfLine, Trace, TracedLesson, evidence_of, exact_seconds, trace_of
from tests.subsidies.conftest import LEARNER_SECONDS, ClassMaker, as_owner, clock

pytestmark = pytest.mark.django_db
SECOND = 1_000_000


@pytest.fixture
def line(claim: Claim) -> ClaimLine:
    return lines_of(claim).get(enrolment__person__name="王小满")


@pytest.fixture
def trace(line: ClaimLine) -> Trace:
    return trace_of(line)


@pytest.fixture
def story(trace: Trace) -> TracedLesson:
    """The second lesson, with a broken line and a missed roll call."""
    return trace.lessons[1]


def test_the_lessons_add_up_to_the_verdict(trace: Trace, line: ClaimLine):
    assert trace.is_same_as_verdict
    assert sum(lesson.microseconds for lesson in trace.lessons) == line.verdict.credited_microseconds
    assert line.verdict.credited_microseconds == LEARNER_SECONDS * SECOND
    assert sum(part.microseconds for part in trace.by_kind) == line.verdict.credited_microseconds


def test_the_intervals_add_up_to_each_lesson(claim: Claim):
    for line in lines_of(claim):
        for lesson in trace_of(line).lessons:
            if lesson.by_presence:
                assert sum(one.microseconds for one in lesson.intervals) == lesson.microseconds
                lost = sum(loss.microseconds for loss in lesson.losses)
                assert lesson.microseconds + lost == lesson.worth


def test_the_story_of_the_second_lesson(story: TracedLesson):
    assert [one.exact for one in story.intervals] == ["4,090", "2,590", "2,400"]
    assert (story.exact, story.seconds) == ("9,080", 9_080)
    assert [(loss.kind, loss.exact, loss.words) for loss in story.losses] == [
        ("absent", "180", "还没有进课堂"),
        ("absent", "665", "断线"),
        ("unproven", "875", "点名没有应答，未证实"),
    ]
    assert [mark.words for mark in story.marks] == ["人脸签到", "断线", "重连", "答题", "点名未答", "签退"]
    assert [mark.words for mark in story.key] == [mark.words for mark in story.marks]
    assert [tick.text for tick in story.ticks] == [
        "08:30", "09:00", "09:30", "10:00", "10:30", "11:00", "11:30"
    ]  # fmt: skip
    assert story.sentence.startswith("08:30:00 至 08:33:00 还没有进课堂；08:33:00 至 09:41:10 已计入；")


def test_the_lessons_are_called_as_people_call_them(trace: Trace):
    assert [lesson.name for lesson in trace.lessons] == [
        "第 1 课", "第 2 课", "第 3 课", "辅导", "第 4 课", "作业", "考试", "质量监督评估"
    ]  # fmt: skip


def test_an_address_points_at_a_lesson_and_an_interval(trace: Trace, story: TracedLesson):
    def choose(lesson: str | None, interval: str | None) -> TracedLesson:
        chosen = trace.choose(lesson, interval)
        assert chosen is not None
        return chosen

    chosen = choose(str(story.lesson.pk), "2")
    assert chosen.picked is not None
    assert chosen.picked.exact == "2,590"
    assert [piece.is_picked for piece in chosen.pieces] == [False, True, False, False]
    for lesson, interval in (
        (None, None), ("", ""), ("0", "1"), ("-1", "1"), ("9" * 40, "2"), ("٣", "1"), ("x", "y")
    ):  # fmt: skip
        assert choose(lesson, interval).lesson == trace.lessons[0].lesson
    for interval in (None, "0", "4", "9" * 40, "²", "2.5"):
        assert choose(str(story.lesson.pk), interval).picked is None


def test_the_trace_takes_the_same_queries_whoever_it_is(claim: Claim):
    def queries(line: ClaimLine) -> int:
        line.enrolment.training_class = claim.training_class
        with CaptureQueriesContext(connection) as found:
            trace_of(line)
        return len(found)

    assert {queries(line) for line in lines_of(claim)} == {21}  # 14 of them hold the rows against the log


# --- evidence ---


def test_the_trace_ends_at_evidence_that_verifies(line: ClaimLine, story: TracedLesson):
    found = evidence_of(line, story)
    assert found.verified
    assert found.faults == ()
    assert found.chain_length == Entry.objects.filter(chain=line.claim.training_class.subject).count()
    kinds = [one.entry.kind for one in found.entries]
    assert kinds.count("presence.closed") == 2
    assert {"attendance.sign_in_accepted", "attendance.signed_out", "attendance.check_answered"} < set(kinds)
    assert {"attendance.check_opened", "attendance.check_closed"} < set(kinds)
    assert [one.entry.kind for one in found.talk] == ["room.message_posted"] * 3
    assert all(one.verified for one in found.all)
    assert [one.previous for one in found.all] == [one.entry.seq - 1 for one in found.all]


def test_an_interval_shows_what_made_it(line: ClaimLine, story: TracedLesson):
    def kinds(number: int) -> list[str]:
        return [one.entry.kind for one in evidence_of(line, story.pick(number)).entries]

    # The second begins with the line restored and ends with the last proof, the answer to a question.
    assert "attendance.check_answered" in kinds(2)
    assert "presence.closed" in kinds(2)
    assert "attendance.sign_in_accepted" in kinds(2)
    closed = [
        one.entry for one in evidence_of(line, story.pick(1)).entries if one.entry.kind == "presence.closed"
    ]
    assert [entry.at for entry in closed] == [clock("09:41:10", 1)]
    # The third begins where the missed roll call ended.
    assert kinds(3).count("attendance.check_closed") == 1
    assert len(evidence_of(line, story.pick(2)).talk) == 3
    assert len(evidence_of(line, story.pick(1)).talk) == 0
    numbers = EvidenceOfLine(line).numbers(story)
    assert numbers[1] == [one.entry.seq for one in evidence_of(line, story.pick(1)).all]


def test_nobody_elses_evidence_is_shown(line: ClaimLine, trace: Trace):
    people = set(
        line.claim.training_class.enrolments.exclude(pk=line.enrolment_id).values_list("person_id", flat=True)
    )
    for lesson in trace.lessons:
        for one in evidence_of(line, lesson).all:
            assert not any(one.entry.subject.endswith(f"/person/{person}") for person in people)


def test_after_sealing_every_entry_has_a_proof(line: ClaimLine, story: TracedLesson, now):
    before = evidence_of(line, story)
    assert (before.root, before.unsealed) == (None, before.count)
    root = seal_now(at=now)
    found = evidence_of(line, story)
    assert (found.root, found.unsealed) == (root, 0)
    for one in found.all:
        proof = proof_of(one.entry)
        assert proof is not None
        assert verify_proof(proof)


def test_a_changed_entry_and_all_after_it_lose_their_mark(line: ClaimLine, story: TracedLesson):
    broken = next(
        one.entry for one in evidence_of(line, story).all if one.entry.kind == "attendance.check_answered"
    )
    with as_owner() as cursor:
        cursor.execute("update audit_entry set facts = facts || '{\"option\": 0}' where id = %s", [broken.pk])
    found = evidence_of(line, story)
    assert not found.verified
    assert f"#{broken.seq}" in found.faults[0]
    assert {one.entry.seq: one.verified for one in found.all} == {
        one.entry.seq: one.entry.seq < broken.seq for one in found.all
    }


def test_a_changed_presence_shows_in_the_trace(line: ClaimLine):
    with as_owner() as cursor:
        cursor.execute(
            "update live_presenceinterval"
            " set during = tstzrange(lower(during), upper(during) - interval '1 second')"
            " where id = (select min(id) from live_presenceinterval where person_id = %s)",
            [line.enrolment.person_id],
        )
    trace = trace_of(line)
    assert not trace.is_same_as_verdict
    assert trace.credited_microseconds == line.verdict.credited_microseconds - SECOND


def test_longer_than_the_lesson_is_worth_is_cut_in_the_open(maker: ClassMaker, manager, now):
    from subsidies.actions.claims import draw_up_claim

    training_class: TrainingClass = maker.make(hours={0: 3, 2: 5})
    claim = draw_up_claim(actor=manager, training_class=maker.finish(training_class), at=now)
    traced = trace_of(claim.lines.order_by("n")[0]).lessons[0]
    assert (traced.exact, traced.worth_exact, traced.capped) == ("8,100", "8,100", "2,700")
    assert sum(one.microseconds for one in traced.intervals) == 10_800 * SECOND


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (0, "0"), (1, "0.000001"), (9_080_000_000, "9,080"), (9_079_998_000, "9,079.998"),
        (64_800_000_000, "64,800"),
    ],
)  # fmt: skip
def test_a_sum_shows_exact_seconds(microseconds: int, text: str):
    assert exact_seconds(microseconds) == text
