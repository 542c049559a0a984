"""Roles against the log: who may act as what, and where."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from accounts.states import Role
from audit.reconciliation import Compared, Difference, Field, compare_by_query

AREAS = ("person/", "account/")  # the chains that tell of accounts

_SCOPE = """
WITH account AS MATERIALIZED (
    SELECT u.id, coalesce('person/' || u.person_id, 'account/' || u.id) AS chain FROM accounts_user u
), entry AS MATERIALIZED (
    SELECT e.chain, e.seq, e.kind, e.facts, e.actor_id AS actor,
           concat_ws('/', e.facts->>'user', e.facts->>'role', coalesce(e.facts->>'institution', '-'),
                     coalesce(e.facts->>'bureau', '-')) AS role
      FROM audit_entry e
     WHERE e.kind IN ('role.granted', 'role.revoked', 'account.created')
       AND (%(chain)s::text IS NULL OR e.chain = %(chain)s)
)
"""
# A trainee's role opens nothing that their place on a roster does not, and has no entry. An operator from
# before theirs had one is borne out by the entry of the account, which nobody but the server makes by itself.
_MEMBERSHIP = Compared(
    _("账号的角色"),
    "accounts_membership",
    """
    SELECT chain, role, role, NULL::bigint, jsonb_build_object('user', user_id, 'role', name) FROM (
        SELECT a.chain, m.user_id, m.role AS name, concat_ws('/', m.user_id, m.role,
               coalesce(m.institution_id::text, '-'), coalesce(m.bureau_id::text, '-')) AS role
          FROM accounts_membership m JOIN account a ON a.id = m.user_id
         WHERE m.role <> 'trainee' AND (%(chain)s::text IS NULL OR a.chain = %(chain)s)
    ) AS held
    """,
    """
    SELECT chain, role, NULL::bigint, jsonb_build_object('user', facts->'user', 'role', facts->'role') FROM (
        SELECT DISTINCT ON (chain, role) chain, role, kind, facts
          FROM entry WHERE kind <> 'account.created' AND facts->>'role' <> 'trainee'
         ORDER BY chain, role, seq DESC
    ) AS last WHERE kind = 'role.granted'
     UNION
    SELECT a.chain, concat_ws('/', a.id, 'operator', '-', '-'), NULL,
           jsonb_build_object('user', a.id, 'role', 'operator')
      FROM accounts_membership m
      JOIN account a ON a.id = m.user_id
      JOIN entry e ON e.chain = a.chain AND e.kind = 'account.created' AND e.actor IS NULL
     WHERE m.role = 'operator' AND a.chain LIKE 'account/%%'
    """,
)
FIELDS: Mapping[str, Field] = {
    "user": Field(_("账号编号")),
    "role": Field(_("角色"), dict(Role.choices)),
}


def account_differences(chain: str | None, using: str) -> list[Difference]:
    """Roles that were given or taken past the log. One query, none for the chain of a class."""
    if chain is not None and not chain.startswith(AREAS):
        return []
    return compare_by_query(_SCOPE, [_MEMBERSHIP], FIELDS, params={"chain": chain}, using=using)
