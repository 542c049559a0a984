"""Roles against the log: who may act as what, and where."""

from collections.abc import Mapping

from django.db import DEFAULT_DB_ALIAS
from django.utils.translation import gettext_lazy as _

from accounts.actions import account_subject
from accounts.models import User
from accounts.states import Role
from audit.reconciliation import Compared, Difference, Field, compare_by_query
from policy.messages import gettext_noop
from policy.refusals import Refusal

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
# An operator's or a trainee's role from before theirs had an entry is borne out by the entry of the account:
# one that nobody ordered is made by the server for an operator, and with a place on a roster for a trainee.
_MEMBERSHIP = Compared(
    _("账号的角色"),
    "accounts_membership",
    """
    SELECT chain, role, role, NULL::bigint, jsonb_build_object('user', user_id, 'role', name) FROM (
        SELECT a.chain, m.user_id, m.role AS name, concat_ws('/', m.user_id, m.role,
               coalesce(m.institution_id::text, '-'), coalesce(m.bureau_id::text, '-')) AS role
          FROM accounts_membership m JOIN account a ON a.id = m.user_id
         WHERE %(chain)s::text IS NULL OR a.chain = %(chain)s
    ) AS held
    """,
    """
    SELECT chain, role, NULL::bigint, jsonb_build_object('user', facts->'user', 'role', facts->'role') FROM (
        SELECT DISTINCT ON (chain, role) chain, role, kind, facts
          FROM entry WHERE kind <> 'account.created'
         ORDER BY chain, role, seq DESC
    ) AS last WHERE kind = 'role.granted'
     UNION
    SELECT a.chain, concat_ws('/', a.id, m.role, '-', '-'), NULL,
           jsonb_build_object('user', a.id, 'role', m.role)
      FROM accounts_membership m
      JOIN account a ON a.id = m.user_id
      JOIN entry e ON e.chain = a.chain AND e.kind = 'account.created' AND e.actor IS NULL
           AND e.facts->'user' = to_jsonb(a.id)
     WHERE m.role = 'operator' AND a.chain LIKE 'account/%%'
        OR m.role = 'trainee' AND a.chain LIKE 'person/%%'
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


def require_roles_on_record(user: User, *, rule: str) -> None:
    """Let nobody decide by a role that was put in past the log. One query.

    Raises Refusal `role_not_on_record` (403) where the log does not bear out every role of the account.
    """
    differ = account_differences(account_subject(user), DEFAULT_DB_ALIAS)
    if differ:
        raise Refusal(
            "role_not_on_record",
            gettext_noop("账号的角色和留痕不一致，不能办理。%(first)s"),
            found=differ[0].says or None,
            required=differ[0].recorded or None,
            rule=rule,
            params={"first": differ[0].sentence},
            next_step=gettext_noop("请联系平台运营核对这个账号的授权。"),
            status=403,
        )
