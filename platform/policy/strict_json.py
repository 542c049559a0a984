"""JSON as others send it, read so that it means one thing."""

import json
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """Read one JSON value, of bytes as UTF-8.

    Refused besides malformed JSON: a name twice in one object, of which readers keep one or the other; NaN
    and Infinity; half a surrogate pair ("\\ud800"), which is no character and which neither UTF-8 nor the
    database can hold.

    Raises:
        ValueError: whatever of it is wrong.
        RecursionError: nested too deeply.
    """
    if isinstance(text, bytes):
        text = text.decode()
    value = json.loads(text, parse_constant=_constant, object_pairs_hook=_object)
    json.dumps(value, ensure_ascii=False).encode()
    return value


def _constant(name: str) -> Any:
    raise ValueError(f"no JSON: {name}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name twice in one object")
    return found
