"""Is a timetable lawful? The hour rules of 规范 二, exact to the fraction (H4-H15), and its mode (A5).

All ceilings and floors include the number itself, and hours are compared as fractions. With whole lesson
hours the ceilings can make the stated minimum unreachable: of 24 hours, 15 live hours are 62.5 %, but at most
4 + 4 hours may be something else, so 16 have to be live. `whole_hour_limits` knows such traps.
"""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from policy.editions import Edition, Parameter
from policy.findings import Finding, all_pass
from policy.hours import Hours, parse_hours
from policy.messages import Msgid, Translate, exact_text, gettext_noop, percent_text, untranslated
from policy.refusals import Refusal
from policy.terms import (
    COURSE_TYPES,
    FULL_LIVE_KINDS,
    HOMEWORK_AND_EXAM,
    MIXED_ONLINE_KINDS,
    QUALITY_AND_TUTORING,
    HourKind,
    Mode,
    course_type_name,
)

_COURSE_TYPE = re.compile(r"[A-Z][A-Z0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class WholeHourLimits:
    """What whole lesson hours allow at one total; for mixed classes with the most hours online."""

    total: Fraction
    online: Fraction
    least_live: int | None
    least_offline: Fraction
    most_homework_exam: int
    most_quality_tutoring: int
    most_on_demand: int


@dataclass(frozen=True, slots=True)
class TimetableDecision:
    """The findings on one timetable; `passed` exactly when none of them fails."""

    findings: tuple[Finding, ...]
    limits: WholeHourLimits

    @property
    def passed(self) -> bool:
        return all_pass(self.findings)

    @property
    def least_live_hours(self) -> int | None:
        """The least whole live hours that are lawful at this total, None where no timetable is."""
        return self.limits.least_live

    def render(self, translate: Translate = untranslated) -> dict[str, Any]:
        """Return the JSON form {passed, findings, least_live_hours}."""
        return {
            "passed": self.passed,
            "findings": [finding.render(translate) for finding in self.findings],
            "least_live_hours": self.least_live_hours,
        }


def parse_mode(raw: object) -> Mode:
    """Read a mode (A5).

    Raises:
        Refusal (400): `mode_unknown`.
    """
    try:
        return Mode(raw)  # type: ignore[arg-type]  # whatever is not a mode is refused
    except ValueError:
        raise Refusal(
            "mode_unknown",
            gettext_noop("每个班只有一种培训模式：%(modes)s。"),
            found=str(raw)[:40],
            required=[mode.value for mode in Mode],
            rule="A5",
            next_step=gettext_noop("请在 %(modes)s 中选一种。"),
            params={"modes": [mode.label for mode in Mode]},
            status=400,
        ) from None


def parse_course_type(raw: object) -> str:
    """Read a course type's code. Types the norm does not know are read too; they just have no numbers (A4).

    Raises:
        Refusal (400): `course_type_malformed`.
    """
    if isinstance(raw, str) and _COURSE_TYPE.fullmatch(raw):
        return raw
    raise Refusal(
        "course_type_malformed",
        gettext_noop("没有“%(course_type)s”这种培训类型。"),
        found=str(raw)[:40],
        required=list(COURSE_TYPES),
        rule="A4",
        next_step=gettext_noop("请选 %(known)s。"),
        params={"course_type": str(raw)[:40], "known": list(COURSE_TYPES.values())},
        status=400,
    )


def check_timetable(
    edition: Edition, *, course_type: str, mode: Mode | str, hours: Mapping[Any, Any]
) -> TimetableDecision:
    """Judge planned or delivered lesson hours by kind.

    Standard hours that the edition leaves open become a failing finding with code `edition_unset`, so that
    the other rules can still be shown while drafting.

    Raises:
        Refusal (400): as `parse_hours`, `parse_mode` and `parse_course_type`.
        Refusal (409): `edition_unset` if the edition leaves one of the mode's shares open.
    """
    exact = parse_hours(hours)
    course_type = parse_course_type(course_type)
    if parse_mode(mode) is Mode.FULL_LIVE:
        return _check_full_live(edition, course_type, exact)
    return _check_mixed(edition, course_type, exact)


def online_kinds(edition: Edition, mode: Mode) -> tuple[HourKind, ...]:
    """Return the kinds of hours that are online training (线上培训课时) in a class of this mode (H9, H15)."""
    if mode is Mode.MIXED:
        return MIXED_ONLINE_KINDS
    if edition.is_set("full_live_max_on_demand_share"):
        return (*FULL_LIVE_KINDS, HourKind.ON_DEMAND)
    return FULL_LIVE_KINDS


def counted_total(edition: Edition, mode: Mode, hours: Hours) -> Fraction:
    """Return the hours that count towards a class of this mode (H9, H15)."""
    return online_hours(edition, mode, hours) + (hours[HourKind.OFFLINE] if mode is Mode.MIXED else 0)


def online_hours(edition: Edition, mode: Mode, hours: Hours) -> Fraction:
    """Return the online training hours (线上培训课时) of a class: all of a full-live one (M8, H9, H15)."""
    return _sum(hours, online_kinds(edition, mode))


def whole_hour_limits(edition: Edition, mode: Mode, total: Fraction | int) -> WholeHourLimits:
    """Work out how far each kind may go at this total when hours are scheduled whole (H5-H7, H11-H14).

    Where the total itself has a part hour, one kind besides live carries it (offline in a mixed class).
    """
    total = Fraction(total)
    if mode is Mode.FULL_LIVE:
        homework_exam = total * edition.number("full_live_max_homework_exam_share")
        quality_tutoring = total * _share_or(edition, "full_live_max_quality_tutoring_share", 1)
        on_demand = total * _share_or(edition, "full_live_max_on_demand_share", 0)
        least_live = _least_live(
            total,
            total * edition.number("full_live_min_live_share"),
            homework_exam,
            quality_tutoring,
            on_demand,
        )
        room = total - total * _share_or(edition, "full_live_min_quality_tutoring_share", 0)
        return WholeHourLimits(
            total=total,
            online=total,
            least_live=least_live if least_live is not None and least_live <= room else None,
            least_offline=Fraction(0),
            most_homework_exam=math.floor(homework_exam),
            most_quality_tutoring=math.floor(quality_tutoring),
            most_on_demand=math.floor(on_demand),
        )
    online = Fraction(math.floor(total - total * edition.number("mixed_min_offline_share")))
    homework_exam = online * edition.number("mixed_max_homework_exam_share")
    on_demand = online * edition.number("mixed_max_on_demand_share")
    return WholeHourLimits(
        total=total,
        online=online,
        least_live=_least_live_online(edition, online) if online else None,  # A5: something is online
        least_offline=total - online,
        most_homework_exam=math.floor(homework_exam),
        most_quality_tutoring=0,
        most_on_demand=math.floor(on_demand),
    )


def _share_or(edition: Edition, parameter: str, off: int) -> Fraction:
    """The share, or what it comes to where the edition switches the rule off."""
    return Fraction(off) if edition.is_off(parameter) else edition.number(parameter)


def _least_live_online(edition: Edition, online: Fraction) -> int | None:
    return _least_live(
        online,
        online * edition.number("mixed_min_live_share"),
        online * edition.number("mixed_max_homework_exam_share"),
        online * edition.number("mixed_max_on_demand_share"),
    )


def _least_live(total: Fraction, floor: Fraction, *ceilings: Fraction) -> int | None:
    part = total % 1
    rest = sum(math.floor(ceiling) for ceiling in ceilings)
    if part:
        # One of the other kinds carries the part hour: the one where that costs the least.
        carried = [math.floor(one - part) + part - math.floor(one) for one in ceilings if one >= part]
        if not carried:
            return None
        most_besides = rest + max(carried)
    else:
        most_besides = Fraction(rest)
    least = max(math.ceil(floor), math.ceil(total - most_besides), 0)
    return least if least <= total else None


def _check_full_live(edition: Edition, course_type: str, hours: Hours) -> TimetableDecision:
    total = counted_total(edition, Mode.FULL_LIVE, hours)
    limits = whole_hour_limits(edition, Mode.FULL_LIVE, total)
    quality_tutoring = (gettext_noop("质量监督评估和辅导"), _sum(hours, QUALITY_AND_TUTORING))
    of_total = (gettext_noop("总课时"), total)
    findings = [
        _total(edition, course_type, "H4", total),
        _floor(
            edition,
            ("live_share", "H5"),
            "full_live_min_live_share",
            (gettext_noop("直播"), hours[HourKind.LIVE]),
            of_total,
            least_whole=limits.least_live,
        ),
        _ceiling(
            edition,
            ("homework_exam_share", "H6"),
            "full_live_max_homework_exam_share",
            (gettext_noop("作业和考试"), _sum(hours, HOMEWORK_AND_EXAM)),
            of_total,
        ),
    ]
    if not edition.is_off("full_live_max_quality_tutoring_share"):
        findings.append(
            _ceiling(
                edition,
                ("quality_tutoring_share", "H7"),
                "full_live_max_quality_tutoring_share",
                quality_tutoring,
                of_total,
            )
        )
    if not edition.is_off("full_live_min_quality_tutoring_share"):
        findings.append(
            _floor(
                edition,
                ("least_quality_tutoring_share", "H7"),
                "full_live_min_quality_tutoring_share",
                quality_tutoring,
                of_total,
                reading="workshop_kind",
            )
        )
    if not edition.is_off("full_live_max_on_demand_share"):
        findings.append(
            _ceiling(
                edition,
                ("on_demand_share", "H9"),
                "full_live_max_on_demand_share",
                (gettext_noop("点播"), hours[HourKind.ON_DEMAND]),
                of_total,
            )
        )
    findings.append(_outside_full_live(edition, hours))
    return TimetableDecision(findings=tuple(findings), limits=limits)


def _check_mixed(edition: Edition, course_type: str, hours: Hours) -> TimetableDecision:
    total = counted_total(edition, Mode.MIXED, hours)
    online = online_hours(edition, Mode.MIXED, hours)
    findings = (
        _total(edition, course_type, "H10", total),
        _floor(
            edition,
            ("offline_share", "H11"),
            "mixed_min_offline_share",
            (gettext_noop("线下"), hours[HourKind.OFFLINE]),
            (gettext_noop("总课时"), total),
            reading="mixed_offline_exception",
            waivable=edition.reading("mixed_offline_exception").code == "approved",
        ),
        _floor(
            edition,
            ("live_share", "H12"),
            "mixed_min_live_share",
            (gettext_noop("直播"), hours[HourKind.LIVE]),
            (gettext_noop("线上课时"), online),
            least_whole=_least_live_online(edition, online),
        ),
        _ceiling(
            edition,
            ("homework_exam_share", "H13"),
            "mixed_max_homework_exam_share",
            (gettext_noop("作业和考试"), _sum(hours, HOMEWORK_AND_EXAM)),
            (gettext_noop("线上课时"), online),
        ),
        _ceiling(
            edition,
            ("on_demand_share", "H14"),
            "mixed_max_on_demand_share",
            (gettext_noop("点播"), hours[HourKind.ON_DEMAND]),
            (gettext_noop("线上课时"), online),
        ),
        _outside_mixed(hours),
        _both_parts(online, hours[HourKind.OFFLINE]),
    )
    return TimetableDecision(findings=findings, limits=whole_hour_limits(edition, Mode.MIXED, total))


def _total(edition: Edition, course_type: str, row: str, total: Fraction) -> Finding:
    name = course_type_name(course_type)
    try:
        standard = edition.number("standard_hours", course_type)
    except Refusal as refusal:
        return Finding(
            code=refusal.code,
            row=row,
            passed=False,
            required=None,
            actual=total,
            message=refusal.message,
            params=refusal.params,
            numbers=tuple(_standard_of(edition, course_type)),
        )
    passed = total >= standard
    return Finding(
        code="total_hours",
        row=row,
        passed=passed,
        required=standard,
        actual=total,
        message=(
            gettext_noop("总课时 %(total)s，达到%(course_type)s全线下标准 %(standard)s 课时。")
            if passed
            else gettext_noop(
                "总课时 %(total)s，比%(course_type)s全线下标准 %(standard)s 课时少 %(missing)s 课时。"
            )
        ),
        params={
            "total": total,
            "course_type": name,
            "standard": standard,
            "missing": standard - total,
        },
        numbers=(edition.parameter("standard_hours", course_type),),
    )


def _standard_of(edition: Edition, course_type: str) -> Iterable[Parameter]:
    """The open number itself; nothing for a course type that the edition does not know (A4)."""
    found = edition.parameters.get(("standard_hours", course_type))
    return (found,) if found is not None else ()


def _floor(
    edition: Edition,
    rule: tuple[str, str],
    parameter: str,
    part: tuple[Msgid, Fraction],
    whole: tuple[Msgid, Fraction],
    *,
    reading: str = "share_comparison",
    waivable: bool = False,
    least_whole: int | None = None,
) -> Finding:
    share = edition.number(parameter)
    required = whole[1] * share
    passed = part[1] >= required
    return Finding(
        code=rule[0],
        row=rule[1],
        passed=passed,
        required=required,
        actual=part[1],
        message=(
            gettext_noop("%(kind)s %(actual)s 课时，不少于%(whole)s的 %(share)s（%(required)s 课时）。")
            if passed
            else gettext_noop(
                "%(kind)s %(actual)s 课时，少于%(whole)s的 %(share)s（%(required)s 课时），"
                "整课时至少要 %(least)s。"
            )
        ),
        params=_params(part, whole, share, required) | {"least": max(math.ceil(required), least_whole or 0)},
        reading=edition.reading(reading),
        waivable=waivable and not passed,
        numbers=(edition.parameter(parameter),),
    )


def _ceiling(
    edition: Edition,
    rule: tuple[str, str],
    parameter: str,
    part: tuple[Msgid, Fraction],
    whole: tuple[Msgid, Fraction],
) -> Finding:
    share = edition.number(parameter)
    required = whole[1] * share
    passed = part[1] <= required
    return Finding(
        code=rule[0],
        row=rule[1],
        passed=passed,
        required=required,
        actual=part[1],
        message=(
            gettext_noop("%(kind)s %(actual)s 课时，不超过%(whole)s的 %(share)s（%(required)s 课时）。")
            if passed
            else gettext_noop(
                "%(kind)s %(actual)s 课时，超过%(whole)s的 %(share)s（%(required)s 课时），"
                "整课时最多 %(most)s。"
            )
        ),
        params=_params(part, whole, share, required) | {"most": math.floor(required)},
        reading=edition.reading("share_comparison"),
        numbers=(edition.parameter(parameter),),
    )


def _params(
    part: tuple[Msgid, Fraction], whole: tuple[Msgid, Fraction], share: Fraction, required: Fraction
) -> dict[str, object]:
    return {
        "kind": part[0],
        "actual": exact_text(part[1]),
        "whole": whole[0],
        "share": percent_text(share),
        "required": exact_text(required),
    }


def _outside_full_live(edition: Edition, hours: Hours) -> Finding:
    """H9: on-demand and offline hours have no place in a full-live class and never count.

    Where an edition gives on-demand hours a share, only the offline ones are outside.
    """
    counted = online_kinds(edition, Mode.FULL_LIVE)
    outside = _sum(hours, (kind for kind in HourKind if kind not in counted))
    reading = edition.reading("full_live_other_hours")
    return Finding(
        code="outside_mode",
        row="H9",
        passed=not outside or reading.code != "refused",
        required=0,
        actual=outside,
        message=(
            gettext_noop("没有线下课时，全部课时都计入总课时。")
            if not outside and HourKind.ON_DEMAND in counted
            else gettext_noop("没有点播和线下课时，全部课时都计入总课时。")
            if not outside
            else gettext_noop("线下课时 %(actual)s，全程直播没有这类课时，不计入总课时。")
            if HourKind.ON_DEMAND in counted
            else gettext_noop("点播和线下课时共 %(actual)s，全程直播没有这两类课时，不计入总课时。")
        ),
        params={"actual": outside},
        reading=reading,
    )


def _outside_mixed(hours: Hours) -> Finding:
    """H15: a mixed class has no quality-supervision or tutoring hours."""
    outside = _sum(hours, QUALITY_AND_TUTORING)
    return Finding(
        code="outside_mode",
        row="H15",
        passed=not outside,
        required=0,
        actual=outside,
        message=(
            gettext_noop("质量监督评估和辅导课时共 %(actual)s，线上+线下模式没有这两类课时，请改为其他类别。")
            if outside
            else gettext_noop("没有质量监督评估和辅导课时。")
        ),
        params={"actual": outside},
    )


def _both_parts(online: Fraction, offline: Fraction) -> Finding:
    """A5: a mixed class has lessons online and offline; without one of them it is of another mode, or none.

    The exception to H11 lowers the share of the offline hours, it does not take the last of them.
    """
    passed = online > 0 and offline > 0
    return Finding(
        code="mode_parts",
        row="A5",
        passed=passed,
        required=2,
        actual=(online > 0) + (offline > 0),
        message=(
            gettext_noop("线上 %(online)s 课时，线下 %(offline)s 课时，两部分都有。")
            if passed
            else gettext_noop(
                "线上 %(online)s 课时，线下 %(offline)s 课时；线上+线下模式两部分都要有，缺一部分不能备案。"
            )
        ),
        params={"online": online, "offline": offline},
    )


def _sum(hours: Hours, kinds: Iterable[HourKind]) -> Fraction:
    return sum((hours[kind] for kind in kinds), Fraction(0))
