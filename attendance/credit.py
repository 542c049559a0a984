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
worth once handed in. Videos on demand (mixed classes, H14) earn, stretch by stretch, the lesser of the
content that was not watched before and the time it took (reading 6): double speed does not double it,
watching again adds nothing, and a second spent in a live room is not counted twice. The sum fills the
on-demand lessons in the order of the timetable, each up to what it is worth. Replay is not counted yet, nor
are offline lessons. All of it is whole microseconds in and whole microseconds out; nothing is rounded, and
nothing depends on the clock: a check counts from the moment it is closed.
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
BY_WATCHING: Final = (HourKind.ON_DEMAND,)

# What was watched on demand, of trainees in `trainee`: each stretch with the content it added and its time.
_WATCHED = """
-- Every stretch, and the one under way up to its last heartbeat.
stretch AS (
    SELECT enrolment_id, trainee.person_id, material_id, lower(during) AS since, upper(during) AS until,
           from_ms, to_ms, closing
      FROM attendance_watchedstretch watched JOIN trainee ON trainee.id = watched.enrolment_id
     UNION ALL
    SELECT enrolment_id, trainee.person_id, material_id, started_at, last_seen_at, from_ms, to_ms, ''
      FROM attendance_openwatch watching JOIN trainee ON trainee.id = watching.enrolment_id
     WHERE last_seen_at > started_at AND to_ms > from_ms
),
-- What had been watched of the same video before each.
known AS (
    SELECT stretch.*,
           range_agg(int8range(from_ms, to_ms)) OVER (
               PARTITION BY enrolment_id, material_id ORDER BY since
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
           ) AS before
      FROM stretch
),
-- Its new content and its time, both in microseconds; the lesser counts.
viewing AS (
    SELECT known.*, fresh.us AS fresh_us, spent.us AS spent_us, least(fresh.us, spent.us) AS credited_us
      FROM known
     CROSS JOIN LATERAL (
            SELECT coalesce(sum(upper(r) - lower(r)), 0)::bigint * 1000 AS us
              FROM unnest(int8multirange(int8range(from_ms, to_ms)) - coalesce(before, '{}')) AS r
           ) AS fresh
     CROSS JOIN LATERAL (
            SELECT coalesce(sum((extract(epoch FROM upper(r) - lower(r)) * 1000000)::bigint), 0)::bigint AS us
              FROM unnest(tstzmultirange(tstzrange(since, until)) - coalesce(
                       (SELECT range_agg(presence.during) FROM live_presenceinterval presence
                         WHERE presence.person_id = known.person_id
                           AND presence.during && tstzrange(since, until)), '{}')) AS r
           ) AS spent
)
"""

_RANGES = "".join(
    (
        """
WITH
-- The lessons of the class, each with its planned time and what it is worth.
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
-- All that is known, one row a fact, each kind of fact in its own column. One GROUP BY gathers it: joins of
-- what the steps found would be planned as nested loops, since nothing is known of their sizes (20 times
-- slower for a class of sixty), and an overlap condition in a join makes the planner scan (55 times slower).
fact (lesson_id, enrolment_id, seen, signed, signed_out, proof, missed, handed_in) AS (
    -- every trainee in every lesson, so that nobody is missing from the result
    SELECT lesson.id, trainee.id, NULL::tstzrange, NULL::tstzrange, NULL::boolean, NULL::timestamptz,
           NULL::tstzrange, NULL::boolean
      FROM lesson CROSS JOIN trainee
     UNION ALL
    -- seen: when the server saw each person in each lesson; now, up to the last heartbeat
    SELECT lesson_id, trainee.id, during, NULL, NULL, NULL, NULL, NULL
      FROM live_presenceinterval JOIN trainee USING (person_id)
     WHERE lesson_id IN (SELECT id FROM lesson)
     UNION ALL
    SELECT lesson_id, trainee.id, tstzrange(started_at, last_seen_at), NULL, NULL, NULL, NULL, NULL
      FROM live_openpresence JOIN trainee USING (person_id)
     WHERE lesson_id IN (SELECT id FROM lesson)
     UNION ALL
    -- signed: an accepted sign-in is a window until its sign-out; an end that is NULL leaves it open.
    -- It is also proof that its person was there.
    SELECT lesson_id, enrolment_id, NULL, tstzrange(requested_at, signed_out_at), signed_out_at IS NOT NULL,
           requested_at, NULL, NULL
      FROM attendance_signin
     WHERE state = 'accepted'
       AND lesson_id IN (SELECT id FROM lesson) AND enrolment_id IN (SELECT id FROM trainee)
     UNION ALL
    -- proof: the assistant's look at somebody who signed in by code
    SELECT lesson_id, enrolment_id, NULL, NULL, NULL, decided_at, NULL, NULL
      FROM attendance_signin
     WHERE state = 'accepted' AND method = 'code'
       AND lesson_id IN (SELECT id FROM lesson) AND enrolment_id IN (SELECT id FROM trainee)
     UNION ALL
    -- proof: an answer to a check; missed: a closed check without one, from its opening to its end. A check
    -- that the end of the lesson cut short is nobody's miss.
    SELECT checked.lesson_id, asked.enrolment_id, NULL, NULL, NULL, answer.answered_at,
           CASE WHEN %(deduct)s AND answer.target_id IS NULL AND checked.closed_at IS NOT NULL
                 AND (lesson.closed_at IS NULL OR checked.due_at <= lesson.closed_at)
                THEN tstzrange(checked.opened_at, checked.due_at) END,
           NULL
      FROM lesson
      JOIN attendance_check checked ON checked.lesson_id = lesson.id
      JOIN attendance_checktarget asked ON asked.check_id = checked.id
      LEFT JOIN attendance_checkanswer answer ON answer.target_id = asked.id
     WHERE asked.enrolment_id IN (SELECT id FROM trainee)
     UNION ALL
    -- handed in: homework or an exam
    SELECT lesson_id, enrolment_id, NULL, NULL, NULL, NULL, NULL, true
      FROM attendance_unitcredit
     WHERE lesson_id IN (SELECT id FROM lesson) AND enrolment_id IN (SELECT id FROM trainee)
),
-- One row per trainee and lesson: unions of ranges, lists of moments. Aggregates pass over NULL.
gathered AS (
    SELECT lesson_id, enrolment_id,
           coalesce(range_agg(seen), '{}') AS seen,
           coalesce(range_agg(signed), '{}') AS signed,
           bool_and(signed_out) AS signed_out,
           array_agg(proof) FILTER (WHERE proof IS NOT NULL) AS proofs,
           array_agg(missed) FILTER (WHERE missed IS NOT NULL) AS missed,
           bool_or(handed_in) AS handed_in
      FROM fact
     GROUP BY lesson_id, enrolment_id
),
""",
        _WATCHED.strip(),
        """,
-- The planned time in four parts, which together are exactly all of it.
part AS (
    SELECT trainee.id AS enrolment_id, trainee.person_id, lesson.id AS lesson_id, lesson.kind, lesson.state,
           lesson.starts_at, lesson.worth,
           signed_out IS NOT NULL AS signed_in,
           coalesce(signed_out, false) AS signed_out,
           doubt.checks AS missed_checks,
           coalesce(handed_in, false) AS handed_in,
           seen * planned * signed - doubt.ranges AS credited,
           seen * planned * signed * doubt.ranges AS unproven,
           seen * planned - signed AS unsigned,
           planned - seen AS absent
      FROM gathered
      JOIN lesson ON lesson.id = lesson_id
      JOIN trainee ON trainee.id = enrolment_id
     -- A missed check leaves unproven what lies between the last proof up to its end and its end; only for
     -- who was still in the room when it opened. Who had lost the line is absent, and loses no more.
     CROSS JOIN LATERAL (
            SELECT count(*) AS checks,
                   coalesce(range_agg(tstzrange(
                       (SELECT max(proof) FROM unnest(proofs) AS proof WHERE proof <= upper(one)), upper(one)
                   )), '{}') AS ranges
              FROM unnest(missed) AS one
             WHERE seen @> lower(one)
           ) AS doubt
),
-- What each trainee watched on demand, all together.
watched AS (
    SELECT enrolment_id, sum(credited_us)::bigint AS us FROM viewing GROUP BY enrolment_id
),
-- What the on-demand lessons before each are worth: those are filled first.
ordered AS (
    SELECT part.*, coalesce(sum(worth) FILTER (WHERE kind = 'on_demand') OVER (
               PARTITION BY enrolment_id ORDER BY starts_at, lesson_id
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::bigint AS filled_first
      FROM part
),
-- Lengths in whole microseconds: extract() of an interval is an exact number in PostgreSQL.
measured AS (
    SELECT part.*,
           CASE WHEN kind = ANY(%(by_presence)s) THEN least(worth, (
                         SELECT coalesce(sum((extract(epoch FROM upper(r) - lower(r)) * 1000000)::bigint), 0)
                           FROM unnest(credited) AS r))
                WHEN kind = ANY(%(by_handing_in)s) AND handed_in THEN worth
                WHEN kind = ANY(%(by_watching)s)
                THEN least(worth, greatest(0, coalesce(watched.us, 0) - filled_first))
                ELSE 0
           END::bigint AS microseconds
      FROM ordered part LEFT JOIN watched USING (enrolment_id)
)
""",
    )
)

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


_VIEWINGS = "".join(
    (
        """
WITH trainee AS (SELECT id, person_id FROM classes_enrolment WHERE id = %(enrolment)s),
""",
        _WATCHED.strip(),
        """
SELECT v.material_id, material.title, v.since, v.until, v.from_ms, v.to_ms, v.closing, v.fresh_us, v.spent_us,
       v.credited_us
  FROM viewing v JOIN courses_material material ON material.id = v.material_id
 ORDER BY v.since
""",
    )
)


@dataclass(frozen=True, slots=True)
class Viewing:
    """A stretch of watching on demand: when, which part of the video, and what of it counts. Microseconds."""

    material_id: int
    title: str
    starts_at: datetime.datetime
    ends_at: datetime.datetime
    from_ms: int
    to_ms: int
    closing: str  # "" while it is under way
    fresh_microseconds: int  # content not watched before
    spent_microseconds: int  # the time it took, without what was spent in a live room
    microseconds: int  # the lesser of the two

    @property
    def credited_seconds(self) -> int:
        return floor_seconds(self.microseconds)

    @property
    def fresh_seconds(self) -> int:
        return floor_seconds(self.fresh_microseconds)

    @property
    def length(self) -> datetime.timedelta:
        return self.ends_at - self.starts_at


def viewings(enrolment_id: int, *, using: str) -> list[Viewing]:
    """What one trainee watched on demand, in order. One query on the connection `using`."""
    with connections[using].cursor() as cursor:
        cursor.execute(_VIEWINGS, {"enrolment": enrolment_id})
        return [Viewing(*row) for row in cursor.fetchall()]


def seen_ms(enrolment_id: int, *, using: str) -> dict[int, int]:
    """How much of each video one trainee has seen, in its milliseconds, by material id. One query."""
    seen: dict[int, int] = {}
    for one in viewings(enrolment_id, using=using):
        seen[one.material_id] = seen.get(one.material_id, 0) + one.fresh_microseconds // 1000
    return seen


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
                "by_watching": [kind.value for kind in BY_WATCHING],
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
