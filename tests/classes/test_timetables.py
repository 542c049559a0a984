"""Timetables: rows that make one, and what the norm says about it while it is drafted."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.models import Entry
from classes import actions
from classes.checks import check_draft
from classes.models import Lesson
from classes.timetables import drafts_of
from courses.models import Course
from policy.refusals import Refusal
from tests.classes.school import FIRST_DAY, draft, gyb_drafts

TODAY = datetime.date(2026, 9, 7)


def check(training_class, drafts, *, filed_on=TODAY, trainees=3):
    return check_draft(training_class, drafts, filed_on=filed_on, trainees=trainees)


def faults_of(refused) -> list[Any]:
    return list(refused.value.details["faults"])


def failed_codes(found):
    return [finding.code for finding in found.failed]


def test_a_timetable_is_saved_in_order_of_time(school):
    training_class = school.create()
    lessons = school.schedule(training_class, list(reversed(gyb_drafts())))
    assert drafts_of(lessons) == gyb_drafts()
    entry = Entry.objects.get(chain=training_class.subject, kind="timetable.set")
    assert (entry.facts["lessons"], entry.facts["total"]) == (8, "24")
    assert entry.facts["hours"]["live"] == "16"


def test_the_same_timetable_again_changes_nothing(school):
    training_class = school.create()
    first = school.schedule(training_class, gyb_drafts())
    again = school.schedule(training_class, gyb_drafts())
    assert [lesson.pk for lesson in again] == [lesson.pk for lesson in first]
    assert Entry.objects.filter(kind="timetable.set").count() == 1


def test_a_new_timetable_replaces_the_old_one(school):
    training_class = school.create()
    school.schedule(training_class, gyb_drafts())
    school.schedule(training_class, gyb_drafts()[:2])
    assert training_class.lessons.count() == 2


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (draft(0, "08:30", "live", 4, " "), "lesson_title_missing"),
        (draft(0, "08:30", "live", 4, "内" * 121), "lesson_title_missing"),
        (draft(0, "08:30", "live", 0, "零"), "lesson_hours_out_of_range"),
        (draft(0, "08:30", "live", "0.125", "三位小数"), "lesson_hours_out_of_range"),
        (draft(-1, "08:30", "live", 4, "开班前一天"), "lesson_outside_class"),
        (draft(14, "08:30", "live", 4, "结班后一天"), "lesson_outside_class"),
    ],
)
def test_a_row_that_cannot_be_held_is_told(school, row, code):
    training_class = school.create()
    school.schedule(training_class, gyb_drafts())
    with pytest.raises(Refusal) as refused:
        school.schedule(training_class, [draft(2, "08:30", "live", 4, "好的一节"), row])
    assert refused.value.code == "timetable_rejected"
    faults = [(fault.row, fault.code) for fault in faults_of(refused)]
    assert (1, code) in faults
    assert all(place == 1 for place, _code in faults)
    assert training_class.lessons.count() == 8  # the old one stands


def test_a_lesson_lasts_at_least_as_long_as_its_hours(school):
    training_class = school.create()
    short = draft(0, "08:30", "live", 4, "少一秒")
    short = type(short)(
        starts_at=short.starts_at,
        ends_at=short.ends_at - datetime.timedelta(seconds=1),
        kind=short.kind,
        hours=short.hours,
        title=short.title,
    )
    with pytest.raises(Refusal) as refused:
        school.schedule(training_class, [short])
    [fault] = faults_of(refused)
    assert (fault.code, fault.refusal.found, fault.refusal.required) == ("lesson_too_short", 10799, 10800)


def test_a_lesson_that_ends_before_it_begins(school):
    training_class = school.create()
    sound = draft(0, "08:30", "live", 4, "倒着")
    with pytest.raises(Refusal) as refused:
        school.schedule(
            training_class,
            [
                type(sound)(
                    starts_at=sound.ends_at,
                    ends_at=sound.starts_at,
                    kind=sound.kind,
                    hours=sound.hours,
                    title=sound.title,
                )
            ],
        )
    assert [fault.code for fault in faults_of(refused)] == ["lesson_times_reversed"]


def test_two_lessons_at_once_are_refused_and_two_in_a_row_are_not(school):
    training_class = school.create()
    morning = draft(0, "08:30", "live", 4, "上午")
    school.schedule(training_class, [morning, draft(0, "11:30", "live", 1, "接着上")])
    with pytest.raises(Refusal) as refused:
        school.schedule(training_class, [draft(0, "11:29", "live", 1, "早一分钟"), morning])
    assert [(fault.row, fault.code) for fault in faults_of(refused)] == [(0, "lesson_overlaps")]


def test_the_database_itself_refuses_overlapping_lessons(school):
    training_class = school.create()
    [lesson] = school.schedule(training_class, gyb_drafts()[:1])
    with pytest.raises(IntegrityError, match="lessons_of_a_class_do_not_overlap"), transaction.atomic():
        Lesson.objects.create(
            training_class=training_class,
            starts_at=lesson.starts_at,
            ends_at=lesson.ends_at,
            kind="live",
            hours=Decimal(1),
            title="重叠",
        )


def test_a_lesson_that_stays_as_it_was_stays_the_same_row(school):
    training_class = school.create()
    before = {lesson.title: lesson.pk for lesson in school.schedule(training_class, gyb_drafts())}
    changed = [*gyb_drafts()[:-1], draft(6, "09:30", "exam", 2, "线上结业考试")]
    after = {lesson.title: lesson.pk for lesson in school.schedule(training_class, changed)}
    assert [title for title in after if after[title] != before[title]] == ["线上结业考试"]


def test_a_very_long_timetable_is_refused(school):
    with pytest.raises(Refusal) as refused:
        school.schedule(school.create(), gyb_drafts() * 26)
    assert refused.value.code == "timetable_too_long"


def test_a_filed_timetable_is_frozen(school):
    filing = school.filed()
    with pytest.raises(Refusal) as refused:
        school.schedule(filing.training_class, gyb_drafts()[:1])
    assert refused.value.code == "class_not_editable"
    assert filing.training_class.lessons.count() == 8


# --- what the norm says ---


def test_a_class_in_order_passes_every_finding(school):
    found = check(school.create(), gyb_drafts())
    assert failed_codes(found) == []
    assert found.passed
    assert {finding.row for finding in found.findings} == {
        *("H4", "H5", "H6", "H7", "H9", "A2", "F7", "P8", "F11", "F13", "F14", "I1", "N5", "P9", "I3", "M6"),
        *("T1", "T3", "Q8", "Q9", "P0"),
    }


def test_fifteen_live_hours_of_twenty_four_cannot_be_lawful(school):
    drafts = gyb_drafts()
    drafts[3] = draft(3, "08:30", "live", 3, "创业的第一笔账")
    drafts[4] = draft(3, "14:30", "tutoring", 4, "分组创业咨询")
    found = check(school.create(), drafts)
    assert failed_codes(found) == ["quality_tutoring_share", "outline_covers_hours"]
    assert found.timetable is not None
    assert found.timetable.least_live_hours == 16


@pytest.mark.parametrize(
    ("filed_on", "passed"),
    [(datetime.date(2026, 9, 15), True), (datetime.date(2026, 9, 16), False)],
)
def test_five_working_days_lie_between_filing_and_start(school, filed_on, passed):
    """From Tuesday the 15th: 16, 17, 18, the worked Sunday 20; on the fifth, the 21st, it may start."""
    found = check(school.create(), gyb_drafts(), filed_on=filed_on)
    assert ("filing_lead" not in failed_codes(found)) is passed


def test_a_year_without_a_calendar_is_a_failing_finding_not_a_guess(school):
    found = check(school.create(), gyb_drafts(), filed_on=datetime.date(2031, 3, 3))
    assert failed_codes(found) == ["calendar_unpublished"]
    assert found.earliest is None


def test_the_outline_has_to_cover_every_hour(school):
    training_class = school.create()
    extra = [*gyb_drafts(), draft(6, "08:30", "live", 1, "大纲以外")]
    found = check(training_class, extra)
    assert failed_codes(found) == ["outline_covers_hours"]
    [finding] = found.failed
    assert (finding.row, finding.required, finding.actual) == ("A2", 25, 24)


def test_an_empty_class_fails_everything_it_lacks(school):
    found = check(school.create(lecturer=None, assistant=None), [], trainees=0)
    assert {"total_hours", "outline_covers_hours", "roster_filled", "lecturer", "assistant"} <= set(
        failed_codes(found)
    )


def test_an_institution_whose_designation_ends_before_the_class_cannot_file(school):
    training_class = school.create()
    training_class.institution.designated_until = FIRST_DAY - datetime.timedelta(days=1)
    training_class.institution.save()
    assert failed_codes(check(training_class, gyb_drafts())) == ["institution_designated"]


def test_a_mixed_class_is_judged_by_its_own_rules(school):
    """24 hours: 17 offline, and of the 7 online 5 live, 1 homework, 1 on demand."""
    training_class = school.create(mode="mixed", course=school.mixed_course())
    drafts = [
        draft(0, "08:00", "offline", 8, "线下"),
        draft(1, "08:00", "offline", 8, "线下"),
        draft(2, "08:00", "offline", 1, "线下"),
        draft(2, "13:00", "live", 5, "直播"),
        draft(3, "08:00", "homework", 1, "作业"),
        draft(4, "08:00", "on_demand", 1, "点播"),
    ]
    assert failed_codes(check(training_class, drafts)) == []
    drafts[4] = draft(4, "08:00", "tutoring", 1, "辅导")
    assert "outside_mode" in failed_codes(check(training_class, drafts))


def test_an_syb_class_needs_fifty_six_hours(school):
    training_class = school.create(course=Course.objects.get(course_type="SYB"))
    found = check(training_class, gyb_drafts())
    assert failed_codes(found) == ["total_hours"]


def test_moving_the_class_leaves_its_lessons_outside(school, manager, now):
    training_class = school.ready()
    moved = actions.update_class(
        training_class=training_class,
        details=school.details(starts_on=FIRST_DAY + datetime.timedelta(days=1)),
        actor=manager,
        at=now,
    )
    found = check(moved, drafts_of(moved.lessons.all()))
    assert failed_codes(found) == ["timetable_rows"]
    assert [(fault.row, fault.code) for fault in found.faults] == [(0, "lesson_outside_class")]
