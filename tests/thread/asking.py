"""Asking the platform past its pages, and waiting for what it does by itself."""

import datetime
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg

from tests.stack import RunningStack


def rows(stack: RunningStack, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """What the platform's database says, asked past the application."""
    login = urlsplit(stack.environment["DATABASE_OWNER_URL"])
    with psycopg.connect(
        host=unquote(login.netloc.rpartition("@")[2].partition(":")[0]) or unquote(login.hostname or ""),
        user=login.username,
        dbname=login.path.lstrip("/"),
        port=login.port or 5432,
    ) as connection:
        return connection.execute(statement.encode(), values).fetchall()


def until(condition: Callable[[], object], seconds: float) -> None:
    """Wait for what another process brings about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.25)


def wait_for(moment: datetime.datetime) -> None:
    """Wait for an hour that the timetable has set."""
    time.sleep(max(0.0, (moment - datetime.datetime.now(datetime.UTC)).total_seconds()))
