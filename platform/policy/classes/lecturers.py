"""Lecturers: who may teach, their hourly fee, and what opens a case against them (T1-T4, L5, L6)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction

from policy.editions import Edition
from policy.findings import Finding
from policy.messages import gettext_noop, percent_text


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
            numbers=(edition.parameter("lecturer_min_years"),),
        ),
        Finding(
            code="lecturer_in_good_standing",
            row="T3",
            passed=not struck_off,
            required=None,
            actual=record.disqualified_from,
            message=(
                gettext_noop("讲师资格自 %(since)s 起取消，不能备案。")
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

    def reaches(self, limit: Fraction | int) -> bool:
        """Whether at least this share was lost; exactly the share counts (及以上)."""
        return self.roster > 0 and self.share >= limit


def judge_losses(edition: Edition, losses: Sequence[ClassLoss]) -> Finding:
    """Judge a lecturer's classes in order of their end: two running with half lost open a case (L5).

    The finding only opens the case; that the teaching was poor is for a named official to decide.
    """
    limit = edition.number("disqualifying_loss_share")
    running = edition.whole("disqualifying_consecutive_classes")
    longest = _longest_run(loss.reaches(limit) for loss in losses)
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
        numbers=(
            edition.parameter("disqualifying_loss_share"),
            edition.parameter("disqualifying_consecutive_classes"),
        ),
    )


def last_losing_run(edition: Edition, losses: Sequence[ClassLoss]) -> int | None:
    """The place of the class that last completed a run which opens a case (L5); None where none did."""
    limit = edition.number("disqualifying_loss_share")
    running = edition.whole("disqualifying_consecutive_classes")
    streak, found = 0, None
    for place, loss in enumerate(losses):
        streak = streak + 1 if loss.reaches(limit) else 0
        if streak >= running:
            found = place
    return found


def judge_disorder(edition: Edition, incidents: Sequence[bool]) -> Finding:
    """Judge a lecturer's classes in order of their end: bad effects of disorder twice running open a case
    (L6).

    One entry a class: whether a breach of the teaching order with bad effects was established in it. The
    finding only opens the case; a named official decides.
    """
    running = edition.whole("disqualifying_consecutive_classes")
    longest = _longest_run(incidents)
    return Finding(
        code="teaching_disorder",
        row="L6",
        passed=longest < running,
        required=running,
        actual=longest,
        message=gettext_noop(
            "连续 %(actual)s 个班违反培训秩序、造成不良影响；连续 %(running)s 个班的，应提请核查。"
        ),
        params={"actual": longest, "running": running},
        numbers=(edition.parameter("disqualifying_consecutive_classes"),),
    )


def lecturer_fee(edition: Edition, hours: Fraction | int) -> Decimal:
    """Return a lecturer's fee in yuan for these lesson hours, cut to whole cents (T4).

    Raises:
        Refusal: `edition_unset` while the edition gives no rate; the norm refers to the provincial rules.
    """
    if hours < 0:
        raise ValueError("there cannot be fewer than no hours")
    exact = Fraction(edition.money("lecturer_hour_fee")) * hours
    return (Decimal(exact.numerator) / exact.denominator).quantize(Decimal("0.01"), ROUND_DOWN)


def _longest_run(marks: Iterable[bool]) -> int:
    longest = streak = 0
    for mark in marks:
        streak = streak + 1 if mark else 0
        longest = max(longest, streak)
    return longest


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February in a common year: the anniversary is the end of February
        return date(day.year + years, 2, 28)
