"""Rosters that were uploaded and not imported yet: kept sealed for half an hour, for who uploaded them alone.

In the cache and nowhere else: a list of people that is never imported leaves no trace in the database.
"""

import json
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from django.core.cache import cache

from accounts import vault
from accounts.models import User
from classes.models import TrainingClass

SECONDS = 30 * 60
CONTEXT = b"roster.preview"


@dataclass(frozen=True, slots=True)
class Preview:
    """A file that waits to be looked at and imported."""

    token: str
    filename: str
    content: bytes


def keep(*, training_class: TrainingClass, actor: User, filename: str, content: bytes) -> str:
    """Keep a file and return the token under which its sender finds it again."""
    token = secrets.token_urlsafe(16)
    sealed = vault.seal(
        json.dumps(filename).encode() + b"\n" + content, context=_context(training_class, actor, token)
    )
    cache.set(_key(token), sealed, SECONDS)
    return token


def find(*, training_class: TrainingClass, actor: User, token: str) -> Preview | None:
    """The file, if this person uploaded it for this class less than half an hour ago."""
    sealed = cache.get(_key(token))
    if sealed is None:
        return None
    try:
        opened = vault.unseal(sealed, context=_context(training_class, actor, token))
    except InvalidTag:
        return None  # somebody else's, or another class's
    filename, _line, content = opened.partition(b"\n")
    return Preview(token, json.loads(filename), content)


def forget(token: str) -> None:
    """Drop a file that was imported or given up."""
    cache.delete(_key(token))


def _key(token: str) -> str:
    return f"roster-preview:{token}"


def _context(training_class: TrainingClass, actor: User, token: str) -> bytes:
    return b"/".join([CONTEXT, str(training_class.pk).encode(), str(actor.pk).encode(), token.encode()])
