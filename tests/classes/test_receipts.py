"""Receipts: previewed row by row, applied whole or not at all, by an office alone."""

import datetime
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import Http404
from django.urls import reverse
from openpyxl import load_workbook

from accounts.actions import grant_role, record_membership
from accounts.models import Bureau, Region, User
from audit.models import Entry
from audit.reconciliation import differences
from classes import actions
from classes.models import Filing
from classes.packages import FILING_RECEIPT, RECEIPT_SHEET
from classes.states import ClassState, FilingState, LessonState
from exchange import packages
from exchange.gateway import gateway
from exchange.models import Receipt
from exchange.states import Outcome, ReceiptState
from policy.refusals import Refusal
from tests.cast import client_of
from tests.classes.receipts import HEADERS, receipt_file, receipt_row
from tests.classes.school import FIRST_DAY, School


@pytest.fixture
def later(now):
    return now + datetime.timedelta(hours=3)


@pytest.fixture
def filings(school: School) -> list[Filing]:
    """Three classes filed by the same school."""
    return [
        school.filed(
            name=f"第 {n} 期",
            starts_on=FIRST_DAY + datetime.timedelta(days=21 * n),
            ends_on=FIRST_DAY + datetime.timedelta(days=21 * n + 13),
        )
        for n in range(3)
    ]


def upload(content: bytes, officer: User, at, filename="回执.xlsx") -> Receipt:
    return actions.upload_receipt(content=content, filename=filename, actor=officer, at=at)


def report(receipt: Receipt) -> list[tuple[int, str, list[str]]]:
    return [(row.number, row.outcome, [p["code"] for p in row.problems]) for row in receipt.rows.all()]


def refused(call) -> Refusal:
    with pytest.raises(Refusal) as error:
        call()
    return error.value


BLANK = ["\u200b", "\u2060", "\ufeff", "\u00ad", "\u3164", "\u200b \u2060"]
SPELLINGS = ["豫创备  0001 号 ", "豫创备 ０００１ 号", "\u200b豫创备\u3000000\u20601 号"]


def states(filings) -> list[str]:
    return [Filing.objects.get(pk=filing.pk).state for filing in filings]


def evidence(prefix: str) -> list[str]:
    return list(Entry.objects.filter(kind__startswith=prefix).order_by("pk").values_list("kind", flat=True))


def test_a_sound_receipt_is_previewed_and_decides_nothing(filings, officer, later):
    rows = [receipt_row(filings[0]), receipt_row(filings[1], approved=False)]
    receipt = upload(receipt_file(rows), officer, later)
    assert (receipt.state, receipt.office_id) == (ReceiptState.PREVIEWED, officer.bureau.pk)
    assert report(receipt) == [(2, "accepted", []), (3, "accepted", [])]
    assert states(filings) == ["submitted"] * 3
    assert evidence("receipt.") == ["receipt.uploaded"]
    assert not receipt.file.open("rb").read().startswith(b"PK")


def test_a_receipt_made_in_the_format_before_is_still_matched(filings, officer, later, monkeypatch):
    """The version in a 校验 sheet is not asked for, its digests are (docs/exchange-format.md)."""
    row = receipt_row(filings[0])
    rows = [tuple(row[column.name] for column in FILING_RECEIPT.sheets[0].columns)]
    content = io.BytesIO()
    monkeypatch.setattr(packages, "FORMAT", "yuchuang-exchange-1")
    gateway().write_package(FILING_RECEIPT, {RECEIPT_SHEET: rows}, content, reference="省-1", made_at=later)
    book = load_workbook(content)
    assert book["校验"]["B2"].value == "yuchuang-exchange-1"
    assert report(upload(content.getvalue(), officer, later)) == [(2, "accepted", [])]
    book[RECEIPT_SHEET]["E2"] = "退回补正"
    altered = io.BytesIO()
    book.save(altered)
    assert refused(lambda: upload(altered.getvalue(), officer, later)).code == "receipt_altered"


def test_applying_makes_every_decision_through_the_one_door(filings, officer, later):
    rows = [receipt_row(filings[0]), receipt_row(filings[1], approved=False), receipt_row(filings[2])]
    receipt = upload(receipt_file(rows), officer, later)
    applied = actions.apply_receipt(receipt=receipt, actor=officer, at=later)
    assert (applied.state, applied.applied_by_id) == (ReceiptState.APPLIED, officer.pk)
    assert states(filings) == ["approved", "returned", "approved"]
    first, second = (Filing.objects.get(pk=filing.pk) for filing in filings[:2])
    assert (first.number, first.training_class.state) == (
        f"豫创备〔2026〕{first.pk:04d} 号",
        ClassState.APPROVED,
    )
    assert (second.reason, second.decided_by) == ("课表第 3 节与另一个班重", officer)
    entry = Entry.objects.get(kind="filing.approved", facts__filing=first.pk)
    assert entry.facts["receipt"] == receipt.pk
    assert Entry.objects.get(kind="receipt.applied").facts == {
        "receipt": receipt.pk,
        "file": receipt.sha256,
        "approved": 2,
        "returned": 1,
    }


def test_the_same_file_is_the_same_receipt_and_applied_once(filings, officer, later):
    content = receipt_file([receipt_row(filings[0])])
    receipt = upload(content, officer, later)
    actions.apply_receipt(receipt=receipt, actor=officer, at=later)
    again = upload(content, officer, later + datetime.timedelta(days=1), "另一个名字.xlsx")
    assert (again.pk, again.state) == (receipt.pk, ReceiptState.APPLIED)
    actions.apply_receipt(receipt=again, actor=officer, at=later + datetime.timedelta(days=1))
    assert evidence("receipt.") == ["receipt.uploaded", "receipt.applied"]
    assert evidence("filing.approved") == ["filing.approved"]
    assert report(again) == [(2, "accepted", [])]


@pytest.mark.parametrize(
    ("changes", "outcome", "code"),
    [
        ({"reference": "BA-99999999"}, Outcome.UNKNOWN, "filing_unknown"),
        ({"reference": "别处的编号"}, Outcome.UNKNOWN, "filing_unknown"),
        ({"name": "第 0 期（改）"}, Outcome.CHANGED, "filed_values_differ"),
        ({"credit_code": "91410000MA000000XX"}, Outcome.CHANGED, "filed_values_differ"),
        ({"trainees": 4}, Outcome.CHANGED, "filed_values_differ"),
        ({"trainees": "3"}, Outcome.REFUSED, "cell_not_number"),
        ({"result": "通过"}, Outcome.REFUSED, "value_not_a_choice"),
        ({"result": None}, Outcome.REFUSED, "value_missing"),
        ({"number": None}, Outcome.REFUSED, "filing_number_missing"),
        ({"number": "号" * 41}, Outcome.REFUSED, "filing_number_missing"),
        *(({"number": blank}, Outcome.REFUSED, "filing_number_missing") for blank in BLANK),
        *(({"result": "退回补正", "reason": blank}, Outcome.REFUSED, "reason_missing") for blank in BLANK),
        *(({"reference": blank}, Outcome.REFUSED, "value_missing") for blank in BLANK),
        ({"number": 412}, Outcome.REFUSED, "cell_not_text"),
        ({"number": "=A1"}, Outcome.REFUSED, "cell_formula"),
        ({"result": "退回补正"}, Outcome.REFUSED, "reason_missing"),
        ({"day": datetime.date(2026, 9, 6)}, Outcome.REFUSED, "decision_day_impossible"),
        ({"day": datetime.date(2026, 9, 8)}, Outcome.REFUSED, "decision_day_impossible"),
        ({"day": "2026-09-07"}, Outcome.REFUSED, "cell_not_date"),
    ],
)
def test_each_row_is_reconciled_and_one_bad_row_keeps_all_out(
    filings, officer, later, changes, outcome, code
):
    rows = [receipt_row(filings[1]), receipt_row(filings[0], **changes), receipt_row(filings[2])]
    receipt = upload(receipt_file(rows), officer, later)
    assert report(receipt) == [(2, "accepted", []), (3, outcome, [code]), (4, "accepted", [])]
    error = refused(lambda: actions.apply_receipt(receipt=receipt, actor=officer, at=later))
    assert (error.code, error.found) == ("receipt_not_sound", 1)
    assert states(filings) == ["submitted"] * 3
    receipt.refresh_from_db()
    assert receipt.state == ReceiptState.PREVIEWED
    assert evidence("filing.approved") == []


def test_what_changed_is_told_column_by_column(filings, officer, later):
    receipt = upload(receipt_file([receipt_row(filings[0], name="别的班", trainees=9)]), officer, later)
    assert receipt.rows.get().differences == [
        {"column": "班级名称", "filed": "第 0 期", "sent": "别的班"},
        {"column": "学员人数", "filed": "3", "sent": "9"},
    ]


def test_the_same_filing_twice_and_the_same_number_twice(filings, officer, later):
    rows = [
        receipt_row(filings[0]),
        receipt_row(filings[0], approved=False),
        receipt_row(filings[1], number=f"豫创备〔2026〕{filings[0].pk:04d} 号"),
    ]
    assert report(upload(receipt_file(rows), officer, later)) == [
        (2, "accepted", []),
        (3, "duplicate", ["doubled_in_file"]),
        (4, "refused", ["filing_number_taken"]),
    ]


@pytest.mark.parametrize("other", SPELLINGS, ids=ascii)
def test_two_spellings_of_a_number_are_one_number(filings, officer, later, other):
    rows = [receipt_row(filings[0], number="豫创备 0001 号"), receipt_row(filings[1], number=other)]
    assert report(upload(receipt_file(rows), officer, later)) == [
        (2, "accepted", []),
        (3, "refused", ["filing_number_taken"]),
    ]
    receipt = upload(receipt_file([receipt_row(filings[0], number=other)]), officer, later)
    actions.apply_receipt(receipt=receipt, actor=officer, at=later)
    assert Filing.objects.get(pk=filings[0].pk).number == "豫创备 0001 号"
    again = [receipt_row(filing, number="豫创备 0001 号") for filing in filings[:2]]
    assert report(upload(receipt_file(again), officer, later)) == [
        (2, "duplicate", ["decided_before"]),
        (3, "refused", ["filing_number_taken"]),
    ]


def test_what_was_decided_already_does_no_harm_when_it_is_the_same(school, filings, officer, later):
    school.decide(filings[0], number="豫创备 1")
    same = receipt_row(filings[0], number="豫创备 1")
    receipt = upload(receipt_file([same, receipt_row(filings[1])]), officer, later)
    assert report(receipt) == [(2, "duplicate", ["decided_before"]), (3, "accepted", [])]
    actions.apply_receipt(receipt=receipt, actor=officer, at=later)
    assert states(filings) == ["approved", "approved", "submitted"]
    other = receipt_row(filings[0], number="豫创备 2")
    assert report(upload(receipt_file([other]), officer, later)) == [
        (2, "refused", ["filing_already_decided"])
    ]


def test_what_changes_after_the_preview_is_seen_when_it_is_applied(filings, officer, manager, later):
    receipt = upload(receipt_file([receipt_row(filings[0]), receipt_row(filings[1])]), officer, later)
    actions.withdraw_filing(filing=filings[1], actor=manager, at=later)
    error = refused(lambda: actions.apply_receipt(receipt=receipt, actor=officer, at=later))
    assert error.code == "receipt_not_sound"
    assert report(receipt) == [(2, "accepted", []), (3, "refused", ["filing_already_decided"])]
    assert states(filings) == ["submitted", "withdrawn", "submitted"]


def test_a_first_day_that_was_over_when_the_province_decided_is_seen_too(filings, officer, later):
    late = later + datetime.timedelta(days=20)
    row = receipt_row(filings[0], day=FIRST_DAY + datetime.timedelta(days=1))
    receipt = upload(receipt_file([row]), officer, late)
    assert report(receipt) == [(2, "refused", ["start_has_passed"])]
    refused(lambda: actions.apply_receipt(receipt=receipt, actor=officer, at=late))
    assert states(filings) == ["submitted"] * 3


@pytest.mark.parametrize("approved", [True, False])
def test_the_day_on_which_the_province_decided_is_kept(filings, officer, manager, later, approved):
    filing = filings[0]
    day = FIRST_DAY - datetime.timedelta(days=1)
    at = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time(13), later.tzinfo)
    receipt = upload(receipt_file([receipt_row(filing, approved=approved, day=day)]), officer, at)
    actions.apply_receipt(receipt=receipt, actor=officer, at=at)
    filing.refresh_from_db()
    assert (filing.decided_on, filing.decided_at) == (day, at)
    kind = "filing.approved" if approved else "filing.returned"
    assert Entry.objects.get(kind=kind).facts["decided_on"] == day.isoformat()
    client = client_of(manager)
    assert client.get(f"/api/v1/filings/{filing.pk}/").json()["decision"]["decided_on"] == day.isoformat()
    assert differences(filing.training_class.subject) == []
    Filing.objects.filter(pk=filing.pk).update(decided_on=day - datetime.timedelta(days=1))
    [found] = differences(filing.training_class.subject)
    assert "省系统办理日期" in found.sentence


def test_a_receipt_that_comes_after_the_first_day_is_in_time_and_earlier_lessons_stay_shut(
    filings, officer, manager, later, cast
):
    filing = filings[0]
    training_class = filing.training_class
    first, second = training_class.lessons.all()[:2]
    at = first.starts_at + datetime.timedelta(minutes=10)  # while the first lesson should be held
    day = FIRST_DAY - datetime.timedelta(days=1)
    receipt = upload(receipt_file([receipt_row(filing, day=day)]), officer, at)
    assert report(receipt) == [(2, "accepted", [])]
    actions.apply_receipt(receipt=receipt, actor=officer, at=at)
    page = client_of(manager).get(reverse("classes:filing", args=[training_class.pk])).content.decode()
    assert "省系统办理日期" in page
    assert "备案通过前已经到时间的课有 1 节，不能开课，也不算课时" in page
    assert first.title in page
    entries = Entry.objects.count()
    error = refused(lambda: actions.open_lesson(lesson=first, actor=cast.trainer, at=at))
    assert (error.code, error.rule) == ("lesson_before_approval", "F9")
    first.refresh_from_db()
    assert (first.state, Entry.objects.count()) == (LessonState.PLANNED, entries)
    opened = actions.open_lesson(lesson=second, actor=cast.trainer, at=second.starts_at)
    assert opened.state == LessonState.OPEN


def test_nobody_but_an_office_brings_a_receipt(filings, cast, later):
    content = receipt_file([receipt_row(filings[0])])
    for user in (
        cast.manager,
        cast.rival,
        cast.trainer,
        cast.learner,
        cast.regulator,
        cast.finance,
        cast.operator,
    ):
        error = refused(lambda user=user: upload(content, user, later))
        assert (error.code, error.status) == ("not_an_office", 403)
    assert not Receipt.objects.exists()
    receipt = upload(content, cast.officer, later)
    for user in (cast.manager, cast.operator):
        code = refused(lambda user=user: actions.apply_receipt(receipt=receipt, actor=user, at=later)).code
        assert code == "not_an_office"
    assert states(filings[:1]) == ["submitted"]


def test_another_citys_office_neither_sees_the_receipt_nor_finds_the_filing(filings, officer, later):
    luoyang = Bureau.objects.create(
        name="洛阳市人力资源和社会保障局", department="hrss", region=Region.objects.get(code="410300")
    )
    stranger = User.objects.create_user("officer2")
    role = grant_role(user=stranger, role="officer", bureau=luoyang)
    record_membership("role.granted", role, actor=None, at=later)
    content = receipt_file([receipt_row(filings[0])])
    receipt = upload(content, officer, later)
    with pytest.raises(Http404):
        actions.apply_receipt(receipt=receipt, actor=stranger, at=later)
    with pytest.raises(Http404):
        actions.discard_receipt(receipt=receipt, actor=stranger, at=later)
    with pytest.raises(Http404):
        actions.read_receipt_file(receipt=receipt, actor=stranger)
    theirs = upload(content, stranger, later)
    assert theirs.pk != receipt.pk
    assert report(theirs) == [(2, "unknown", ["filing_unknown"])]
    assert "第 0 期" not in str(theirs.rows.get().differences)


def test_a_discarded_receipt_is_not_applied_and_comes_back_when_sent_again(filings, officer, later):
    content = receipt_file([receipt_row(filings[0])])
    receipt = upload(content, officer, later)
    for _ in range(2):
        actions.discard_receipt(receipt=receipt, actor=officer, at=later)
    error = refused(lambda: actions.apply_receipt(receipt=receipt, actor=officer, at=later))
    assert error.code == "move_refused"
    assert states(filings[:1]) == ["submitted"]
    again = upload(content, officer, later)
    assert (again.pk, again.state) == (receipt.pk, ReceiptState.PREVIEWED)
    actions.apply_receipt(receipt=again, actor=officer, at=later)
    assert (
        refused(lambda: actions.discard_receipt(receipt=again, actor=officer, at=later)).code
        == "move_refused"
    )


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        ("备案包编号,办理结果\n".encode(), "file_not_xlsx"),
        (receipt_file([]), "receipt_empty"),
        (receipt_file([], headers=HEADERS[:-1]), "header_missing"),
        (receipt_file([], headers=[*HEADERS, "备注"]), "header_unknown"),
    ],
)
def test_a_file_that_is_no_receipt_leaves_nothing(officer, later, content, code):
    assert refused(lambda: upload(content, officer, later)).code == code
    assert not Receipt.objects.exists()


def test_a_file_that_does_not_open_is_to_be_got_from_the_province_again(officer, later):
    refusal = refused(lambda: upload(b"\x00garbage", officer, later))
    assert refusal.rule == "F8"
    assert "请向省系统重新取一份" in refusal.next_step
    assert "模板" not in refusal.next_step


def test_a_file_that_was_changed_on_the_way_is_refused(filings, officer, later):
    from classes.packages import FILING_RECEIPT
    from exchange.gateway import gateway

    stream = io.BytesIO()
    row = list(receipt_row(filings[0]).values())
    gateway().write_package(FILING_RECEIPT, {RECEIPT_SHEET: [row]}, stream, reference="HZ-1", made_at=later)
    sound = stream.getvalue()
    assert report(upload(sound, officer, later)) == [(2, "accepted", [])]
    book = load_workbook(io.BytesIO(sound))
    book[RECEIPT_SHEET]["F2"] = "另一个备案编号"
    changed = io.BytesIO()
    book.save(changed)
    assert refused(lambda: upload(changed.getvalue(), officer, later)).code == "receipt_altered"


# --- pages and API ---


def posted(content: bytes) -> dict[str, SimpleUploadedFile]:
    return {"file": SimpleUploadedFile("回执.xlsx", content)}


def test_an_officer_uploads_looks_and_applies_in_two_steps(filings, officer):
    from django.utils import timezone

    Filing.objects.update(submitted_at=timezone.now())
    for filing in filings:
        filing.training_class.starts_on = timezone.localdate() + datetime.timedelta(days=30)
        filing.training_class.ends_on = timezone.localdate() + datetime.timedelta(days=40)
        filing.training_class.save()
    day = timezone.localdate()
    rows = [receipt_row(filings[0], day=day), receipt_row(filings[1], approved=False, day=day)]
    client = client_of(officer)
    url = reverse("classes:receipts")
    assert "还没有回执" in client.get(url).content.decode()
    answer = client.post(url, posted(receipt_file(rows)))
    receipt = Receipt.objects.get()
    assert answer.headers["Location"] == reverse("classes:receipt", args=[receipt.pk])
    page = client.get(answer.headers["Location"]).content.decode()
    assert "可以办理" in page
    assert "核对并办理" in page
    assert "回执.xlsx" in client.get(url).content.decode()
    apply_url = reverse("classes:receipt_apply", args=[receipt.pk])
    assert "全部办理" in client.post(apply_url).content.decode()
    assert states(filings) == ["submitted"] * 3
    assert client.post(apply_url, {"confirmed": "1"}).status_code == 302
    assert states(filings) == ["approved", "returned", "submitted"]
    page = client.get(answer.headers["Location"]).content.decode()
    assert "已办理" in page
    assert "核对并办理" not in page


def test_a_receipt_with_a_bad_row_shows_why_and_hands_out_the_report(filings, officer, later):
    rows = [receipt_row(filings[0], name="别的班"), receipt_row(filings[1], reference="BA-99999999")]
    receipt = upload(receipt_file(rows), officer, later)
    client = client_of(officer)
    page = client.get(reverse("classes:receipt", args=[receipt.pk])).content.decode()
    assert "回执写的和当初备案的不一样。" in page
    assert "本辖区没有这个编号的备案。" in page
    assert "核对并办理" not in page
    answer = client.post(reverse("classes:receipt_apply", args=[receipt.pk]), {"confirmed": "1"})
    assert answer.status_code == 409
    only = client.get(reverse("classes:receipt", args=[receipt.pk]), {"outcome": "unknown"}).content.decode()
    assert "别的班" not in only
    sheet = load_workbook(
        io.BytesIO(client.get(reverse("classes:receipt_report", args=[receipt.pk])).content)
    )["核对结果"]
    told = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
    assert [row[2] for row in told] == ["与备案不一致", "查不到"]
    assert told[0][4] == "班级名称：备案是“第 0 期”，回执是“别的班”"
    file = client.get(reverse("classes:receipt_file", args=[receipt.pk]))
    assert file.content == receipt_file(rows) or file.content.startswith(b"PK")
    client.post(reverse("classes:receipt_discard", args=[receipt.pk]))
    receipt.refresh_from_db()
    assert receipt.state == ReceiptState.DISCARDED


def test_a_bad_file_is_refused_on_the_page(officer):
    answer = client_of(officer).post(reverse("classes:receipts"), posted(b"x,y"))
    assert answer.status_code == 400
    assert "CSV" in answer.content.decode()


def test_the_empty_form_has_the_columns_and_their_meaning(officer):
    content = client_of(officer).get(reverse("classes:receipt_form")).content
    book = load_workbook(io.BytesIO(content))
    assert [cell.value for cell in book[RECEIPT_SHEET][1]] == HEADERS
    assert book.sheetnames == [RECEIPT_SHEET, "数据字典"]


def test_the_api_uploads_reports_and_applies(filings, officer, manager, later):
    client = client_of(officer)
    assert client_of(manager).post("/api/v1/receipts/", posted(b"x")).status_code == 403
    body = client.post(
        "/api/v1/receipts/", posted(receipt_file([receipt_row(filings[0], trainees=9)]))
    ).json()
    assert (body["state"], body["counts"]["changed"], body["may_apply"]) == ("previewed", 1, False)
    rows = client.get(f"/api/v1/receipts/{body['id']}/rows/").json()
    assert rows["count"] == 1
    assert rows["results"][0]["differences"] == [{"column": "学员人数", "filed": "3", "sent": "9"}]
    refusal = client.post(f"/api/v1/receipts/{body['id']}/application/")
    assert (refusal.status_code, refusal.json()["code"]) == (409, "receipt_not_sound")
    assert client.get("/api/v1/receipts/").json()["count"] == 1
    assert client.post(f"/api/v1/receipts/{body['id']}/discard/").json()["state"] == "discarded"
    assert client_of(manager).get(f"/api/v1/receipts/{body['id']}/").status_code == 404


def test_a_thousand_rows_cost_a_handful_of_queries(filings, officer, later, django_assert_max_num_queries):
    rows = [receipt_row(filings[0], reference=f"BA-{90000000 + n}") for n in range(1000)]
    content = receipt_file(rows)
    with django_assert_max_num_queries(25):
        receipt = upload(content, officer, later)
    assert receipt.rows.count() == 1000
    assert {row.outcome for row in receipt.rows.all()} == {Outcome.UNKNOWN}
    assert FilingState.SUBMITTED in states(filings)
