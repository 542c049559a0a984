"""A whole timetable in one stroke: by weekday, from an earlier class, and back again."""

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from accounts.calendars import calendar
from classes import actions
from classes.models import Lesson
from classes.plans import WeekPlan, by_weekday, from_class
from classes.timetables import hours_by_kind
from courses.outlines import UnitDraft, hours_of, units_of
from policy.refusals import Refusal
from policy.terms import HourKind
from tests.cast import client_of
from tests.classes.school import FIRST_DAY, LESSON_HOUR, gyb_drafts
from tests.classes.test_pages import rows_of, text


@pytest.fixture(autouse=True)
def _monday(time_machine, now):
    """Views ask the clock themselves: it is the Monday of the cast."""
    time_machine.move_to(now.astimezone(datetime.UTC), tick=False)


EVENING = {"starts": datetime.time(19), "ends": datetime.time(21, 15)}
MON_WED_FRI = frozenset({0, 2, 4})


def unit(kind, hours, title):
    return UnitDraft(kind=HourKind(kind), hours=Decimal(hours), title=title)


def plan(**changes: Any) -> WeekPlan:
    usual: dict[str, Any] = {"weekdays": MON_WED_FRI, "first_day": FIRST_DAY, "skips_holidays": True}
    return WeekPlan(**usual | EVENING | changes)


def planned(units, **changes):
    return by_weekday(units, plan(**changes), lesson_hour=LESSON_HOUR, is_holiday=calendar().is_holiday)


def told(drafts):
    return [
        (f"{d.starts_at:%m-%d %H:%M}", f"{d.ends_at:%H:%M}", d.kind.value, d.hours, d.title) for d in drafts
    ]


def test_the_outline_is_cut_into_evenings_until_it_is_used_up():
    units = [unit("live", 4, "甲"), unit("live", 1, "乙"), unit("homework", 2, "丙")]
    drafts = planned(units, skips_holidays=False)  # Friday the 25th is the Mid-Autumn break
    assert told(drafts) == [
        ("09-21 19:00", "21:15", "live", 3, "甲"),
        ("09-23 19:00", "20:30", "live", 2, "甲；乙"),
        ("09-23 20:30", "21:15", "homework", 1, "丙"),
        ("09-25 19:00", "19:45", "homework", 1, "丙"),
    ]


def test_a_long_meeting_stops_at_the_most_hours_a_day():
    drafts = by_weekday(
        [unit("live", 20, "甲")],
        plan(starts=datetime.time(8), ends=datetime.time(22), skips_holidays=False),
        lesson_hour=LESSON_HOUR,
        is_holiday=calendar().is_holiday,
        most_a_day=Decimal(8),
    )
    assert [draft.hours for draft in drafts] == [8, 8, 4]


def test_every_hour_of_every_kind_is_planned(school):

    version = school.create().course_version
    drafts = planned(units_of(version), weekdays=frozenset({1, 3}))
    assert hours_by_kind(drafts) == dict(hours_of(version))
    assert {draft.starts_at.weekday() for draft in drafts} == {1, 3}


def test_holidays_are_skipped_only_where_that_is_wanted():
    """The National Day break of 2026 runs from Thursday 1 to Wednesday 7 October; ordinary weekends go on."""
    units = [unit("live", 9, "甲")]
    days = [f"{draft.starts_at:%m-%d}" for draft in planned(units, first_day=datetime.date(2026, 9, 30))]
    assert days == ["09-30", "10-09", "10-12"]
    kept = planned(units, first_day=datetime.date(2026, 9, 30), skips_holidays=False)
    assert [f"{draft.starts_at:%m-%d}" for draft in kept] == ["09-30", "10-02", "10-05"]
    weekend = planned(units, weekdays=frozenset({5, 6}), first_day=datetime.date(2026, 9, 12))
    assert [f"{draft.starts_at:%m-%d}" for draft in weekend] == ["09-12", "09-13", "09-19"]


def test_a_year_without_a_notice_is_refused_not_guessed():
    with pytest.raises(Refusal) as error:
        planned([unit("live", 3, "甲")], first_day=datetime.date(2031, 1, 6))
    assert error.value.code == "calendar_unpublished"
    assert (error.value.rule, error.value.citation) == ("", "")  # no rule asks to skip them
    assert "请取消勾选“跳过国务院公布的放假日”再排" in error.value.render()["details"]["next"]
    assert planned([unit("live", 3, "甲")], first_day=datetime.date(2031, 1, 6), skips_holidays=False)


@pytest.mark.parametrize(
    ("ends", "hours"), [("19:44", 0), ("19:45", 1), ("21:14", 2), ("21:15", 3), ("18:00", 0)]
)
def test_only_whole_lesson_hours_are_planned(ends, hours):
    assert plan(ends=datetime.time.fromisoformat(ends)).hours(LESSON_HOUR) == hours


def test_an_earlier_timetable_moves_to_the_new_first_day():
    later = FIRST_DAY + datetime.timedelta(days=30)
    assert from_class(gyb_drafts(), was=FIRST_DAY, now=later) == gyb_drafts(later)


# --- on the page ---


def week(**changes):
    return {
        "fix": "weekdays",
        "week_days": ["0", "2", "4"],
        "week_from": "2026-09-21",
        "week_starts": "19:00",
        "week_ends": "21:15",
        "week_skips": "on",
    } | changes


def editor(school, **changes):
    training_class = school.create(**changes)
    return training_class, reverse("classes:timetable", args=[training_class.pk])


def test_the_weekdays_fill_the_editor_and_save_nothing(school, manager):
    _class, url = editor(school, ends_on=datetime.date(2026, 10, 31))
    body = text(client_of(manager).post(url, rows_of(gyb_drafts()[:1]) | week()))
    assert "还没有保存" in body
    assert "共 24 课时" in body
    assert 'value="2026-09-23"' in body
    assert "撤销刚才的改动" in body
    assert not Lesson.objects.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"week_days": []}, "请至少选一天。"),
        ({"week_ends": "19:30"}, "从开始到结束至少要有 1 课时，也就是 45 分钟。"),
        ({"week_ends": "18:00"}, "从开始到结束至少要有 1 课时"),
        ({"week_days": ["9"]}, "9"),
        ({"week_from": "2026-02-30"}, "日期"),
    ],
)
def test_a_plan_that_cannot_be_drawn_up_says_why_and_keeps_the_rows(school, manager, changes, words):
    _class, url = editor(school)
    response = client_of(manager).post(url, rows_of(gyb_drafts()) | week(**changes))
    assert response.status_code == 400
    assert words in text(response)
    assert "发现身边的商机" in text(response)


def test_an_unpublished_year_is_told_on_the_page(school, manager):
    _class, url = editor(school)
    response = client_of(manager).post(url, rows_of(gyb_drafts()) | week(week_from="2031-01-06"))
    assert response.status_code == 409
    assert "2031 年的放假安排还没有录入" in text(response)
    assert "发现身边的商机" in text(response)


def before_of(body):
    found = body.split('name="before" value="')[1].split('"')[0]
    return found.replace("&quot;", '"').replace("&amp;", "&")


def test_a_bulk_change_is_taken_back(school, manager):
    _class, url = editor(school, ends_on=datetime.date(2026, 10, 31))
    client = client_of(manager)
    body = text(client.post(url, rows_of(gyb_drafts(), title="我的标题") | week()))
    assert 'value="我的标题"' not in body
    back = text(client.post(url, rows_of([]) | {"fix": "undo", "before": before_of(body)}))
    assert 'value="我的标题"' in back
    assert 'name="before"' not in back


@pytest.mark.parametrize("sent", ["", "{", "[]", '{"rows": 7}', '{"rows": [["a"]], "starts_on": "x"}'])
def test_what_is_no_earlier_state_changes_nothing(school, manager, sent):
    _class, url = editor(school)
    response = client_of(manager).post(url, rows_of(gyb_drafts()) | {"fix": "undo", "before": sent})
    assert response.status_code == 400
    assert "发现身边的商机" in text(response)


def test_a_class_that_runs_over_its_end_is_lengthened_to_hold_its_lessons(school, manager):
    training_class, url = editor(school)
    client = client_of(manager)
    school.enrol(training_class)
    body = text(client.post(url, rows_of([]) | week(week_days=["0"])))
    assert "不在开班 2026年9月21日 到结班 2026年10月4日 之间" in body
    assert "结班改到 2026年11月16日" in body
    rows = client.post(url, rows_of([]) | week(week_days=["0"])).context["form"].drafts
    saved = text(client.post(url, rows_of(rows) | {"fix": "extend"}, follow=True))
    training_class.refresh_from_db()
    assert training_class.ends_on == datetime.date(2026, 11, 16)
    assert training_class.lessons.count() == len(rows)
    assert "可以提交备案" in saved
    assert 'name="before"' not in saved  # the rows before did not fit into the class before


def test_a_postponed_class_comes_back(school, manager):
    early = datetime.date(2026, 9, 11)
    training_class, url = editor(school, starts_on=early, ends_on=early + datetime.timedelta(days=13))
    client = client_of(manager)
    shown = text(client.post(url, rows_of(gyb_drafts(early)) | {"fix": "postpone"}, follow=True))
    training_class.refresh_from_db()
    assert training_class.starts_on == datetime.date(2026, 9, 14)
    client.post(url, rows_of([]) | {"fix": "undo", "before": before_of(shown)})
    training_class.refresh_from_db()
    assert training_class.starts_on == early
    assert training_class.lessons.first().day == early
    assert 'name="before"' not in text(client.get(url))


def test_an_earlier_class_of_the_institution_is_copied_and_no_other(school, manager, rival):
    earlier = school.ready(name="第 6 期")
    others = actions.create_class(
        details=school.details(name="洛阳第 1 期", lecturer=None, assistant=None), actor=rival, at=school.at
    )
    actions.set_timetable(training_class=others, drafts=gyb_drafts()[:1], actor=rival, at=school.at)
    later = FIRST_DAY + datetime.timedelta(days=28)
    _class, url = editor(school, starts_on=later, ends_on=later + datetime.timedelta(days=13))
    client = client_of(manager)
    page = text(client.get(url))
    assert "第 6 期" in page
    assert "洛阳第 1 期" not in page
    copied = client.post(url, rows_of([]) | {"fix": "copy", "copy_from": str(earlier.pk)})
    assert copied.context["form"].drafts == gyb_drafts(later)
    stolen = client.post(url, rows_of([]) | {"fix": "copy", "copy_from": str(others.pk)})
    assert stolen.context["form"].drafts == []


def test_the_earliest_start_is_always_in_sight(school, manager):
    _class, url = editor(school)
    check = reverse("classes:timetable_check", args=[_class.pk])
    assert "今天提交备案，最早 2026年9月14日 周一 开课" in text(client_of(manager).post(check, rows_of([])))
    assert "今天提交备案，最早" in text(client_of(manager).get(url))
