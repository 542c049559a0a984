"""No action of the API is done on the strength of a body that cannot be read."""

import datetime
from typing import Any

import pytest
import rest_framework.parsers
from rest_framework import serializers

from accounts.api_views import DayField, ReadsBody, TextField
from accounts.parsers import JSONParser
from audit.models import Entry
from classes.api import MomentField
from config.demo.cast import Cast
from config.urls import api
from courses.models import Course
from policy.strict_json import parse_json
from tests.cast import client_of
from tests.classes.school import School

UNSAFE = {"post", "put", "patch", "delete"}


def acting_views() -> list[Any]:
    views = [pattern.callback.view_class for pattern in api]
    return [view for view in views if {method for method in UNSAFE if hasattr(view, method)}]


@pytest.mark.parametrize("view", acting_views(), ids=lambda view: f"{view.__module__}.{view.__name__}")
def test_every_view_that_acts_reads_its_body(view: Any) -> None:
    if set(view.http_method_names) & UNSAFE:
        assert issubclass(view, ReadsBody)


def test_json_is_read_by_the_strict_parser_alone() -> None:
    lax = [
        view
        for view in acting_views()
        for parser in view.parser_classes
        if issubclass(parser, rest_framework.parsers.JSONParser) and not issubclass(parser, JSONParser)
    ]
    assert lax == []


AMBIGUOUS = {
    "half a character": rb'{"hours": {"live": "\ud800"}}',
    "half a character as a name": rb'{"hours": {"\udfff": 1}}',
    "a name twice": b'{"hours": {"live": 24, "live": 2}}',
    "no number": b'{"hours": {"live": NaN}}',
    "no UTF-8": b'{"hours": {"live": "\xff"}}',
    "UTF-16": '{"hours": {"live": 24}}'.encode("utf-16"),
    "nested too deeply": b'{"hours": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}


@pytest.mark.parametrize("body", AMBIGUOUS.values(), ids=AMBIGUOUS)
@pytest.mark.parametrize(
    "address",
    ["policy/timetable-check/", "classes/", "classes/{class_}/filing/", "classes/{class_}/timetable/"],
)
def test_json_that_could_mean_two_things_is_refused(
    cast: Cast, catalogue: None, now: datetime.datetime, address: str, body: bytes
) -> None:
    school = School(cast=cast, at=now, course=Course.objects.get(course_type="GYB"))
    address = "/api/v1/" + address.format(class_=school.create().pk)
    client = client_of(None if "policy/" in address else cast.manager)
    before = Entry.objects.count()
    send = client.put if address.endswith("timetable/") else client.post
    answer = send(address, body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")
    assert answer.json()["details"]["required"]
    assert Entry.objects.count() == before


def test_two_halves_are_one_character() -> None:
    assert parse_json(r'{"title": "\ud840\udc00"}') == {"title": "\U00020000"}


OTHER_DAYS = [
    "20260212",
    "2026-W07-4",
    "２０２６-02-12",
    "2026-2-12",
    "2026-02-12T08:30",
    " 2026-02-12",
    "2026/02/12",
]


@pytest.mark.parametrize("sent", [*OTHER_DAYS, "2026-02-30", "", 20260212, None, [], {}], ids=ascii)
def test_a_day_is_written_in_one_way(sent: Any) -> None:
    assert DayField().run_validation("2026-02-12") == datetime.date(2026, 2, 12)
    with pytest.raises(serializers.ValidationError):
        DayField().run_validation(sent)


@pytest.mark.parametrize("day", OTHER_DAYS, ids=ascii)
@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ("policy/earliest-start/", ["filed_on"]),
        ("classes/", ["starts_on", "ends_on"]),
        ("measures/", ["since", "deadline"]),
        ("registrations/", ["valid_from", "valid_until"]),
    ],
)
def test_every_day_that_is_sent_is_read_alike(cast: Cast, address: str, fields: list[str], day: str) -> None:
    client = client_of(cast.officer if address == "measures/" else cast.manager)
    sent = dict.fromkeys(fields, day)
    answer = client.post(f"/api/v1/{address}", sent, content_type="application/json")
    assert answer.status_code == 400
    told = answer.json()["details"]["fields"]
    assert {told[name][0] for name in fields} == {"日期要写成 2026-09-24 这样。"}


OTHER_MOMENTS = [
    "20260924T083000+08:00",
    "2026-W39-4T08:30:00+08:00",
    "２０２６-09-24T08:30:00+08:00",
    5,
    None,
    {},
]


@pytest.mark.parametrize("sent", OTHER_MOMENTS, ids=ascii)
def test_a_moment_is_written_in_one_way(sent: Any) -> None:
    for good in ("2026-09-24T08:30:00+08:00", "2026-09-24T00:30:00.000Z", "2026-09-24T08:30+08:00"):
        assert MomentField().run_validation(good).isoformat()[:16] in ("2026-09-24T08:30", "2026-09-24T00:30")
    with pytest.raises(serializers.ValidationError):
        MomentField().run_validation(sent)


@pytest.mark.parametrize("sent", [{"a": 1}, ["full_live"], None, True, 5, "both"], ids=ascii)
def test_a_choice_of_the_wrong_kind_is_told_in_words(cast: Cast, sent: Any) -> None:
    answer = client_of(cast.manager).post("/api/v1/classes/", {"mode": sent}, content_type="application/json")
    body = answer.json()
    assert (answer.status_code, body["code"], body["details"]["rule"]) == (400, "invalid", "")
    if sent is not None:
        assert body["details"]["fields"]["mode"] == ["没有这一项，请从列出的里面选一项。"]


def fields_of_text() -> list[tuple[str, str, serializers.CharField]]:
    """Every field of the platform's serializers that takes a text, with the serializer's and its own name."""
    found, waiting = [], [serializers.Serializer]
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        for name, field in one._declared_fields.items() if not one.__module__.startswith("rest_") else ():
            inner = getattr(field, "child", field)
            if isinstance(inner, serializers.CharField) and inner.max_length and not field.read_only:
                found.append((f"{one.__module__}.{one.__name__}", name, inner))
    return found


def test_every_text_that_is_sent_is_a_text_and_shows() -> None:
    """`max_length` tells what is sent from what is only answered. A password is taken as it is."""
    bare = {(where, name) for where, name, field in fields_of_text() if not isinstance(field, TextField)}
    assert bare == {("accounts.api.CredentialsSerializer", "password")}


@pytest.mark.parametrize("sent", [5, 5.5, True, None, [], {}, "", "\u200b", " \ufeff "], ids=ascii)
def test_a_text_is_no_number_and_not_blank(sent: Any) -> None:
    with pytest.raises(serializers.ValidationError):
        TextField(max_length=9).run_validation(sent)
    assert TextField(max_length=9, allow_blank=True).run_validation("\u200b") == ""
