"""What evidence keeps of the lines of a claim."""

import hashlib
from collections.abc import Iterable

import rfc8785


def lines_digest(rows: Iterable[tuple[int, int, int, str, str]]) -> str:
    """SHA-256 over (line, enrolment, credited microseconds, certificate number, amount) of every line.

    The dossier's checker computes the same from what it was given.
    """
    return hashlib.sha256(rfc8785.dumps([list(row) for row in rows])).hexdigest()
