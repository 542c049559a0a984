"""Editions to judge by: those shipped, and two that take every stricter or quicker reading."""

from collections.abc import Mapping

import pytest

from policy.editions import Edition, load_editions
from tests.policy.cases import EDITIONS


@pytest.fixture(scope="session")
def editions() -> Mapping[str, Edition]:
    return load_editions(EDITIONS)


@pytest.fixture(scope="session")
def demo(editions: Mapping[str, Edition]) -> Edition:
    return editions["demo"]
