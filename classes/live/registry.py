"""What the floors above put into the room, which cannot know them: parts of its snapshot, and gates at its
door.

# attendance/apps.py
def ready(self) -> None:
    register_snapshot_part("checks", queries.checks_of_room)
    register_gate(queries.sign_in_page)
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from accounts.models import User
from classes.models import Lesson

SnapshotPart: TypeAlias = Callable[[Lesson, User], Any]
Gate: TypeAlias = Callable[[Lesson, User], str | None]

_parts: dict[str, SnapshotPart] = {}
_gates: list[Gate] = []


def register_snapshot_part(name: str, function: SnapshotPart) -> None:
    """Add `name` to every room's snapshot: plain JSON for this lesson and this person.

    It is read while the room's row is share-locked, so whatever is written before `announce` in its
    transaction belongs to the snapshot's `seq`. Registering another function under a taken name raises
    ValueError.
    """
    if _parts.setdefault(name, function) is not function:
        raise ValueError(f"the room's snapshot already has a part {name!r}")


def snapshot_parts() -> Mapping[str, SnapshotPart]:
    return _parts


def register_gate(function: Gate) -> None:
    """Ask `function` before a person sees the room's page; it returns the address of what must be done first,
    or None.
    """
    if function not in _gates:
        _gates.append(function)


def first_closed_gate(lesson: Lesson, user: User) -> str | None:
    """Where this person must go before the room, if anywhere."""
    return next((address for gate in _gates if (address := gate(lesson, user))), None)
