"""Roles against the log: who may act as what, and where."""

from collections.abc import Mapping

from django.db import DEFAULT_DB_ALIAS
from django.utils.translation import gettext_lazy as _

from accounts.actions import account_subject
from accounts.models import User
from accounts.states import Department, Role
from audit.reconciliation import Compared, Difference, Field, compare_by_query
from policy.messages import gettext_noop
from policy.refusals import Refusal

AREAS = ("person/", "account/")  # the chains that tell of accounts
BODIES = ("institution/", "bureau/")

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
_BODY_SCOPE = """
WITH entry AS MATERIALIZED (
    SELECT e.chain, e.seq, e.kind, e.facts FROM audit_entry e
     WHERE e.kind IN ('institution.registered', 'institution.changed', 'bureau.registered', 'bureau.renamed')
       AND (%(chain)s::text IS NULL OR e.chain = %(chain)s)
), last AS MATERIALIZED (
    SELECT DISTINCT ON (chain) chain, kind, facts FROM entry ORDER BY chain, seq DESC
)
"""
_INSTITUTION = Compared(
    _("定点机构的登记"),
    "accounts_institution",
    """
    SELECT 'institution/' || i.id, i.id::text, i.id, NULL::bigint, jsonb_build_object(
        'credit_code', i.credit_code, 'region', i.region_id,
        'designated_from', i.designated_from, 'designated_until', i.designated_until)
      FROM accounts_institution i
     WHERE %(chain)s::text IS NULL OR %(chain)s = 'institution/' || i.id
    """,
    """
    SELECT r.chain, split_part(r.chain, '/', 2), NULL::bigint, jsonb_build_object(
        'credit_code', r.facts->'credit_code', 'region', l.facts->'region',
        'designated_from', l.facts->'designated_from', 'designated_until', l.facts->'designated_until')
      FROM entry r JOIN last l ON l.chain = r.chain
     WHERE r.kind = 'institution.registered'
    """,
)
# An office from before its entry had evidence is not compared; who acts for it is.
_BUREAU = Compared(
    _("管理部门的登记"),
    "accounts_bureau",
    """
    SELECT l.chain, b.id::text, b.id, NULL::bigint, jsonb_build_object(
        'name', b.name, 'department', b.department, 'region', b.region_id)
      FROM accounts_bureau b JOIN last l ON l.chain = 'bureau/' || b.id
    """,
    """
    SELECT chain, split_part(chain, '/', 2), NULL::bigint, jsonb_build_object(
        'name', facts->'name', 'department', facts->'department', 'region', facts->'region')
      FROM last WHERE kind LIKE 'bureau.%%'
    """,
)
FIELDS: Mapping[str, Field] = {
    "credit_code": Field(_("统一社会信用代码")),
    "region": Field(_("地区代码")),
    "designated_from": Field(_("定点起")),
    "designated_until": Field(_("定点止")),
    "name": Field(_("名称")),
    "department": Field(_("部门"), dict(Department.choices)),
    "user": Field(_("账号编号")),
    "role": Field(_("角色"), dict(Role.choices)),
}


def account_differences(chain: str | None, using: str) -> list[Difference]:
    """Roles that were given or taken past the log. One query, none for the chain of a class."""
    if chain is not None and not chain.startswith(AREAS):
        return []
    return compare_by_query(_SCOPE, [_MEMBERSHIP], FIELDS, params={"chain": chain}, using=using)


def body_differences(chain: str | None, using: str) -> list[Difference]:
    """Institutions and offices that are not as they were registered: where, designated how long (I1, Q9). One
    query, none for the chain of anything else.
    """
    if chain is not None and not chain.startswith(BODIES):
        return []
    return compare_by_query(
        _BODY_SCOPE, [_INSTITUTION, _BUREAU], FIELDS, params={"chain": chain}, using=using
    )


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
