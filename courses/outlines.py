"""An outline as plain data: what an editor types, what is digested, its hours by kind."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import rfc8785

from courses.models import CourseVersion, OutlineUnit
from policy.messages import gettext_noop
from policy.refusals import Refusal
from policy.terms import HourKind
from policy.words import bare

MOST_UNITS = 200
MOST_HOURS = Decimal(99)
LONGEST_TITLE = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitDraft:
    """One line as it is entered: a kind of hours, how many 课时, what is taught."""

    kind: HourKind
    hours: Decimal
    title: str

    @classmethod
    def of(cls, unit: OutlineUnit) -> "UnitDraft":
        return cls(kind=HourKind(unit.kind), hours=unit.hours, title=unit.title)


def units_of(version: CourseVersion | None) -> list[UnitDraft]:
    """The lines of a version in their order; none without a version."""
    return [UnitDraft.of(unit) for unit in version.outline.all()] if version else []


def hours_of(version: CourseVersion | None) -> Mapping[HourKind, Decimal]:
    """Lesson hours (课时) of each kind that the outline has, in the order of the norm."""
    sums: dict[HourKind, Decimal] = {}
    for unit in units_of(version):
        sums[unit.kind] = sums.get(unit.kind, Decimal(0)) + unit.hours
    return {kind: sums[kind] for kind in HourKind if kind in sums}


def outline_digest(units: Iterable[UnitDraft]) -> str:
    """SHA-256 over the canonical JSON of the lines: what a filing's snapshot holds of an outline."""
    lines = [
        {"kind": unit.kind.value, "hours": f"{unit.hours.normalize():f}", "title": unit.title}
        for unit in units
    ]
    return hashlib.sha256(rfc8785.dumps(lines)).hexdigest()


def judge_units(units: Sequence[UnitDraft]) -> None:
    """Raise Refusal `outline_too_long`, `outline_title_missing` or `outline_hours_out_of_range` (400)."""
    if len(units) > MOST_UNITS:
        raise Refusal(
            "outline_too_long",
            gettext_noop("大纲最多 %(most)s 行。"),
            found=len(units),
            required=MOST_UNITS,
            rule="A2",
            params={"most": MOST_UNITS},
            next_step=gettext_noop("请把相近的内容合成一行。"),
            status=400,
        )
    for row, unit in enumerate(units, start=1):
        if not bare(unit.title) or len(unit.title) > LONGEST_TITLE:
            raise Refusal(
                "outline_title_missing",
                gettext_noop("第 %(row)s 行的内容要写 1 到 %(most)s 个字。"),
                found=len(bare(unit.title)),
                required=LONGEST_TITLE,
                rule="A2",
                params={"row": row, "most": LONGEST_TITLE},
                next_step=gettext_noop("请写上这一行教什么。"),
                status=400,
            )
        if not 0 < unit.hours <= MOST_HOURS or -int(unit.hours.as_tuple().exponent) > 2:
            raise Refusal(
                "outline_hours_out_of_range",
                gettext_noop("第 %(row)s 行的课时要大于 0、不超过 %(most)s，小数最多两位。"),
                found=unit.hours,
                required=MOST_HOURS,
                rule="A2",
                params={"row": row, "most": MOST_HOURS},
                next_step=gettext_noop("请改课时。"),
                status=400,
            )
