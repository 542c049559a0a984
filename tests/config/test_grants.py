"""The logins can do what they should and nothing else (docs/decisions/0003-database-roles.md)."""

import pytest
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import ProgrammingError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from accounts.models import Person, Region, User
from config.grants import APP, LOOKS, SUPERVISION, grant_roles, privileges


def rows(alias: str, query: str) -> list[tuple[object, ...]]:
    with connections[alias].cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def refused(using: BaseDatabaseWrapper, statement: str) -> None:
    """The database itself says no, and says why."""
    with (
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
        transaction.atomic(using=using.alias),
        using.cursor() as cursor,
    ):
        cursor.execute(statement)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("classes_trainingclass", {APP: "SELECT, INSERT, UPDATE, DELETE", SUPERVISION: "SELECT"}),
        ("audit_entry", {APP: "SELECT, INSERT", SUPERVISION: "SELECT"}),
        ("supervision_look", {APP: "SELECT, INSERT", SUPERVISION: "SELECT", LOOKS: "INSERT, SELECT (id)"}),
        ("identity_facetemplate", {APP: "SELECT, INSERT, UPDATE, DELETE"}),
        ("identity_of_a_table_to_come", {APP: "SELECT, INSERT, UPDATE, DELETE"}),
        ("django_session", {APP: "SELECT, INSERT, UPDATE, DELETE"}),
        ("authtoken_token", {APP: "SELECT, INSERT, UPDATE, DELETE"}),
        ("django_migrations", {APP: "SELECT", SUPERVISION: "SELECT"}),
    ],
)
def test_each_table_is_granted_by_what_it_holds(table, expected):
    assert privileges(table) == expected


@pytest.mark.django_db
def test_tests_work_as_the_application_login():
    assert rows("default", "select current_user") == [(APP,)]


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["audit_entry", "audit_root", "supervision_look"])
def test_the_application_cannot_even_try_to_change_what_only_grows(table):
    refused(connection, f"update {table} set id = id")
    refused(connection, f"delete from {table}")
    refused(connection, f"truncate {table} cascade")


@pytest.mark.django_db
def test_the_application_cannot_change_the_schema():
    refused(connection, "alter table audit_entry disable trigger all")
    refused(connection, "drop table audit_entry")
    refused(connection, "create table public.mine (i int)")


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_supervision_reads_and_cannot_write():
    supervision = connections["supervision"]
    assert rows("supervision", "select current_user, current_setting('default_transaction_read_only')") == [
        (SUPERVISION, "on")
    ]
    assert rows("supervision", "select count(*) from accounts_region") == [(Region.objects.count(),)]
    with pytest.raises(Exception, match="read-only transaction"), supervision.cursor() as cursor:
        cursor.execute("insert into accounts_region default values")
    # Switching the session's default off does not help: the grants are missing too.
    with supervision.cursor() as cursor:
        cursor.execute("set default_transaction_read_only = off")
    refused(supervision, "delete from accounts_region")
    supervision.close()


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize("table", ["django_session", "authtoken_token", "axes_accessattempt"])
def test_supervision_cannot_read_secrets(table):
    refused(connections["supervision"], f"select count(*) from {table}")
    connections["supervision"].close()


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_no_face_template_is_readable_by_supervision():
    hidden = [
        table
        for table in connection.introspection.table_names()
        if table.startswith("identity_") and "consent" not in table
    ]
    assert hidden
    for table in hidden:
        refused(connections["supervision"], f'select count(*) from "{table}"')
    connections["supervision"].close()


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_the_login_for_looks_can_only_add_looks():
    looks = connections["looks"]
    refused(looks, "select * from supervision_look")
    refused(looks, "update supervision_look set id = id")
    refused(looks, "delete from supervision_look")
    refused(looks, "select count(*) from accounts_region")
    looks.close()


SECRETS = {
    "accounts_user": ["password"],
    "accounts_person": ["id_number_sealed", "id_number_index", "phone_sealed"],
    "classes_enrolment": ["commitment_salt_sealed"],
    "subsidies_objection": ["contact_sealed"],
}


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize(("table", "column"), [(t, column) for t, them in SECRETS.items() for column in them])
def test_supervision_reads_a_person_without_what_is_sealed(table: str, column: str):
    supervision = connections["supervision"]
    refused(supervision, f"select {column} from {table}")
    refused(supervision, f"select * from {table}")
    refused(supervision, f"select id from {table} where {column} is not null")
    refused(supervision, f"select {table}::text from {table}")
    assert rows("supervision", f"select id from {table} where id < 0") == []
    supervision.close()


@pytest.mark.django_db
def test_every_column_that_is_sealed_or_a_password_is_hidden():
    """Whatever is kept as bytes is a secret, but for what opens the room's own log to its readers."""
    query = (
        "select table_name, column_name from information_schema.columns where table_schema = 'public'"
        " and (data_type = 'bytea' or column_name = 'password')"
        f" and has_column_privilege('{SUPERVISION}', table_name::text, column_name, 'select')"
    )
    assert rows("default", query) == [("live_roomevent", "salt")]


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_accounts_and_people_are_read_over_it_without_asking_for_what_is_hidden():
    person = Person(name="张三", name_pinyin="zhang san", id_number_masked="4101**********0000")
    person.id_number_sealed = person.id_number_index = b"sealed"
    person.save()
    User.objects.create_user("zhangsan", person=person)
    [read] = User.objects.using("supervision").select_related("person")
    assert (read.username, str(read)) == ("zhangsan", "张三")
    assert read.get_deferred_fields() == {"password"}
    assert read.person is not None
    assert read.person.get_deferred_fields() == {"id_number_sealed", "id_number_index", "phone_sealed"}
    with pytest.raises(ProgrammingError, match="permission denied"):
        _ = read.password
    connections["supervision"].close()


TABLES = "from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace"


@pytest.mark.django_db
def test_every_table_is_usable_by_the_application():
    query = f"select relname {TABLES} and not has_table_privilege('{APP}', oid, 'select, insert')"
    assert rows("default", f"{query} and relname <> 'django_migrations'") == []
    assert len(rows("default", f"select oid {TABLES}")) > 20


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_granting_again_changes_nothing():
    rights = f"select relname, relacl::text {TABLES} order by 1"
    before = rows("default", rights)
    grant_roles(connections["owner"])
    connections["owner"].close()
    assert rows("default", rights) == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("run", ["first", "second"])
def test_tables_are_emptied_after_each_test_and_what_migrations_wrote_is_back(run):
    """The second run sees what the first left behind, were it left behind."""
    assert not Session.objects.exists()
    assert ContentType.objects.filter(app_label="accounts", model="region").exists()
    assert Region.objects.count() > 18
    Session.objects.create(session_key=run, session_data="", expire_date=timezone.now())
    ContentType.objects.filter(app_label="sessions").delete()
