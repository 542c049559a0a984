"""Every page and every list of the API, with one of everything and with three: as many queries (STYLE §19).

The addresses and who may read them come from the access matrix, so a new page is measured as soon as it has
its row there.
"""

import datetime
import uuid
from collections import Counter
from contextlib import ExitStack
from typing import Any

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.db import connections, transaction
from django.test import Client

from attendance.actions.sign_in import issue_sign_in_code, sign_in_by_code, sign_out
from classes.live.models import Recording
from config.demo.cast import Cast, build_cast
from config.demo.stages import STAGES, build, trainees_of
from courses.actions import load_catalogue
from exams.actions.bank import load_question_bank
from subsidies.actions.objections import lodge_objection
from subsidies.models import Claim
from tests.addresses import Places, addresses, find_places
from tests.cast import MONDAY, client_of
from tests.test_access_matrix import CAST, table
from tests.world import World

# Who has things to see; the assistant sees what the lecturer sees, finance what the regulator does.
VIEWERS = {letter: CAST[letter] for letter in "NLTMOGP"}
# Addresses that must be told what is asked for, and who may ask.
ASKED_FOR = {
    "api:people": ("M", "?role=lecturer"),
    "api:meter": ("L", "?class={classes/}"),
    "api:what-if": ("MOP", "?edition=henan-2020-97"),
}

# Pages that only drafts have.
DRAFTS = {
    "classes:edit",
    "classes:roster_remove",
    "courses:outline",
    "courses:publish",
    "courses:add_material",
    "courses:remove_material",
}

# The supervision login sees committed rows only.
pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def world_of(cast: Cast, *, now: datetime.datetime, nth: int, most: int) -> World:
    """A class in each stage; so many trainees, recordings, sign-ins to confirm and objections."""
    with transaction.atomic():
        world = World(cast, {stage: build(cast, stage, now=now, most=most, nth=nth) for stage in STAGES}, now)
        lesson = world["running"].lessons.order_by("starts_at")[1]
        notice = Claim.objects.get(training_class=world["claimed"]).notice
        for n, (enrolment, user) in enumerate(trainees_of(world["running"])):
            sign_out(lesson=lesson, actor=user, at=now)
            code = issue_sign_in_code(lesson=lesson, enrolment=enrolment, actor=cast.assistant, at=now)
            sign_in_by_code(lesson=lesson, code=code, actor=user, at=now)
            Recording.objects.create(
                lesson=lesson,
                feed="lecturer",
                started_at=lesson.starts_at + datetime.timedelta(minutes=n),
                duration_ms=60_000,
                file=ContentFile(b"webm", f"{uuid.uuid4()}.webm"),
                size=4,
                sha256="0" * 64,
            )
            lodge_objection(
                notice=notice, line_number=1, text=f"这个人第 {n} 天在外地，没有上课。", contact="", at=now
            )
    return world


def statements(client: Client, address: str) -> Counter[str]:
    """What a page asks of the database, over all logins, without the values."""
    asked: Counter[str] = Counter()

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        if "pg_type" not in sql:  # a new connection learning its types
            asked[sql] += 1
        return execute(sql, *rest)

    with ExitStack() as stack:
        for alias in connections:
            stack.enter_context(connections[alias].execute_wrapper(note))
        answer = client.get(address)
    assert answer.status_code < 400, f"{answer.status_code} at {address}"
    return asked


def walk(places: Places, clients: dict[str, Client]) -> dict[str, Counter[str]]:
    """What every page asks for everybody who may see it."""
    routes = {name: str(pattern.pattern) for name, pattern in addresses()}
    pages = {}
    for (name, method), letters in table().items():
        if method == "get":
            at = "draft" if name in DRAFTS else ""
            viewers, query = ASKED_FOR.get(name, (clients, ""))
            address = places.address(name, routes[name], at) + query.format_map(places.ids)
            for letter in letters & clients.keys() & set(viewers):
                pages[f"{name} for {letter}"] = statements(clients[letter], address)
    return pages


def test_three_of_everything_take_the_queries_of_one():
    with transaction.atomic():
        cast = build_cast(at=MONDAY, password=None)
        load_catalogue(at=MONDAY)
        load_question_bank()
    clients = {letter: client_of(cast[name] if name else None) for letter, name in VIEWERS.items()}
    week = datetime.timedelta(days=7)
    with time_machine.travel(MONDAY - 2 * week, tick=False):
        one = walk(find_places(world_of(cast, now=MONDAY - 2 * week, nth=0, most=1)), clients)
    with time_machine.travel(MONDAY, tick=False):
        world_of(cast, now=MONDAY - week, nth=1, most=1)
        three = walk(find_places(world_of(cast, now=MONDAY, nth=2, most=3)), clients)
    counts = {page: (asked.total(), three[page].total()) for page, asked in one.items()}
    assert {page: both for page, both in counts.items() if both[0] != both[1]} == {}
    # A list that is as long in both worlds, such as a timetable, shows itself by asking the same again.
    again = {page: [sql for sql, times in asked.items() if times > 3] for page, asked in three.items()}
    assert {page: found for page, found in again.items() if found} == {}
