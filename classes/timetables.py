"""A timetable before it is saved: its rows, what is wrong with single rows, its hours by kind.

What the norm demands of the whole (shares, lead, size) is in `checks`; here is what makes rows a
timetable at all.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from classes.models import Lesson
from policy.messages import Translate, gettext_noop, untranslated
from policy.refusals import Refusal
from policy.terms import HourKind
from policy.words import bare

MOST_LESSONS = 200
MOST_HOURS_PER_LESSON = Decimal(99)
LONGEST_TITLE = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonDraft:
    """One row of a timetable: aware times, a kind of hours, how many lesson hours (课时) and what is
    taught.
    """

    starts_at: datetime.datetime
    ends_at: datetime.datetime
    kind: HourKind
    hours: Decimal
    title: str

    @classmethod
    def of(cls, lesson: Lesson) -> "LessonDraft":
        return cls(
            starts_at=lesson.starts_at,
            ends_at=lesson.ends_at,
            kind=HourKind(lesson.kind),
            hours=lesson.hours,
            title=lesson.title,
        )

    @property
    def day(self) -> datetime.date:
        """The legal day on which the lesson begins."""
        return timezone.localdate(self.starts_at)


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with one row; `row` counts from 0 in the order in which the rows were given."""

    row: int
    refusal: Refusal

    @property
    def code(self) -> str:
        return self.refusal.code

    def render(self, translate: Translate = untranslated) -> dict[str, Any]:
        body = self.refusal.render(translate)
        return {
            "row": self.row,
            "code": body["code"],
            "message": body["message"],
            "found": body["details"]["found"],
            "required": body["details"]["required"],
            "next": body["details"]["next"],
        }


def drafts_of(lessons: Iterable[Lesson]) -> list[LessonDraft]:
    return [LessonDraft.of(lesson) for lesson in lessons]


def hours_by_kind(drafts: Iterable[LessonDraft]) -> Mapping[HourKind, Decimal]:
    """Lesson hours of each kind that occurs, in the order of the norm."""
    sums: dict[HourKind, Decimal] = {}
    for draft in drafts:
        sums[draft.kind] = sums.get(draft.kind, Decimal(0)) + draft.hours
    return {kind: sums[kind] for kind in HourKind if kind in sums}


def row_faults(
    drafts: Sequence[LessonDraft],
    *,
    starts_on: datetime.date,
    ends_on: datetime.date,
    lesson_hour_seconds: int,
) -> list[RowFault]:
    """Everything that keeps these rows from being one timetable, row by row.

    Codes: `lesson_title_missing`, `lesson_hours_out_of_range`, `lesson_times_reversed`,
    `lesson_outside_class`, `lesson_too_short` (less time than its hours need, P9), `lesson_overlaps`.
    """
    faults: list[RowFault] = []
    for row, draft in enumerate(drafts):
        faults += [
            RowFault(row, refusal)
            for refusal in _faults_of_one(draft, starts_on, ends_on, lesson_hour_seconds)
        ]
    in_order = sorted(enumerate(drafts), key=lambda item: (item[1].starts_at, item[1].ends_at))
    latest: tuple[int, LessonDraft] | None = None
    for row, draft in in_order:
        if latest is not None and draft.starts_at < latest[1].ends_at:
            faults.append(RowFault(row, _overlap(draft, latest[1])))
        if latest is None or draft.ends_at > latest[1].ends_at:
            latest = (row, draft)
    return sorted(faults, key=lambda fault: fault.row)


def _faults_of_one(
    draft: LessonDraft, starts_on: datetime.date, ends_on: datetime.date, lesson_hour_seconds: int
) -> Iterable[Refusal]:
    if not bare(draft.title) or len(draft.title) > LONGEST_TITLE:
        yield Refusal(
            "lesson_title_missing",
            gettext_noop("内容要写 1 到 %(most)s 个字。"),
            found=len(bare(draft.title)),
            required=LONGEST_TITLE,
            rule="A2",
            params={"most": LONGEST_TITLE},
            next_step=gettext_noop("请写上这节课教什么。"),
        )
    if not 0 < draft.hours <= MOST_HOURS_PER_LESSON or -int(draft.hours.as_tuple().exponent) > 2:
        yield Refusal(
            "lesson_hours_out_of_range",
            gettext_noop("课时要大于 0、不超过 %(most)s，小数最多两位。"),
            found=draft.hours,
            required=MOST_HOURS_PER_LESSON,
            rule="P9",
            params={"most": MOST_HOURS_PER_LESSON},
            next_step=gettext_noop("请改课时。"),
        )
    if draft.ends_at <= draft.starts_at:
        yield Refusal(
            "lesson_times_reversed",
            gettext_noop("结束时间不晚于开始时间。"),
            found=draft.ends_at.isoformat(),
            required=draft.starts_at.isoformat(),
            rule="P9",
            next_step=gettext_noop("请改开始或结束时间。"),
        )
        return
    # The last instant of a lesson that ends at midnight still belongs to the day before.
    last_day = timezone.localdate(draft.ends_at - datetime.timedelta(microseconds=1))
    if draft.day < starts_on or last_day > ends_on:
        yield Refusal(
            "lesson_outside_class",
            gettext_noop("这节课不在开班 %(starts)s 到结班 %(ends)s 之间。"),
            found=draft.day,
            required=[starts_on, ends_on],
            rule="F9",
            params={"starts": starts_on, "ends": ends_on},
            next_step=gettext_noop("请改这节课的日期，或改班级的起止日期。"),
        )
    needed = draft.hours * lesson_hour_seconds
    planned = (draft.ends_at - draft.starts_at) // datetime.timedelta(seconds=1)
    if planned < needed:
        yield Refusal(
            "lesson_too_short",
            gettext_noop("%(hours)s 课时至少要 %(needed)s 秒，这节课只有 %(planned)s 秒。")
            if needed % 60 or planned % 60
            else gettext_noop(
                "%(hours)s 课时至少要 %(needed_minutes)s 分钟，这节课只有 %(planned_minutes)s 分钟。"
            ),
            found=planned,
            required=needed,
            rule="P9",
            params={
                "hours": _trimmed(draft.hours),
                "needed": _trimmed(needed),
                "planned": planned,
                "needed_minutes": _trimmed(needed / 60),
                "planned_minutes": planned // 60,
            },
            next_step=gettext_noop("请延长这节课，或减少课时。"),
        )


def _overlap(draft: LessonDraft, other: LessonDraft) -> Refusal:
    return Refusal(
        "lesson_overlaps",
        gettext_noop("和“%(title)s”的时间重叠。"),
        found=draft.starts_at.isoformat(),
        required=other.ends_at.isoformat(),
        rule="P9",
        params={"title": other.title},
        next_step=gettext_noop("同一个班同一时间只能有一节课，请错开。"),
    )


def _trimmed(number: Decimal) -> str:
    """16.00 reads 16, 13.50 reads 13.5."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
