"""From credited seconds to a verdict: learning time of at least 80 % of the online training hours (M8).

Seconds come in by kind, already clipped to lessons and to sign-in and sign-out; nothing here is rounded, so
79.99 % fails. 学习时长不低于线上培训总课时80% leaves room for a stricter reading (80 % of the live hours by
themselves); it is reported beside the verdict and decides only where the edition says so.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from policy.editions import Edition, Reading
from policy.findings import Finding, all_pass
from policy.hours import parse_hours
from policy.messages import (
    Translate,
    exact_text,
    gettext_noop,
    percent_figure,
    percent_text,
    plain,
    untranslated,
)
from policy.refusals import Refusal
from policy.terms import CreditKind, Mode
from policy.timetable import online_hours, parse_mode

Seconds = int | Fraction


@dataclass(frozen=True, slots=True)
class ReplayCredit:
    """How much of the watched replay counts as live learning time (H8)."""

    credited: Fraction
    uncounted: Fraction
    cap: int
    reading: Reading


@dataclass(frozen=True, slots=True)
class AttendanceDecision:
    """One trainee's verdict. All times in seconds, all shares exact; `missing_seconds` is rounded up."""

    findings: tuple[Finding, ...]
    credited: Mapping[CreditKind, Fraction]
    credited_seconds: Fraction
    base_seconds: int
    share: Fraction
    required_share: Fraction
    missing_seconds: int
    replay: ReplayCredit
    live_share: Fraction | None
    strict_passed: bool | None
    reading: Reading

    @property
    def passed(self) -> bool:
        return all_pass(self.findings)

    @property
    def reasons(self) -> tuple[Finding, ...]:
        """The findings that failed; empty for a pass."""
        return tuple(finding for finding in self.findings if not finding.passed)

    def render(self, translate: Translate = untranslated) -> dict[str, Any]:
        """Return the JSON form. Shares are exact fractions as text, with a cut percentage beside them."""
        return {
            "passed": self.passed,
            "share": str(self.share),
            "share_percent": f"{percent_figure(self.share)}%",
            "required_share": str(self.required_share),
            "credited": plain(self.credited),
            "credited_seconds": plain(self.credited_seconds),
            "base_seconds": self.base_seconds,
            "missing_seconds": self.missing_seconds,
            "replay_cap_seconds": self.replay.cap,
            "replay_uncounted_seconds": plain(self.replay.uncounted),
            "live_share": None if self.live_share is None else str(self.live_share),
            "strict_passed": self.strict_passed,
            "findings": [finding.render(translate) for finding in self.findings],
            "reading": self.reading.render(translate),
        }


def required_online_seconds(edition: Edition, mode: Mode | str, hours: Mapping[Any, Any]) -> int:
    """Return the denominator of M8: the online hours of the filed timetable, in seconds.

    Raises:
        Refusal: `edition_unset` if the lesson hour has no length; `hours_not_whole_seconds` if the hours do
            not come to whole seconds; 400 as `parse_hours` and `parse_mode`.
    """
    seconds = online_hours(edition, parse_mode(mode), parse_hours(hours)) * edition.lesson_hour_seconds
    if seconds.denominator != 1:
        raise Refusal(
            "hours_not_whole_seconds",
            gettext_noop("线上课时折合 %(seconds)s 秒，不是整秒，无法核对学习时长。"),
            found=seconds,
            required=True,
            rule="M8",
            next_step=gettext_noop("请按上课的起止时间填写课时。"),
            params={"seconds": exact_text(seconds)},
        )
    return seconds.numerator


def replay_credit(
    edition: Edition, *, mode: Mode | str, watched: Seconds, missed_live: Seconds | None = None
) -> ReplayCredit:
    """Decide how many seconds of watched replay count as live learning time (H8, H15).

    `watched` is the unique content this trainee watched in the class, capped by the time spent on it;
    `missed_live` bounds it by the live time the trainee was not there (None where `watched` already is).
    """
    mode = parse_mode(mode)
    cap = edition.whole(_REPLAY_CAPS[mode]) * edition.lesson_hour_seconds
    offered = _exact("watched", watched)
    usable = offered if missed_live is None else min(offered, _exact("missed_live", missed_live))
    credited = min(usable, Fraction(cap))
    return ReplayCredit(
        credited=credited, uncounted=offered - credited, cap=cap, reading=edition.reading("replay_counting")
    )


def judge_attendance(
    edition: Edition,
    *,
    mode: Mode | str,
    required_seconds: int,
    live_seconds: int,
    credited: Mapping[Any, Seconds],
) -> AttendanceDecision:
    """Judge one trainee's learning time (M8, with H8 applied to replay).

    `required_seconds` are the online hours of the filed timetable (`required_online_seconds`), of which
    `live_seconds` are live; `credited` are the trainee's seconds by `CreditKind`, replay apart from live.

    Raises:
        Refusal: `no_online_hours` if there is nothing to attend, `edition_unset` if a number is open.
        ValueError, TypeError: for unknown kinds, negative or inexact seconds: those are faults, not input.
    """
    if required_seconds <= 0:
        raise Refusal(
            "no_online_hours",
            gettext_noop("这个班的课表没有线上课时，无法核对学习时长。"),
            found=required_seconds,
            required=1,
            rule="M8",
            next_step=gettext_noop("请先核对备案的课表。"),
        )
    by_kind = {CreditKind(kind): _exact(str(kind), value) for kind, value in credited.items()}
    replay = replay_credit(edition, mode=mode, watched=by_kind.get(CreditKind.REPLAY, 0))
    if CreditKind.REPLAY in by_kind:
        by_kind[CreditKind.REPLAY] = replay.credited
    total = sum(by_kind.values(), Fraction(0))
    required_share = edition.number("min_attendance_share")
    reading = edition.reading("attendance_base")
    findings = [_share_finding(edition, total, required_seconds, reading)]
    live = by_kind.get(CreditKind.LIVE, Fraction(0)) + replay.credited
    live_share = live / live_seconds if live_seconds else None
    if not edition.is_off("min_live_presence_share") and live_seconds:
        findings.append(_live_finding(edition, live, live_seconds))
    return AttendanceDecision(
        findings=tuple(findings),
        credited=by_kind,
        credited_seconds=total,
        base_seconds=required_seconds,
        share=total / required_seconds,
        required_share=required_share,
        missing_seconds=max(0, math.ceil(required_share * required_seconds - total)),
        replay=replay,
        live_share=live_share,
        strict_passed=None if live_share is None else live_share >= required_share,
        reading=reading,
    )


def judge_offline_attendance(edition: Edition, *, attended: Seconds, planned: int) -> Finding:
    """Judge the offline part of a mixed class by the technical standards' share (F18).

    Raises:
        Refusal: `edition_unset` while the edition leaves that share open; no claim can be made before.
    """
    share = edition.number("offline_attendance_share")
    actual, required = _exact("attended", attended), share * planned
    return Finding(
        code="offline_attendance_share",
        row="F18",
        passed=actual >= required,
        required=required,
        actual=actual,
        message=gettext_noop("线下到课 %(actual)s 秒，要求不少于线下课时的 %(share)s（%(required)s 秒）。"),
        params={"actual": actual, "share": percent_text(share), "required": required},
        numbers=(edition.parameter("offline_attendance_share"),),
    )


_REPLAY_CAPS: Mapping[Mode, str] = {Mode.FULL_LIVE: "full_live_replay_cap", Mode.MIXED: "mixed_replay_cap"}


def _share_finding(edition: Edition, total: Fraction, base: int, reading: Reading) -> Finding:
    share = edition.number("min_attendance_share")
    required = share * base
    missing = math.ceil(required - total)
    return Finding(
        code="attendance_share",
        row="M8",
        passed=total >= required,
        required=required,
        actual=total,
        message=(
            gettext_noop("学习时长占线上培训总课时的 %(actual)s，达到 %(share)s，考勤合格。")
            if total >= required
            else gettext_noop("学习时长占线上培训总课时的 %(actual)s，不到 %(share)s，差 %(missing)s 秒。")
        ),
        params={"actual": percent_text(total / base), "share": percent_text(share), "missing": missing},
        reading=reading,
        numbers=(edition.parameter("min_attendance_share"), edition.parameter("lesson_hour")),
    )


def _live_finding(edition: Edition, live: Fraction, base: int) -> Finding:
    share = edition.number("min_live_presence_share")
    required = share * base
    return Finding(
        code="live_presence_share",
        row="M8",
        passed=live >= required,
        required=required,
        actual=live,
        message=gettext_noop("直播学习时长占直播课时的 %(actual)s，另要求不低于 %(share)s。"),
        params={"actual": percent_text(live / base), "share": percent_text(share)},
        numbers=(edition.parameter("min_live_presence_share"),),
    )


def _exact(name: str, seconds: Seconds) -> Fraction:
    if isinstance(seconds, bool) or not isinstance(seconds, int | Fraction):
        raise TypeError(f"{name}: seconds are integers or fractions, not {type(seconds).__name__}")
    if seconds < 0:
        raise ValueError(f"{name}: negative seconds")
    return Fraction(seconds)
