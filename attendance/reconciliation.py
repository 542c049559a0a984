"""Attendance against the log: who was seen when, sign-ins, checks, units handed in, and the verdicts.

What an entry says of a row includes whom and which lesson it is about, so an entry of somebody else bears
nothing out.
"""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from attendance.states import CheckKind, SignInMethod, WatchClosing
from audit.reconciliation import Compared, Difference, Field
from classes import reconciliation
from classes.live.states import Closing

FIELDS: Mapping[str, Field] = {
    **reconciliation.FIELDS,
    "lesson": Field(_("课次")),
    "person": Field(_("人员编号")),
    "trainee": Field(_("学员编号")),
    "since": Field(_("起")),
    "until": Field(_("止")),
    "heartbeats": Field(_("信号")),
    "closing": Field(_("收尾"), {**dict(Closing.choices), **dict(WatchClosing.choices)}),
    "material": Field(_("视频编号")),
    "from_ms": Field(_("片中起（毫秒）")),
    "to_ms": Field(_("片中止（毫秒）")),
    "method": Field(_("签到方式"), dict(SignInMethod.choices)),
    "counts_from": Field(_("计时起点")),
    "decided_at": Field(_("确认时间")),
    "signed_out_at": Field(_("签退时间")),
    "check": Field(_("检查编号")),
    "check_kind": Field(_("方式"), dict(CheckKind.choices)),
    "due_at": Field(_("限时到")),
    "asked": Field(_("问到的学员编号")),
    "answered_at": Field(_("应答时间")),
    "option": Field(_("选项")),
    "correct": Field(_("答对")),
    "source": Field(_("提交物")),
    "credited_at": Field(_("计入时间")),
    "credited_microseconds": Field(_("计入（微秒）")),
    "required_microseconds": Field(_("应学（微秒）")),
    "by_kind": Field(_("各类（微秒）")),
    "passed": Field(_("合格")),
    "seq": Field(_("留痕序号")),
}

_PRESENCE = Compared(
    _("在课堂的时段"),
    "live_presenceinterval",
    """
    SELECT l.chain, p.connection::text, p.id, t.id, jsonb_build_object('lesson', l.id, 'person', p.person_id,
        'since', lower(p.during), 'until', upper(p.during), 'heartbeats', p.heartbeats, 'closing', p.closing)
      FROM live_presenceinterval p
      JOIN lesson l ON l.id = p.lesson_id
      LEFT JOIN trainee t ON t.training_class_id = l.training_class_id AND t.person_id = p.person_id
    """,
    """
    SELECT chain, facts->>'connection', enrolment, jsonb_build_object('lesson', lesson, 'person', person,
        'since', (facts->>'started_at')::timestamptz, 'until', (facts->>'last_seen_at')::timestamptz,
        'heartbeats', facts->'heartbeats', 'closing', facts->'closing')
      FROM entry WHERE kind = 'presence.closed'
    """,
)
# Who is in a room right now stands in no entry yet; nobody is in the room of a lesson that is over.
_STILL_PRESENT = Compared(
    _("下课后仍在课堂的人"),
    "live_openpresence",
    """
    SELECT l.chain, p.connection::text, p.person_id, t.id, jsonb_build_object('lesson', l.id,
        'person', p.person_id, 'since', p.started_at, 'until', p.last_seen_at)
      FROM live_openpresence p
      JOIN lesson l ON l.id = p.lesson_id
      LEFT JOIN trainee t ON t.training_class_id = l.training_class_id AND t.person_id = p.person_id
     WHERE l.state = 'closed'
    """,
    "SELECT chain, '', NULL::bigint, NULL::jsonb FROM entry WHERE false",
)
_WATCHED = Compared(
    _("点播的时段"),
    "attendance_watchedstretch",
    """
    SELECT t.chain, concat_ws(' ', w.connection, lower(w.during)), w.id, t.id, jsonb_build_object(
        'trainee', t.id, 'person', w.person_id, 'material', w.material_id, 'since', lower(w.during),
        'until', upper(w.during), 'from_ms', w.from_ms, 'to_ms', w.to_ms, 'heartbeats', w.heartbeats,
        'closing', w.closing)
      FROM attendance_watchedstretch w JOIN trainee t ON t.id = w.enrolment_id
    """,
    """
    SELECT e.chain, concat_ws(' ', e.facts->>'connection', (e.facts->>'started_at')::timestamptz),
        e.enrolment, jsonb_build_object('trainee', e.enrolment, 'person', t.person_id,
        'material', e.facts->'material', 'since', (e.facts->>'started_at')::timestamptz,
        'until', (e.facts->>'last_seen_at')::timestamptz, 'from_ms', e.facts->'from_ms',
        'to_ms', e.facts->'to_ms', 'heartbeats', e.facts->'heartbeats', 'closing', e.facts->'closing')
      FROM entry e LEFT JOIN trainee t ON t.id = e.enrolment
     WHERE e.kind = 'attendance.watched'
    """,
)
# A class that was judged is over: `conclude_attendance` ends what somebody was still watching.
_STILL_WATCHING = Compared(
    _("作结论后仍在看的点播"),
    "attendance_openwatch",
    """
    SELECT t.chain, w.connection::text, w.person_id, t.id, jsonb_build_object('trainee', t.id,
        'since', w.started_at, 'until', w.last_seen_at, 'from_ms', w.from_ms, 'to_ms', w.to_ms)
      FROM attendance_openwatch w
      JOIN trainee t ON t.id = w.enrolment_id
      JOIN attendance_verdict v ON v.enrolment_id = t.id
    """,
    "SELECT chain, '', NULL::bigint, NULL::jsonb FROM entry WHERE false",
)
_SIGN_IN = Compared(
    _("签到"),
    "attendance_signin",
    """
    SELECT l.chain, s.id::text, s.id, t.id, jsonb_build_object('lesson', l.id, 'person', t.person_id,
        'method', s.method, 'counts_from', s.requested_at, 'decided_at', s.decided_at)
      FROM attendance_signin s
      JOIN lesson l ON l.id = s.lesson_id
      JOIN classes_enrolment t ON t.id = s.enrolment_id
     WHERE s.state = 'accepted'
    """,
    """
    SELECT chain, facts->>'sign_in', enrolment, jsonb_build_object('lesson', lesson, 'person', person,
        'method', facts->'method', 'counts_from', (facts->>'counts_from')::timestamptz, 'decided_at', at)
      FROM entry WHERE kind = 'attendance.sign_in_accepted'
    """,
)
_SIGN_OUT = Compared(
    _("签退"),
    "attendance_signin",
    """
    SELECT l.chain, s.id::text, s.id, t.id, jsonb_build_object('lesson', l.id, 'person', t.person_id,
        'signed_out_at', s.signed_out_at)
      FROM attendance_signin s
      JOIN lesson l ON l.id = s.lesson_id
      JOIN classes_enrolment t ON t.id = s.enrolment_id
     WHERE s.signed_out_at IS NOT NULL
    """,
    """
    SELECT e.chain, e.facts->>'sign_in', e.enrolment, jsonb_build_object('lesson', e.lesson,
        'person', e.person, 'signed_out_at', greatest(e.at, s.requested_at))
      FROM entry e LEFT JOIN attendance_signin s ON s.id = (e.facts->>'sign_in')::bigint
     WHERE e.kind = 'attendance.signed_out'
    """,
)
_CHECK = Compared(
    _("在线检查"),
    "attendance_check",
    """
    SELECT l.chain, c.id::text, c.id, NULL::bigint, jsonb_build_object('lesson', l.id, 'check_kind', c.kind,
        'opened_at', c.opened_at, 'due_at', c.due_at, 'correct', c.correct, 'closed_at', c.closed_at,
        'asked', (SELECT coalesce(jsonb_agg(g.enrolment_id ORDER BY g.enrolment_id), '[]')
                    FROM attendance_checktarget g WHERE g.check_id = c.id))
      FROM attendance_check c JOIN lesson l ON l.id = c.lesson_id
    """,
    """
    SELECT o.chain, o.facts->>'check', NULL::bigint, jsonb_build_object('lesson', o.lesson,
        'check_kind', o.facts->'kind', 'opened_at', o.at, 'due_at', (o.facts->>'due_at')::timestamptz,
        'correct', o.facts->'correct', 'closed_at', c.at,
        'asked', (SELECT coalesce(jsonb_agg(asked ORDER BY asked), '[]')
                    FROM jsonb_array_elements(o.facts->'asked') AS asked))
      FROM entry o
      LEFT JOIN entry c ON c.kind = 'attendance.check_closed' AND c.chain = o.chain
            AND c.facts->>'check' = o.facts->>'check'
     WHERE o.kind = 'attendance.check_opened'
    """,
)
_ANSWER = Compared(
    _("应答"),
    "attendance_checkanswer",
    """
    SELECT l.chain, concat_ws(' ', c.id, t.person_id), a.target_id, t.id, jsonb_build_object('lesson', l.id,
        'check', c.id, 'person', t.person_id, 'answered_at', a.answered_at, 'option', a.option,
        'correct', a.correct)
      FROM attendance_checkanswer a
      JOIN attendance_checktarget g ON g.id = a.target_id
      JOIN attendance_check c ON c.id = g.check_id
      JOIN lesson l ON l.id = c.lesson_id
      JOIN classes_enrolment t ON t.id = g.enrolment_id
    """,
    """
    SELECT chain, concat_ws(' ', facts->>'check', person), enrolment, jsonb_build_object('lesson', lesson,
        'check', facts->'check', 'person', person, 'answered_at', at, 'option', facts->'option',
        'correct', facts->'correct')
      FROM entry WHERE kind = 'attendance.check_answered'
    """,
)
_UNIT = Compared(
    _("作业、考试计时"),
    "attendance_unitcredit",
    """
    SELECT l.chain, concat_ws(' ', l.id, t.person_id), u.id, t.id, jsonb_build_object('lesson', l.id,
        'person', t.person_id, 'source', u.source, 'credited_at', u.credited_at, 'hours', l.hours::text)
      FROM attendance_unitcredit u
      JOIN lesson l ON l.id = u.lesson_id
      JOIN classes_enrolment t ON t.id = u.enrolment_id
    """,
    """
    SELECT chain, concat_ws(' ', lesson, person), enrolment, jsonb_build_object('lesson', facts->'lesson',
        'person', person, 'source', facts->'source', 'credited_at', at,
        'hours', (facts->>'hours')::numeric(5, 2)::text)
      FROM entry WHERE kind = 'attendance.unit_credited'
    """,
)
_VERDICT = Compared(
    _("考勤结论"),
    "attendance_verdict",
    """
    SELECT t.chain, t.id::text, t.id, t.id, jsonb_build_object('seq', v.evidence_seq,
        'digest', v.evidence_hash, 'edition', v.edition, 'credited_microseconds', v.credited_microseconds,
        'required_microseconds', v.required_microseconds, 'by_kind', v.by_kind, 'passed', v.passed)
      FROM attendance_verdict v JOIN trainee t ON t.id = v.enrolment_id
    """,
    """
    SELECT chain, split_part(subject, '/', 4), enrolment, jsonb_build_object('seq', seq, 'digest', hash,
        'edition', facts->'edition', 'credited_microseconds', facts->'credited_microseconds',
        'required_microseconds', facts->'required_microseconds', 'by_kind', facts->'by_kind',
        'passed', facts->'passed')
      FROM entry WHERE kind = 'attendance.concluded'
    """,
)
COMPARED = (
    _PRESENCE,
    _STILL_PRESENT,
    _WATCHED,
    _STILL_WATCHING,
    _SIGN_IN,
    _SIGN_OUT,
    _CHECK,
    _ANSWER,
    _UNIT,
    _VERDICT,
)
KINDS = (
    "presence.closed",
    "attendance.watched",
    "attendance.sign_in_accepted",
    "attendance.signed_out",
    "attendance.check_opened",
    "attendance.check_closed",
    "attendance.check_answered",
    "attendance.unit_credited",
    "attendance.concluded",
)


def attendance_differences(chain: str | None, using: str) -> list[Difference]:
    """Rows of attendance that the log does not bear out. One query."""
    return reconciliation.compare(COMPARED, KINDS, FIELDS, chain, using)
