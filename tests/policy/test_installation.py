"""What an installation adds by its settings: calendar years and editions."""

from datetime import date
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.calendars import calendar
from policy.calendar import CalendarError, add_working_days
from policy.refusals import Refusal
from tests.policy.cases import CALENDARS

ASKED = {"edition": "henan-2020-97", "filed_on": "2026-12-28"}


def test_a_year_in_the_settings_folders_is_counted(client: Client, db: None, settings: Settings) -> None:
    refused = client.post("/api/v1/policy/earliest-start/", ASKED, "application/json")
    assert (refused.status_code, refused.json()["code"]) == (409, "calendar_unpublished")
    settings.CALENDAR_DIRS = [CALENDARS]
    answer = client.post("/api/v1/policy/earliest-start/", ASKED, "application/json")
    assert (answer.status_code, answer.json()["date"]) == (200, "2027-01-06")


def test_deadlines_use_the_same_calendar(settings: Settings) -> None:
    settings.CALENDAR_DIRS = []
    with pytest.raises(Refusal) as refused:
        add_working_days(date(2026, 12, 28), 5, calendar=calendar())
    assert refused.value.code == "calendar_unpublished"
    settings.CALENDAR_DIRS = [CALENDARS]
    assert add_working_days(date(2026, 12, 28), 5, calendar=calendar()) == date(2027, 1, 6)


def test_a_folder_that_is_not_there_stops_the_installation(settings: Settings, tmp_path: Path) -> None:
    settings.CALENDAR_DIRS = [tmp_path / "nowhere"]
    with pytest.raises(CalendarError):
        calendar()
