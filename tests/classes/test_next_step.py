"""The one step that a phone shows at the foot of the editor: it works, and it ends."""

import datetime
import re
from html import unescape

import pytest
from django.urls import reverse

from classes.models import TrainingClass
from classes.timetables import drafts_of
from tests.cast import client_of
from tests.classes.school import draft, gyb_drafts
from tests.classes.test_pages import rows_of

MOST_PRESSES = 8
SOON = datetime.date(2026, 9, 9)  # two days after the Monday of the cast: too early to start


@pytest.fixture(autouse=True)
def _monday(time_machine, now):
    time_machine.move_to(now.astimezone(datetime.UTC), tick=False)


def dock_of(response) -> str:
    html = unescape(response.content.decode())
    found = re.search(r'<div class="yc-dock".*?</div>', html, re.DOTALL)
    assert found
    return found[0]


def button(response) -> str:
    found = re.search(r'name="fix" value="(\w+)"', dock_of(response))
    return found[1] if found else ""


def shown_rows(response) -> dict[str, list[str]]:
    """What the page would send."""
    html = response.content.decode().split('<template id="tt-blank">')[0]
    rows: dict[str, list[str]] = {"whole": ["1"]}
    for name in ("key", "day", "starts", "ends", "hours", "title"):
        rows[name] = [unescape(one) for one in re.findall(rf'name="{name}" value="([^"]*)"', html)]
    rows["kind"] = re.findall(r'value="(\w+)" data-dot="[^"]*" selected', html)
    rows["base"] = re.findall(r'name="base" value="(\w+)"', html)
    return rows


def press(client, url, response):
    answer = client.post(url, shown_rows(response) | {"fix": button(response)})
    return client.get(url) if answer.status_code == 302 else answer


def test_an_empty_timetable_begins_with_the_outline_on_the_same_page(school, manager):
    training_class = school.create()
    school.enrol(training_class)
    client, url = client_of(manager), reverse("classes:timetable", args=[training_class.pk])
    page = client.get(url)
    assert button(page) == "outline"
    assert "href" not in dock_of(page)
    filled = press(client, url, page)
    assert len(shown_rows(filled)["day"]) > 3
    assert not training_class.lessons.exists()  # shown first, saved by another click


@pytest.mark.parametrize("runs_over", [0, 4])
def test_the_next_step_of_a_class_that_starts_too_early_ends(school, manager, runs_over):
    """Lessons beyond the last day stay beyond it when both are moved: the class has to grow with them."""
    last = SOON + datetime.timedelta(days=5 - runs_over)
    training_class = school.create(starts_on=SOON, ends_on=last)
    school.enrol(training_class)
    client, url = client_of(manager), reverse("classes:timetable", args=[training_class.pk])
    page = client.post(url, rows_of(gyb_drafts(SOON)) | {"fix": "none"})
    pressed: list[str] = []
    while button(page) and len(pressed) < MOST_PRESSES:
        pressed.append(button(page))
        page = press(client, url, page)
        assert page.status_code == 200, pressed
    assert pressed == ["postpone"]
    assert "保存，去提交备案" in dock_of(page)
    training_class.refresh_from_db()
    saved = drafts_of(training_class.lessons.all())
    assert len(saved) == len(gyb_drafts())
    assert training_class.starts_on == datetime.date(2026, 9, 14)
    assert training_class.ends_on == datetime.date(2026, 9, 19)


def test_a_step_that_could_not_be_saved_is_not_offered(school, manager):
    training_class = school.create(starts_on=SOON, ends_on=SOON + datetime.timedelta(days=9))
    school.enrol(training_class)
    double = [*gyb_drafts(SOON), draft(0, "08:30", "live", 4, "同一时间又一节", SOON)]
    client, url = client_of(manager), reverse("classes:timetable", args=[training_class.pk])
    page = client.post(url, rows_of(double) | {"fix": "none"})
    assert button(page) != "postpone"
    assert 'value="postpone"' not in page.content.decode()


def test_a_row_that_cannot_be_read_is_the_next_step_and_is_never_lost(school, manager):
    training_class = school.create(starts_on=SOON, ends_on=SOON + datetime.timedelta(days=9))
    school.enrol(training_class)
    rows = rows_of(gyb_drafts(SOON), day="")
    client, url = client_of(manager), reverse("classes:timetable", args=[training_class.pk])
    page = client.post(url, rows | {"fix": "none"})
    assert 'href="#row-r0"' in dock_of(page)
    assert "去改第 1 节" in dock_of(page)
    for offer in ("postpone", "extend"):
        answer = client.post(url, rows | {"fix": offer})
        assert answer.status_code == 400
        assert len(shown_rows(answer)["day"]) == len(gyb_drafts())
    assert not training_class.lessons.exists()
    training_class.refresh_from_db()
    assert training_class.starts_on == SOON


def test_an_older_page_does_not_overwrite_what_was_saved_meanwhile(school, manager):
    training_class = school.ready()
    first, second = client_of(manager), client_of(manager)
    url = reverse("classes:timetable", args=[training_class.pk])
    old, other = first.get(url), second.get(url)
    theirs, mine = shown_rows(other), shown_rows(old)
    theirs["title"][0], mine["title"][0] = "乙保存的", "甲旧页保存的"
    assert second.post(url, theirs).status_code == 302
    refused = first.post(url, mine)
    assert refused.status_code == 412
    assert "有人改过并保存了课表" in refused.content.decode()
    assert shown_rows(refused)["title"][0] == "甲旧页保存的"  # nothing typed is lost
    assert titles(training_class)[0] == "乙保存的"
    # Once told, saving once more is meant.
    assert first.post(url, shown_rows(refused)).status_code == 302
    assert titles(training_class)[0] == "甲旧页保存的"


def test_the_same_timetable_sent_again_is_no_conflict(school, manager):
    training_class = school.ready()
    client, url = client_of(manager), reverse("classes:timetable", args=[training_class.pk])
    rows = shown_rows(client.get(url))
    rows["title"][0] = "换个说法"
    assert client.post(url, rows).status_code == 302
    assert client.post(url, rows).status_code == 302


def test_an_older_page_does_not_move_the_class_either(school, manager):
    training_class = school.create(starts_on=SOON, ends_on=SOON + datetime.timedelta(days=9))
    school.enrol(training_class)
    school.schedule(training_class, gyb_drafts(SOON))
    client, url = client_of(manager), reverse("classes:timetable", args=[training_class.pk])
    old = shown_rows(client.get(url))
    school.schedule(training_class, gyb_drafts(SOON)[:-1])
    answer = client.post(url, old | {"fix": "postpone"})
    assert answer.status_code == 412
    training_class.refresh_from_db()
    assert training_class.starts_on == SOON
    assert len(titles(training_class)) == len(gyb_drafts()) - 1


def titles(training_class: TrainingClass) -> list[str]:
    return [lesson.title for lesson in training_class.lessons.order_by("starts_at")]


def test_a_confirmation_files_only_what_it_showed(school, manager):
    training_class = school.ready()
    client, url = client_of(manager), reverse("classes:filing", args=[training_class.pk])
    asked = client.post(url).content.decode()
    [shown] = re.findall(r'name="shown" value="(\w{64})"', asked)
    school.enrol(training_class, count=1, first=7)
    refused = client.post(url, {"confirmed": "1", "shown": shown})
    assert refused.status_code == 409
    assert "核对以后，这个班的内容又改过" in refused.content.decode()
    assert not training_class.filings.exists()
    [again] = re.findall(r'name="shown" value="(\w{64})"', client.post(url).content.decode())
    assert client.post(url, {"confirmed": "1", "shown": again}).status_code == 302
    assert training_class.filings.count() == 1
