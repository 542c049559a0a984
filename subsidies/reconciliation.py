"""Money against the log: exam, certificate, who the trainee is, and a claim with its lines."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby

from cryptography.exceptions import InvalidTag
from django.db import DEFAULT_DB_ALIAS
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import audit
from accounts import vault
from accounts.models import Person
from audit.models import Entry
from audit.reconciliation import Difference, compare_by_query
from classes.models import Enrolment
from classes.states import EnrolmentState
from subsidies.figures import lines_digest
from subsidies.models import Claim, ClaimLine

NAMES: dict[str, str | Promise] = {
    "attempt": gettext_lazy("结业考试成绩"),
    "certificate": gettext_lazy("合格证"),
    "decision": gettext_lazy("核定金额"),
}

_SQL = """
WITH told AS MATERIALIZED (
    SELECT chain, seq, kind, subject, facts FROM audit_entry
    WHERE (%(chain)s::text IS NULL OR chain = %(chain)s)
        AND kind IN ('exam.submitted', 'certificate.issued', 'certificate.revoked', 'claim.decided')
), trainee AS MATERIALIZED (
    SELECT e.id, 'class/' || e.training_class_id AS chain,
        'class/' || e.training_class_id || '/trainee/' || e.id AS subject
    FROM classes_enrolment e
    WHERE %(chain)s::text IS NULL OR 'class/' || e.training_class_id = %(chain)s
), compared AS (
    SELECT t.chain, 'exams_attempt' AS tbl, a.id AS key, 'attempt' AS what,
        concat_ws(' ', t.subject, a.number, a.points || '/' || x.total_points) AS says,
        concat_ws(' ', e.subject, e.facts->>'number', (e.facts->>'points') || '/' || (e.facts->>'total'))
            AS recorded,
        t.id AS enrolment
    FROM exams_attempt a
    JOIN exams_exam x ON x.id = a.exam_id
    JOIN trainee t ON t.id = a.enrolment_id
    LEFT JOIN told e ON e.kind = 'exam.submitted' AND e.chain = t.chain AND e.facts->>'attempt' = a.id::text
    WHERE a.state = 'submitted'
    UNION ALL
    SELECT t.chain, 'exams_certificate', c.id, 'certificate',
        concat_ws(' ', t.subject, c.number, c.issued_on, c.attempt_id, v.evidence_seq, c.state),
        CASE WHEN e.seq IS NOT NULL THEN concat_ws(' ', e.subject, e.facts->>'number',
            e.facts->>'issued_on', e.facts->>'attempt', e.facts->>'verdict_entry',
            CASE WHEN r.seq IS NULL THEN 'valid' ELSE 'revoked' END) END,
        t.id
    FROM exams_certificate c
    JOIN trainee t ON t.id = c.enrolment_id
    JOIN attendance_verdict v ON v.enrolment_id = c.verdict_id
    LEFT JOIN told e ON e.kind = 'certificate.issued' AND e.chain = t.chain
        AND e.facts->>'certificate' = c.id::text
    LEFT JOIN told r ON r.kind = 'certificate.revoked' AND r.chain = t.chain
        AND r.facts->>'certificate' = c.id::text
    UNION ALL
    SELECT 'class/' || m.training_class_id, 'subsidies_claim', m.id, 'decision',
        concat_ws(' ', m.state, m.decided_amount),
        CASE WHEN e.seq IS NOT NULL THEN concat_ws(' ',
            CASE WHEN (e.facts->>'approved')::boolean THEN 'approved' ELSE 'rejected' END,
            (e.facts->>'amount')::numeric(12, 2)) END,
        NULL
    FROM subsidies_claim m
    LEFT JOIN told e ON e.kind = 'claim.decided' AND e.facts->>'claim' = m.id::text
        AND e.chain = 'class/' || m.training_class_id
    WHERE (%(chain)s::text IS NULL OR 'class/' || m.training_class_id = %(chain)s)
        AND (m.decided_amount IS NOT NULL OR e.seq IS NOT NULL)
)
SELECT chain, tbl, key, what, says, recorded, enrolment FROM compared
WHERE says IS DISTINCT FROM recorded
ORDER BY chain, what, key
"""


def claim_differences(chain: str | None, using: str) -> list[Difference]:
    """Rows of exams, certificates, the roster and the claim that the log does not bear out. Five queries."""
    return [
        *compare_by_query(_SQL, NAMES, chain, using),
        *_identities(chain),
        *_claims(chain, using),
    ]


def _class_of(chain: str) -> int:
    """The class of `class/12`; 0 for other chains, which no class has."""
    area, _slash, number = chain.partition("/")
    return int(number) if area == "class" and number.isdecimal() else 0


def _identities(chain: str | None) -> list[Difference]:
    """Trainees whose name, ID number or category is not what was committed to when they were enrolled.

    Read over the application's own connection: the regulator's login reads no sealed column.
    """
    enrolments = Enrolment.objects.using(DEFAULT_DB_ALIAS).filter(state=EnrolmentState.ACTIVE)
    entries = Entry.objects.using(DEFAULT_DB_ALIAS).filter(
        kind__in=("roster.imported", "roster.trainee_added")
    )
    if chain is not None:
        enrolments, entries = enrolments.filter(training_class=_class_of(chain)), entries.filter(chain=chain)
    committed: dict[str, set[str]] = defaultdict(set)
    for name, facts in entries.values_list("chain", "facts"):
        committed[name].update(facts.get("commitments", ()))
        if commitment := facts.get("commitment"):
            committed[name].add(commitment)
    return [
        Difference(
            chain=f"class/{enrolment.training_class_id}",
            row=f"classes_enrolment/{enrolment.pk}",
            what=_("学员的姓名、身份证号和类别"),
            says=_("现在的登记"),
            recorded=_("编入时的登记"),
            enrolment=enrolment.pk,
        )
        for enrolment in enrolments.select_related("person").order_by("training_class_id", "pk")
        if _commitment(enrolment) not in committed[f"class/{enrolment.training_class_id}"]
    ]


def _commitment(enrolment: Enrolment) -> str | None:
    """The commitment to what the row says now; None where its seals do not open."""
    person: Person = enrolment.person
    try:
        salt = vault.unseal(enrolment.commitment_salt_sealed, context=Enrolment.SALT_CONTEXT)
        number = person.open_id_number()
    except (InvalidTag, ValueError):
        return None
    return audit.commit("\n".join([number, person.name, enrolment.category]), salt=salt)


def _claims(chain: str | None, using: str) -> list[Difference]:
    """Claims whose figures or lines are not those of the last drawing up."""
    claims = Claim.objects.using(using).order_by("training_class_id")
    lines = ClaimLine.objects.using(using).select_related("verdict", "certificate").order_by("claim_id", "n")
    entries = Entry.objects.using(using).filter(kind__in=("claim.drawn_up", "claim.redrawn"))
    if chain is not None:
        claims = claims.filter(training_class=_class_of(chain))
        lines = lines.filter(claim__training_class=_class_of(chain))
        entries = entries.filter(chain=chain)
    said = {entry.subject: entry.facts for entry in entries.order_by("chain", "seq")}
    lines_of = {pk: list(group) for pk, group in groupby(lines, key=lambda line: line.claim_id)}
    found = []
    for claim in claims:
        facts = said.get(claim.subject)
        mine = lines_of.get(claim.pk, [])
        figures = (
            f"{claim.effective_trainees} × {claim.rate:.2f} = {claim.amount:.2f} {digest_of_lines(mine)[:12]}"
        )
        recorded = (
            f"{facts['heads']} × {facts['rate']} = {facts['amount']} {facts['lines'][:12]}" if facts else ""
        )
        if figures != recorded:
            found.append(
                Difference(
                    chain=f"class/{claim.training_class_id}",
                    row=f"subsidies_claim/{claim.pk}",
                    what=_("申请金额和明细"),
                    says=figures,
                    recorded=recorded,
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
