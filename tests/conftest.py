"""What every test stands on: a real PostgreSQL and Redis, used with the logins of production.

- `default` connects as `yuchuang_owner` but works as `yuchuang_app` (SET ROLE) once migrations have run, so
  a missing grant fails a test. `supervision` and `looks` use their own logins on the same test database; they
  see only committed rows: `@pytest.mark.django_db(transaction=True, databases="__all__")`.
- After a transactional test the tables are emptied as the owner (append-only tables refuse the application)
  and rows that migrations put there are put back.
- Names in Redis begin with a prefix of this run (`settings.REDIS_PREFIX`); each test starts without keys.

YC_TEST_DB names the test database; with xdist each worker has its own.
"""

import functools
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.test import override_settings
from django.utils import translation
from playwright.sync_api import Browser, sync_playwright

from identity.faces import judging
from identity.faces.port import FaceEngine
from tests import frozen
from tests.browser import CHROMIUM, FLAGS
from tests.cast import (  # noqa: F401
    assistant,
    cast,
    catalogue,
    frozen_cast,
    frozen_catalogue,
    learner,
    manager,
    now,
    officer,
    regulator,
    rival,
    trainer,
)

# Modules that take a minute or more. Two that drive browsers are not neighbours: neighbours run side by side.
_LONGEST = [
    "test_thread",
    "test_stack",
    "test_accessibility",
    "test_access_matrix",
    "test_query_counts",
    "test_schema",
]
_FOLDERS = itertools.count(1)  # made by whoever writes the first file
# How long an example takes says something about the machine only.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


def pytest_configure(config: pytest.Config) -> None:
    """Give this process its own names in PostgreSQL and Redis, before anything connects."""
    name = os.environ.get("YC_TEST_DB") or "test_yuchuang"
    database: dict[str, Any] = settings.DATABASES["default"]
    database["TEST"] = {**database.get("TEST", {}), "NAME": name}
    prefix = f"{name}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    settings.REDIS_PREFIX = prefix
    caches: dict[str, Any] = settings.CACHES["default"]
    layers: dict[str, Any] = settings.CHANNEL_LAYERS["default"]
    caches["KEY_PREFIX"] = layers["CONFIG"]["prefix"] = prefix
    # Argon2 takes a fifth of a second each time, on purpose; a started platform has it, and one test here.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Else each new `Client` would look at every static file anew, which took a tenth of all tests' time.
    settings.WHITENOISE_AUTOREFRESH = True


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a file by its argument: a workbook that is made while tests are collected holds the time, and all
    workers have to collect the same names.
    """
    return argname if isinstance(val, bytes) and len(val) > 100 else None


@pytest.hookimpl(trylast=True)  # after pytest-django has put those without a database last
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no worker is waited for at the end. Skip, with the reason, what
    this machine cannot do; in CI (CI=true) such a test fails instead.
    """
    items.sort(
        key=lambda item: _LONGEST.index(item.path.stem) if item.path.stem in _LONGEST else len(_LONGEST)
    )
    if os.environ.get("CI"):
        return
    programs = [name for name in ("janus", "janus-pp-rec", "ffmpeg") if not shutil.which(name)]
    missing = {"browser": "" if os.environ.get("YUCHUANG_CHROMIUM") else "needs Chromium"}
    if programs:
        missing["media"] = f"needs {', '.join(programs)}"
    elif "YUCHUANG_MEDIA_ADDRESS" not in os.environ:
        missing["media"] = "needs the private network that bin/test makes"
    for item in items:
        for marker, reason in missing.items():
            if reason and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any, django_db_keepdb: bool) -> Iterator[None]:
    """After pytest-django has made and migrated the database: grants, seed copies, the application's role."""
    from django.db import connections
    from django.db.backends.postgresql.operations import DatabaseOperations

    from config.grants import APP, grant_roles

    owner = connections["default"]
    with django_db_blocker.unblock():
        _ensure_roles(owner)
        grant_roles(owner)
        frozen.keep_seed()
        owner.settings_dict["OPTIONS"]["assume_role"] = APP
        owner.close()
    patch = pytest.MonkeyPatch()
    patch.setattr(DatabaseOperations, "execute_sql_flush", _flush_as_owner(APP))
    yield
    patch.undo()
    with django_db_blocker.unblock():
        for connection in connections.all():
            connection.close()
        del owner.settings_dict["OPTIONS"]["assume_role"]
        if not django_db_keepdb:
            _end_other_sessions(owner)
            owner.close()


def _ensure_roles(connection: Any) -> None:
    """A cluster of bin/test has the roles; on any other, make them if this login may."""
    with connection.cursor() as cursor:
        cursor.execute("select rolsuper from pg_roles where rolname = session_user")
        if cursor.fetchone()[0]:
            cursor.execute((settings.ROOT / "platform" / "config" / "roles.sql").read_text("utf-8"))


def _flush_as_owner(role: str) -> Callable[[Any, list[str]], None]:
    """Build the test run's `execute_sql_flush`: as owner, with triggers asleep, then seed rows back.

    Most tables are empty and the others have few rows: to delete them is much faster than TRUNCATE.
    """

    def execute_sql_flush(operations: Any, sql_list: list[str]) -> None:
        from django.db import transaction

        connection = operations.connection
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("set local role none")
            cursor.execute("set local session_replication_role = replica")
            frozen.empty_tables(cursor)
            frozen.put_back(cursor, frozen.SEED)
            cursor.execute(f"set local role {role}")

    return execute_sql_flush


def _end_other_sessions(connection: Any) -> None:
    """A test that left a connection open must not keep the test database from being dropped."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
            " and backend_type = 'client backend'"  # autovacuum is not ours to end, and gives way by itself
        )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Start in the source language, whatever language the test before was answered in."""
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture(autouse=True, scope="class")
def _own_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Files of a test, or of a class whose tests share their rows, never meet those of another."""
    with override_settings(MEDIA_ROOT=tmp_path_factory.getbasetemp() / "media" / str(next(_FOLDERS))):
        yield


@pytest.fixture(autouse=True)
def _empty_redis(request: pytest.FixtureRequest) -> None:
    """Start each test that may touch the database without keys of an earlier one."""
    if request.node.get_closest_marker("django_db") is None:
        return
    import redis

    client = redis.Redis.from_url(settings.REDIS_URL)
    keys = list(client.scan_iter(match=f"*{settings.REDIS_PREFIX}*", count=1000))
    if keys:
        client.delete(*keys)
    client.close()


@pytest.fixture(autouse=True, scope="session")
def _bursts_are_read_once() -> Iterator[None]:
    """The face engines are real and slow, so of pictures that many tests show they read each burst once."""

    @functools.cache
    def read(engine: FaceEngine, *frames: bytes) -> judging.Burst:
        return read_burst(engine, frames)

    read_burst = judging.read_burst
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judging, "read_burst", lambda engine, frames: read(engine, *frames))
        yield


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a module, its camera a test picture; each test opens contexts of its own."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, and Django would take the tests for coroutines.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


# The cast is in tests/cast.py; pytest finds fixtures by name in this module.
