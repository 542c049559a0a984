"""The logins can do what they should and nothing else."""

import pytest
from django.db import ProgrammingError, connection, connections


@pytest.mark.django_db
def test_tests_work_as_the_application_login():
    with connection.cursor() as cursor:
        cursor.execute("select current_user")
        assert cursor.fetchone() == ("yuchuang_app",)


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_supervision_login_reads_and_cannot_write():
    with connections["supervision"].cursor() as cursor:
        cursor.execute("select current_user, current_setting('default_transaction_read_only')")
        assert cursor.fetchone() == ("yuchuang_supervision", "on")
        cursor.execute("select count(*) from django_content_type")
        with pytest.raises(ProgrammingError):
            cursor.execute("select count(*) from django_session")
