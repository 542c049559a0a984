"""Telling whether two pictures show the same person, behind one small port (DESIGN: Face checks, P14).

`get_engine()` returns the engine that `settings.FACE_ENGINE` names; everything else in this package is
pure: pictures in, vectors and verdicts out, no database and no clock. Numbers and reasons:
docs/decisions/0004-face-engines.md.
"""

from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from identity.faces.port import FaceEngine

ENGINES = ("sface", "dlib")


def get_engine(name: str | None = None) -> FaceEngine:
    """Return the engine called `name` (default: the configured one), loaded once per process."""
    return _load(name or settings.FACE_ENGINE)


@lru_cache(maxsize=len(ENGINES))
def _load(name: str) -> FaceEngine:
    # Loading costs up to seconds and 200 MB, and one of the two is never needed: hence the imports in here.
    if name == "sface":
        from identity.faces.sface import SFaceEngine

        return SFaceEngine()
    if name == "dlib":
        from identity.faces.dlib_engine import DlibEngine

        return DlibEngine()
    raise ImproperlyConfigured(f"FACE_ENGINE is {name!r}, it must be one of {', '.join(ENGINES)}")
