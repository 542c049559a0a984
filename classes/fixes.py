"""Ways out of a finding that the editor offers as one click: each takes drafts and gives other drafts.

What is lawful is asked of the policy: an offer aims at hours that it accepts, puts lessons only where there
is free time (`slots`), and is not made at all if it broke a rule that was kept before. The person still looks
at the result and saves it.
"""

import datetime
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.editions import edition as find_edition
from classes.bookings import Clash
from classes.checks import ClassCheck, findings_of_days
from classes.models import BOOKED_KINDS, TrainingClass
from classes.slots import LONGEST_SESSION, FreeTime
from classes.timetables import LONGEST_TITLE, MOST_LESSONS, LessonDraft, hours_by_kind, row_faults
from courses.outlines import UnitDraft, hours_of
from policy.classes import judge_outline
from policy.editions import Edition
from policy.refusals import Refusal
from policy.terms import HOMEWORK_AND_EXAM, MIXED_ONLINE_KINDS, QUALITY_AND_TUTORING, HourKind, Mode
from policy.timetable import check_timetable

Exact = Mapping[HourKind, Fraction]

# Of hours that share one ceiling, the first are given away first: exams and evaluations are short and fixed.
_GIVEN_FIRST: Mapping[tuple[HourKind, ...], tuple[HourKind, ...]] = {
    HOMEWORK_AND_EXAM: (HourKind.HOMEWORK, HourKind.EXAM),
    QUALITY_AND_TUTORING: (HourKind.TUTORING, HourKind.QUALITY),
}
# What a row may be wrong about that another time for it mends; the rest has to be typed.
_MOVABLE_FAULTS = {"lesson_too_short", "lesson_times_reversed", "lesson_overlaps"}


@dataclass(frozen=True, slots=True)
class Fix:
    """One offer: a code for the form, what it says on the button, and the drafts that it makes.

    `mends` are the findings that it is shown with, `rows` the lessons with hours too many, and how many.
    """

    code: str
    label: str
    drafts: Sequence[LessonDraft]
    mends: frozenset[str]
    rows: tuple[tuple[int, Decimal], ...] = ()


HOURS_FINDINGS = frozenset(
    {
        "live_share",
        "homework_exam_share",
        "quality_tutoring_share",
        "least_quality_tutoring_share",
        "on_demand_share",
        "offline_share",
        "outside_mode",
        "mode_parts",
        "outline_covers_hours",
    }
)


def fixes_for(
    training_class: TrainingClass,
    drafts: Sequence[LessonDraft],
    check: ClassCheck,
    *,
    lesson_hour: datetime.timedelta,
) -> list[Fix]:
    """Everything that can be offered for this timetable; none of it breaks what was kept before.

    The one thing that may be left to do is to lengthen the class, where lessons found no room before its end.
    """
    if check.timetable is None or not drafts or check.passed or not _is_ordinary(training_class, drafts):
        return []
    free = FreeTime.of(training_class, lesson_hour=lesson_hour)
    work = _Repair(training_class, list(drafts), check, free, lesson_hour)
    before = work.broken(drafts)
    safe = [fix for fix in work.offers() if not work.broken(fix.drafts) - before]
    return [fix for fix in safe if len(fix.drafts) <= MOST_LESSONS]


def without_clashes(free: FreeTime, drafts: Sequence[LessonDraft]) -> list[LessonDraft]:
    """These drafts, with those for which somebody is taken elsewhere put where everybody is free.

    As they are where there is no room within the class's dates.
    """
    met = [row for row, draft in enumerate(drafts) if draft.kind in BOOKED_KINDS and free.is_booked(draft)]
    moved = _elsewhere(free, drafts, dict.fromkeys(met)) or list(drafts)
    return moved if all(draft.day <= free.ends_on for draft in moved) else list(drafts)


@dataclass(frozen=True, slots=True)
class _Repair:
    """One timetable that does not pass, and what it takes to offer ways out of that."""

    training_class: TrainingClass
    drafts: list[LessonDraft]
    check: ClassCheck
    free: FreeTime
    lesson_hour: datetime.timedelta

    @property
    def edition(self) -> Edition:
        return find_edition(self.training_class.edition)

    def offers(self) -> Iterator[Fix]:
        yield from self._hours_offers()
        yield from self._time_offers()

    def broken(self, drafts: Sequence[LessonDraft]) -> set[str]:
        """What these drafts break of all that depends on them; not that they run past the class's end."""
        course_type, mode = self.training_class.course.course_type, self.training_class.mode
        hours = _exact(hours_by_kind(drafts))
        found = [
            *check_timetable(self.edition, course_type=course_type, mode=mode, hours=hours).findings,
            judge_outline(self.edition, hours, self._outline),
            *findings_of_days(self.edition, drafts),
        ]
        last = max(self.training_class.ends_on, *(draft.ends_at.date() for draft in drafts))
        faults = row_faults(
            drafts,
            starts_on=self.training_class.starts_on,
            ends_on=last,
            lesson_hour_seconds=int(self.lesson_hour.total_seconds()),
        )
        booked = {draft for draft in drafts if draft.kind in BOOKED_KINDS and self.free.is_booked(draft)}
        codes = {finding.code for finding in found if finding.blocks} | {fault.code for fault in faults}
        return codes | ({"booked"} if booked else set())

    @property
    def _outline(self) -> Exact:
        return _exact(hours_of(self.training_class.course_version))

    # --- hours of the wrong kind, too few and too many ---

    def _hours_offers(self) -> Iterator[Fix]:
        failing = {finding.code for finding in self.check.failed}
        if not failing & (HOURS_FINDINGS | {"total_hours"}):
            return
        have = _exact(hours_by_kind(self.drafts))
        aim = lawful_hours(
            self.edition,
            course_type=self.training_class.course.course_type,
            mode=Mode(self.training_class.mode),
            hours=have,
            outline=self._outline,
        )
        if aim is None:
            return
        surplus = {kind: _decimal(have.get(kind, 0) - aim.get(kind, 0)) for kind in HourKind}
        surplus = {kind: hours for kind, hours in surplus.items() if hours > 0}
        lacking = {kind: _decimal(aim.get(kind, 0) - have.get(kind, 0)) for kind in HourKind}
        lacking = {kind: hours for kind, hours in lacking.items() if hours > 0}
        changes, rest, missing = _matched(self.drafts, surplus, lacking)
        changed = self._changed(changes)
        if changes and changed:
            yield Fix(
                "to_" + "_".join(sorted({kind for _row, _hours, kind in changes})),
                self._change_label(changes),
                changed,
                HOURS_FINDINGS | {"total_hours"},  # hours that a mode does not have are not counted
                rows=tuple((row, hours) for row, hours, _kind in changes),
            )
        if rest:
            yield Fix(
                "drop",
                _("从课表减去 %(hours)s") % {"hours": _kinds_label(_by_kind(self.drafts, rest))},
                _without(self.drafts, rest, self.lesson_hour),
                HOURS_FINDINGS,
                rows=tuple(rest.items()),
            )
        if missing and (added := self._added(self.drafts, missing)) is not None:
            code = "add_live" if set(missing) == {HourKind.LIVE} else "add_hours"
            yield Fix(code, self._add_label(missing, added), added, frozenset({"total_hours"}))
        if changes and missing and changed and (both := self._added(changed, missing)) is not None:
            label = _("%(first)s，再%(second)s") % {
                "first": self._change_label(changes),
                "second": self._add_label(missing, both),
            }
            yield Fix("complete", label, both, HOURS_FINDINGS | {"total_hours"})

    def _changed(self, changes: "Sequence[_Change]") -> list[LessonDraft] | None:
        """The drafts with hours of other kinds; what would then need somebody who is taken goes elsewhere."""
        drafts: list[LessonDraft] = []
        moving: list[LessonDraft] = []
        for row, lesson in enumerate(self.drafts):
            parts = _split(lesson, [(h, k) for r, h, k in changes if r == row], self.lesson_hour)
            drafts.append(parts[0])
            for part in parts[1:]:
                taken = part.kind in BOOKED_KINDS and self.free.is_booked(part)
                (moving if taken else drafts).append(part)
        drafts = [draft for draft in drafts if draft.hours > 0]
        for part in moving:
            placed = self.free.place(drafts, part.kind, part.hours, part.title, near=part.day)
            if placed is None:
                return None
            drafts += placed
        return drafts

    def _added(
        self, drafts: Sequence[LessonDraft], missing: Mapping[HourKind, Decimal]
    ) -> list[LessonDraft] | None:
        found = list(drafts)
        for kind, hours in missing.items():
            placed = self.free.place(found, kind, hours, _title(kind))
            if placed is None:
                return None
            found += placed
        return found

    def _change_label(self, changes: "Sequence[_Change]") -> str:
        if len(changes) == 1:
            row, hours, kind = changes[0]
            return _("把“%(title)s”的 %(hours)s 课时改成%(kind)s") % {
                "title": self.drafts[row].title,
                "hours": _whole(hours),
                "kind": _(kind.label),
            }
        given: dict[HourKind, Decimal] = {}
        made: dict[HourKind, Decimal] = {}
        for row, hours, kind in changes:
            source = self.drafts[row].kind
            given[source] = given.get(source, Decimal(0)) + hours
            made[kind] = made.get(kind, Decimal(0)) + hours
        return _("把 %(given)s改成 %(made)s") % {"given": _kinds_label(given), "made": _kinds_label(made)}

    def _add_label(self, missing: Mapping[HourKind, Decimal], drafts: Sequence[LessonDraft]) -> str:
        words = _("补上 %(hours)s，排在空着的时间") % {"hours": _kinds_label(missing)}
        last = max(draft.day for draft in drafts)
        if last > self.training_class.ends_on:
            words += _("，到 %(day)s 上完") % {"day": date_format(last)}
        return words

    # --- lessons at times that do not work ---

    def _time_offers(self) -> Iterator[Fix]:
        wrong = {fault.row for fault in self.check.faults if fault.code in _MOVABLE_FAULTS}
        wrong |= {row for row, draft in enumerate(self.drafts) if draft.day < self.training_class.starts_on}
        for code, label, rows, mends in (
            ("tidy", _("把时间不对的课排到空着的时间"), dict.fromkeys(sorted(wrong)), {"timetable_rows"}),
            ("spread", _("把超出的课时排到别的日子"), self._over_the_day(), {"daily_hours"}),
            (
                "make_room",
                _("把时间冲突的课排到空着的时间"),
                dict.fromkeys(_rows_of(self.check.clashes)),
                {"lecturer_free", "assistant_free", "trainees_free"},
            ),
        ):
            moved = _elsewhere(self.free, self.drafts, rows)
            if rows and moved is not None:
                yield Fix(code, label, moved, frozenset(mends))

    def _over_the_day(self) -> dict[int, Decimal | None]:
        """Which rows have hours that no longer fit into their day, and how many; the last ones of a day."""
        most = self.free.most_a_day
        rows: dict[int, Decimal | None] = {}
        if most is None:
            return rows
        given: dict[datetime.date, Decimal] = {}
        for row, draft in sorted(enumerate(self.drafts), key=lambda item: item[1].starts_at):
            before = given.get(draft.day, Decimal(0))
            over = min(before + draft.hours - most, draft.hours)
            if over > 0:
                rows[row] = over
            given[draft.day] = before + draft.hours - max(over, Decimal(0))
        return rows


def lawful_hours(
    edition: Edition, *, course_type: str, mode: Mode, hours: Exact, outline: Exact
) -> Exact | None:
    """The nearest hours by kind that the norm accepts and the outline covers; None if there are none.

    Where nothing near is covered, but the outline is a lawful timetable, the outline itself. Where it is not,
    the hours that the norm accepts: then the outline has to be mended anyway.
    """

    def accepted(aim: Exact) -> bool:
        return check_timetable(edition, course_type=course_type, mode=mode, hours=aim).passed

    try:
        standard = edition.number("standard_hours", course_type)
        total = max(sum(hours.values(), Fraction(0)), standard)
        near = _full_live(edition, hours, total) if mode is Mode.FULL_LIVE else _mixed(edition, hours, total)
        aims = [aim for aim in near if accepted(aim)]
        aims.sort(key=lambda aim: _given_up(hours, aim))
        covered = [aim for aim in aims if judge_outline(edition, aim, outline).passed]
        if not covered and outline and accepted(outline):
            covered = [outline]
    except Refusal:
        return None
    return next(iter([*covered, *aims]), None)


def _full_live(edition: Edition, hours: Exact, total: Fraction) -> Iterator[Exact]:
    work = _kept(hours, HOMEWORK_AND_EXAM, total * _share(edition, "full_live_max_homework_exam_share", 1))
    care = _kept(
        hours, QUALITY_AND_TUTORING, total * _share(edition, "full_live_max_quality_tutoring_share", 1)
    )
    videos = _kept(hours, (HourKind.ON_DEMAND,), total * _share(edition, "full_live_max_on_demand_share", 0))
    aim = work | care | videos
    yield aim | {HourKind.LIVE: total - sum(aim.values())}


def _mixed(edition: Edition, hours: Exact, total: Fraction) -> Iterator[Exact]:
    """One aim for every number of hours online: the more of them, the less is left offline."""
    most = total * (1 - edition.number("mixed_min_offline_share"))
    now = sum((hours.get(kind, Fraction(0)) for kind in MIXED_ONLINE_KINDS), Fraction(0))
    numbers = [Fraction(number) for number in range(math.floor(most), -1, -1)]
    for online in [*numbers, *([now] if now <= most and now not in numbers else [])]:
        work = _kept(hours, HOMEWORK_AND_EXAM, online * edition.number("mixed_max_homework_exam_share"))
        videos = _kept(hours, (HourKind.ON_DEMAND,), online * edition.number("mixed_max_on_demand_share"))
        aim = work | videos
        live = online - sum(aim.values())
        if live >= 0:
            yield aim | {HourKind.LIVE: live, HourKind.OFFLINE: total - online}


def _kept(hours: Exact, kinds: tuple[HourKind, ...], most: Fraction) -> dict[HourKind, Fraction]:
    """What may stay of kinds that share a ceiling; whole hours, where something has to go."""
    have = {kind: hours.get(kind, Fraction(0)) for kind in kinds}
    total = sum(have.values(), Fraction(0))
    if total <= most:
        return have
    over = total - math.floor(most)
    for kind in _GIVEN_FIRST.get(kinds, kinds):
        given = min(over, have[kind])
        have[kind], over = have[kind] - given, over - given
    return have


def _share(edition: Edition, parameter: str, off: int) -> Fraction:
    return Fraction(off) if edition.is_off(parameter) else edition.number(parameter)


def _given_up(hours: Exact, aim: Exact) -> Fraction:
    """How many hours have to change their kind to get there."""
    given = (hours.get(kind, Fraction(0)) - aim.get(kind, Fraction(0)) for kind in HourKind)
    return sum((number for number in given if number > 0), Fraction(0))


_Change = tuple[int, Decimal, HourKind]  # a row, how many of its hours, and what they become


def _matched(
    drafts: Sequence[LessonDraft],
    surplus: Mapping[HourKind, Decimal],
    lacking: Mapping[HourKind, Decimal],
) -> tuple[list[_Change], dict[int, Decimal], dict[HourKind, Decimal]]:
    """Which rows' hours become what, what rows still have too many then, and what is still lacking.

    The longest lessons of a kind give first, of equal ones the last.
    """
    wanted = dict(lacking)
    changes: list[_Change] = []
    rest: dict[int, Decimal] = {}
    for kind, over in surplus.items():
        rows = [row for row, draft in enumerate(drafts) if draft.kind is kind]
        for row in sorted(rows, key=lambda row: (drafts[row].hours, row), reverse=True):
            given = min(over, drafts[row].hours)
            over -= given
            for target in list(wanted):
                part = min(given, wanted[target])
                if part > 0:
                    changes.append((row, part, target))
                    given, wanted[target] = given - part, wanted[target] - part
            if given > 0:
                rest[row] = given
    return changes, rest, {kind: hours for kind, hours in wanted.items() if hours > 0}


def _split(
    lesson: LessonDraft, parts: Sequence[tuple[Decimal, HourKind]], lesson_hour: datetime.timedelta
) -> list[LessonDraft]:
    """What a lesson keeps (perhaps no hours), then its parts of other kinds, one right after the other."""
    kept = lesson.hours - sum((hours for hours, _kind in parts), Decimal(0))
    found = [replace(lesson, hours=kept)]
    if not parts:
        return found
    clock = lesson.starts_at + float(kept) * lesson_hour
    found[0] = replace(found[0], ends_at=clock)
    for hours, kind in parts:
        ends = clock + float(hours) * lesson_hour
        found.append(replace(lesson, kind=kind, hours=hours, starts_at=clock, ends_at=ends))
        clock = ends
    found[-1] = replace(found[-1], ends_at=max(lesson.ends_at, clock))
    return found


def _without(
    drafts: Sequence[LessonDraft], rest: Mapping[int, Decimal], lesson_hour: datetime.timedelta
) -> list[LessonDraft]:
    """The drafts with that many hours fewer in these rows; a lesson without hours goes."""
    found = []
    for row, draft in enumerate(drafts):
        if row not in rest:
            found.append(draft)
        elif (kept := draft.hours - rest[row]) > 0:
            ends = min(draft.ends_at, draft.starts_at + float(kept) * lesson_hour)
            found.append(replace(draft, hours=kept, ends_at=ends))
    return found


def _elsewhere(
    free: FreeTime, drafts: Sequence[LessonDraft], rows: Mapping[int, Decimal | None]
) -> list[LessonDraft] | None:
    """The drafts with these rows (or so many of their hours) at times that are free; None if none are."""
    hours = {row: drafts[row].hours if given is None else given for row, given in rows.items()}
    if any(number <= 0 or number > LONGEST_SESSION * 100 for number in hours.values()):
        return None
    found = _without(drafts, hours, free.lesson_hour)
    for row, number in hours.items():
        draft = drafts[row]
        placed = free.place(found, draft.kind, number, draft.title, near=draft.day)
        if placed is None:
            return None
        found += placed
    return found


def _rows_of(clashes: Iterable[Clash]) -> list[int]:
    return sorted({clash.row for clash in clashes})


def _by_kind(drafts: Sequence[LessonDraft], rows: Mapping[int, Decimal]) -> dict[HourKind, Decimal]:
    sums: dict[HourKind, Decimal] = {}
    for row, hours in rows.items():
        sums[drafts[row].kind] = sums.get(drafts[row].kind, Decimal(0)) + hours
    return sums


def _title(kind: HourKind) -> str:
    return {
        HourKind.LIVE: _("直播课"),
        HourKind.OFFLINE: _("线下课"),
        HourKind.ON_DEMAND: _("点播课"),
    }.get(kind) or _(kind.label)


def _kinds_label(hours: Mapping[HourKind, Decimal]) -> str:
    return _("、").join(
        _("%(hours)s 课时%(kind)s") % {"hours": _whole(number), "kind": _(kind.label)}
        for kind, number in hours.items()
    )


def _is_ordinary(training_class: TrainingClass, drafts: Sequence[LessonDraft]) -> bool:
    """Days that can be counted on from: an earlier version may have stored others unjudged."""
    days = [training_class.starts_on, training_class.ends_on, *(draft.day for draft in drafts)]
    return all(1900 < day.year < 2200 for day in days)


def _exact(hours: Mapping[HourKind, Decimal]) -> dict[HourKind, Fraction]:
    return {kind: Fraction(number) for kind, number in hours.items()}


def _decimal(exact: Fraction | int) -> Decimal:
    """Up to the hundredth that a lesson may have."""
    return Decimal(math.ceil(Fraction(exact) * 100)) / 100


def postponed(drafts: Iterable[LessonDraft], days: int) -> list[LessonDraft]:
    """The same timetable some days later, at the same times of day."""
    shift = datetime.timedelta(days=days)
    return [
        replace(draft, starts_at=draft.starts_at + shift, ends_at=draft.ends_at + shift) for draft in drafts
    ]


def from_outline(units: Sequence[UnitDraft], *, free: FreeTime) -> list[LessonDraft]:
    """A timetable after the course's outline: sessions of up to four hours, mornings and afternoons, on
    days on which the class's people are free. Empty if there is no room for it.
    """
    sessions: list[tuple[HourKind, Decimal, list[str]]] = []
    for unit in units:
        kind = unit.kind
        if sessions and sessions[-1][0] is kind and sessions[-1][1] + unit.hours <= LONGEST_SESSION:
            sessions[-1] = (kind, sessions[-1][1] + unit.hours, [*sessions[-1][2], unit.title])
        else:
            sessions.append((kind, unit.hours, [unit.title]))
    named = [(kind, hours, _("；").join(titles)[:LONGEST_TITLE]) for kind, hours, titles in sessions]
    return free.in_order(named) or []


def _whole(hours: Decimal) -> str:
    return f"{hours.normalize():f}"
