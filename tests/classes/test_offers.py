"""What the editor offers leads to a lawful timetable: any draft, one offer after the other."""

import datetime
import random
import re
from dataclasses import replace
from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.editions import edition as find_edition
from classes import checks
from classes.checks import check_draft
from classes.fixes import Fix, fixes_for, from_outline, without_clashes
from classes.models import TrainingClass
from classes.remedies import remedy
from classes.slots import FreeTime
from classes.timetables import LessonDraft, hours_by_kind
from courses.actions.versions import publish_version, set_outline, write_draft
from courses.models import Course
from courses.outlines import UnitDraft, hours_of, units_of
from policy.terms import HourKind
from tests.cast import client_of
from tests.classes.school import LESSON_HOUR, draft, gyb_drafts, weeks_later

MOST_STEPS = 8
LAWFUL = {
    ("GYB", "full_live"): {"live": 16, "homework": 2, "exam": 2, "tutoring": 3, "quality": 1},
    ("SYB", "full_live"): {"live": 38, "homework": 5, "exam": 3, "tutoring": 8, "quality": 2},
    ("GYB", "mixed"): {"offline": 17, "live": 5, "homework": 1, "on_demand": 1},
    ("SYB", "mixed"): {"offline": 40, "live": 12, "homework": 2, "on_demand": 2},
}


@pytest.fixture
def only_the_timetable(monkeypatch: pytest.MonkeyPatch) -> None:
    """What floors above say of staff and roster no offer changes, and asking took half of the time here."""
    monkeypatch.setattr(checks, "_providers", [])


def course_for(school, course_type, mode):
    """A course whose outline is a lawful plan for the mode, in units of up to four hours."""
    course = Course.objects.create(name=f"{course_type} {mode}", course_type=course_type, origin="platform")
    version = write_draft(course, copied=None, notes="", actor=None, at=school.at)
    units = [
        UnitDraft(kind=HourKind(kind), hours=Decimal(min(4, hours - given)), title=f"{kind} {given}")
        for kind, hours in LAWFUL[course_type, mode].items()
        for given in range(0, hours, 4)
    ]
    set_outline(version=version, units=units, notes="", actor=None, at=school.at)
    publish_version(version=version, actor=None, at=school.at)
    return course


def class_of(school, course_type, mode, **changes) -> TrainingClass:
    training_class: TrainingClass = school.create(
        course=course_for(school, course_type, mode), mode=mode, **changes
    )
    school.enrol(training_class)
    return training_class


def judged(training_class, drafts):
    return check_draft(training_class, drafts, filed_on=datetime.date(2026, 9, 7))


def offered(training_class, drafts, check) -> list[Fix]:
    return fixes_for(training_class, drafts, check, lesson_hour=LESSON_HOUR)


def failing(check) -> set[str]:
    return {finding.code for finding in check.failed}


def follow(training_class, drafts) -> tuple[list[LessonDraft], list[str]]:
    """Take what the page offers, always the first of the first finding that has any, until nothing fails."""
    taken: list[str] = []
    check = judged(training_class, drafts)
    for _step in range(MOST_STEPS):
        if check.passed:
            break
        offers = offered(training_class, drafts, check)
        first = next((fix for finding in check.failed for fix in offers if finding.code in fix.mends), None)
        if first is not None:
            before, drafts = failing(check), list(first.drafts)
            after = judged(training_class, drafts)
            assert failing(after) - before <= {"timetable_rows"}, first.label
            assert {fault.code for fault in after.faults} - {f.code for f in check.faults} <= {
                "lesson_outside_class"
            }, first.label
            taken.append(first.code)
            check = after
        else:
            last = max(draft.ends_at for draft in drafts).date()
            told = [(f"{one.starts_at:%m-%d %H:%M}", one.kind.value, str(one.hours)) for one in drafts]
            assert last > training_class.ends_on, (taken, failing(check), told)
            training_class.ends_on = last  # what the page's 结班改到 does
            taken.append("extend")
            check = judged(training_class, drafts)
    return drafts, taken


def scrambled(mode: str, chance: random.Random) -> list[LessonDraft]:
    """A few lessons with whatever hours, some of the wrong kind, some on one day, some far too long."""
    kinds = list(HourKind) if chance.random() < 0.4 else [HourKind.LIVE, HourKind.HOMEWORK, HourKind.OFFLINE]
    drafts, day = [], 0
    for number in range(chance.randint(1, 9)):
        hours = chance.choice(["1", "2", "3", "4", "4", "6", "0.5", "13.5"])
        clock = chance.choice(["08:30", "14:30", "19:00"])
        one = draft(day, clock, chance.choice(kinds), hours, f"第 {number} 节")
        if chance.random() < 0.1:
            one = draft(day, clock, chance.choice(kinds), "1", f"第 {number} 节")
            one = LessonDraft(**{name: getattr(one, name) for name in one.__slots__} | {"hours": Decimal(52)})
        drafts.append(one)
        day += chance.choice([0, 0, 1, 1, 2])
    return drafts


@pytest.mark.usefixtures("only_the_timetable")
@pytest.mark.parametrize(("course_type", "mode"), LAWFUL)
def test_every_draft_is_led_to_a_timetable_that_passes(school, course_type, mode):
    training_class = class_of(school, course_type, mode)
    ends_on = training_class.ends_on
    for seed in range(20):
        training_class.ends_on = ends_on
        drafts, taken = follow(training_class, scrambled(mode, random.Random(seed)))
        check = judged(training_class, drafts)
        assert check.passed, (seed, taken, failing(check), [f.code for f in check.faults])


@pytest.mark.parametrize("course_type", ["GYB", "SYB"])
@pytest.mark.parametrize("kind", ["offline", "live"])
def test_a_mixed_class_of_one_part_is_led_to_both(school, course_type, kind):
    """A5: all offline and all online are both no mixed class."""
    training_class = class_of(school, course_type, "mixed")
    start = [
        draft(day, clock, kind, 4, f"第 {day} 天 {clock}") for day in range(7) for clock in ("08:30", "14:30")
    ]
    assert "mode_parts" in failing(judged(training_class, start))
    assert [
        fix
        for fix in offered(training_class, start, judged(training_class, start))
        if "mode_parts" in fix.mends
    ]
    drafts, taken = follow(training_class, start)
    check = judged(training_class, drafts)
    assert check.passed, (taken, failing(check))
    hours = hours_by_kind(drafts)
    assert hours[HourKind.OFFLINE] > 0
    assert hours[HourKind.LIVE] > 0


@pytest.mark.usefixtures("only_the_timetable")
@pytest.mark.parametrize(("course_type", "mode"), LAWFUL)
def test_the_same_holds_while_everybody_is_taken_by_another_class(school, course_type, mode):
    """The lecturer, the assistant and the trainees are in a filed class of the same two weeks."""
    school.filed()
    training_class = class_of(school, course_type, mode, name="同时的班")
    ends_on = training_class.ends_on
    for seed in range(8):
        training_class.ends_on = ends_on
        drafts, taken = follow(training_class, scrambled(mode, random.Random(seed)))
        check = judged(training_class, drafts)
        assert check.passed, (seed, taken, failing(check), check.clashes)


def test_missing_hours_are_spread_over_days_and_never_one_long_lesson(school):
    training_class = class_of(school, "SYB", "full_live")
    drafts = [draft(0, "08:30", "live", 4, "认识创业")]
    added = offered(training_class, drafts, judged(training_class, drafts))[0]
    assert added.code == "add_hours" or added.code == "add_live"
    days: dict[datetime.date, Decimal] = {}
    for one in added.drafts:
        assert one.hours <= 4
        assert one.ends_at - one.starts_at == float(one.hours) * LESSON_HOUR
        days[one.day] = days.get(one.day, Decimal(0)) + one.hours
    assert max(days.values()) <= find_edition(training_class.edition).whole("daily_hours_cap")
    assert sum(days.values()) == 56
    assert datetime.date(2026, 9, 25) not in days  # the Mid-Autumn break


def test_a_mixed_class_is_offered_its_hours_offline_in_one_press(school):
    """4 of 24 hours offline: what lacks (H11) is taken from the live hours at once."""
    training_class = class_of(school, "GYB", "mixed")
    drafts = [draft(0, "08:30", "offline", 4, "线下课")]
    drafts += [draft(day, "08:30", "live", 4, f"直播 {day}") for day in range(1, 6)]
    fix = next(
        fix
        for fix in offered(training_class, drafts, judged(training_class, drafts))
        if "offline_share" in fix.mends
    )
    after = judged(training_class, fix.drafts)
    assert "offline_share" not in failing(after)
    assert hours_by_kind(fix.drafts)[HourKind.OFFLINE] >= 17


def test_a_lesson_becomes_live_elsewhere_where_its_people_are_taken(school):
    """Homework books nobody; as a live lesson it would run into the other class."""
    school.filed()
    training_class = class_of(school, "GYB", "full_live", name="同时的班")
    booked = gyb_drafts()[0]
    drafts = [draft(0, "08:30", "homework", 5, "作业"), draft(6, "08:30", "homework", 3, "另一份作业")]
    drafts += [draft(day, "19:00", "live", 4, f"晚课 {day}") for day in range(1, 4)]
    fix = offered(training_class, drafts, judged(training_class, drafts))[0]
    turned = [one for one in fix.drafts if one.title == "作业" and one.kind is HourKind.LIVE]
    assert turned
    assert all(one.ends_at <= booked.starts_at or booked.ends_at <= one.starts_at for one in turned)


def test_nothing_is_offered_for_a_timetable_that_passes(school, django_assert_num_queries):
    training_class = school.ready()
    check = judged(training_class, gyb_drafts())
    assert check.passed
    with django_assert_num_queries(0):
        assert offered(training_class, gyb_drafts(), check) == []


def test_lessons_that_clash_after_a_postponement_are_moved(school):
    school.filed()
    training_class = class_of(school, "GYB", "full_live", name="同时的班")
    free = FreeTime.of(training_class, lesson_hour=LESSON_HOUR)
    moved = without_clashes(free, gyb_drafts())
    check = judged(training_class, moved)
    assert not check.clashes
    assert hours_by_kind(moved) == hours_by_kind(gyb_drafts())
    later = weeks_later(4)["starts_on"]
    assert without_clashes(free, gyb_drafts(later)) == gyb_drafts(later)


@pytest.mark.parametrize(("course_type", "mode"), LAWFUL)
@pytest.mark.parametrize("taken", [False, True])
def test_the_outline_is_laid_out_within_the_rules(school, course_type, mode, taken):
    if taken:
        school.filed()
    training_class = class_of(school, course_type, mode, name="照大纲的班")
    units = units_of(training_class.course_version)
    drafts = from_outline(units, free=FreeTime.of(training_class, lesson_hour=LESSON_HOUR))
    assert hours_by_kind(drafts) == hours_of(training_class.course_version)
    assert drafts == sorted(drafts, key=lambda one: one.starts_at)
    last = max(one.day for one in drafts)
    training_class.ends_on = max(training_class.ends_on, last)
    assert judged(training_class, drafts).passed


# --- where a finding is mended ---


def test_hours_of_a_kind_that_the_outline_lacks_are_named_with_the_way_to_it(school, manager, time_machine):
    """A2: 24 hours of outline do not cover 24 hours of which more are homework."""
    time_machine.move_to(school.at.astimezone(datetime.UTC), tick=False)
    training_class = class_of(school, "GYB", "full_live")
    drafts = [
        one if one.kind is not HourKind.EXAM else replace(one, kind=HourKind.HOMEWORK) for one in gyb_drafts()
    ]
    school.schedule(training_class, drafts)
    assert failing(judged(training_class, drafts)) == {"outline_covers_hours"}
    version = training_class.course_version
    assert version is not None
    outline = reverse("courses:version", args=[version.course_id, version.number])
    for name in ("timetable", "filing"):
        page = client_of(manager).get(reverse(f"classes:{name}", args=[training_class.pk])).content.decode()
        assert "课程大纲比课表少：作业 2 课时" in page, name
        assert outline in page, name
    assert client_of(manager).get(outline).status_code == 200


def test_nobody_is_led_to_a_page_that_is_not_theirs(school, manager, rival, officer):
    training_class = school.create()
    assert remedy(rival, training_class, "lecturer_route") is None
    assert remedy(rival, training_class, "roster_filled") is None
    assert remedy(officer, training_class, "roster_filled") is None
    assert remedy(officer, training_class, "lecturer_route") is not None
    assert remedy(manager, training_class, "roster_filled") is not None
    assert remedy(manager, training_class, "live_share") is None


def test_an_empty_roster_is_not_ticked_as_a_step_that_is_done(school, manager, time_machine):
    time_machine.move_to(school.at.astimezone(datetime.UTC), tick=False)
    training_class = school.create()
    for enrolled in (False, True):
        if enrolled:
            school.enrol(training_class)
        for name in ("timetable", "filing"):
            page = (
                client_of(manager).get(reverse(f"classes:{name}", args=[training_class.pk])).content.decode()
            )
            step = next(
                one for one in re.findall(r"<li[^>]*><b>.*?</li>", page) if one.endswith("花名册</li>")
            )
            assert ('class="done"' in step) is enrolled, (name, enrolled)
