"""What the API reads its bodies with; apart from the views, because REST's settings load it before them."""

from collections.abc import Mapping
from typing import Any

from rest_framework import exceptions, parsers

from policy.strict_json import parse_json


class JSONParser(parsers.JSONParser):
    """JSON in UTF-8 (RFC 8259), read strictly."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return parse_json(stream.read())
        except (ValueError, RecursionError) as error:
            raise exceptions.ParseError(str(error)) from error
