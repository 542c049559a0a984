"""The calendar feed: whose lessons, in which words, behind an address that only its owner knows."""

import datetime
import logging
import re

import pytest
from django.test import Client
from django.urls import reverse
from icalendar import Calendar

from accounts.models import User
from audit.models import Entry
from classes import actions
from classes.feeds import calendar_of, events_of, token_hash
from classes.models import CalendarFeed
from config.logs import SecretAddresses
from policy.refusals import Refusal
from tests.cast import client_of
from tests.classes.school import draft, gyb_drafts, weeks_later

TODAY = datetime.date(2026, 9, 7)


@pytest.fixture(autouse=True)
def _monday(time_machine, now):
    time_machine.move_to(now.astimezone(datetime.UTC), tick=False)


def read(user, today=TODAY):
    """The feed's events by title, through its bytes."""
    content = calendar_of(events_of(user, today), lambda path: f"https://example.cn{path}")
    return {str(one["summary"]): one for one in Calendar.from_ical(content).walk("VEVENT")}


def trainee_of(training_class) -> User:
    return User.objects.get(person__enrolments=training_class.enrolments.first())


def test_an_approved_class_is_in_everybodys_calendar(school, cast):
    training_class = school.approved()
    for user in (cast.manager, cast.trainer, cast.assistant, trainee_of(training_class)):
        events = read(user)
        assert len(events) == 8
        assert {event["status"] for event in events.values()} == {"CONFIRMED"}
    first = events["认识创业：我适合创业吗"]
    lesson = training_class.lessons.first()
    assert first["uid"] == f"lesson-{lesson.pk}@yuchuang"
    assert (first["dtstart"].dt, first["dtend"].dt) == (lesson.starts_at, lesson.ends_at)
    assert first["dtstamp"].dt == school.at + datetime.timedelta(hours=2)  # when it was approved
    assert first["sequence"] == 0
    assert first["description"] == "2026 年第 7 期创业意识培训班，直播 4 课时"
    assert first["url"] == f"https://example.cn/classes/{training_class.pk}/"
    assert (first["transp"], events["写一份《我的创业想法书》"]["transp"]) == ("OPAQUE", "TRANSPARENT")


def test_nobody_elses_lessons_and_nothing_unapproved(school, cast):
    filing = school.filed()
    assert read(cast.manager) == {}
    school.decide(filing)
    assert read(cast.rival) == {}
    assert read(cast.officer) == {}
    assert len(read(cast.manager)) == 8


def test_names_of_people_stay_out(school, cast):
    training_class = school.approved()
    content = calendar_of(events_of(cast.manager, TODAY), str).decode()
    people = [one.person.name for one in training_class.enrolments.select_related("person")]
    assert not [name for name in [*people, "李明远"] if name in content]


def test_a_cancelled_class_is_struck_out(school, cast, now):
    training_class = school.approved()
    later = now + datetime.timedelta(days=1)
    actions.cancel_class(training_class=training_class, reason="人数不够", actor=cast.manager, at=later)
    events = read(cast.trainer)
    assert len(events) == 8
    assert {(event["status"], event["sequence"]) for event in events.values()} == {("CANCELLED", 1)}
    assert {event["dtstamp"].dt for event in events.values()} == {later}


def test_a_change_strikes_out_until_it_is_approved_and_then_only_what_went(school, cast, now):
    training_class = school.approved()
    filing = training_class.filings.get()
    before = {event["uid"] for event in read(cast.trainer).values()}
    actions.supersede_filing(filing=filing, reason="改期", actor=cast.manager, at=now)
    assert {(e["status"], e["sequence"]) for e in read(cast.trainer).values()} == {("CANCELLED", 1)}

    training_class.refresh_from_db()
    school.schedule(training_class, [*gyb_drafts()[:-1], draft(6, "09:30", "exam", 2, "考试改期")])
    second = actions.submit_filing(
        training_class=training_class, actor=cast.manager, at=now + datetime.timedelta(hours=3)
    )
    school.decide(second, number="第二个号")
    events = read(cast.trainer)
    assert {event["sequence"] for event in events.values()} == {2}
    cancelled = [title for title, event in events.items() if event["status"] == "CANCELLED"]
    assert cancelled == ["线上结业考试"]
    assert {event["uid"] for event in events.values()} >= before


def test_calendars_are_told_to_ask_again_in_an_iso_duration():
    told = calendar_of([], absolute=str).decode()
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n" in told
    assert "X-PUBLISHED-TTL:PT1H\r\n" in told


def test_who_was_replaced_learns_that_they_are_free(school, cast, now):
    training_class = school.approved()
    filing = training_class.filings.get()
    actions.supersede_filing(filing=filing, reason="换讲师", actor=cast.manager, at=now)
    training_class.refresh_from_db()
    actions.update_class(
        training_class=training_class, details=school.details(lecturer=None), actor=cast.manager, at=now
    )
    assert {event["status"] for event in read(cast.trainer).values()} == {"CANCELLED"}
    removed = training_class.enrolments.first()
    actions.remove_trainee(enrolment=removed, actor=cast.manager, at=now)
    assert {event["status"] for event in read(removed.person.user).values()} == {"CANCELLED"}


def test_a_class_leaves_the_feed_two_months_after_its_end(school, cast):
    training_class = school.approved()
    last = training_class.ends_on + datetime.timedelta(days=60)
    assert len(read(cast.manager, last)) == 8
    assert read(cast.manager, last + datetime.timedelta(days=1)) == {}


def test_the_feed_takes_as_many_queries_for_three_classes_as_for_one(school, cast, django_assert_num_queries):
    school.approved(name="第 1 期")
    for number in (2, 3):
        filing = school.filed(name=f"第 {number} 期", **weeks_later(number))
        school.decide(filing, number=f"{number} 号")
    user = User.objects.get(pk=cast.manager.pk)
    with django_assert_num_queries(4):  # memberships, enrolments, filings, decisions
        assert len(events_of(user, TODAY)) == 24


# --- the address ---


def path_of(response):
    [found] = set(re.findall(r"/calendar/[\w-]+\.ics", response.content.decode()))
    return found


def test_an_address_is_given_once_and_only_its_hash_is_kept(school, manager):
    client = client_of(manager)
    page = reverse("classes:calendar")
    assert "生成日历地址" in client.get(page).content.decode()
    given = client.post(page)
    path = path_of(given)
    token = path.removeprefix("/calendar/").removesuffix(".ics")
    assert len(token) == 43
    assert "no-store" in given["Cache-Control"]
    feed = CalendarFeed.objects.get()
    assert (feed.user, feed.token_hash) == (manager, token_hash(token))
    assert token not in client.get(page).content.decode()
    assert Entry.objects.get(kind="calendar.issued").facts == {"user": manager.pk}

    answer = Client().get(path)  # a calendar has no session
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.content.startswith(b"BEGIN:VCALENDAR")
    assert "private" in answer["Cache-Control"]
    again = Client().get(path, HTTP_IF_NONE_MATCH=answer["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert Client().post(path).status_code == 405


def test_a_new_address_ends_the_old_one_and_off_ends_all(school, manager):
    client = client_of(manager)
    page = reverse("classes:calendar")
    old, new = path_of(client.post(page)), path_of(client.post(page))
    assert old != new
    assert Client().get(old).status_code == 404
    assert Client().get(new).status_code == 200
    client.post(reverse("classes:calendar_end"))
    assert Client().get(new).status_code == 404
    client.post(reverse("classes:calendar_end"))  # twice changes nothing
    kinds = Entry.objects.filter(kind__startswith="calendar.").order_by("seq").values_list("kind", flat=True)
    assert list(kinds) == ["calendar.issued", "calendar.issued", "calendar.ended"]


def test_a_closed_account_has_no_feed(school, manager):
    path = path_of(client_of(manager).post(reverse("classes:calendar")))
    manager.is_active = False
    manager.save()
    assert Client().get(path).status_code == 404


def test_who_has_no_lessons_has_no_address(school, officer):
    assert client_of(officer).post(reverse("classes:calendar")).status_code == 403
    with pytest.raises(Refusal, match="角色"):
        actions.issue_feed(actor=officer, at=school.at)
    assert not CalendarFeed.objects.exists()


def test_the_address_never_gets_into_a_log(school, manager, monkeypatch):
    path = path_of(client_of(manager).post(reverse("classes:calendar")))
    secret = path.removeprefix("/calendar/").removesuffix(".ics")
    client_of(manager).post(reverse("classes:calendar_end"))
    console = next(
        handler
        for handler in logging.getLogger().handlers
        if any(isinstance(one, SecretAddresses) for one in handler.filters)
    )
    told: list[str] = []
    monkeypatch.setattr(console, "emit", lambda record: told.append(console.format(record)))
    Client().get(path)  # Django warns of every address that is not found
    assert any("/calendar/….ics" in line for line in told)
    assert secret not in "".join(told)
