"""One-time codes against the log: who was given one, by whom, and whether it was used."""

from collections.abc import Mapping

from django.db import DEFAULT_DB_ALIAS
from django.utils.translation import gettext_lazy as _

from audit.reconciliation import Compared, Difference, Field, compare_by_query

_SCOPE = """
WITH code AS MATERIALIZED (
    SELECT c.*, array_to_string((string_to_array(c.subject, '/'))[1:2], '/') AS chain
      FROM identity_onetimecode c
), entry AS MATERIALIZED (
    SELECT e.chain, e.kind, e.subject, e.facts, e.at, e.actor_id AS actor
      FROM audit_entry e
     WHERE e.kind IN ('code.issued', 'code.redeemed') AND (%(chain)s::text IS NULL OR e.chain = %(chain)s)
)
"""
_CODE = Compared(
    _("一次性验证码"),
    "identity_onetimecode",
    """
    SELECT chain, id::text, id, NULL::bigint, jsonb_build_object('person', person_id, 'subject', subject,
        'issued_by', issued_by_id, 'issued_at', issued_at, 'expires_at', expires_at,
        'redeemed_at', redeemed_at)
      FROM code WHERE %(chain)s::text IS NULL OR chain = %(chain)s
    """,
    """
    SELECT i.chain, i.facts->>'code', NULL::bigint, jsonb_build_object('person', i.facts->'person',
        'subject', i.subject, 'issued_by', i.actor, 'issued_at', i.at,
        'expires_at', (i.facts->>'expires_at')::timestamptz, 'redeemed_at', r.at)
      FROM entry i
      LEFT JOIN entry r ON r.kind = 'code.redeemed' AND r.chain = i.chain AND r.subject = i.subject
            AND r.facts->'code' = i.facts->'code' AND r.facts->'person' = i.facts->'person'
     WHERE i.kind = 'code.issued'
    """,
)
FIELDS: Mapping[str, Field] = {
    "person": Field(_("人员编号")),
    "subject": Field(_("用在哪里")),
    "issued_by": Field(_("发码人的账号编号")),
    "issued_at": Field(_("发码时间")),
    "expires_at": Field(_("有效到")),
    "redeemed_at": Field(_("使用时间")),
}


def code_differences(chain: str | None, using: str) -> list[Difference]:
    """One-time codes that are not as they were given or used. One query.

    Read over the application's own connection: the regulator's login reads no codes.
    """
    return compare_by_query(_SCOPE, [_CODE], FIELDS, params={"chain": chain}, using=DEFAULT_DB_ALIAS)
