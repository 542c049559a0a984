"""The API's description is true, and nothing that it lets through breaks the server."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from rest_framework.authtoken.models import Token
from schemathesis.core.result import Ok

from config.demo.cast import Cast

pytestmark = pytest.mark.django_db

schemathesis.serializer.alias("application/sdp", "text/plain")


def test_the_schema_validates(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")


@pytest.fixture
def keys(cast: Cast) -> list[str]:
    """Tokens of people who may do different things."""
    users = (cast.manager, cast.learner, cast.officer)
    return [Token.objects.get_or_create(user=user)[0].key for user in users]


@pytest.fixture
def own_connection() -> Iterator[None]:
    """Requests leave the test's connection open, which holds its transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def test_no_request_breaks_the_server(keys: list[str], own_connection: None) -> None:
    """Whatever the description allows, and some of what it does not, is answered without a 5xx."""
    schema = schemathesis.openapi.from_wsgi("/api/v1/schema/", get_wsgi_application())
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) > 60

    for operation in operations:

        @settings(
            max_examples=6,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            database=None,
        )
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            for key in keys:
                with transaction.atomic():
                    response = case.call(headers={"Authorization": f"Token {key}"})
                    transaction.set_rollback(True)
                no_media = response.status_code == 503 and response.json()["code"] == "media_unavailable"
                # There is no Janus behind this application, and it says so.
                assert no_media or response.status_code < 500, (
                    case.method,
                    case.formatted_path,
                    response.text,
                )

        ask()


def test_uploads_are_bytes_and_no_addresses() -> None:
    """A picture or a file that is sent is a part of the form, described as binary."""
    components = SchemaGenerator().get_schema(request=None, public=True)["components"]["schemas"]
    for name in ("EnrolmentFrames", "SignInFrames"):
        assert components[name]["properties"]["frames"]["items"] == {"type": "string", "format": "binary"}
    assert components["RosterFile"]["properties"]["file"]["format"] == "binary"
