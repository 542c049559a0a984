"""The policy editions of this installation.

Those shipped with the code and those of the settings' folders.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext_noop

from policy.editions import Edition, load_editions
from policy.refusals import Refusal


@lru_cache(maxsize=4)
def _loaded(directories: tuple[Path, ...]) -> Mapping[str, Edition]:
    return load_editions(*directories)


def all_editions() -> Mapping[str, Edition]:
    """Every known edition by id; the demo edition only where demo mode is on."""
    return {
        key: edition
        for key, edition in _loaded(tuple(settings.EDITION_DIRS)).items()
        if settings.DEMO or not edition.demo
    }


def edition(edition_id: str) -> Edition:
    """Return the edition; raises Refusal `edition_unknown`: `required` has the ids, `words` the titles."""
    known = all_editions()
    try:
        return known[edition_id]
    except KeyError:
        raise Refusal(
            "edition_unknown",
            gettext_noop("没有这个政策版本。"),
            found=edition_id,
            required=sorted(known),
            details={"words": {"required": [known[key].title for key in sorted(known)]}},
            rule="N4",
            next_step=gettext_noop("请从列表里选一个政策版本。"),
            status=400,
        ) from None
