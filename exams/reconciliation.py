"""Exams against the log: the paper that was set, what was sat and handed in, and the certificates."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from audit.models import Entry
from audit.reconciliation import Compared, Difference, Field, difference
from classes import reconciliation
from exams.models import Exam
from exams.on_record import paper_digest
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
    "paper": Field(_("试题的摘要")),
    "seconds": Field(_("时限（秒）")),
    "started_at": Field(_("开始时间")),
    "deadline": Field(_("截止时间")),
    "salt": Field(_("答案留痕用的随机数的摘要")),
    "question": Field(_("第几题")),
    "saved_at": Field(_("保存时间")),
    "answer": Field(_("答案的摘要")),
    "answers": Field(_("全部答案的摘要")),
    "text": Field(_("内容摘要")),
    "score": Field(_("评分")),
    "issued_on": Field(_("发证日期")),
    "verdict_entry": Field(_("考勤结论的留痕序号")),
    "state": Field(_("状态"), dict(CertificateState.choices)),
    "pdf": Field(_("文件摘要")),
    "provincial": Field(_("省系统证书编号")),
    "issued_by": Field(_("发证人的账号编号")),
    "revoked_at": Field(_("撤销时间")),
    "reason": Field(_("撤销理由")),
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
# A sitting's salt is on record since each save is (`exams.on_record`).
_STARTED = Compared(
    _("结业考试答卷"),
    "exams_attempt",
    """
    SELECT t.chain, a.id::text, a.id, t.id, jsonb_build_object('trainee', t.id, 'times', a.number,
        'started_at', a.started_at, 'deadline', a.deadline_at, 'salt', CASE WHEN s.salt IS NOT NULL
            THEN encode(sha256(convert_to(a.salt, 'UTF8')), 'hex') END)
      FROM exams_attempt a
      JOIN trainee t ON t.id = a.enrolment_id
      LEFT JOIN (SELECT chain, facts->>'attempt' AS attempt, facts->>'salt' AS salt
                   FROM entry WHERE kind = 'exam.started') AS s
             ON s.chain = t.chain AND s.attempt = a.id::text
    """,
    """
    SELECT chain, facts->>'attempt', enrolment, jsonb_build_object('trainee', enrolment,
        'times', facts->'number', 'started_at', at, 'deadline', (facts->>'deadline')::timestamptz,
        'salt', facts->>'salt')
      FROM entry WHERE kind = 'exam.started'
    """,
)
_ANSWER = Compared(
    _("结业考试答案"),
    "exams_attemptanswer",
    """
    SELECT t.chain, a.id || '/' || w.question, a.id || '/' || w.question, t.id, jsonb_build_object(
        'trainee', t.id, 'question', w.question + 1, 'saved_at', w.saved_at,
        'answer', encode(sha256(convert_to(
            concat_ws('/', a.salt, a.id, w.question, w.revision, w.chosen::text), 'UTF8')), 'hex'))
      FROM exams_attemptanswer w
      JOIN exams_attempt a ON a.id = w.attempt_id
      JOIN trainee t ON t.id = a.enrolment_id
      JOIN entry s ON s.kind = 'exam.started' AND s.chain = t.chain AND s.facts->>'attempt' = a.id::text
     WHERE s.facts->>'salt' IS NOT NULL
    """,
    """
    SELECT DISTINCT ON (chain, facts->>'attempt', facts->>'question')
        chain, (facts->>'attempt') || '/' || (facts->>'question'), enrolment, jsonb_build_object(
        'trainee', enrolment, 'question', (facts->>'question')::integer + 1, 'saved_at', at,
        'answer', facts->'answer')
      FROM entry WHERE kind = 'exam.answered'
     ORDER BY chain, facts->>'attempt', facts->>'question', seq DESC
    """,
)
_ATTEMPT = Compared(
    _("结业考试成绩"),
    "exams_attempt",
    """
    SELECT t.chain, a.id::text, a.id, t.id, jsonb_build_object('trainee', t.id, 'times', a.number,
        'points', a.points, 'total', x.total_points, 'submitted_at', a.submitted_at,
        'answers', encode(sha256(convert_to(replace(coalesce(
            (SELECT jsonb_agg(jsonb_build_array(w.question, w.chosen) ORDER BY w.question)
               FROM exams_attemptanswer w WHERE w.attempt_id = a.id), '[]')::text, ' ', ''), 'UTF8')), 'hex'))
      FROM exams_attempt a
      JOIN exams_exam x ON x.id = a.exam_id
      JOIN trainee t ON t.id = a.enrolment_id
     WHERE a.state = 'submitted'
    """,
    """
    SELECT chain, facts->>'attempt', enrolment, jsonb_build_object('trainee', enrolment,
        'times', facts->'number', 'points', facts->'points', 'total', facts->'total', 'submitted_at', at,
        'answers', facts->'answers')
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
        'state', c.state, 'pdf', c.pdf_sha256, 'provincial', c.provincial_number,
        'issued_by', c.issued_by_id, 'revoked_at', c.revoked_at, 'reason', c.revocation_reason)
      FROM exams_certificate c
      JOIN trainee t ON t.id = c.enrolment_id
      JOIN attendance_verdict v ON v.enrolment_id = c.verdict_id
    """,
    """
    SELECT e.chain, e.facts->>'certificate', e.enrolment, jsonb_build_object('trainee', e.enrolment,
        'number', e.facts->'number', 'issued_on', e.facts->'issued_on', 'attempt', e.facts->'attempt',
        'verdict_entry', e.facts->'verdict_entry',
        'state', CASE WHEN r.seq IS NULL THEN 'valid' ELSE 'revoked' END,
        'pdf', coalesce(p.facts->>'pdf', ''),
        'provincial', '',  -- nothing enters one yet
        'issued_by', e.actor, 'revoked_at', r.at, 'reason', coalesce(r.facts->>'reason', ''))
      FROM entry e
      LEFT JOIN entry r ON r.kind = 'certificate.revoked' AND r.chain = e.chain
            AND r.facts->>'certificate' = e.facts->>'certificate'
      LEFT JOIN entry p ON p.kind = 'certificate.printed' AND p.chain = e.chain
            AND p.facts->>'certificate' = e.facts->>'certificate'
     WHERE e.kind = 'certificate.issued'
    """,
)
COMPARED = (_PAPER, _STARTED, _ANSWER, _ATTEMPT, _COURSEWORK, _CERTIFICATE)
_WORDS = Compared(_("结业考试试卷"), "exams_exam", "", "")
KINDS = (
    "exam.set",
    "exam.started",
    "exam.answered",
    "exam.submitted",
    "coursework.submitted",
    "coursework.scored",
    "certificate.issued",
    "certificate.printed",
    "certificate.revoked",
)


def exam_differences(chain: str | None, using: str) -> list[Difference]:
    """Rows of exams, coursework and certificates that the log does not bear out. Three queries."""
    return [*reconciliation.compare(COMPARED, KINDS, FIELDS, chain, using), *_papers(chain, using)]


def _papers(chain: str | None, using: str) -> list[Difference]:
    """Papers with other questions, or with another time allowed, than those that were last set."""
    exams = Exam.objects.using(using).order_by("training_class_id")
    entries = Entry.objects.using(using).filter(kind="exam.set")
    if chain is not None:
        exams = exams.filter(training_class=reconciliation.class_of(chain))
        entries = entries.filter(chain=chain)
    said = {(entry.chain, entry.facts["exam"]): entry.facts for entry in entries.order_by("chain", "seq")}
    found = []
    for exam in exams:
        name = f"class/{exam.training_class_id}"
        facts = said.get((name, exam.pk))
        if facts is None:  # told of by the comparison of its points
            continue
        says = {"paper": paper_digest(exam.paper), "seconds": exam.seconds_allowed}
        recorded = {"paper": facts["paper"], "seconds": facts.get("seconds") or exam.seconds_allowed}
        if says != recorded:
            found.append(
                difference(
                    _WORDS,
                    chain=name,
                    key=str(exam.pk),
                    says=says,
                    recorded=recorded,
                    fields=FIELDS,
                    enrolment=None,
                )
            )
    return found
