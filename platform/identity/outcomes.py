"""Telling the floors above that a check has been judged, or decided by a person.

    # attendance/apps.py
    def ready(self) -> None:
        outcomes.register(Purpose.SIGN_IN, when_judged)   # when_judged(check_id: int, at: datetime) -> None

Called after the transaction has committed, in the worker that judged. The rows are the truth and a call may
be lost in a crash: what must not be missed is also looked up by whoever needs it, and a handler must bear
being called twice.
"""

from collections.abc import Callable
from datetime import datetime

from identity.states import Purpose

Handler = Callable[[int, datetime], None]

_handlers: dict[Purpose, list[Handler]] = {}


def register(purpose: Purpose, handler: Handler) -> None:
    """Call `handler(check_id, at)` when a check of this purpose was judged, or decided by a person."""
    if handler not in _handlers.setdefault(purpose, []):
        _handlers[purpose].append(handler)


def announce(purpose: str, check_id: int, at: datetime) -> None:
    for handler in _handlers.get(Purpose(purpose), []):
        handler(check_id, at)
