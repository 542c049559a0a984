"""Money against the log: a claim with its lines, its notice, the objections to it and its decision."""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from itertools import groupby

from django.db import DEFAULT_DB_ALIAS, models
from django.db.models import F, OuterRef, QuerySet, Subquery, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Concat
from django.utils.translation import gettext_lazy as _

from audit.models import Entry
from audit.reconciliation import Compared, Difference, Field, difference
from classes import reconciliation
from subsidies.figures import lines_digest
from subsidies.models import Claim, ClaimLine
from subsidies.states import ClaimState, ObjectionState

FIELDS: Mapping[str, Field] = {
    **reconciliation.FIELDS,
    "claim": Field(_("状态"), dict(ClaimState.choices)),
    "heads": Field(_("人数")),
    "rate": Field(_("标准（元/人）")),
    "amount": Field(_("金额（元）")),
    "lines": Field(_("明细的摘要")),
    "odd": Field(_("金额不是标准的行")),
    "decided": Field(_("核定金额（元）")),
    "held": Field(_("不付的行")),
    "file": Field(_("申请表的摘要")),
    "created_at": Field(_("拟制时间")),
    "created_by": Field(_("拟制人的账号编号")),
    "opened_by": Field(_("公示人的账号编号")),
    "answered_at": Field(_("答复时间")),
    "answered_by": Field(_("答复人的账号编号")),
    "first_day": Field(_("公示首日")),
    "last_day": Field(_("公示末日")),
    "objection": Field(_("状态"), dict(ObjectionState.choices)),
    "line": Field(_("行")),
    "text": Field(_("内容的摘要")),
    "answer": Field(_("答复的摘要")),
}

_CLAIM = Compared(
    _("补贴申请"),
    "subsidies_claim",
    """
    SELECT c.chain, m.id::text, m.id, NULL::bigint, jsonb_build_object('number', m.number,
        'institution', m.institution_id, 'edition', m.edition, 'claim', m.state,
        'created_at', m.created_at, 'created_by', m.created_by_id, 'submitted_at', m.submitted_at,
        'reason', CASE WHEN m.reason <> '' THEN encode(sha256(convert_to(m.reason, 'UTF8')), 'hex') END)
      FROM subsidies_claim m JOIN class c ON c.id = m.training_class_id
    """,
    """
    SELECT e.chain, e.facts->>'claim', NULL::bigint, jsonb_build_object('number', e.facts->'number',
        'institution', c.institution_id, 'edition', e.facts->'edition', 'claim', s.state,
        'created_at', e.at, 'created_by', e.actor, 'submitted_at', s.submitted_at, 'reason', w.reason)
      FROM entry e
      JOIN class c ON c.chain = e.chain
      JOIN (SELECT DISTINCT ON (chain, facts->>'claim') chain, facts->>'claim' AS claim,
                   CASE kind WHEN 'claim.drawn_up' THEN 'draft'
                             WHEN 'claim.decided' THEN CASE WHEN (facts->>'approved')::boolean
                                                            THEN 'approved' ELSE 'rejected' END
                             ELSE split_part(kind, '.', 2) END AS state,
                   max(at) FILTER (WHERE kind = 'claim.submitted')
                       OVER (PARTITION BY chain, facts->>'claim') AS submitted_at
              FROM entry
             WHERE kind IN ('claim.drawn_up', 'claim.submitted', 'claim.returned', 'claim.noticed',
                            'claim.decided')
             ORDER BY chain, facts->>'claim', seq DESC) AS s
        ON s.chain = e.chain AND s.claim = e.facts->>'claim'
      -- the last word of the office; handing in again clears it
      LEFT JOIN (SELECT DISTINCT ON (chain, facts->>'claim') chain, facts->>'claim' AS claim,
                        facts->>'reason' AS reason
                   FROM entry WHERE kind IN ('claim.submitted', 'claim.returned', 'claim.decided')
                  ORDER BY chain, facts->>'claim', seq DESC) AS w
        ON w.chain = e.chain AND w.claim = e.facts->>'claim'
     WHERE e.kind = 'claim.drawn_up'
    """,
)
# A line that is left out is paid 0; the decision names those.
_DECISION = Compared(
    _("核定金额"),
    "subsidies_claim",
    """
    SELECT c.chain, m.id::text, m.id, NULL::bigint, jsonb_build_object(
        'decided', m.decided_amount::text, 'decided_at', m.decided_at, 'decided_by', m.decided_by_id,
        'held', (SELECT coalesce(jsonb_agg(l.n ORDER BY l.n), '[]') FROM subsidies_claimline l
                  WHERE l.claim_id = m.id AND coalesce(l.decided_amount, 0) = 0))
      FROM subsidies_claim m JOIN class c ON c.id = m.training_class_id
     WHERE m.decided_amount IS NOT NULL
        OR EXISTS (SELECT FROM subsidies_claimline l
                    WHERE l.claim_id = m.id AND l.decided_amount IS NOT NULL)
    """,
    """
    SELECT chain, facts->>'claim', NULL::bigint, jsonb_build_object(
        'decided', (facts->>'amount')::numeric(12, 2)::text, 'decided_at', at, 'decided_by', actor,
        'held', facts->'held_lines')
      FROM entry WHERE kind = 'claim.decided'
    """,
)
_EXPORT = Compared(
    _("申请表文件"),
    "subsidies_claim",
    """
    SELECT c.chain, m.id::text, m.id, NULL::bigint, jsonb_build_object('file', m.export_sha256)
      FROM subsidies_claim m JOIN class c ON c.id = m.training_class_id
     WHERE m.export_sha256 <> ''
    """,
    """
    SELECT chain, claim, NULL::bigint, jsonb_build_object('file', file) FROM (
        SELECT DISTINCT ON (chain, facts->>'claim') chain, facts->>'claim' AS claim, facts->'file' AS file
          FROM entry WHERE kind IN ('claim.redrawn', 'claim.exported')
         ORDER BY chain, facts->>'claim', seq DESC
    ) AS last WHERE file IS NOT NULL
    """,
)
_NOTICE = Compared(
    _("公示"),
    "subsidies_publicnotice",
    """
    SELECT c.chain, m.id::text, n.id, NULL::bigint, jsonb_build_object('first_day', n.first_day,
        'last_day', n.last_day, 'opened_at', n.opened_at, 'opened_by', n.opened_by_id)
      FROM subsidies_publicnotice n
      JOIN subsidies_claim m ON m.id = n.claim_id
      JOIN class c ON c.id = m.training_class_id
    """,
    """
    SELECT chain, facts->>'claim', NULL::bigint, jsonb_build_object('first_day', facts->'first_day',
        'last_day', facts->'last_day', 'opened_at', at, 'opened_by', actor)
      FROM entry WHERE kind = 'claim.noticed'
    """,
)
_OBJECTION = Compared(
    _("公示异议"),
    "subsidies_objection",
    """
    SELECT c.chain, o.id::text, o.id, NULL::bigint, jsonb_build_object('line', l.n,
        'text', encode(sha256(convert_to(o.text, 'UTF8')), 'hex'), 'objection', o.state,
        'answer', CASE WHEN o.answer <> '' THEN encode(sha256(convert_to(o.answer, 'UTF8')), 'hex') END,
        'answered_at', o.answered_at, 'answered_by', o.answered_by_id)
      FROM subsidies_objection o
      JOIN subsidies_publicnotice n ON n.id = o.notice_id
      JOIN subsidies_claim m ON m.id = n.claim_id
      JOIN class c ON c.id = m.training_class_id
      LEFT JOIN subsidies_claimline l ON l.id = o.line_id
    """,
    """
    SELECT e.chain, e.facts->>'objection', NULL::bigint, jsonb_build_object('line', e.facts->'line',
        'text', e.facts->'text', 'objection', CASE (a.facts->>'upheld')::boolean WHEN true THEN 'upheld'
            WHEN false THEN 'dismissed' ELSE 'open' END,
        'answer', a.facts->'answer', 'answered_at', a.at, 'answered_by', a.actor)
      FROM entry e
      LEFT JOIN entry a ON a.kind = 'objection.answered' AND a.chain = e.chain
            AND a.facts->>'objection' = e.facts->>'objection'
     WHERE e.kind = 'objection.lodged'
    """,
)
COMPARED = (_CLAIM, _DECISION, _EXPORT, _NOTICE, _OBJECTION)
KINDS = (
    "claim.drawn_up",
    "claim.redrawn",
    "claim.submitted",
    "claim.returned",
    "claim.noticed",
    "claim.decided",
    "claim.exported",
    "objection.lodged",
    "objection.answered",
)
_FIGURES = Compared(_("申请金额和明细"), "subsidies_claim", "", "")


def differing_claims(claims: Collection[Claim], *, using: str = DEFAULT_DB_ALIAS) -> set[int]:
    """Which of these claims show a figure, a day or a decision that the log does not bear out, by id.

    For lists: four queries for a page of them. What a claim rests on (seconds, results, the roster) is held
    against the log where the claim is opened, and before it is paid.
    """
    if not claims:
        return set()
    chains = {f"class/{claim.training_class_id}": claim.pk for claim in claims}
    return {chains[found.chain] for found in claim_differences(chains, using)}


def count_of_other_amounts(claims: QuerySet[Claim]) -> int:
    """How many of these claims ask for, or were granted, another amount than the log says; one query.

    For totals, which have no rows to mark.
    """
    subject = Concat(
        Value("class/"), "training_class_id", Value("/claim/"), "pk", output_field=models.CharField()
    )
    about = Entry.objects.using(claims.db).filter(subject=OuterRef("told_in")).order_by("-seq")
    amount = Cast(KT("facts__amount"), models.DecimalField(max_digits=12, decimal_places=2))
    nothing = Value(Decimal(-1))  # an amount is never less than 0

    def said(*kinds: str) -> Coalesce:
        return Coalesce(Subquery(about.filter(kind__in=kinds).values(said=amount)[:1]), nothing)

    told = (
        claims.order_by()
        .annotate(told_in=subject)
        .annotate(
            drawn_up=said("claim.drawn_up", "claim.redrawn"),
            granted=said("claim.decided"),
            granted_now=Coalesce("decided_amount", nothing),
        )
    )
    return told.exclude(amount=F("drawn_up"), granted_now=F("granted")).count()


def claim_differences(chain: str | Collection[str] | None, using: str) -> list[Difference]:
    """Rows of claims and notices that the log does not bear out. Four queries."""
    return [*reconciliation.compare(COMPARED, KINDS, FIELDS, chain, using), *_figures(chain, using)]


def _figures(chain: str | Collection[str] | None, using: str) -> list[Difference]:
    """Claims whose figures or lines are not those of the last drawing up.

    A line says its trainee, the seconds of the verdict, the certificate and its yuan; the public notice
    shows these same lines.
    """
    claims = Claim.objects.using(using).order_by("training_class_id")
    lines = ClaimLine.objects.using(using).select_related("verdict", "certificate").order_by("claim_id", "n")
    entries = Entry.objects.using(using).filter(kind__in=("claim.drawn_up", "claim.redrawn"))
    chains = reconciliation.chains_of(chain)
    if chains is not None:
        classes = [reconciliation.class_of(one) for one in chains]
        claims = claims.filter(training_class__in=classes)
        lines = lines.filter(claim__training_class__in=classes)
        entries = entries.filter(chain__in=chains)
    said = {entry.subject: entry.facts for entry in entries.order_by("chain", "seq")}
    lines_of = {pk: list(group) for pk, group in groupby(lines, key=lambda line: line.claim_id)}
    found = []
    for claim in claims:
        says: dict[str, object] = {
            "heads": claim.effective_trainees,
            "rate": f"{claim.rate:.2f}",
            "amount": f"{claim.amount:.2f}",
            "lines": digest_of_lines(lines_of.get(claim.pk, [])),
        }
        facts = said.get(claim.subject)
        recorded = {name: facts[name] for name in says} if facts else None
        if recorded:  # the digest says that lines differ, the rate says which: each is worth one
            says["odd"] = [
                line.n for line in lines_of.get(claim.pk, []) if f"{line.amount:.2f}" != recorded["rate"]
            ]
            recorded["odd"] = []
        if says != recorded:
            found.append(
                difference(
                    _FIGURES,
                    chain=f"class/{claim.training_class_id}",
                    key=str(claim.pk),
                    says=says,
                    recorded=recorded,
                    fields=FIELDS,
                    enrolment=None,
                )
            )
    return found


def digest_of_lines(lines: Iterable[ClaimLine]) -> str:
    """The digest that evidence keeps of the lines of a claim, in their order."""
    return lines_digest(
        (
            line.n,
            line.enrolment_id,
            line.verdict.credited_microseconds,
            line.certificate.number,
            f"{line.amount:.2f}",
        )
        for line in lines
    )
