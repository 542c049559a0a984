"""How many of a lecturer's trainees were lost, class by class: what L5 counts
(docs/decisions/0018-losses.md).

roster      everybody on the roster of the approved filing, which is that of the first lesson.
remaining   who of them is on record on the last day of the class: with an accepted sign-in to a lesson of the
            live room that was held that day, or with a homework or exam of that day handed in.
the last day   the last on which the platform records who takes part. Offline and on-demand lessons leave no
            such record, nor does a lesson that was never held.

A class counts once its training has ended, for its filed lecturer, at whatever institution, in the order of
the filed last days. A class without any lesson of such a kind says nothing, and is left out.

The figures only open a case. That the teaching was poor, the other half of L5, is for an official to find.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from django.db import connections
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.editions import edition as find_edition
from accounts.models import Bureau, Person, User
from accounts.permissions import region_prefix
from accounts.registers.models import Measure
from accounts.registers.permissions import offices_of
from accounts.registers.states import MeasureKind
from accounts.start import Task
from attendance.credit import BY_HANDING_IN, BY_PRESENCE
from attendance.models import LossReview
from policy.classes import ClassLoss, judge_losses, last_losing_run
from policy.findings import Finding
from policy.messages import fill, percent_text
from policy.refusals import Refusal

# The steps meet tables by their keys, never each other: of what a step found the planner knows no size, and
# would compare every row of one with every row of the other (52 seconds for 1,500 classes).
_LOSSES = """
WITH
-- Everything finished of whoever taught a class in the region, there or elsewhere.
class AS (
    SELECT id
      FROM (SELECT class.id,
                   bool_or(institution.region_id LIKE ANY(%(regions)s))
                       OVER (PARTITION BY class.lecturer_id) AS shown
              FROM classes_trainingclass class
              JOIN accounts_institution institution ON institution.id = class.institution_id
             WHERE class.state = 'finished' AND class.lecturer_id IS NOT NULL) taught
     WHERE shown
),
recorded AS (
    SELECT lesson.id, lesson.training_class_id,
           rank() OVER (PARTITION BY lesson.training_class_id
                        ORDER BY (lesson.starts_at AT TIME ZONE 'Asia/Shanghai')::date DESC) AS from_the_end
      FROM classes_lesson lesson
     WHERE lesson.training_class_id IN (SELECT id FROM class)
       AND (lesson.kind = ANY(%(by_presence)s) AND lesson.state = 'closed'
            OR lesson.kind = ANY(%(by_handing_in)s))
),
last_day AS (SELECT id, training_class_id FROM recorded WHERE from_the_end = 1),
-- UNION, not UNION ALL: somebody who came twice is one.
there AS (
    SELECT enrolment_id FROM attendance_signin JOIN last_day ON last_day.id = lesson_id
     WHERE state = 'accepted'
     UNION
    SELECT enrolment_id FROM attendance_unitcredit JOIN last_day ON last_day.id = lesson_id
),
counted AS (
    SELECT training_class_id, sum(enrolled) AS roster, sum(came) AS remaining
      FROM (SELECT training_class_id, 1 AS enrolled, 0 AS came
              FROM classes_enrolment
             WHERE state = 'active' AND training_class_id IN (SELECT training_class_id FROM last_day)
             UNION ALL
            SELECT enrolment.training_class_id, 0, 1
              FROM there JOIN classes_enrolment enrolment ON enrolment.id = there.enrolment_id
             WHERE enrolment.state = 'active') AS one
     GROUP BY training_class_id
)
SELECT person.id, person.name, person.id_number_masked,
       class.id, class.name, institution.name, class.ends_on,
       institution.region_id LIKE ANY(%(regions)s), class.edition, counted.roster, counted.remaining
  FROM counted
  JOIN classes_trainingclass class ON class.id = counted.training_class_id
  JOIN accounts_institution institution ON institution.id = class.institution_id
  JOIN accounts_person person ON person.id = class.lecturer_id
 ORDER BY person.name_pinyin, person.id, class.ends_on, class.id
"""


@dataclass(frozen=True, slots=True)
class LostClass:
    """A finished class of a lecturer. Of one outside the office's region only the figures may be shown."""

    class_id: int
    name: str
    school: str
    ends_on: datetime.date
    is_here: bool
    edition: str
    loss: ClassLoss
    is_heavy: bool = False  # at least the share that L5 names was lost

    @property
    def share_text(self) -> str:
        """The share in per cent with two decimals, cut: 49.99 never reads as 50."""
        return percent_text(self.loss.share)


@dataclass(frozen=True, slots=True)
class LecturerLosses:
    """A lecturer's finished classes in the order of their ends, and what L5 says of the figures."""

    person_id: int
    name: str
    id_number_masked: str
    classes: tuple[LostClass, ...]
    finding: Finding
    opened_on: datetime.date | None  # the last day of the class that last completed a run; None if none did
    is_answered: bool = False  # a disqualification was ordered since, or an office found the teaching sound
    review: LossReview | None = None  # of this case

    @property
    def message(self) -> str:
        """What L5 says of the figures, in the reader's language."""
        return fill(self.finding.message, self.finding.params, _)

    @property
    def is_open(self) -> bool:
        """Whether the figures ask for a decision that nobody has taken yet."""
        return self.opened_on is not None and not self.is_answered


def losses_in(offices: Iterable[Bureau], using: str = "default") -> list[LecturerLosses]:
    """Every lecturer with a finished class in the offices' regions: open cases first, then by name.

    A lecturer is judged by all their classes, by the edition of the last one. Two queries, however many.
    """
    regions = [f"{region_prefix(office.region)}%" for office in offices]
    with connections[using].cursor() as cursor:
        cursor.execute(
            _LOSSES,
            {
                "regions": regions,
                "by_presence": [kind.value for kind in BY_PRESENCE],
                "by_handing_in": [kind.value for kind in BY_HANDING_IN],
            },
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    judged = [_judged(who, group) for who, group in groupby(rows, key=lambda row: row[:3])]
    return sorted(_with_answers(judged, using), key=lambda one: (not one.is_open, one.opened_on is None))


def case_of(person: Person, office: Bureau, using: str = "default") -> LecturerLosses | None:
    """One lecturer's classes as an office sees them; None where there are none in its region."""
    return next((one for one in losses_in([office], using) if one.person_id == person.pk), None)


def _judged(who: tuple[int, str, str], rows: Iterable[tuple[Any, ...]]) -> LecturerLosses:
    classes = [
        LostClass(class_id, name, school, ends_on, is_here, edition, ClassLoss(roster, remaining))
        for class_id, name, school, ends_on, is_here, edition, roster, remaining in (row[3:] for row in rows)
    ]
    losses = [one.loss for one in classes]
    try:
        rules = find_edition(classes[-1].edition)
        finding, last = judge_losses(rules, losses), last_losing_run(rules, losses)
        limit = rules.number("disqualifying_loss_share")
    except Refusal as refusal:
        return LecturerLosses(*who, tuple(classes), Finding.of_refusal(refusal), None)
    marked = tuple(replace(one, is_heavy=one.loss.reaches(limit)) for one in classes)
    return LecturerLosses(*who, marked, finding, None if last is None else classes[last].ends_on)


def _with_answers(judged: Sequence[LecturerLosses], using: str) -> list[LecturerLosses]:
    """Say of each case whether a lecturer was disqualified since it opened, or still is, or was cleared."""
    opened = {one.person_id: one.opened_on for one in judged if one.opened_on is not None}
    orders = Measure.objects.using(using).filter(kind=MeasureKind.DISQUALIFICATION, person__in=opened)
    answered = {
        person_id
        for person_id, ordered_at, ended_on in orders.values_list("person_id", "ordered_at", "ended_on")
        if ended_on is None or timezone.localdate(ordered_at) >= opened[person_id]
    }
    reviews = LossReview.objects.using(using).filter(person__in=opened)
    reviews = reviews.select_related("bureau", "reviewed_by__person")
    cleared = {one.person_id: one for one in reviews if one.opened_on == opened[one.person_id]}
    return [
        replace(
            one,
            is_answered=one.person_id in answered or one.person_id in cleared,
            review=cleared.get(one.person_id),
        )
        for one in judged
    ]


def next_steps_for(user: User, now: datetime.datetime) -> Iterable[Task]:
    """For the start page of an office: lecturers whose figures ask for a decision."""
    offices = offices_of(user)
    if not offices:
        return
    count = sum(one.is_open for one in losses_in(offices))
    if count:
        yield Task(
            title=ngettext(
                "%(n)s 位讲师连续两个班学员流失 50 %% 及以上",
                "%(n)s 位讲师连续两个班学员流失 50 %% 及以上",
                count,
            )
            % {"n": count},
            detail=_("授课效果是不是较差，由您判断。"),
            url=reverse("attendance:losses"),
            icon="users",
            action=_("去看"),
        )
