"""What people read and send on the pages of the registers, and over the API."""

import datetime
import re

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from accounts.actions import grant_role
from accounts.registers import actions
from accounts.registers.models import Document, Measure, PlatformReport, Qualification
from accounts.registers.queries import judge_this_platform, platform_conditions
from accounts.registers.states import DocumentKind, QualificationState
from accounts.states import Role
from audit.models import Entry
from classes.checks import check_draft
from classes.models import TrainingClass
from classes.timetables import drafts_of
from config.demo.registers import scan
from policy.classes import PlatformField
from policy.findings import Finding
from policy.refusals import Refusal
from tests.cast import client_of
from tests.classes.school import School
from tests.registers.conftest import Registers

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _today(now: datetime.datetime):
    with time_machine.travel(now, tick=False):
        yield


def photo() -> SimpleUploadedFile:
    return SimpleUploadedFile("scan.jpg", scan(), "image/jpeg")


def test_a_manager_enters_completes_and_submits_a_qualification(registers: Registers):
    client = client_of(registers.cast.manager)
    page = client.get(reverse("registers:lecturer", args=[registers.novice.pk])).content.decode()
    assert "还没有登记资格" in page
    form = {"route": "experiment", "number": "师训 2025-11", "certified_on": "2025-05-01"}
    answer = client.post(reverse("registers:enter", args=[registers.novice.pk]), form)
    row = Qualification.objects.get(person=registers.novice)
    assert answer["Location"] == reverse("registers:qualification", args=[row.pk])
    early = client.post(reverse("registers:submit", args=[row.pk]))
    assert early.status_code == 409
    assert "授课效果证明" in early.content.decode()
    address = reverse("registers:qualification", args=[row.pk])
    assert re.search(r"<button[^>]* disabled>.{0,200}提交</button>", client.get(address).content.decode())
    for kind in ("experiment", "good_effect"):
        sent = client.post(
            reverse("registers:add_paper", args=[row.pk]), {"kind": kind, "name": "证明", "photo": photo()}
        )
        assert sent.status_code == 302
    assert " disabled>" not in client.get(address).content.decode()
    assert client.post(reverse("registers:submit", args=[row.pk])).status_code == 302
    row.refresh_from_db()
    assert row.state == QualificationState.SUBMITTED


def test_an_officer_is_led_to_it_and_confirms_only_after_looking(registers: Registers):
    row = registers.submitted()
    client = client_of(registers.cast.officer)
    start = client.get(reverse("start")).content.decode()
    assert reverse("registers:qualification", args=[row.pk]) in start
    address = reverse("registers:decide", args=[row.pk])
    unseen = client.post(address, {"confirmed": "yes"})
    assert unseen.status_code == 400
    assert "请先看过材料" in unseen.content.decode()
    nameless = client.post(address, {"confirmed": "no"})
    assert nameless.status_code == 400
    row.refresh_from_db()
    assert row.state == QualificationState.SUBMITTED
    assert client.post(address, {"confirmed": "yes", "seen": "on"}).status_code == 302
    row.refresh_from_db()
    assert row.state == QualificationState.CONFIRMED


def test_lists_search_and_say_so_when_nothing_is_found(registers: Registers):
    client = client_of(registers.cast.officer)
    address = reverse("registers:lecturers")
    assert "丁一鸣" in client.get(address).content.decode()
    assert "丁一鸣" not in client.get(address, {"standing": "qualified"}).content.decode()
    assert "没有符合的讲师" in client.get(address, {"q": "没有这个人"}).content.decode()
    assert "没有符合的机构" in client.get(reverse("registers:institutions"), {"q": "没有"}).content.decode()
    elsewhere = client.get(reverse("registers:institutions")).content.decode()
    assert registers.cast.school.name in elsewhere
    assert registers.cast.rival_school.name not in elsewhere  # another city's


def test_a_rival_finds_none_of_it(registers: Registers):
    row, measure = registers.complete(), registers.order()
    client = client_of(registers.cast.rival)
    assert "丁一鸣" not in client.get(reverse("registers:lecturers")).content.decode()
    document = row.documents.all()[0]
    for name, pk in (
        ("lecturer", registers.novice.pk),
        ("qualification", row.pk),
        ("institution", registers.cast.school.pk),
        ("measure", measure.pk),
        ("picture", document.pk),
        ("retire", document.pk),
    ):
        assert client.get(reverse(f"registers:{name}", args=[pk])).status_code == 404
    assert client.get(reverse("api:measures")).json()["results"] == []


def test_a_lecturer_shared_with_another_institution_is_judged_alike_and_told_no_figures_of_it(
    registers: Registers, school: School
):
    trainer = registers.trainer
    address = reverse("registers:lecturer", args=[trainer.pk])
    own = client_of(registers.cast.manager).get(address).content.decode()
    since = Qualification.objects.get(person=trainer).training_since
    assert since is not None
    day = f"{since.year}年{since.month}月{since.day}日"
    assert day in own
    assert "可以带班" in own
    grant_role(user=registers.cast.trainer, role=Role.LECTURER, institution=registers.cast.rival_school)
    page = client_of(registers.cast.rival).get(address).content.decode()
    assert "可以带班" in page
    assert "讲师资格符合规范" in page
    assert day not in page
    assert "资格由别的机构登记" in page
    assert "确认以后才能带班" not in page
    training_class = school.ready()
    assert [one.actual for one in _route_findings(training_class)] == [since]
    TrainingClass.objects.filter(pk=training_class.pk).update(institution=registers.cast.rival_school)
    training_class.refresh_from_db()
    (found,) = _route_findings(training_class)
    assert (found.passed, found.actual) == (True, None)


def _route_findings(training_class: TrainingClass) -> list[Finding]:
    checked = check_draft(
        training_class, drafts_of(training_class.lessons.all()), filed_on=timezone.localdate()
    )
    return [one for one in checked.findings if one.code == "lecturer_route"]


def test_a_measure_is_ordered_and_lifted_with_a_second_look(registers: Registers):
    client = client_of(registers.cast.officer)
    form = {
        "kind": "rectification",
        "ground": "意见反馈表收集不全。",
        "since": "2026-09-07",
        "deadline": "2026-09-30",
    }
    address = reverse("registers:order", args=[registers.cast.school.pk])
    assert client.post(address, form).status_code == 400  # not said to be sure
    assert client.post(address, form | {"sure": "on", "deadline": ""}).status_code == 400
    assert not Measure.objects.exists()
    assert client.post(address, form | {"sure": "on"}).status_code == 302
    measure = Measure.objects.get()
    page = client_of(registers.cast.manager).get(reverse("registers:measure", args=[measure.pk]))
    assert "意见反馈表收集不全。" in page.content.decode()
    end = reverse("registers:end", args=[measure.pk])
    assert client.post(end, {"reason": "已补齐。"}).status_code == 400
    assert client.post(end, {"reason": "已补齐。", "sure": "on"}).status_code == 302
    measure.refresh_from_db()
    assert measure.ended_on == datetime.date(2026, 9, 7)


def test_an_announced_lecturer_is_named_to_everybody(registers: Registers):
    assert "没有通报" in client_of(None).get(reverse("registers:announcements")).content.decode()
    registers.disqualify(is_announced=True)
    page = client_of(None).get(reverse("registers:announcements")).content.decode()
    assert "李明远" in page
    assert registers.trainer.open_id_number() not in page


def test_everybody_sees_the_platforms_record_and_only_offices_its_papers(registers: Registers):
    public = client_of(None).get(reverse("registers:platform")).content.decode()
    assert "程立平" in public
    assert "九项条件齐备" in public
    assert "看照片" not in public
    document = Document.objects.get(condition="P1")
    assert "看照片" in client_of(registers.cast.officer).get(reverse("registers:platform")).content.decode()
    assert (
        client_of(registers.cast.officer)
        .get(reverse("registers:picture", args=[document.pk]))
        .content.startswith(b"\xff\xd8")
    )
    assert (
        client_of(registers.cast.manager).get(reverse("registers:picture", args=[document.pk])).status_code
        == 404
    )
    body = client_of(None).get(reverse("api:platform")).json()
    assert (body["eligible"], len(body["conditions"])) == (True, 9)


def test_a_condition_without_its_paper_stops_every_filing(registers: Registers, school: School):
    document = Document.objects.get(condition="P5")
    client = client_of(registers.cast.operator)
    asked = client.get(reverse("registers:retire", args=[document.pk])).content.decode()
    assert "所有机构都不能提交开班备案" in asked
    client.post(reverse("registers:retire", args=[document.pk]))
    whole, conditions = platform_conditions(registers.at.date())
    assert (whole.passed, whole.actual) == (False, 8)
    assert [one.condition.number for one in conditions if not one.finding.passed] == [3]
    with pytest.raises(Refusal) as refused:
        school.filed()
    assert refused.value.rule == "P0"
    form = {"row": "P5", "name": "公共信用信息报告", "valid_until": "2026-09-21", "photo": photo()}
    assert client.post(reverse("registers:add_condition"), form).status_code == 302
    assert judge_this_platform(datetime.date(2026, 9, 21))[0].passed
    assert not judge_this_platform(datetime.date(2026, 9, 22))[0].passed


def test_the_five_facts_are_kept_version_by_version(registers: Registers):
    client = client_of(registers.cast.operator)
    report = PlatformReport.objects.get()
    facts = {field.value: getattr(report, field.value) for field in PlatformField}
    assert client.post(reverse("registers:report"), facts | {"address": " "}).status_code == 400
    assert client.post(reverse("registers:report"), facts).status_code == 302
    assert PlatformReport.objects.count() == 1  # the same again
    assert client.post(reverse("registers:report"), facts | {"address": "郑州市二七区"}).status_code == 302
    assert [one.address for one in PlatformReport.objects.all()] == ["郑州市二七区", report.address]
    assert Entry.objects.filter(kind="platform.reported").count() == 2


def test_a_designation_document_is_put_on_file_by_the_office(registers: Registers):
    client = client_of(registers.cast.officer)
    address = reverse("registers:add_designation", args=[registers.cast.school.pk])
    bad = client.post(
        address,
        {"name": "续期文件", "valid_from": "2027-01-01", "valid_until": "2026-01-01", "photo": photo()},
    )
    assert bad.status_code == 400
    assert client.post(address, {"name": "续期文件", "photo": photo()}).status_code == 302
    assert registers.cast.school.documents.filter(name="续期文件", kind=DocumentKind.DESIGNATION).count() == 1
    assert client_of(registers.cast.manager).post(address, {"name": "续期文件"}).status_code == 403


def test_the_api_reads_and_decides_as_the_pages_do(registers: Registers):
    row = registers.submitted()
    officer = client_of(registers.cast.officer)
    found = officer.get(reverse("api:lecturers"), {"search": "丁"}).json()
    assert [(one["name"], one["state"], one["passed"]) for one in found["results"]] == [
        ("丁一鸣", "submitted", False)
    ]
    address = reverse("api:qualification-decision", args=[row.pk])
    refused = officer.post(address, {"confirmed": False}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (400, "reason_missing")
    decided = officer.post(address, {"confirmed": True}, content_type="application/json")
    assert (decided.status_code, decided.json()["state"]) == (200, "confirmed")
    order = {
        "kind": "disqualification",
        "row": "L6",
        "person": registers.novice.pk,
        "ground": "连续两次造成不良影响。",
        "since": "2026-09-08",
    }
    made = officer.post(reverse("api:measures"), order, content_type="application/json")
    assert made.status_code == 201
    twice = officer.post(reverse("api:measures"), order, content_type="application/json")
    assert (twice.status_code, twice.json()["code"]) == (409, "measure_in_force")
    ended = officer.post(
        reverse("api:measure-end", args=[made.json()["id"]]),
        {"reason": "申诉成立。"},
        content_type="application/json",
    )
    assert ended.json()["ended_on"] == "2026-09-07"


def test_a_lecturer_sees_their_own_page(registers: Registers):
    client = client_of(registers.cast.trainer)
    assert client.get(reverse("registers:lecturer", args=[registers.trainer.pk])).status_code == 200
    assert client.get(reverse("registers:lecturer", args=[registers.novice.pk])).status_code == 404
    own = Qualification.objects.get(person=registers.trainer)
    assert client.get(reverse("registers:qualification", args=[own.pk])).status_code == 200
    with pytest.raises(Refusal, check=lambda refusal: refusal.code == "not_the_manager"):
        actions.withdraw_qualification(
            qualification=registers.submitted(), actor=registers.cast.officer, at=registers.at
        )
