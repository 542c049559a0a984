"""The State Council's working days as this installation knows them: the kept library and the settings'
folders.
"""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from policy.calendar import WorkingCalendar, load_calendar


@lru_cache(maxsize=4)
def _loaded(directories: tuple[Path, ...]) -> WorkingCalendar:
    return load_calendar(*directories)


def calendar() -> WorkingCalendar:
    """Return the calendar by which this installation counts working days.

    Asking it about a year that nobody has published raises Refusal `calendar_unpublished`.
    """
    return _loaded(tuple(settings.CALENDAR_DIRS))
