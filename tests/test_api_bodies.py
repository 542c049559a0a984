"""No action of the API is done on the strength of a body that cannot be read."""

from typing import Any

import pytest
from rest_framework import serializers

from accounts.api_views import ReadsBody, TextField
from config.urls import api

UNSAFE = {"post", "put", "patch", "delete"}


def acting_views() -> list[Any]:
    views = [pattern.callback.view_class for pattern in api]
    return [view for view in views if {method for method in UNSAFE if hasattr(view, method)}]


@pytest.mark.parametrize("view", acting_views(), ids=lambda view: f"{view.__module__}.{view.__name__}")
def test_every_view_that_acts_reads_its_body(view: Any) -> None:
    if set(view.http_method_names) & UNSAFE:
        assert issubclass(view, ReadsBody)


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
