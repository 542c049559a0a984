"""Credited time, computed by PostgreSQL from ranges (M6): one statement, whatever the number of trainees.

A trainee's time in a lesson of the live room is

    seen * planned * signed - unproven

seen      the union of what the server saw: closed presence intervals and, while a lesson runs, the open one
          up to its last heartbeat. Two tabs, two devices, a reconnect: the same second is there once.
planned   the lesson's own time. Coming early and staying late earn nothing.
signed    from each accepted sign-in to its sign-out, or without end: then the last heartbeat ends the time.
unproven  for each check a present trainee missed: from the last proof that they were there to the check's end
          (reading 6). Proofs are an accepted sign-in, the assistant's look at somebody who signed in by code,
          and every answer to a check, right or wrong. Chat and raised hands are not taken as proof.

The result is capped at what the lesson is worth (its filed hours). Homework and exams earn what they are
worth once handed in. Replay is not counted yet, nor are on-demand and offline lessons. All of it is whole
microseconds in and whole microseconds out; nothing is rounded, and nothing depends on the clock: a check
counts from the moment it is closed.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db import connections
from psycopg.types.multirange import Multirange

from attendance.models import MICROSECONDS
from policy.terms import HourKind

# What earns time by being there, and what by handing something in.
BY_PRESENCE: Final = (HourKind.LIVE, HourKind.TUTORING, HourKind.QUALITY)
BY_HANDING_IN: Final = (HourKind.HOMEWORK, HourKind.EXAM)

_RANGES = """
WITH
-- The lessons of the class, each with its planned time and what it is worth. All later steps pick their
-- rows by lesson id and clip by multiplying ranges: an overlap condition in a join makes the planner scan,
-- which is 55 times slower.
lesson AS (
    SELECT id, kind, state, starts_at, closed_at,
           tstzmultirange(tstzrange(starts_at, ends_at)) AS planned,
           (hours * %(lesson_hour)s * 1000000)::bigint AS worth
      FROM classes_lesson
     WHERE training_class_id = %(training_class)s
),
-- Who is on the roster; one trainee when only one is asked about.
trainee AS (
    SELECT id, person_id
      FROM classes_enrolment
     WHERE training_class_id = %(training_class)s
       AND state = 'active'
       AND (%(enrolment)s::bigint IS NULL OR id = %(enrolment)s)
),
-- When the server saw each person in each lesson.
seen AS (
    SELECT lesson_id, person_id, range_agg(during) AS ranges
      FROM (SELECT lesson_id, person_id, during
              FROM live_presenceinterval
             WHERE lesson_id IN (SELECT id FROM lesson) AND person_id IN (SELECT person_id FROM trainee)
             UNION ALL
            SELECT lesson_id, person_id, tstzrange(started_at, last_seen_at)
              FROM live_openpresence
             WHERE lesson_id IN (SELECT id FROM lesson) AND person_id IN (SELECT person_id FROM trainee)
           ) AS stretch
     GROUP BY lesson_id, person_id
),
-- The accepted sign-ins, each a window until its sign-out; an end that is NULL leaves the range open.
sign_in AS (
    SELECT lesson_id, enrolment_id, method, requested_at, decided_at, signed_out_at
      FROM attendance_signin
     WHERE state = 'accepted'
       AND lesson_id IN (SELECT id FROM lesson) AND enrolment_id IN (SELECT id FROM trainee)
),
signed AS (
    SELECT lesson_id, enrolment_id,
           range_agg(tstzrange(requested_at, signed_out_at)) AS ranges,
           bool_and(signed_out_at IS NOT NULL) AS signed_out
      FROM sign_in
     GROUP BY lesson_id, enrolment_id
),
-- Every closed check a trainee was asked in, with the moment of the answer if there was one. A check that the
-- end of the lesson cut short is nobody's miss.
asked AS (
    SELECT c.lesson_id, t.enrolment_id, c.opened_at, c.due_at, a.answered_at,
           c.closed_at IS NOT NULL AND (l.closed_at IS NULL OR c.due_at <= l.closed_at) AS counts
      FROM attendance_check c
      JOIN lesson l ON l.id = c.lesson_id
      JOIN attendance_checktarget t ON t.check_id = c.id
      LEFT JOIN attendance_checkanswer a ON a.target_id = t.id
     WHERE t.enrolment_id IN (SELECT id FROM trainee)
),
-- Moments at which somebody certainly was there.
proof AS (
    SELECT lesson_id, enrolment_id, requested_at AS moment FROM sign_in
     UNION ALL
    SELECT lesson_id, enrolment_id, decided_at FROM sign_in WHERE method = 'code'
     UNION ALL
    SELECT lesson_id, enrolment_id, answered_at FROM asked WHERE answered_at IS NOT NULL
),
-- The checks that leave time unproven: asked, still in the room when it opened, no answer. Who lost the line
-- before the check is simply absent, and loses no more than that.
missed AS (
    SELECT asked.lesson_id, asked.enrolment_id, asked.opened_at, asked.due_at, max(proof.moment) AS since
      FROM asked
      JOIN trainee ON trainee.id = asked.enrolment_id
      JOIN seen ON seen.lesson_id = asked.lesson_id AND seen.person_id = trainee.person_id
      LEFT JOIN proof ON proof.lesson_id = asked.lesson_id AND proof.enrolment_id = asked.enrolment_id
                     AND proof.moment <= asked.due_at
     WHERE %(deduct)s AND asked.counts AND asked.answered_at IS NULL AND seen.ranges @> asked.opened_at
     GROUP BY asked.lesson_id, asked.enrolment_id, asked.opened_at, asked.due_at
),
unproven AS (
    SELECT lesson_id, enrolment_id, range_agg(tstzrange(since, due_at)) AS ranges, count(*) AS checks
      FROM missed
     GROUP BY lesson_id, enrolment_id
),
-- One row per trainee and lesson. The four ranges together are exactly the planned time.
part AS (
    SELECT trainee.id AS enrolment_id, trainee.person_id, lesson.id AS lesson_id, lesson.kind, lesson.state,
           lesson.starts_at, lesson.worth,
           signed.ranges IS NOT NULL AS signed_in,
           coalesce(signed.signed_out, false) AS signed_out,
           coalesce(unproven.checks, 0) AS missed_checks,
           handed.id IS NOT NULL AS handed_in,
           here.ranges * here.windows - here.doubt AS credited,
           here.ranges * here.windows * here.doubt AS unproven,
           here.ranges - here.windows AS unsigned,
           lesson.planned - here.ranges AS absent
      FROM trainee
     CROSS JOIN lesson
      LEFT JOIN seen ON seen.lesson_id = lesson.id AND seen.person_id = trainee.person_id
      LEFT JOIN signed ON signed.lesson_id = lesson.id AND signed.enrolment_id = trainee.id
      LEFT JOIN unproven ON unproven.lesson_id = lesson.id AND unproven.enrolment_id = trainee.id
      LEFT JOIN attendance_unitcredit handed
             ON handed.lesson_id = lesson.id AND handed.enrolment_id = trainee.id
     CROSS JOIN LATERAL (
            SELECT coalesce(seen.ranges, '{}') * lesson.planned AS ranges,
                   coalesce(signed.ranges, '{}') AS windows,
                   coalesce(unproven.ranges, '{}') AS doubt
           ) AS here
),
-- Lengths in whole microseconds: extract() of an interval is an exact number in PostgreSQL.
measured AS (
    SELECT part.*,
           CASE WHEN kind = ANY(%(by_presence)s) THEN least(worth, (
                         SELECT coalesce(sum((extract(epoch FROM upper(r) - lower(r)) * 1000000)::bigint), 0)
                           FROM unnest(credited) AS r))
                WHEN kind = ANY(%(by_handing_in)s) AND handed_in THEN worth
                ELSE 0
           END::bigint AS microseconds
      FROM part
)
"""

_CLASS = (
    _RANGES
    + """
SELECT m.enrolment_id, m.person_id, person.name, person.id_number_masked,
       m.lesson_id, m.kind, m.state, m.worth, m.microseconds,
       m.signed_in, m.signed_out, m.missed_checks, m.handed_in
  FROM measured m
  JOIN accounts_person person ON person.id = m.person_id
 ORDER BY person.name_pinyin, m.enrolment_id, m.starts_at, m.lesson_id
"""
)

_TRAINEE = (
    _RANGES
    + """
SELECT m.lesson_id, m.microseconds, m.credited, m.unproven, m.unsigned, m.absent
  FROM measured m
"""
)


@dataclass(frozen=True, slots=True)
class LessonCredit:
    """What one lesson brought one trainee, in microseconds, and what there is to say about it."""

    lesson_id: int
    kind: HourKind
    state: str
    worth: int
    microseconds: int
    signed_in: bool
    signed_out: bool
    missed_checks: int
    handed_in: bool


@dataclass(frozen=True, slots=True)
class CreditRow:
    """A trainee with all lessons of the class, in the order of the timetable."""

    enrolment_id: int
    person_id: int
    name: str
    id_number_masked: str
    lessons: tuple[LessonCredit, ...]


Range = tuple[datetime.datetime, datetime.datetime]


@dataclass(frozen=True, slots=True)
class LessonRanges:
    """The planned time of one lesson, cut into what was credited and what was not."""

    lesson_id: int
    microseconds: int
    credited: tuple[Range, ...]
    unproven: tuple[Range, ...]  # signed in and seen, but a check was missed
    unsigned: tuple[Range, ...]  # seen, but outside every accepted sign-in
    absent: tuple[Range, ...]  # not seen


def class_rows(
    training_class_id: int, *, lesson_hour: int, deduct: bool, using: str, enrolment: int | None = None
) -> list[CreditRow]:
    """Credit of everybody on the roster, by name, or of one. One query on the connection `using`."""
    rows: list[CreditRow] = []
    lessons: list[LessonCredit] = []
    who: tuple[int, int, str, str] | None = None
    for enrolment_id, person_id, name, masked, lesson_id, kind, *rest in _run(
        _CLASS, training_class_id, lesson_hour=lesson_hour, deduct=deduct, using=using, enrolment=enrolment
    ):
        if who is not None and who[0] != enrolment_id:
            rows.append(CreditRow(*who, tuple(lessons)))
            lessons = []
        who = (enrolment_id, person_id, name, masked)
        lessons.append(LessonCredit(lesson_id, HourKind(kind), *rest))
    if who is not None:
        rows.append(CreditRow(*who, tuple(lessons)))
    return rows


def trainee_ranges(
    training_class_id: int, enrolment_id: int, *, lesson_hour: int, deduct: bool, using: str
) -> dict[int, LessonRanges]:
    """The ranges behind one trainee's credit, by lesson id. One query on the connection `using`."""
    return {
        lesson_id: LessonRanges(lesson_id, microseconds, *(_bounds(multirange) for multirange in ranges))
        for lesson_id, microseconds, *ranges in _run(
            _TRAINEE,
            training_class_id,
            lesson_hour=lesson_hour,
            deduct=deduct,
            using=using,
            enrolment=enrolment_id,
        )
    }


def microseconds_of(ranges: Iterable[Range]) -> int:
    """The length of ranges that do not overlap."""
    return sum((until - since) // datetime.timedelta(microseconds=1) for since, until in ranges)


def _run(
    statement: str,
    training_class_id: int,
    *,
    lesson_hour: int,
    deduct: bool,
    using: str,
    enrolment: int | None = None,
) -> list[tuple[Any, ...]]:
    with connections[using].cursor() as cursor:
        cursor.execute(
            statement,
            {
                "training_class": training_class_id,
                "enrolment": enrolment,
                "lesson_hour": lesson_hour,
                "deduct": deduct,
                "by_presence": [kind.value for kind in BY_PRESENCE],
                "by_handing_in": [kind.value for kind in BY_HANDING_IN],
            },
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _bounds(multirange: Multirange[datetime.datetime]) -> tuple[Range, ...]:
    """The ranges inside; all are finite, since each was cut to a planned time."""
    return tuple((item.lower, item.upper) for item in multirange if item.lower and item.upper)


def floor_seconds(microseconds: int) -> int:
    """Whole seconds, cut: what a page shows of an exact time."""
    return microseconds // MICROSECONDS
