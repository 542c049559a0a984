"""What an entry is about, written as a path: `class/12/lesson/40/person/7`.

The first two parts name the chain that the entry is linked into, so everything about one class forms one
chain. A path holds row ids, never a name or a number of a person.
"""

import re

SUBJECT = re.compile(r"[a-z][a-z0-9_-]*(/[A-Za-z0-9._-]+)*")
MAX_LENGTH = 200


def chain_of(subject: str) -> str:
    """The chain of a subject: its first two parts (`class/12`), or its only one (`platform`).

    Raises ValueError for anything that is not a path.
    """
    if len(subject) > MAX_LENGTH or not SUBJECT.fullmatch(subject):
        raise ValueError(f"{subject!r} is not an evidence subject such as class/12/lesson/40")
    return "/".join(subject.split("/")[:2])
