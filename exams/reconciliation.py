"""Exams against the log: the paper that was set, what was sat and handed in, and the certificates."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from audit.reconciliation import Compared, Difference, Field
from classes import reconciliation
from exams.states import CertificateState

FIELDS: Mapping[str, Field] = {
    **reconciliation.FIELDS,
    "lesson": Field(_("课次")),
    "trainee": Field(_("学员编号")),
    "attempt": Field(_("答卷编号")),
    "times": Field(_("第几次")),
    "questions": Field(_("题数")),
    "points": Field(_("得分")),
    "total": Field(_("满分")),
    "submitted_at": Field(_("提交时间")),
    "text": Field(_("内容摘要")),
    "score": Field(_("评分")),
    "issued_on": Field(_("发证日期")),
    "verdict_entry": Field(_("考勤结论的留痕序号")),
    "state": Field(_("状态"), dict(CertificateState.choices)),
    "pdf": Field(_("文件摘要")),
}

_PAPER = Compared(
    _("结业考试"),
    "exams_exam",
    """
    SELECT c.chain, x.id::text, x.id, NULL::bigint, jsonb_build_object('lesson', x.lesson_id,
        'questions', jsonb_array_length(x.paper), 'total', x.total_points)
      FROM exams_exam x JOIN class c ON c.id = x.training_class_id
    """,
    """
    SELECT DISTINCT ON (chain, facts->>'exam') chain, facts->>'exam', NULL::bigint, jsonb_build_object(
        'lesson', facts->'lesson', 'questions', facts->'questions', 'total', facts->'points')
      FROM entry WHERE kind = 'exam.set' ORDER BY chain, facts->>'exam', seq DESC
    """,
)
_ATTEMPT = Compared(
    _("结业考试成绩"),
    "exams_attempt",
    """
    SELECT t.chain, a.id::text, a.id, t.id, jsonb_build_object('trainee', t.id, 'times', a.number,
        'points', a.points, 'total', x.total_points, 'submitted_at', a.submitted_at)
      FROM exams_attempt a
      JOIN exams_exam x ON x.id = a.exam_id
      JOIN trainee t ON t.id = a.enrolment_id
     WHERE a.state = 'submitted'
    """,
    """
    SELECT chain, facts->>'attempt', enrolment, jsonb_build_object('trainee', enrolment,
        'times', facts->'number', 'points', facts->'points', 'total', facts->'total', 'submitted_at', at)
      FROM entry WHERE kind = 'exam.submitted'
    """,
)
_COURSEWORK = Compared(
    _("培训成果"),
    "exams_submission",
    """
    SELECT t.chain, s.id::text, s.id, t.id, jsonb_build_object('trainee', t.id, 'lesson', s.lesson_id,
        'text', encode(sha256(convert_to(s.text, 'UTF8')), 'hex'), 'submitted_at', s.submitted_at,
        'score', s.score)
      FROM exams_submission s JOIN trainee t ON t.id = s.enrolment_id
    """,
    """
    SELECT DISTINCT ON (e.chain, e.facts->>'submission') e.chain, e.facts->>'submission', e.enrolment,
        jsonb_build_object('trainee', e.enrolment, 'lesson', e.facts->'lesson', 'text', e.facts->'text',
        'submitted_at', e.at, 'score', s.score)
      FROM entry e
      LEFT JOIN (SELECT DISTINCT ON (chain, facts->>'submission') chain, facts->>'submission' AS submission,
                        facts->'score' AS score
                   FROM entry WHERE kind = 'coursework.scored'
                  ORDER BY chain, facts->>'submission', seq DESC) AS s
             ON s.chain = e.chain AND s.submission = e.facts->>'submission'
     WHERE e.kind = 'coursework.submitted'
     ORDER BY e.chain, e.facts->>'submission', e.seq DESC
    """,
)
_CERTIFICATE = Compared(
    _("合格证"),
    "exams_certificate",
    """
    SELECT t.chain, c.id::text, c.id, t.id, jsonb_build_object('trainee', t.id, 'number', c.number,
        'issued_on', c.issued_on, 'attempt', c.attempt_id, 'verdict_entry', v.evidence_seq,
        'state', c.state, 'pdf', c.pdf_sha256)
      FROM exams_certificate c
      JOIN trainee t ON t.id = c.enrolment_id
      JOIN attendance_verdict v ON v.enrolment_id = c.verdict_id
    """,
    """
    SELECT e.chain, e.facts->>'certificate', e.enrolment, jsonb_build_object('trainee', e.enrolment,
        'number', e.facts->'number', 'issued_on', e.facts->'issued_on', 'attempt', e.facts->'attempt',
        'verdict_entry', e.facts->'verdict_entry',
        'state', CASE WHEN r.seq IS NULL THEN 'valid' ELSE 'revoked' END,
        'pdf', coalesce(p.facts->>'pdf', ''))
      FROM entry e
      LEFT JOIN entry r ON r.kind = 'certificate.revoked' AND r.chain = e.chain
            AND r.facts->>'certificate' = e.facts->>'certificate'
      LEFT JOIN entry p ON p.kind = 'certificate.printed' AND p.chain = e.chain
            AND p.facts->>'certificate' = e.facts->>'certificate'
     WHERE e.kind = 'certificate.issued'
    """,
)
COMPARED = (_PAPER, _ATTEMPT, _COURSEWORK, _CERTIFICATE)
KINDS = (
    "exam.set",
    "exam.submitted",
    "coursework.submitted",
    "coursework.scored",
    "certificate.issued",
    "certificate.printed",
    "certificate.revoked",
)


def exam_differences(chain: str | None, using: str) -> list[Difference]:
    """Rows of exams, coursework and certificates that the log does not bear out. One query."""
    return reconciliation.compare(COMPARED, KINDS, FIELDS, chain, using)
