"""Attendance against the log: who was seen when, sign-ins, checks, units handed in, and the verdicts."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from audit.reconciliation import Difference, compare_by_query

NAMES: dict[str, str | Promise] = {
    "presence": _("在课堂的时段"),
    "watched": _("点播的时段"),
    "sign_in": _("签到"),
    "sign_out": _("签退"),
    "check": _("在线检查"),
    "answer": _("应答"),
    "unit": _("作业、考试计时"),
    "verdict": _("考勤结论"),
}

# Each part gives what a row says and what its entry says as texts of one make; they differ or they do not.
# Times are compared as moments, written in UTC to the microsecond. What the entry says of a row includes whom
# and which lesson it is about, so an entry of somebody else bears nothing out.
_SQL = """
WITH told AS MATERIALIZED (
    SELECT chain, seq, hash, kind, subject, facts, at FROM audit_entry
    WHERE (%(chain)s::text IS NULL OR chain = %(chain)s)
        AND kind IN ('presence.closed', 'attendance.watched', 'attendance.sign_in_accepted',
            'attendance.signed_out', 'attendance.check_opened', 'attendance.check_closed',
            'attendance.check_answered', 'attendance.unit_credited', 'attendance.concluded')
), lesson AS MATERIALIZED (
    SELECT l.id, l.training_class_id AS class, 'class/' || l.training_class_id AS chain,
        'class/' || l.training_class_id || '/lesson/' || l.id AS subject
    FROM classes_lesson l
    WHERE %(chain)s::text IS NULL OR 'class/' || l.training_class_id = %(chain)s
), trainee AS MATERIALIZED (
    SELECT e.id, e.person_id, e.training_class_id AS class, 'class/' || e.training_class_id AS chain,
        'class/' || e.training_class_id || '/trainee/' || e.id AS subject
    FROM classes_enrolment e
    WHERE %(chain)s::text IS NULL OR 'class/' || e.training_class_id = %(chain)s
), compared AS (
    SELECT l.chain, 'live_presenceinterval' AS tbl, p.id AS key, 'presence' AS what,
        concat_ws(' ', l.subject || '/person/' || p.person_id,
            lower(p.during) AT TIME ZONE 'UTC', upper(p.during) AT TIME ZONE 'UTC') AS says,
        concat_ws(' ', e.subject, (e.facts->>'started_at')::timestamptz AT TIME ZONE 'UTC',
            (e.facts->>'last_seen_at')::timestamptz AT TIME ZONE 'UTC') AS recorded,
        t.id AS enrolment
    FROM live_presenceinterval p
    JOIN lesson l ON l.id = p.lesson_id
    LEFT JOIN trainee t ON t.class = l.class AND t.person_id = p.person_id
    LEFT JOIN told e ON e.kind = 'presence.closed' AND e.chain = l.chain
        AND e.facts->>'connection' = p.connection::text
    UNION ALL
    SELECT t.chain, 'attendance_watchedstretch', w.id, 'watched',
        concat_ws(' ', t.subject, w.material_id, lower(w.during) AT TIME ZONE 'UTC',
            upper(w.during) AT TIME ZONE 'UTC', w.from_ms, w.to_ms),
        concat_ws(' ', e.subject, e.facts->>'material', (e.facts->>'started_at')::timestamptz AT TIME ZONE 'UTC',
            (e.facts->>'last_seen_at')::timestamptz AT TIME ZONE 'UTC', e.facts->>'from_ms', e.facts->>'to_ms'),
        t.id
    FROM attendance_watchedstretch w
    JOIN trainee t ON t.id = w.enrolment_id
    LEFT JOIN told e ON e.kind = 'attendance.watched' AND e.chain = t.chain
        AND e.facts->>'connection' = w.connection::text
        AND (e.facts->>'started_at')::timestamptz = lower(w.during)
    UNION ALL
    SELECT l.chain, 'attendance_signin', s.id, 'sign_in',
        concat_ws(' ', l.subject || '/person/' || t.person_id, s.method, s.requested_at AT TIME ZONE 'UTC'),
        concat_ws(' ', e.subject, e.facts->>'method',
            (e.facts->>'counts_from')::timestamptz AT TIME ZONE 'UTC'),
        t.id
    FROM attendance_signin s
    JOIN lesson l ON l.id = s.lesson_id
    JOIN trainee t ON t.id = s.enrolment_id
    LEFT JOIN told e ON e.kind = 'attendance.sign_in_accepted' AND e.chain = l.chain
        AND e.facts->>'sign_in' = s.id::text
    WHERE s.state = 'accepted'
    UNION ALL
    SELECT l.chain, 'attendance_signin', s.id, 'sign_out',
        concat_ws(' ', s.signed_out_at AT TIME ZONE 'UTC'),
        CASE WHEN e.seq IS NOT NULL THEN (greatest(e.at, s.requested_at) AT TIME ZONE 'UTC')::text END,
        s.enrolment_id
    FROM attendance_signin s
    JOIN lesson l ON l.id = s.lesson_id
    LEFT JOIN told e ON e.kind = 'attendance.signed_out' AND e.chain = l.chain
        AND e.facts->>'sign_in' = s.id::text
    WHERE s.state = 'accepted' AND (s.signed_out_at IS NOT NULL OR e.seq IS NOT NULL)
        AND s.signed_out_at IS DISTINCT FROM CASE WHEN e.seq IS NULL THEN NULL
            ELSE greatest(e.at, s.requested_at) END
    UNION ALL
    SELECT l.chain, 'attendance_check', c.id, 'check',
        concat_ws(' ', l.subject, c.opened_at AT TIME ZONE 'UTC', c.due_at AT TIME ZONE 'UTC',
            c.closed_at IS NOT NULL),
        CASE WHEN o.seq IS NOT NULL THEN concat_ws(' ', o.subject, o.at AT TIME ZONE 'UTC',
            (o.facts->>'due_at')::timestamptz AT TIME ZONE 'UTC', d.seq IS NOT NULL) END,
        NULL
    FROM attendance_check c
    JOIN lesson l ON l.id = c.lesson_id
    LEFT JOIN told o ON o.kind = 'attendance.check_opened' AND o.chain = l.chain
        AND o.facts->>'check' = c.id::text
    LEFT JOIN told d ON d.kind = 'attendance.check_closed' AND d.chain = l.chain
        AND d.facts->>'check' = c.id::text
    UNION ALL
    SELECT l.chain, 'attendance_checkanswer', a.target_id, 'answer',
        concat_ws(' ', l.subject || '/person/' || t.person_id, a.answered_at AT TIME ZONE 'UTC', a.option,
            a.correct),
        concat_ws(' ', e.subject, e.at AT TIME ZONE 'UTC', e.facts->>'option', (e.facts->>'correct')::boolean),
        t.id
    FROM attendance_checkanswer a
    JOIN attendance_checktarget g ON g.id = a.target_id
    JOIN attendance_check c ON c.id = g.check_id
    JOIN lesson l ON l.id = c.lesson_id
    JOIN trainee t ON t.id = g.enrolment_id
    LEFT JOIN told e ON e.kind = 'attendance.check_answered' AND e.chain = l.chain
        AND e.facts->>'check' = c.id::text AND e.subject = l.subject || '/person/' || t.person_id
    UNION ALL
    SELECT l.chain, 'attendance_unitcredit', u.id, 'unit',
        concat_ws(' ', l.subject || '/person/' || t.person_id, u.source),
        concat_ws(' ', e.subject, e.facts->>'source'),
        t.id
    FROM attendance_unitcredit u
    JOIN lesson l ON l.id = u.lesson_id
    JOIN trainee t ON t.id = u.enrolment_id
    LEFT JOIN told e ON e.kind = 'attendance.unit_credited' AND e.chain = l.chain
        AND e.subject = l.subject || '/person/' || t.person_id
    UNION ALL
    SELECT t.chain, 'attendance_verdict', v.enrolment_id, 'verdict',
        concat_ws(' ', t.subject, v.evidence_hash, v.credited_microseconds, v.required_microseconds, v.passed),
        concat_ws(' ', e.subject, e.hash, e.facts->>'credited_microseconds',
            e.facts->>'required_microseconds', (e.facts->>'passed')::boolean),
        t.id
    FROM attendance_verdict v
    JOIN trainee t ON t.id = v.enrolment_id
    LEFT JOIN told e ON e.kind = 'attendance.concluded' AND e.chain = t.chain AND e.seq = v.evidence_seq
)
SELECT chain, tbl, key, what, says, recorded, enrolment FROM compared
WHERE says IS DISTINCT FROM recorded
ORDER BY chain, what, key
"""


def attendance_differences(chain: str | None, using: str) -> list[Difference]:
    """Rows of attendance that the log does not bear out. One query."""
    return compare_by_query(_SQL, NAMES, chain, using)
