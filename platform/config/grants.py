"""What each database login may do to which table (docs/decisions/0003-database-roles.md).

Given by the owner after migrations (`manage.py prepare_database`): a new table has no grants until then, so a
forgotten run is a loud "permission denied", never a silent permission.
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

APP = "yuchuang_app"
SUPERVISION = "yuchuang_supervision"
LOOKS = "yuchuang_looks"

# Rows that are written once. Triggers refuse changes too; here the login cannot even try.
APPEND_ONLY = (
    "audit_*",
    "supervision_*",
    "live_presenceinterval",
    "attendance_checktarget",
    "attendance_checkanswer",
    "attendance_unitcredit",
    "attendance_watchedstretch",
    "attendance_verdict",
    "attendance_lossreview",
    "subsidies_remark",
)
# What a regulator's login cannot read: faces, keys, secrets of a session, counters against guessing.
HIDDEN_FROM_SUPERVISION = (
    "identity_*",
    "accounts_activation",
    "classes_calendarfeed",
    "authtoken_*",
    "django_session",
    "axes_*",
    "recruitment_*",
    "registers_documentfile",
    "registers_documentkey",
)
# Columns that it cannot read in whatever table: hashes of passwords, what is sealed, and what finds a sealed
# number again. A table that has one is granted column by column.
HIDDEN_COLUMNS = ("password", "*_sealed", "id_number_index", "phone_index")
# Consent is a fact that a regulator may check; the template behind it is not.
# So are what a school recruits for and its events; applicants and their documents are not.
SHOWN_TO_SUPERVISION = ("identity_consent*", "recruitment_campaign", "recruitment_offlineevent")
LOOK = "supervision_look"


def grant_roles(connection: BaseDatabaseWrapper) -> dict[str, dict[str, str]]:
    """Set every login's grants on every table of schema public, in one transaction; idempotent.

    `connection` must be the owner's. Returns {table: {login: privileges}} as granted.
    """
    granted: dict[str, dict[str, str]] = {}
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(
            "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname = 'public' and c.relkind in ('r', 'p', 'v', 'm') order by 1"
        )
        tables = [name for (name,) in cursor.fetchall()]
        for login in (APP, SUPERVISION, LOOKS):
            name = sql.Identifier(login)
            for kind in ("TABLES", "SEQUENCES"):
                cursor.execute(
                    sql.SQL("REVOKE ALL ON ALL {} IN SCHEMA public FROM {}").format(sql.SQL(kind), name)
                )
        cursor.execute(
            sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(sql.Identifier(APP))
        )
        cursor.execute(
            "select table_name, array_agg(column_name::text order by ordinal_position)"
            " from information_schema.columns where table_schema = 'public' group by 1"
        )
        columns: dict[str, list[str]] = dict(cursor.fetchall())
        for table in tables:
            granted[table] = privileges(table, columns.get(table, ()))
            for login, allowed in granted[table].items():
                cursor.execute(
                    sql.SQL("GRANT {} ON public.{} TO {}").format(
                        sql.SQL(allowed), sql.Identifier(table), sql.Identifier(login)
                    )
                )
    return granted


def privileges(table: str, columns: Sequence[str] = ()) -> dict[str, str]:
    """Return {login: privileges} for one table with these columns, in the words of GRANT."""
    allowed = {APP: "SELECT, INSERT" if _matches(table, APPEND_ONLY) else "SELECT, INSERT, UPDATE, DELETE"}
    if table == "django_migrations":
        allowed[APP] = "SELECT"  # only the owner migrates
    if _matches(table, SHOWN_TO_SUPERVISION) or not _matches(table, HIDDEN_FROM_SUPERVISION):
        shown = [f'"{column}"' for column in columns if not is_hidden_column(column)]
        allowed[SUPERVISION] = f"SELECT ({', '.join(shown)})" if len(shown) < len(columns) else "SELECT"
    if table == LOOK:
        allowed[LOOKS] = "INSERT, SELECT (id)"  # Django's INSERT returns the id
    return allowed


def is_hidden_column(name: str) -> bool:
    """Whether the supervision login cannot read columns of this name."""
    return _matches(name, HIDDEN_COLUMNS)


def _matches(table: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(table, pattern) for pattern in patterns)
