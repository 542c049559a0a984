"""Rules about a class as a whole: its size, its staff, its trainees' categories, when it may begin."""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

from policy.calendar import WorkingCalendar, earliest_start
from policy.editions import Edition
from policy.findings import Finding
from policy.messages import gettext_noop, percent_text
from policy.refusals import Refusal
from policy.terms import GYB, SYB, TraineeCategory, course_type_name

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
        ),
    )


def parse_category(raw: str) -> TraineeCategory:
    """Read a trainee's category from its code or its Chinese name (S1-S6).

    Raises:
        Refusal (400): `category_unknown`.
    """
    for category in TraineeCategory:
        if raw.strip() in (category.value, category.label):
            return category
    raise Refusal(
        "category_unknown",
        gettext_noop("没有“%(category)s”这一类学员。"),
        found=raw[:40],
        required=[category.label for category in TraineeCategory],
        rule="S6",
        next_step=gettext_noop("请从五类中选一类：%(categories)s。"),
        params={
            "category": raw[:40],
            "categories": [category.label for category in TraineeCategory],
        },
        status=400,
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


@dataclass(frozen=True, slots=True)
class LecturerRecord:
    """What is on file about a lecturer, as far as the two routes of 规范 三 need it."""

    certificate: bool = False
    training_since: date | None = None
    online_skills: bool = False
    experimental_class: bool = False
    good_effect: bool = False
    disqualified_from: date | None = None


def judge_lecturer(edition: Edition, record: LecturerRecord, *, on: date) -> tuple[Finding, ...]:
    """Judge a lecturer on the day a class starts: either route (T1, T2) and no disqualification (T3)."""
    years = edition.whole("lecturer_min_years")
    experienced = record.training_since is not None and _years_after(record.training_since, years) <= on
    by_certificate = record.certificate and experienced and record.online_skills
    by_experiment = record.experimental_class and record.good_effect
    struck_off = record.disqualified_from is not None and record.disqualified_from <= on
    return (
        Finding(
            code="lecturer_route",
            row="T2" if by_experiment and not by_certificate else "T1",
            passed=by_certificate or by_experiment,
            required=years,
            actual=record.training_since,
            message=(
                gettext_noop("讲师资格符合规范。")
                if by_certificate or by_experiment
                else gettext_noop(
                    "讲师要持有河南省创业培训讲师培训合格证、从事创业培训 %(years)s 年以上、"
                    "掌握互联网授课技能；"
                    "或者在全省互联网+创业培训师资试验班培训合格且授课效果较好。"
                )
            ),
            params={"years": years},
        ),
        Finding(
            code="lecturer_in_good_standing",
            row="T3",
            passed=not struck_off,
            required=None,
            actual=record.disqualified_from,
            message=(
                gettext_noop("讲师资格已于 %(since)s 取消，不能备案。")
                if struck_off
                else gettext_noop("没有取消讲师资格的记录。")
            ),
            params={"since": record.disqualified_from},
        ),
    )


@dataclass(frozen=True, slots=True)
class ClassLoss:
    """How many of a class's first roster were still there at its end."""

    roster: int
    remaining: int

    @property
    def share(self) -> Fraction:
        return Fraction(self.roster - self.remaining, self.roster) if self.roster else Fraction(0)


def judge_losses(edition: Edition, losses: Sequence[ClassLoss]) -> Finding:
    """Judge a lecturer's classes in order of their end: two running with half lost open a case (L5).

    The finding only opens the case; that the teaching was poor is for a named official to decide.
    """
    limit = edition.number("disqualifying_loss_share")
    running = edition.whole("disqualifying_consecutive_classes")
    longest = streak = 0
    for loss in losses:
        streak = streak + 1 if loss.roster and loss.share >= limit else 0
        longest = max(longest, streak)
    return Finding(
        code="trainee_loss",
        row="L5",
        passed=longest < running,
        required=running,
        actual=longest,
        message=gettext_noop(
            "连续 %(actual)s 个班学员流失达到 %(share)s；连续 %(running)s 个班的，应提请核查。"
        ),
        params={"actual": longest, "share": percent_text(limit), "running": running},
    )


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February in a common year: the anniversary is the end of February
        return date(day.year + years, 2, 28)
