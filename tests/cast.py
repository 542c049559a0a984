"""The standing cast as fixtures: half of what a test means is who does it (DESIGN §4).

The people come from `config.demo.cast`, so tests and demo data never drift apart.
"""

import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import User
from config.demo.cast import Cast, build_cast, find_cast
from courses.actions import load_catalogue
from tests.frozen import Frozen

SHANGHAI = ZoneInfo("Asia/Shanghai")
# A Monday morning on which tests begin unless they say otherwise.
MONDAY = datetime.datetime(2026, 9, 7, 9, 0, tzinfo=SHANGHAI)


@pytest.fixture
def now() -> datetime.datetime:
    return MONDAY


@pytest.fixture(scope="session")
def frozen_cast(django_db_setup: None, django_db_blocker: Any) -> Frozen:
    """The cast as it was entered on that Monday, for all tests of a run."""
    with django_db_blocker.unblock():
        return Frozen("the_cast", lambda: build_cast(at=MONDAY, password=None))


@pytest.fixture
def cast(frozen_cast: Frozen, db: None, now: datetime.datetime) -> Cast:
    """Everybody of DESIGN §4, with both schools and the bureaus."""
    if now == MONDAY:
        frozen_cast.thaw()
        return find_cast(at=now)
    with transaction.atomic():
        return build_cast(at=now, password=None)


@pytest.fixture(scope="session")
def frozen_catalogue(frozen_cast: Frozen, django_db_blocker: Any) -> Frozen:
    with django_db_blocker.unblock():
        return Frozen("the_catalogue", lambda: load_catalogue(at=MONDAY), base=frozen_cast)


@pytest.fixture
def catalogue(frozen_catalogue: Frozen, cast: Cast, now: datetime.datetime) -> None:
    """The shipped courses beside the cast."""
    if now == MONDAY:
        frozen_catalogue.thaw()
    else:
        load_catalogue(at=now)


@pytest.fixture
def learner(cast: Cast) -> User:
    return cast.learner


@pytest.fixture
def trainer(cast: Cast) -> User:
    return cast.trainer


@pytest.fixture
def assistant(cast: Cast) -> User:
    return cast.assistant


@pytest.fixture
def manager(cast: Cast) -> User:
    return cast.manager


@pytest.fixture
def rival(cast: Cast) -> User:
    return cast.rival


@pytest.fixture
def officer(cast: Cast) -> User:
    return cast.officer


@pytest.fixture
def regulator(cast: Cast) -> User:
    return cast.regulator


def client_of(user: User | None) -> Client:
    """A browser in which `user` is signed in; nobody when None."""
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


__all__ = ["MONDAY", "SHANGHAI", "client_of"]
