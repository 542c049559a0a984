"""A class as a whole: its edition, course outline, size, staff and first day (A2, F7, F9, F11-F14, N5)."""

from collections.abc import Collection, Hashable, Mapping
from datetime import date
from fractions import Fraction
from typing import Final

from policy.calendar import WorkingCalendar, earliest_start
from policy.editions import Edition
from policy.findings import Finding
from policy.messages import Message, Msgid, gettext_noop
from policy.terms import GYB, SYB, HourKind, course_type_name

_SIZE_ROWS: Final = {GYB: "F11", SYB: "F12"}


def judge_class_size(edition: Edition, course_type: str, size: int) -> Finding:
    """Judge the number of trainees on the active roster: GYB at most 60, SYB at most 30 (F11, F12).

    Raises:
        Refusal: `edition_unset` for a course type without a cap (A4).
    """
    cap = edition.parameter("class_size_cap", course_type)
    most = edition.whole("class_size_cap", course_type)
    passed = size <= most
    return Finding(
        code="class_size",
        row=_SIZE_ROWS.get(course_type, cap.row),
        passed=passed,
        required=most,
        actual=size,
        message=(
            gettext_noop("%(course_type)s每班不超过 %(most)s 人，现在 %(size)s 人。")
            if passed
            else gettext_noop(
                "%(course_type)s每班不超过 %(most)s 人，现在 %(size)s 人。请移出 %(surplus)s 人，或另开一班。"
            )
        ),
        params={
            "course_type": course_type_name(course_type),
            "most": most,
            "size": size,
            "surplus": size - most,
        },
        reading=edition.reading("class_size_counting"),
        numbers=(cap,),
    )


def judge_staff(
    edition: Edition, *, lecturers: Collection[Hashable], assistants: Collection[Hashable]
) -> tuple[Finding, Finding]:
    """Judge that a class has a live lecturer and, as another person, an assistant (F13, F14).

    Both are given by whatever identifies a person; who is both lecturer and assistant counts as lecturer.
    """
    teaching, assisting = set(lecturers), set(assistants) - set(lecturers)
    doubled = len(set(assistants)) - len(assisting)
    lecturers_needed = edition.whole("lecturers_per_class")
    assistants_needed = edition.whole("assistants_per_class")
    reading = edition.reading("staff_counting")
    return (
        Finding(
            code="lecturer",
            row="F13",
            passed=len(teaching) >= lecturers_needed,
            required=lecturers_needed,
            actual=len(teaching),
            message=gettext_noop("每班要有直播讲师 %(required)s 名，现在 %(actual)s 名。"),
            params={"required": lecturers_needed, "actual": len(teaching)},
            reading=reading,
            numbers=(edition.parameter("lecturers_per_class"),),
        ),
        Finding(
            code="assistant",
            row="F14",
            passed=len(assisting) >= assistants_needed,
            required=assistants_needed,
            actual=len(assisting),
            message=(
                gettext_noop("助教和讲师要由两个人分别担任，请另选一名助教。")
                if doubled and len(assisting) < assistants_needed
                else gettext_noop("每班要有助教 %(required)s 名，现在 %(actual)s 名。")
            ),
            params={"required": assistants_needed, "actual": len(assisting)},
            reading=reading,
            numbers=(edition.parameter("assistants_per_class"),),
        ),
    )


def judge_start(
    edition: Edition,
    *,
    starts_on: date,
    submitted_on: date,
    approved_on: date | None,
    calendar: WorkingCalendar | None = None,
) -> tuple[Finding, Finding]:
    """Judge a class's first day: the lead has run (F7) and the filing is approved (F9).

    `submitted_on` is the day of the last submission, which is the one that was or will be approved.

    Raises:
        Refusal: `calendar_unpublished`, `edition_unset`.
    """
    lead = earliest_start(edition, submitted_on, calendar=calendar)
    approved = approved_on is not None and approved_on <= starts_on
    return (
        Finding(
            code="filing_lead",
            row="F7",
            passed=starts_on >= lead.date,
            required=lead.date,
            actual=starts_on,
            message=gettext_noop("%(submitted)s 提交备案，最早 %(earliest)s 才能开课；现在定在 %(starts)s。"),
            params={"submitted": submitted_on, "earliest": lead.date, "starts": starts_on},
            reading=lead.reading,
            numbers=(edition.parameter("filing_lead_working_days"),),
        ),
        Finding(
            code="filing_approved",
            row="F9",
            passed=approved,
            required=starts_on,
            actual=approved_on,
            message=(
                gettext_noop("开班前已通过备案。") if approved else gettext_noop("还没有通过备案，不能开课。")
            ),
            reading=edition.reading("filing_clock"),
        ),
    )


def judge_edition(edition: Edition, *, starts_on: date) -> Finding:
    """Judge that the edition is in force on the day a class starts (N5).

    An edition of another norm, kept for comparison, is in force for no class here.
    """
    passed = edition.follows_norm and edition.in_force(starts_on)
    too_early = starts_on < edition.effective_from
    return Finding(
        code="edition_in_force",
        row="N5",
        passed=passed,
        required=edition.effective_from if too_early or passed else edition.effective_until,
        actual=starts_on,
        message=(
            gettext_noop("%(starts)s 开班，政策版本《%(edition)s》已经施行。")
            if passed
            else gettext_noop("政策版本《%(edition)s》只用来对照和试算，不能用来备案。")
            if not edition.follows_norm
            else gettext_noop("政策版本《%(edition)s》自 %(from)s 起施行，%(starts)s 开班还不能用。")
            if too_early
            else gettext_noop("政策版本《%(edition)s》施行到 %(until)s，%(starts)s 开班不能再用。")
        ),
        params={
            "starts": starts_on,
            "edition": edition.title,
            "from": edition.effective_from,
            "until": edition.effective_until,
        },
    )


def judge_outline(
    edition: Edition, filed: Mapping[HourKind, Fraction], outline: Mapping[HourKind, Fraction]
) -> Finding:
    """Judge that the course is complete: its outline covers every filed hour (A2).

    Both are lesson hours by kind, a kind that is not named is 0. Whether they are compared in total or kind
    by kind is a reading. A timetable without hours is not covered. `actual` is what is covered.
    """
    reading = edition.reading("outline_coverage")
    total, offered = sum(filed.values(), Fraction(0)), sum(outline.values(), Fraction(0))
    missing: dict[Msgid, Fraction]
    if reading.code == "by_kind":
        short = {kind: hours - outline.get(kind, Fraction(0)) for kind, hours in filed.items()}
        missing = {kind.label: hours for kind, hours in short.items() if hours > 0}
    else:
        missing = {gettext_noop("总共"): total - offered} if total > offered else {}
    passed = bool(total) and not missing
    return Finding(
        code="outline_covers_hours",
        row="A2",
        passed=passed,
        required=total,
        actual=total - sum(missing.values(), Fraction(0)),
        message=(
            gettext_noop("课表 %(filed)s 课时，课程大纲 %(outline)s 课时，全部对应。")
            if passed
            else gettext_noop("课程大纲比课表少：%(missing)s。请补充大纲，或者换一门完整的课程。")
            if total
            else gettext_noop("课表还是空的，课程大纲有 %(outline)s 课时。")
        ),
        params={
            "filed": total,
            "outline": offered,
            "missing": [
                Message(gettext_noop("%(kind)s %(hours)s 课时"), {"kind": kind, "hours": hours})
                for kind, hours in missing.items()
            ],
        },
        reading=reading,
    )
