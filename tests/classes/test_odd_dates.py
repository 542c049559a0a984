"""A class in the year 9999 or 1 is not accepted, and one that is already stored breaks no page."""

import datetime
from typing import Any

import pytest
from django.urls import reverse

from audit.models import Entry
from classes import actions
from classes.models import TrainingClass
from policy.messages import day_text
from policy.refusals import Refusal
from tests.cast import client_of
from tests.classes.school import FIRST_DAY, gyb_drafts
from tests.classes.test_api import api, class_json

ODD = ["9999-12-31", "2037-01-01", "2015-12-31", "0001-01-01"]


def form_of(school, **changes):
    return class_json(school) | {"course_version": ""} | changes


@pytest.mark.parametrize("day", ODD)
def test_neither_page_nor_api_takes_a_class_in_such_a_year(school, manager, now, time_machine, day):
    time_machine.move_to(now, tick=False)
    dates = {"starts_on": day, "ends_on": day}
    answer = api(manager).post("/api/v1/classes/", class_json(school, **dates), format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "date_out_of_range")
    details = answer.json()["details"]
    assert (details["found"], details["rule"], details["field"]) == (day, "F9", "starts_on")
    assert details["required"] == ["2016-01-01", "2036-12-31"]
    page = client_of(manager).post(reverse("classes:create"), form_of(school, **dates))
    form = page.context["form"]
    assert form.errors["starts_on"] == [
        f"开班日期写的是 {day_text(datetime.date.fromisoformat(day))}，年份不对。"
        "请改成 2016年1月1日 到 2036年12月31日 之间的日期。"
    ]
    assert not TrainingClass.objects.exists()


def test_an_end_in_such_a_year_is_named_as_the_end(school, manager, now, time_machine):
    time_machine.move_to(now, tick=False)
    training_class = school.create()
    before = Entry.objects.count()
    answer = api(manager).patch(
        f"/api/v1/classes/{training_class.pk}/", {"ends_on": "9999-12-31"}, format="json"
    )
    assert (answer.status_code, answer.json()["details"]["field"]) == (400, "ends_on")
    page = client_of(manager).post(
        reverse("classes:edit", args=[training_class.pk]), form_of(school, ends_on="9999-12-31")
    )
    assert list(page.context["form"].errors) == ["ends_on"]
    training_class.refresh_from_db()
    assert training_class.ends_on == FIRST_DAY + datetime.timedelta(days=13)
    assert Entry.objects.count() == before


@pytest.mark.parametrize(
    ("starts_on", "ends_on"),
    [
        (datetime.date.max, datetime.date.max),
        (datetime.date.min, datetime.date.min),
        (datetime.date.min, datetime.date.max),
    ],
)
def test_a_class_stored_with_such_dates_breaks_no_page(
    school, cast, manager, now, time_machine, starts_on, ends_on
):
    time_machine.move_to(now, tick=False)
    training_class = school.ready()
    TrainingClass.objects.filter(pk=training_class.pk).update(starts_on=starts_on, ends_on=ends_on)
    client = client_of(manager)
    names = ("detail", "edit", "roster", "timetable", "filing")
    for url in (
        "/start/",
        reverse("classes:list"),
        reverse("classes:what_if"),
        *(reverse(f"classes:{name}", args=[training_class.pk]) for name in names),
    ):
        assert client.get(url).status_code == 200, url
    for user in (manager, cast.trainer, cast.officer, cast.learner):
        assert client_of(user).get("/start/").status_code == 200
    for user in (manager, cast.regulator):
        assert api(user).get("/api/v1/classes/").status_code == 200
    with pytest.raises(Refusal):
        actions.submit_filing(training_class=training_class, actor=manager, at=now)
    for offer in ("outline", "weekdays", "copy", "postpone", "extend", "add_live", "to_live"):
        rows = {"whole": "1", "fix": offer, "week_days": ["0"], "week_starts": "19:00", "week_ends": "21:15"}
        page = client.post(
            reverse("classes:timetable", args=[training_class.pk]), rows | {"week_from": "2026-09-21"}
        )
        assert page.status_code in (200, 400), offer


def test_the_editor_drafts_no_weeks_in_such_a_year(school, manager, now, time_machine):
    time_machine.move_to(now, tick=False)
    training_class = school.create()
    page = client_of(manager).post(
        reverse("classes:timetable", args=[training_class.pk]),
        {
            "whole": "1",
            "fix": "weekdays",
            "week_days": ["0"],
            "week_from": "9999-12-31",
            "week_starts": "19:00",
            "week_ends": "21:15",
        },
    )
    assert page.status_code == 400
    assert page.context["refusal"]["code"] == "date_out_of_range"
    assert not training_class.lessons.exists()


@pytest.mark.parametrize("year", ["9999", "0001"])
def test_a_timetable_in_such_a_year_is_not_stored(school, manager, year):
    training_class = school.create()
    lesson = {"kind": "live", "hours": "4", "title": "认识创业"}
    moments = {"starts_at": f"{year}-12-31T19:00:00+08:00", "ends_at": f"{year}-12-31T22:00:00+08:00"}
    answer = api(manager).put(
        f"/api/v1/classes/{training_class.pk}/timetable/", [lesson | moments], format="json"
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    far = gyb_drafts(FIRST_DAY.replace(year=2199))
    with pytest.raises(Refusal) as refused:
        school.schedule(training_class, far)
    faults: Any = refused.value.details["faults"]
    assert faults[0].code == "lesson_outside_class"
    assert not training_class.lessons.exists()
