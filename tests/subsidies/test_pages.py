"""The pages of claims and notices: who sees what, what they say, and what they never say."""

import datetime
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import start
from accounts.models import User
from audit.actions import seal_now
from audit.models import Entry
from classes.models import TrainingClass
from config.demo.cast import Cast
from subsidies.actions.claims import decide_claim, draw_up_claim, submit_claim
from subsidies.actions.exports import write_export
from subsidies.actions.objections import answer_objection, lodge_objection
from subsidies.models import Claim, Objection, PublicNotice
from subsidies.states import ClaimState, ObjectionState
from tests.cast import client_of
from tests.subsidies.conftest import DAY, ClassMaker, as_owner, snapshot

pytestmark = pytest.mark.django_db
TEXT = "这一行的学员那几天在外地，没有上课。"


@pytest.fixture(autouse=True)
def clock_at_now(now: datetime.datetime) -> Any:
    """Edges read the clock; let it stand at the moment the actions are given."""
    with time_machine.travel(now.astimezone(datetime.UTC), tick=False) as clock:
        yield clock


def page(user: User | None, name: str, *args: int, query: str = "") -> str:
    answer = client_of(user).get(reverse(f"subsidies:{name}", args=args) + query)
    assert answer.status_code == 200
    return answer.content.decode()


# --- lists ---


def test_a_manager_draws_up_with_one_click(finished: TrainingClass, manager: User):
    assert finished.name in page(manager, "list")
    answer = client_of(manager).post(reverse("subsidies:draw_up", args=[finished.pk]))
    claim = Claim.objects.get(training_class=finished)
    assert answer.headers["Location"] == reverse("subsidies:claim", args=[claim.pk])
    assert "拟制申请" not in page(manager, "list")


def test_a_draw_up_that_is_refused_says_why(maker: ClassMaker, manager: User):
    running = maker.make()
    answer = client_of(manager).post(reverse("subsidies:draw_up", args=[running.pk]))
    assert answer.status_code == 409
    assert "还没有结班" in answer.content.decode()
    assert not Claim.objects.exists()


def test_the_queue_shows_the_longest_wait_first(maker: ClassMaker, cast: Cast, manager: User, now):
    claims = []
    for n in range(3):
        people = cast.trainees(9)[3 * n : 3 * n + 3]
        first = DAY + datetime.timedelta(days=7 * n)
        made = maker.finish(maker.make(name=f"第 {n} 班", people=people, first=first))
        at = now + datetime.timedelta(minutes=n)
        claims.append(
            submit_claim(actor=manager, claim=draw_up_claim(actor=manager, training_class=made, at=at), at=at)
        )
    content = page(cast.officer, "list")
    places = [content.index(claim.number) for claim in claims]
    assert places == sorted(places)
    assert claims[1].number not in page(cast.officer, "list", query="?q=第 2 班")
    assert claims[1].number not in page(cast.officer, "list", query=f"?state={ClaimState.APPROVED}")
    assert "没有符合的申请" in page(cast.officer, "list", query="?q=没有这个班")


def test_lists_of_one_and_three_take_the_same_queries(
    maker: ClassMaker, cast: Cast, manager: User, officer: User, now
):
    def count(user: User | None, name: str) -> int:
        client = client_of(user)
        client.get(reverse(f"subsidies:{name}"))
        with CaptureQueriesContext(connection) as found:
            assert client.get(reverse(f"subsidies:{name}")).status_code == 200
        return len(found)

    from subsidies.actions.claims import open_notice

    counts = []
    for n in range(3):
        people = cast.trainees(9)[3 * n : 3 * n + 3]
        first = DAY + datetime.timedelta(days=7 * n)
        made = maker.finish(maker.make(name=f"第 {n} 班", people=people, first=first))
        claim = draw_up_claim(actor=manager, training_class=made, at=now)
        open_notice(actor=officer, claim=submit_claim(actor=manager, claim=claim, at=now), at=now)
        maker.finish(maker.make(name=f"未申请 {n}", people=people, first=first + datetime.timedelta(days=28)))
        counts.append([count(manager, "list"), count(officer, "list"), count(None, "notices")])
    assert counts[0] == counts[2]


def test_empty_lists_say_what_would_be_there(cast: Cast):
    assert "这里还没有补贴申请" in page(cast.manager, "list")
    assert "现在没有公示" in page(None, "notices")


# --- one claim ---


def test_a_claim_shows_its_lines_its_history_and_the_next_step(
    submitted: Claim, manager: User, officer: User
):
    content = page(manager, "claim", submitted.pk)
    for words in ("王小满", "3 人 × 200.00 元 = 600.00", "提交补贴申请", "周文博", "97.34"):
        assert words in content
    assert "受理并公示" not in content
    assert reverse("subsidies:announce", args=[submitted.pk]) in page(officer, "claim", submitted.pk)


def test_more_lines_take_no_more_queries(maker: ClassMaker, cast: Cast, manager: User, now):
    def count(people: int) -> int:
        made = maker.finish(
            maker.make(
                name=f"{people} 人班",
                people=cast.trainees(people + 3)[3:],
                first=DAY - datetime.timedelta(days=7 * people),
            )
        )
        claim = draw_up_claim(actor=manager, training_class=made, at=now)
        client = client_of(manager)
        with CaptureQueriesContext(connection) as found:
            assert client.get(reverse("subsidies:claim", args=[claim.pk])).status_code == 200
        return len(found)

    assert count(1) == count(3)


def test_strangers_get_404_and_nothing_changes(submitted: Claim, notice: PublicNotice, cast: Cast, now):
    objection = lodge_objection(notice=notice, line_number=1, text=TEXT, contact="", at=now)
    pk = submitted.pk
    before = snapshot()
    for who in ("rival", "learner", "trainer", "assistant", "regulator", "finance", "operator"):
        client = client_of(cast[who])
        for name, args in (
            ("claim", [pk]), ("redraw", [pk]), ("submit", [pk]), ("return", [pk]), ("announce", [pk]),
            ("decide", [pk]), ("trace", [pk, 1]), ("export", [pk]), ("dossier", [pk]),
            ("answer", [pk, objection.pk]),
        ):  # fmt: skip
            address = reverse(f"subsidies:{name}", args=args)
            assert client.get(address).status_code == 404, (who, name)
            assert client.post(address).status_code in (404, 405), (who, name)
    for name in ("list", "claim", "trace"):
        args = {"list": [], "claim": [pk], "trace": [pk, 1]}[name]
        answer = client_of(None).get(reverse(f"subsidies:{name}", args=args))
        assert (answer.status_code, "/login/" in answer.headers["Location"]) == (302, True)
    assert submitted.number not in page(cast.rival, "list")
    assert snapshot() == before


def test_a_draft_is_not_the_offices_business_yet(claim: Claim, officer: User):
    assert client_of(officer).get(reverse("subsidies:claim", args=[claim.pk])).status_code == 404
    assert claim.number not in page(officer, "list")


# --- steps: a page that repeats object, number and consequence, then the act ---


def take(user: User, name: str, claim: Claim, **data: str) -> Any:
    client = client_of(user)
    address = reverse(f"subsidies:{name}", args=[claim.pk])
    asked = client.get(address).content.decode()
    assert claim.number in asked
    assert f"{claim.amount:,}" in asked
    before = snapshot()
    client.get(address)
    assert snapshot() == before
    return client.post(address, data)


def test_a_claim_goes_all_the_way_over_the_pages(
    claim: Claim, manager: User, officer: User, over, clock_at_now: Any
):
    def state() -> str:
        claim.refresh_from_db()
        return claim.state

    take(manager, "submit", claim)
    assert state() == ClaimState.SUBMITTED
    take(officer, "return", claim, reason="第 2 行请核对类别。")
    assert state() == ClaimState.RETURNED
    assert "第 2 行请核对类别。" in page(manager, "claim", claim.pk)
    take(manager, "redraw", claim)
    take(manager, "submit", claim)
    take(officer, "announce", claim)
    assert state() == ClaimState.NOTICED
    decide = reverse("subsidies:decide", args=[claim.pk])
    assert "同意核定" not in client_of(officer).get(decide).content.decode()
    assert take(officer, "decide", claim, approved="yes", reason="").status_code == 409
    assert state() == ClaimState.NOTICED
    clock_at_now.move_to(over.astimezone(datetime.UTC))
    assert "公示已结束，可以核定" in page(officer, "claim", claim.pk)
    assert take(officer, "decide", claim, approved="no", reason=" ").status_code == 400
    take(officer, "decide", claim, approved="yes", reason="")
    assert state() == ClaimState.APPROVED
    assert "核定 600.00" in page(manager, "claim", claim.pk)
    # A step that is past leads back to the claim, and posting it again is refused or changes nothing.
    before = snapshot()
    assert client_of(officer).get(reverse("subsidies:return", args=[claim.pk])).status_code == 302
    answer = client_of(officer).post(reverse("subsidies:return", args=[claim.pk]), {"reason": "再看看。"})
    assert (answer.status_code, "不能做这一步" in answer.content.decode()) == (409, True)
    assert snapshot() == before


def test_a_step_of_the_other_side_is_refused_with_the_way_out(submitted: Claim, manager: User, officer: User):
    for user, name in ((manager, "announce"), (manager, "decide"), (manager, "return"), (officer, "submit")):
        answer = client_of(user).post(reverse(f"subsidies:{name}", args=[submitted.pk]), {"reason": "x"})
        assert answer.status_code == 403
    submitted.refresh_from_db()
    assert submitted.state == ClaimState.SUBMITTED


# --- the trace ---


def test_the_trace_shows_every_rung(claim: Claim, manager: User):
    line = claim.lines.get(enrolment__person__name="王小满")
    lesson = claim.training_class.lessons.order_by("starts_at")[1]
    seal_now(at=claim.created_at)
    content = page(manager, "trace", claim.pk, line.n, query=f"?lesson={lesson.pk}&interval=2")
    for words in (
        "600.00", "3 人 × 200.00", "97.34", "63,080 秒 ÷ 64,800 秒", "9,080 秒", "2,590 秒",
        "4,090 + <b>2,590</b> + 2,400 = 9,080", "09:52:15–10:35:25", "is-picked", "k-unproven",
        "留痕已核验，未被改动", "已签名", "SHA-256",
    ):  # fmt: skip
        assert words in content, words
    for interval in (1, 2, 3):
        assert f"?lesson={lesson.pk}&amp;interval={interval}#interval" in content


def test_every_lesson_of_every_line_has_a_page(claim: Claim, manager: User):
    for n in (1, 2, 3):
        for lesson in claim.training_class.lessons.all():
            page(manager, "trace", claim.pk, n, query=f"?lesson={lesson.pk}")
    assert client_of(manager).get(reverse("subsidies:trace", args=[claim.pk, 4])).status_code == 404
    assert client_of(manager).get(f"/claims/{claim.pk}/lines/{10**30}/").status_code == 404


def test_the_trace_says_when_evidence_or_time_were_changed(claim: Claim, manager: User):
    with as_owner() as cursor:
        cursor.execute(
            "update audit_entry set facts = facts || '{\"heartbeats\": 9}' where kind = 'presence.closed'"
        )
    content = page(manager, "trace", claim.pk, 1)
    assert "留痕核验没有通过" in content
    assert "未被改动" not in content
    with as_owner() as cursor:
        cursor.execute(
            "update live_presenceinterval"
            " set during = tstzrange(lower(during), upper(during) - interval '1 minute')"
        )
    assert "重新计算后不一致" in page(manager, "trace", claim.pk, 1)


# --- papers ---


def test_papers_are_handed_to_both_sides_and_on_record(submitted: Claim, manager: User, officer: User, now):
    pending = client_of(manager).get(reverse("subsidies:export", args=[submitted.pk]))
    assert (pending.status_code, "还在生成" in pending.content.decode()) == (409, True)
    write_export(claim_id=submitted.pk, at=now)
    for user in (manager, officer):
        for name, kind in (("export", "claim.export_downloaded"), ("dossier", "claim.dossier_made")):
            answer = client_of(user).get(reverse(f"subsidies:{name}", args=[submitted.pk]))
            assert (answer.status_code, answer.content[:2]) == (200, b"PK")
            assert answer.headers["Cache-Control"] == "private, no-store"
            assert Entry.objects.filter(kind=kind, actor_id=user.pk).count() == 1


# --- public notices ---


def test_a_notice_leaks_no_name_no_number_no_phone(notice: PublicNotice, now, officer: User):
    objection = lodge_objection(notice=notice, line_number=1, text=TEXT, contact="0371-60001234", at=now)
    answer_objection(actor=officer, objection=objection, upheld=False, answer="课堂有签到和录像。", at=now)
    for content in (
        page(None, "notice", notice.pk),
        page(None, "notices"),
        page(None, "received", notice.pk),
    ):
        for line in notice.claim.lines.select_related("enrolment__person"):
            person = line.enrolment.person
            for secret in (
                person.name, person.open_id_number(), person.id_number_masked, person.open_phone(),
                person.phone_masked, line.certificate.number, line.enrolment.get_category_display(),
            ):  # fmt: skip
                assert secret not in content
        assert TEXT not in content
        assert "60001234" not in content
    content = page(None, "notice", notice.pk)
    for words in (
        "王*满",
        "陈*强",
        "郑州启航创业培训学校",
        "600.00",
        "9月7日",
        "9月14日",
        "课堂有签到和录像。",
    ):
        assert words in content


def test_anybody_objects_without_signing_in(notice: PublicNotice, officer: User, manager: User):
    client = client_of(None)
    address = reverse("subsidies:notice", args=[notice.pk])
    answer = client.post(address, {"line": "2", "text": TEXT, "contact": ""})
    assert answer.headers["Location"] == reverse("subsidies:received", args=[notice.pk])
    assert "接下来" in client.get(answer.headers["Location"]).content.decode()
    objection = Objection.objects.get()
    assert objection.line is not None
    assert (objection.line.n, objection.state) == (2, ObjectionState.OPEN)
    assert TEXT in page(officer, "claim", notice.claim_id)
    assert TEXT not in page(manager, "claim", notice.claim_id)
    for line, text in (("2", "短"), ("77", TEXT), ("x", TEXT), ("2", "")):
        assert client.post(address, {"line": line, "text": text}).status_code == 400
    assert Objection.objects.count() == 1


def test_what_was_refused_does_not_count_towards_a_flood(notice: PublicNotice):
    client, address = client_of(None), f"/api/v1/notices/{notice.pk}/objections/"
    for _ in range(7):
        assert client.post(address, {"line": 9_999, "text": TEXT}).status_code == 400
        assert client.post(address, {"line": 1, "text": "短"}).status_code == 400
    for n in range(5):
        assert client.post(address, {"line": 1, "text": f"{TEXT}{n}"}).status_code == 201
    for _ in range(2):
        assert client.post(address, {"line": 1, "text": f"{TEXT}更多"}).status_code == 429
    assert Objection.objects.count() == 5


def test_an_account_that_only_reads_lodges_nothing(notice: PublicNotice, regulator: User):
    client, address = client_of(regulator), reverse("subsidies:notice", args=[notice.pk])
    shown = client.get(address).content.decode()
    assert "提交异议" not in shown
    assert "监管账号只能查看" in shown
    assert client.post(address, {"line": "1", "text": TEXT, "contact": ""}).status_code == 403
    answer = client.post(f"/api/v1/notices/{notice.pk}/objections/", {"line": 1, "text": TEXT})
    assert (answer.status_code, answer.json()["code"]) == (403, "account_read_only")
    assert not Objection.objects.exists()
    assert Entry.objects.filter(kind="objection.lodged").count() == 0


def test_a_flood_from_one_address_is_stopped(notice: PublicNotice):
    client = client_of(None)
    address = reverse("subsidies:notice", args=[notice.pk])
    for n in range(5):
        assert client.post(address, {"line": "0", "text": f"{TEXT}{n}"}).status_code == 302
    refused = client.post(address, {"line": "0", "text": f"{TEXT}5"})
    assert (refused.status_code, "太多了" in refused.content.decode()) == (429, True)
    assert Objection.objects.count() == 5
    elsewhere = client.post(address, {"line": "0", "text": f"{TEXT}6"}, REMOTE_ADDR="203.0.113.7")
    assert elsewhere.status_code == 302


def test_after_its_time_a_notice_stays_and_takes_nothing(
    notice: PublicNotice, officer: User, over, clock_at_now: Any
):
    clock_at_now.move_to(over.astimezone(datetime.UTC))
    decide_claim(actor=officer, claim=notice.claim, approved=True, reason="", at=over)
    content = page(None, "notice", notice.pk)
    assert "公示已经结束" in content
    assert "核定（元）" in content
    answer = client_of(None).post(reverse("subsidies:notice", args=[notice.pk]), {"line": "0", "text": TEXT})
    assert (answer.status_code, Objection.objects.count()) == (409, 0)


def test_the_office_answers_over_the_page(notice: PublicNotice, officer: User, manager: User, now):
    objection = lodge_objection(notice=notice, line_number=2, text=TEXT, contact="老李 0371-60001234", at=now)
    address = reverse("subsidies:answer", args=[notice.claim_id, objection.pk])
    claim_page = client_of(officer).get(reverse("subsidies:claim", args=[notice.claim_id])).content.decode()
    assert f'<a class="btn btn-primary" href="{address}">' in claim_page
    asked = client_of(officer).get(address).content.decode()
    assert TEXT in asked
    assert "老李 0371-60001234" in asked
    assert client_of(manager).get(address).status_code == 404
    assert client_of(officer).post(address, {"upheld": "no"}).status_code == 400
    assert client_of(officer).post(address, {"upheld": "no", "answer": "有录像为证。"}).status_code == 302
    objection.refresh_from_db()
    assert (objection.state, objection.answer) == (ObjectionState.DISMISSED, "有录像为证。")
    assert "有录像为证。" in page(None, "notice", notice.pk)


# --- what to do next ---


def test_the_start_page_asks_what_is_due(finished: TrainingClass, manager: User, officer: User, now, over):
    def titles(user: User, at: datetime.datetime = now) -> str:
        return " ".join(task.title for task in start.tasks_for(User.objects.get(pk=user.pk), at))

    from subsidies.actions.claims import open_notice, return_claim

    assert f"给“{finished.name}”拟制补贴申请" in titles(manager)
    claim = draw_up_claim(actor=manager, training_class=finished, at=now)
    assert f"提交“{finished.name}”的补贴申请" in titles(manager)
    assert "补贴申请" not in titles(officer)
    submit_claim(actor=manager, claim=claim, at=now)
    assert "1 件补贴申请等您受理" in titles(officer)
    return_claim(actor=officer, claim=claim, reason="请核对第 1 行。", at=now)
    assert "重新提交" in titles(manager)
    submit_claim(actor=manager, claim=claim, at=now)
    notice = open_notice(actor=officer, claim=claim, at=now)
    lodge_objection(notice=notice, line_number=1, text=TEXT, contact="", at=now)
    assert "1 件公示异议等您答复" in titles(officer)
    assert "已到期" not in titles(officer)
    assert "1 件公示已到期，可以核定" in titles(officer, over)


def test_the_pages_speak_english_too(notice: PublicNotice, manager: User):
    client = client_of(manager)
    for name, args in (
        ("list", []),
        ("claim", [notice.claim_id]),
        ("trace", [notice.claim_id, 1]),
        ("notice", [notice.pk]),
    ):
        answer = client.get(reverse(f"subsidies:{name}", args=args), headers={"accept-language": "en"})
        assert answer.status_code == 200
