"""The bytes that are hashed and signed: RFC 8785 canonical JSON, SHA-256, times in UTC with microseconds.

`audit/offline_verifier.py` repeats these few lines with the standard library alone; a test holds the two
together.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias, cast

import rfc8785

JSON: TypeAlias = bool | int | str | Sequence["JSON"] | Mapping[str, "JSON"] | None

# What the first entry of a chain, and the first root, name as their predecessor.
GENESIS = "0" * 64


def canonical(value: JSON) -> bytes:
    """Write a value as RFC 8785 canonical JSON in UTF-8."""
    return rfc8785.dumps(cast(Any, value))


def digest(value: JSON) -> str:
    """SHA-256 over the canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def moment(at: datetime) -> str:
    """Write an aware datetime as `2026-11-22T04:05:06.000007Z`: always UTC, always six digits."""
    if at.tzinfo is None:
        raise ValueError("evidence needs an aware datetime")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
