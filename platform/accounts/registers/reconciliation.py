"""The registers against the log: who is qualified, and which measures are in force (T1-T3, L7, Q8, Q9)."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from accounts.registers.states import Ground, MeasureKind, QualificationState, Route
from audit.reconciliation import Compared, Difference, Field, compare_by_query

AREAS = ("institution/", "person/", "platform/")  # the chains that tell of them

_SCOPE = """
WITH entry AS MATERIALIZED (
    SELECT e.chain, e.seq, e.kind, e.facts FROM audit_entry e
     WHERE e.kind IN ('qualification.saved', 'qualification.moved', 'measure.ordered', 'measure.ended')
       AND (%(chain)s::text IS NULL OR e.chain = %(chain)s)
)
"""
_QUALIFICATION = Compared(
    _("讲师资格"),
    "registers_qualification",
    """
    SELECT * FROM (
        SELECT 'institution/' || q.institution_id AS chain, q.id::text, q.id, NULL::bigint,
            jsonb_build_object('person', q.person_id, 'route', q.route, 'number', q.number,
            'certified_on', q.certified_on, 'training_since', q.training_since, 'state', q.state)
          FROM registers_qualification q
    ) AS held WHERE %(chain)s::text IS NULL OR chain = %(chain)s
    """,
    """
    SELECT s.chain, s.facts->>'qualification', NULL::bigint, jsonb_build_object(
        'person', s.facts->'person', 'route', s.facts->'route', 'number', s.facts->'number',
        'certified_on', s.facts->'certified_on', 'training_since', s.facts->'training_since',
        'state', coalesce(m.facts->'state', '"draft"'))
      FROM (SELECT DISTINCT ON (chain, facts->>'qualification') chain, facts
              FROM entry WHERE kind = 'qualification.saved'
             ORDER BY chain, facts->>'qualification', seq DESC) AS s
      LEFT JOIN (SELECT DISTINCT ON (chain, facts->>'qualification') chain, facts
                   FROM entry WHERE kind = 'qualification.moved'
                  ORDER BY chain, facts->>'qualification', seq DESC) AS m
             ON m.chain = s.chain AND m.facts->'qualification' = s.facts->'qualification'
    """,
)
_MEASURE = Compared(
    _("管理措施"),
    "registers_measure",
    """
    SELECT * FROM (
        SELECT CASE WHEN m.person_id IS NOT NULL THEN 'person/' || m.person_id
                    WHEN m.institution_id IS NOT NULL THEN 'institution/' || m.institution_id
                    ELSE 'platform/record' END AS chain,
            m.id::text, m.id, NULL::bigint, jsonb_build_object('kind', m.kind, 'person', m.person_id,
            'institution', m.institution_id, 'row', m.row, 'since', m.since, 'deadline', m.deadline,
            'announced', m.is_announced, 'bureau', m.bureau_id, 'ended_on', m.ended_on)
          FROM registers_measure m
    ) AS held WHERE %(chain)s::text IS NULL OR chain = %(chain)s
    """,
    """
    SELECT o.chain, o.facts->>'measure', NULL::bigint, jsonb_build_object('kind', o.facts->'kind',
        'person', o.facts->'person', 'institution', o.facts->'institution', 'row', o.facts->'row',
        'since', o.facts->'since', 'deadline', o.facts->'deadline', 'announced', o.facts->'announced',
        'bureau', o.facts->'bureau', 'ended_on', e.facts->'ended_on')
      FROM entry o
      LEFT JOIN entry e ON e.kind = 'measure.ended' AND e.chain = o.chain
            AND e.facts->'measure' = o.facts->'measure'
     WHERE o.kind = 'measure.ordered'
    """,
)
FIELDS: Mapping[str, Field] = {
    "person": Field(_("人员编号")),
    "route": Field(_("资格途径"), dict(Route.choices)),
    "number": Field(_("证书编号")),
    "certified_on": Field(_("发证日期")),
    "training_since": Field(_("从事创业培训起")),
    "state": Field(_("状态"), dict(QualificationState.choices)),
    "kind": Field(_("措施"), dict(MeasureKind.choices)),
    "institution": Field(_("机构编号")),
    "row": Field(_("依据"), dict(Ground.choices)),
    "since": Field(_("生效日期")),
    "deadline": Field(_("改正期限")),
    "announced": Field(_("全省通报")),
    "bureau": Field(_("决定机关的编号")),
    "ended_on": Field(_("解除日期")),
}


def register_differences(chain: str | None, using: str) -> list[Difference]:
    """Qualifications and measures that are not as they were entered. One query, none for a class."""
    if chain is not None and not chain.startswith(AREAS):
        return []
    return compare_by_query(_SCOPE, [_QUALIFICATION, _MEASURE], FIELDS, params={"chain": chain}, using=using)
