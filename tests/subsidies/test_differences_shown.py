"""A figure changed past the log is said to be so wherever it is shown, and nothing is paid on it."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from audit.models import Entry
from exams.actions.certificates import print_pdf
from policy.refusals import Refusal
from subsidies.actions.claims import decide_claim
from subsidies.actions.exports import take_export, write_export
from subsidies.models import Claim, PublicNotice
from subsidies.reconciliation import differing_claims
from tests.cast import client_of

pytestmark = pytest.mark.django_db

LINE = "update subsidies_claimline set amount = 400 where n = 2"
TOTAL = (
    "update subsidies_claim set rate = 400, amount = effective_trainees * 400;"
    "update subsidies_claimline set amount = 400"
)
NOTE = "和留痕不一致"
MARK = "与留痕不一致"  # on a row of a list


def attack(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select current_user")
        assert cursor.fetchone() == ("yuchuang_app",)
        cursor.execute(sql)


def read(client: Client, name: str, *args: Any) -> str:
    answer = client.get(reverse(name, args=args))
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("sql", [LINE, TOTAL], ids=["line", "total"])
def test_the_claim_and_every_step_show_both_figures(
    notice: PublicNotice, manager: User, officer: User, sql: str
):
    pk = notice.claim_id
    for user in (manager, officer):
        assert NOTE not in read(client_of(user), "subsidies:claim", pk)
    attack(sql)
    for user in (manager, officer):
        content = read(client_of(user), "subsidies:claim", pk)
        assert NOTE in content
        assert "申请金额和明细" in content
    content = read(client_of(officer), "subsidies:decide", pk)
    assert NOTE in content


def test_the_lines_that_are_not_worth_the_rate_are_named(notice: PublicNotice, manager: User):
    attack(LINE)
    [found] = client_of(manager).get(f"/api/v1/claims/{notice.claim_id}/").json()["differences"]
    assert "金额不是标准的行 2" in found["says"]
    assert "金额不是标准的行 没有" in found["recorded"]
    attack(TOTAL)
    [found] = client_of(manager).get(f"/api/v1/claims/{notice.claim_id}/").json()["differences"]
    assert "金额（元） 1200.00" in found["says"]
    assert "金额（元） 600.00" in found["recorded"]


@pytest.mark.parametrize("sql", [LINE, TOTAL], ids=["line", "total"])
def test_the_public_is_told_not_to_rely_on_the_notice(notice: PublicNotice, sql: str):
    address = reverse("subsidies:notice", args=[notice.pk])
    assert NOTE not in Client().get(address).content.decode()
    assert Client().get(f"/api/v1/notices/{notice.pk}/").json()["differences"] == []
    attack(sql)
    content = Client().get(address).content.decode()
    assert NOTE in content
    assert "申请金额和明细" in content
    assert Client().get(f"/api/v1/notices/{notice.pk}/").json()["differences"] == ["申请金额和明细"]


def test_the_public_reads_nothing_of_whose_row_it_was(notice: PublicNotice):
    line = notice.claim.lines.get(n=1)
    attack("update exams_attempt set points = 44")
    content = Client().get(reverse("subsidies:notice", args=[notice.pk])).content.decode()
    assert "结业考试成绩" in content
    assert "得分" not in content
    assert line.enrolment.person.name not in content


def test_the_api_says_so_and_is_empty_otherwise(notice: PublicNotice, manager: User):
    client = client_of(manager)
    address = f"/api/v1/claims/{notice.claim_id}/"
    assert client.get(address).json()["differences"] == []
    attack(LINE)
    [found] = client.get(address).json()["differences"]
    assert (found["row"], found["code"]) == (f"subsidies_claim/{notice.claim_id}", "differs")


@pytest.mark.parametrize("sql", [LINE, TOTAL], ids=["line", "total"])
def test_nothing_is_paid_on_it_and_it_can_still_be_rejected(
    notice: PublicNotice, officer: User, over: Any, sql: str
):
    claim = notice.claim
    write_export(claim_id=claim.pk, at=over)
    attack(sql)
    entries = Entry.objects.count()
    for act in (
        lambda: decide_claim(actor=officer, claim=claim, approved=True, reason="", at=over),
        lambda: take_export(actor=officer, claim=claim, at=over),
    ):
        with transaction.atomic(), pytest.raises(Refusal) as refused:
            act()
        assert refused.value.code == "evidence_differs"
    assert Entry.objects.count() == entries
    assert Claim.objects.get().decided_amount is None
    decide_claim(actor=officer, claim=claim, approved=False, reason="金额和留痕不一致。", at=over)
    assert Claim.objects.get().decided_amount == 0


def test_no_table_is_written_from_forged_figures(notice: PublicNotice, over: Any):
    attack(TOTAL)
    with transaction.atomic(), pytest.raises(Refusal) as refused:
        write_export(claim_id=notice.claim_id, at=over)
    assert refused.value.code == "evidence_differs"
    assert not Claim.objects.get().export


def test_the_table_speaks_to_people_and_stacks_on_a_phone(notice: PublicNotice, manager: User):
    attack("update exams_attempt set points = 44")
    content = read(client_of(manager), "subsidies:claim", notice.claim_id)
    for words in ("哪一项", "现在的数据", "留痕记的", "结业考试成绩", "得分 44", "得分 43"):
        assert words in content
    assert "exams_attempt" not in content
    assert 'data-label="现在的数据"' in content


@pytest.mark.parametrize("sql", [LINE, TOTAL], ids=["line", "total"])
def test_a_list_marks_the_row_at_the_same_number_of_queries(
    notice: PublicNotice, manager: User, officer: User, sql: str
):
    readers = [(client_of(user), "subsidies:list") for user in (manager, officer)]
    readers.append((Client(), "subsidies:notices"))
    asked = []
    for client, name in readers:
        with CaptureQueriesContext(connection) as before:
            assert MARK not in read(client, name)
        asked.append(len(before))
    attack(sql)
    for (client, name), count in zip(readers, asked, strict=True):
        with CaptureQueriesContext(connection) as after:
            assert read(client, name).count(MARK) == 1
        assert len(after) == count


@pytest.mark.parametrize("path", ["/api/v1/claims/", "/api/v1/notices/"])
def test_the_lists_of_the_api_say_which_row_differs(notice: PublicNotice, manager: User, path: str):
    client = client_of(manager)
    assert [row["differs"] for row in client.get(path).json()["results"]] == [False]
    attack(LINE)
    assert [row["differs"] for row in client.get(path).json()["results"]] == [True]


@pytest.mark.parametrize(
    "sql",
    [
        "update subsidies_publicnotice set last_day = last_day - 3",
        "update subsidies_claim set submitted_at = submitted_at - interval '1 day'",
    ],
    ids=["days", "submission"],
)
def test_days_that_were_moved_are_marked_too(notice: PublicNotice, sql: str):
    assert differing_claims([notice.claim]) == set()
    attack(sql)
    assert differing_claims([notice.claim]) == {notice.claim_id}
    assert differing_claims([]) == set()


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_the_regulators_list_marks_the_row_over_its_own_login(notice: PublicNotice, regulator: User):
    client = client_of(regulator)
    assert MARK not in read(client, "supervision:claims")
    attack(LINE)
    assert read(client, "supervision:claims").count(MARK) == 1
    [row] = client.get("/api/v1/supervision/claims/").json()["results"]
    assert row["differs"] is True


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize(
    "sql",
    [
        TOTAL,
        "update subsidies_claim set decided_amount = 500",
    ],
    ids=["asked", "granted"],
)
def test_the_regulators_totals_say_that_an_amount_differs(
    notice: PublicNotice, officer: User, regulator: User, over: Any, sql: str
):
    client = client_of(regulator)
    if "decided" in sql:
        decide_claim(actor=officer, claim=notice.claim, approved=False, reason="不符合要求。", at=over)
    assert NOTE not in read(client, "supervision:home")
    assert client.get("/api/v1/supervision/figures/").json()["claims_differing"] == 0
    attack(sql)
    assert "有 1 份补贴申请的金额和留痕不一致" in read(client, "supervision:home")
    assert client.get("/api/v1/supervision/figures/").json()["claims_differing"] == 1


@pytest.mark.parametrize(
    "sql",
    ["update exams_certificate set issued_on = '2020-01-01'", "update exams_attempt set points = 44"],
    ids=["certificate", "exam"],
)
def test_a_certificate_that_differs_is_not_called_valid(notice: PublicNotice, sql: str):
    number = notice.claim.lines.get(n=1).certificate.number
    page, api = f"{reverse('certificates:check')}?number={number}", f"/api/v1/certificates/{number}/verify/"
    assert "证书有效" in Client().get(page).content.decode()
    body = Client().get(api).json()
    assert (body["state"], body["differences"]) == ("valid", [])
    attack(sql)
    content = Client().get(page).content.decode()
    assert "请不要以它为准" in content
    assert "证书有效" not in content
    assert "怎么证明没被改过" not in content
    body = Client().get(api).json()
    assert body["state"] == "differs"
    assert body["differences"] == ["合格证" if "certificate" in sql else "结业考试成绩"]


def test_the_number_on_the_paper_leads_to_the_certificate_whatever_the_row_says(notice: PublicNotice):
    number = notice.claim.lines.get(n=1).certificate.number
    page, api = f"{reverse('certificates:check')}?number={number}", f"/api/v1/certificates/{number}/verify/"
    attack(f"update exams_certificate set number = '41012026999999' where number = '{number}'")
    assert "请不要以它为准" in Client().get(page).content.decode()
    body = Client().get(api).json()
    assert (body["number"], body["state"], body["differences"]) == (
        number,
        "differs",
        ["合格证", "申请金额和明细"],
    )
    attack(
        "delete from subsidies_objection; delete from subsidies_claimline;"
        " delete from exams_certificate where number = '41012026999999'"
    )
    for address in (page, api):
        gone = Client().get(address)
        assert gone.status_code == 409
        assert "现在数据库里没有" in gone.content.decode()
    assert Client().get("/api/v1/certificates/41012026999998/verify/").status_code == 404


def test_the_file_of_a_certificate_that_differs_is_not_handed_out(notice: PublicNotice, manager: User):
    certificate = notice.claim.lines.get(n=1).certificate
    print_pdf(certificate_id=certificate.pk, at=certificate.issued_at)
    address = reverse("certificates:pdf", args=[certificate.pk])
    assert client_of(manager).get(address)["Content-Type"] == "application/pdf"
    attack("update exams_certificate set issued_on = '2020-01-01'")
    answer = client_of(manager).get(address)
    assert answer.status_code == 409
    assert NOTE in answer.content.decode()


@pytest.mark.parametrize(
    "sql",
    [
        "update exams_exam set total_points = 1",
        "update exams_certificate set number = '41012026999999' where",
    ],
    ids=["total", "number"],
)
def test_the_pages_of_exam_and_times_show_what_differs(notice: PublicNotice, manager: User, sql: str):
    line = notice.claim.lines.get(n=1)
    pk = notice.claim.training_class_id
    pages = [("exams:class", pk), ("attendance:trainee", line.enrolment_id)]
    for name, argument in pages:
        assert NOTE not in read(client_of(manager), name, argument)
    attack(f"{sql} id = {line.certificate_id}" if sql.endswith("where") else sql)
    for name, argument in pages:
        assert NOTE in read(client_of(manager), name, argument)
    assert client_of(manager).get(f"/api/v1/classes/{pk}/completions/").status_code == 200


def test_concluding_once_more_says_that_it_was_done_before(notice: PublicNotice, manager: User):
    address = reverse("exams:conclude", args=[notice.claim.training_class_id])
    answer = client_of(manager).post(address, follow=True)
    content = answer.content.decode()
    assert "以前已经结班" in content
    assert "结班了，发放" not in content
