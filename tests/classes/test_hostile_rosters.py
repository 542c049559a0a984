"""Each hostile roster is refused clearly with its place, or read rightly, in bounded memory and time."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from django.conf import settings

from accounts.models import Person, User
from audit.models import Entry
from classes import actions
from classes.models import Enrolment
from policy.refusals import Refusal
from tests.classes.hostile import CASES

pytestmark = pytest.mark.xdist_group("hostile rosters")  # the large ones are written once


@pytest.fixture(scope="module")
def reader() -> Iterator[tuple[IO[str], IO[str]]]:
    """The process that reads under limits; one for all, so what an earlier file left behind counts too."""
    paths = os.pathsep.join([str(settings.ROOT), str(settings.ROOT / "platform")])
    with subprocess.Popen(
        [sys.executable, "-m", "tests.classes.reader_process"],
        cwd=settings.ROOT,
        env=os.environ | {"PYTHONPATH": paths},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process.stdin, process.stdout
        process.stdin.close()


def read_under_limits(reader: tuple[IO[str], IO[str]], path: Path) -> dict[str, Any]:
    asked, answered = reader
    asked.write(f"{path}\n")
    asked.flush()
    found: dict[str, Any] = json.loads(answered.readline())
    return found


def test_there_are_two_hundred_of_them():
    assert len(CASES) >= 200


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_roster_is_refused_clearly_or_read_rightly(name, reader, tmp_path):
    make, expected = CASES[name]
    path = tmp_path / "roster.xlsx"
    path.write_bytes(make())
    found = read_under_limits(reader, path)
    if isinstance(expected, int):
        assert (found["code"], found["rows"]) == ("", expected), found
        return
    code, _space, place = expected.partition(" ")
    assert found["code"] == code, found
    assert found["next"], "a refusal says what to do"
    if place:
        assert found["place"] == place


def counts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Person, User, Enrolment, Entry))


def test_nothing_of_a_refused_roster_is_imported(school, manager, now):
    """All of them against one class, through the action that the page and the API call."""
    training_class = school.create()
    before = counts()
    for name, (make, expected) in CASES.items():
        if isinstance(expected, int) and expected <= 60:
            continue
        with pytest.raises(Refusal):
            actions.import_roster(training_class=training_class, content=make(), actor=manager, at=now)
        assert counts() == before, name
