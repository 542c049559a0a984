"""Editions to judge by: those shipped, and two that take every stricter or quicker reading."""

from collections.abc import Mapping

import pytest
from hypothesis import settings

from policy.editions import Edition, load_editions
from tests.policy.cases import EDITIONS

# How long a case takes says nothing about the rules: bench/policy.py measures that.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def editions() -> Mapping[str, Edition]:
    return load_editions(EDITIONS)


@pytest.fixture(scope="session")
def demo(editions: Mapping[str, Edition]) -> Edition:
    return editions["demo"]
