"""How the figures of a finding read: with their unit, for people.

The JSON form keeps the bare number (`required`, `actual`). What it counts is the same wherever a finding of
that code comes from, also in a filing that was frozen long ago.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from policy.lessons import LivePart
from policy.messages import Msgid, Translate, exact_text, fill, gettext_noop, untranslated
from policy.process import Stage


@dataclass(frozen=True, slots=True)
class Wording:
    """Source strings with one place, %(figure)s, for what a rule requires and for what was found."""

    required: Msgid
    found: Msgid


_HOURS = gettext_noop("%(figure)s 课时")
_PEOPLE = gettext_noop("%(figure)s 人")
_PLACES = gettext_noop("%(figure)s 处")
_ITEMS = gettext_noop("%(figure)s 项")
_SECONDS = gettext_noop("%(figure)s 秒")
_CLASSES = gettext_noop("连续 %(figure)s 个班")
_TIMES = gettext_noop("%(figure)s 次")
_POINTS = gettext_noop("%(figure)s 分")
_AS_IT_IS = gettext_noop("%(figure)s")
_PARTS = gettext_noop("%(figure)s 部分")
_STRUCK_OFF = gettext_noop("%(figure)s 起取消")

_WORDINGS: Mapping[str, Wording] = {
    **dict.fromkeys(
        (
            "total_hours",
            "live_share",
            "offline_share",
            "homework_exam_share",
            "quality_tutoring_share",
            "least_quality_tutoring_share",
            "on_demand_share",
            "outside_mode",
            "outline_covers_hours",
            "daily_hours",
            "edition_unset",
        ),
        Wording(_HOURS, _HOURS),
    ),
    **dict.fromkeys(
        (
            "class_size",
            "roster_filled",
            "lecturer",
            "assistant",
            "category_evidence",
            "paid_once",
            "registered_elsewhere",
            "registration_forms",
            "course_fitting",
            "working_age",
        ),
        Wording(_PEOPLE, _PEOPLE),
    ),
    **dict.fromkeys(
        ("timetable_rows", "lecturer_free", "assistant_free", "trainees_free"), Wording(_PLACES, _PLACES)
    ),
    **dict.fromkeys(("platform_eligible", "platform_report", "independence"), Wording(_ITEMS, _ITEMS)),
    **dict.fromkeys(
        ("attendance_share", "live_presence_share", "offline_attendance_share"), Wording(_SECONDS, _SECONDS)
    ),
    **dict.fromkeys(("trainee_loss", "teaching_disorder"), Wording(_CLASSES, _CLASSES)),
    "mode_parts": Wording(_PARTS, _PARTS),
    "filing_lead": Wording(gettext_noop("%(figure)s 或以后"), _AS_IT_IS),
    "edition_in_force": Wording(gettext_noop("%(figure)s 起施行"), _AS_IT_IS),
    "edition_over": Wording(gettext_noop("施行到 %(figure)s"), _AS_IT_IS),
    "institution_designated": Wording(gettext_noop("开班到 %(figure)s 每天是定点机构"), _AS_IT_IS),
    "rectification": Wording(gettext_noop("%(figure)s 前改正"), gettext_noop("%(figure)s 项没有完成")),
    "training_qualification": Wording(_AS_IT_IS, _STRUCK_OFF),
    "lecturer_in_good_standing": Wording(_AS_IT_IS, _STRUCK_OFF),
    "lecturer_route": Wording(
        gettext_noop("从事培训满 %(figure)s 年"), gettext_noop("%(figure)s 起从事培训")
    ),
    "exam_score": Wording(_POINTS, _POINTS),
    "exam_attempts": Wording(_TIMES, _TIMES),
}
# Findings about things that have names instead of figures.
_NAMED: Mapping[str, type[Stage | LivePart]] = {"stage_order": Stage, "live_session": LivePart}


def required_text(finding: Mapping[str, Any], translate: Translate = untranslated) -> str | None:
    """Say what the rule of a rendered finding requires; None where it is not a figure or a day."""
    return _text(finding, "required", translate)


def found_text(finding: Mapping[str, Any], translate: Translate = untranslated) -> str | None:
    """Say what a rendered finding found; None where it is not a figure or a day."""
    return _text(finding, "actual", translate)


def _text(finding: Mapping[str, Any], which: str, translate: Translate) -> str | None:
    code = str(finding.get("code"))
    if code in _NAMED:
        return _names(_NAMED[code], finding.get(which), translate)
    figure = _figure(finding.get(which))
    if code == "edition_in_force" and not finding["passed"]:
        # An edition that is kept for comparison may have no last day.
        until = finding["required"]
        code = "edition_over" if until is not None and until < finding["actual"] else code
    wording = _WORDINGS.get(code)
    if figure is None or wording is None:
        return None
    return fill(wording.required if which == "required" else wording.found, {"figure": figure}, translate)


def _names(kind: type[Stage | LivePart], value: object, translate: Translate) -> str | None:
    """Name what the JSON form gives by code."""
    named = [kind(one).label for one in value] if isinstance(value, list) else []
    return fill(_AS_IT_IS, {"figure": named}, translate) if named else None


def _figure(value: object) -> str | date | None:
    """Read a figure or a day back from JSON."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value)
    try:
        return date.fromisoformat(text) if len(text) == 10 and text[4] == "-" else exact_text(Fraction(text))
    except ValueError:
        return None
