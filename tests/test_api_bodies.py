"""No action of the API is done on the strength of a body that cannot be read."""

from typing import Any

import pytest

from accounts.api_views import ReadsBody
from config.urls import api

UNSAFE = {"post", "put", "patch", "delete"}


def acting_views() -> list[Any]:
    views = [pattern.callback.view_class for pattern in api]
    return [view for view in views if {method for method in UNSAFE if hasattr(view, method)}]


@pytest.mark.parametrize("view", acting_views(), ids=lambda view: f"{view.__module__}.{view.__name__}")
def test_every_view_that_acts_reads_its_body(view: Any) -> None:
    if set(view.http_method_names) & UNSAFE:
        assert issubclass(view, ReadsBody)
