"""Lecturers: entered by their institution, confirmed by the office, judged when a class is filed (T1-T3)."""

import datetime
from typing import Any

import pytest
from django.http import Http404
from django.urls import reverse

from accounts.registers import actions
from accounts.registers.models import Document, Qualification
from accounts.registers.queries import lecturer_record
from accounts.registers.states import DocumentKind, QualificationState, Route
from audit.models import Entry
from classes.actions import submit_filing
from config.demo.registers import paper, scan
from policy.refusals import Refusal
from tests.cast import client_of
from tests.classes.school import School
from tests.registers.conftest import Registers


def kinds(subject: str) -> list[str]:
    return list(
        Entry.objects.filter(subject__startswith=subject).order_by("seq").values_list("kind", flat=True)
    )


def test_a_qualification_goes_from_the_school_to_the_office_and_leaves_its_trail(registers: Registers):
    row = registers.confirmed()
    assert row.state == QualificationState.CONFIRMED
    assert kinds(row.subject) == [
        "qualification.saved",
        *["register.document_added"] * 3,
        "qualification.moved",
        "qualification.moved",
    ]
    record = lecturer_record(registers.novice.pk, registers.at.date())
    assert (record.certificate, record.online_skills) == (True, True)
    assert record.training_since == datetime.date(2024, 9, 1)


def test_nothing_counts_before_the_office_confirmed_it(registers: Registers):
    registers.submitted()
    record = lecturer_record(registers.novice.pk, registers.at.date())
    assert not record.certificate
    assert record.training_since is None


@pytest.mark.parametrize(
    ("route", "missing"), [(Route.CERTIFICATE, "互联网授课技能证明"), (Route.EXPERIMENT, "授课效果证明")]
)
def test_without_its_papers_a_qualification_is_not_submitted(
    registers: Registers, route: Route, missing: str
):
    since = datetime.date(2024, 9, 1) if route == Route.CERTIFICATE else None
    row = registers.complete(route=route, training_since=since)
    last = row.documents.get(kind__in=[DocumentKind.ONLINE_SKILLS, DocumentKind.GOOD_EFFECT])
    actions.retire_document(document=last, actor=registers.cast.manager, at=registers.at)
    with pytest.raises(Refusal) as refused:
        actions.submit_qualification(qualification=row, actor=registers.cast.manager, at=registers.at)
    assert refused.value.code == "documents_missing"
    assert missing in str(refused.value)
    row.refresh_from_db()
    assert row.state == QualificationState.DRAFT
    assert Document.objects.filter(pk=last.pk).exists()  # retired, not gone


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"number": " "}, "qualification_number"),
        ({"route": "diploma"}, "qualification_number"),
        ({"training_since": None}, "training_since_missing"),
        ({"certified_on": datetime.date(2026, 9, 8)}, "date_in_future"),
        ({"training_since": datetime.date(2026, 9, 8)}, "date_in_future"),
    ],
)
def test_what_cannot_be_right_is_refused(registers: Registers, changes: dict[str, Any], code: str):
    with pytest.raises(Refusal, check=lambda refusal: refusal.code == code):
        registers.entered(**changes)
    assert not Qualification.objects.filter(person=registers.novice).exists()


def test_only_one_qualification_of_a_person_is_under_way(registers: Registers):
    registers.entered()
    with pytest.raises(Refusal, check=lambda refusal: refusal.code == "qualification_under_way"):
        registers.entered(route=Route.EXPERIMENT)


def test_only_ones_own_lecturers_are_entered(registers: Registers):
    assistant = registers.cast.assistant.person
    assert assistant
    for person, institution, actor, expected in (
        (assistant, registers.cast.school, registers.cast.manager, Refusal),
        (registers.novice, registers.cast.rival_school, registers.cast.rival, Refusal),
        (registers.novice, registers.cast.school, registers.cast.rival, Http404),
        (registers.novice, registers.cast.school, registers.cast.officer, Refusal),
    ):
        with pytest.raises(expected):
            actions.enter_qualification(
                person=person,
                institution=institution,
                details=registers.details(),
                actor=actor,
                at=registers.at,
            )
    assert not Qualification.objects.exclude(person=registers.trainer).exists()


def test_a_return_names_its_reason_and_the_school_corrects_it(registers: Registers):
    row = registers.submitted()

    def decide(reason: str) -> Qualification:
        return actions.decide_qualification(
            qualification=row, confirmed=False, reason=reason, actor=registers.cast.officer, at=registers.at
        )

    with pytest.raises(Refusal, check=lambda refusal: refusal.code == "reason_missing"):
        decide("  ")
    returned = decide("合格证照片看不清。")
    assert (returned.state, returned.reason) == (QualificationState.RETURNED, "合格证照片看不清。")
    assert decide("合格证照片看不清。") == returned  # again: nothing changes
    changed = actions.change_qualification(
        qualification=row,
        details=registers.details(number="豫创培师 2024-0008"),
        actor=registers.cast.manager,
        at=registers.at,
    )
    again = actions.submit_qualification(qualification=changed, actor=registers.cast.manager, at=registers.at)
    assert (again.state, again.reason) == (QualificationState.SUBMITTED, "")


def test_with_the_office_nothing_is_changed_until_it_is_withdrawn(registers: Registers):
    row = registers.submitted()
    manager, at = registers.cast.manager, registers.at
    for change in (
        lambda: actions.change_qualification(
            qualification=row, details=registers.details(), actor=manager, at=at
        ),
        lambda: actions.add_to_qualification(
            qualification=row, kind=DocumentKind.CONTRACT, paper=paper("合同"), actor=manager, at=at
        ),
        lambda: actions.retire_document(document=row.documents.all()[0], actor=manager, at=at),
    ):
        with pytest.raises(Refusal, check=lambda refusal: refusal.code == "qualification_not_open"):
            change()
    assert actions.withdraw_qualification(qualification=row, actor=manager, at=at).is_open


@pytest.mark.parametrize("who", ["manager", "regulator", "rival", "finance"])
def test_only_the_office_of_the_region_decides(registers: Registers, who: str):
    row = registers.submitted()
    with pytest.raises((Refusal, Http404)) as refused:
        actions.decide_qualification(
            qualification=row, confirmed=True, reason="", actor=registers.cast[who], at=registers.at
        )
    if isinstance(refused.value, Refusal):
        assert refused.value.code == "not_the_office"
    row.refresh_from_db()
    assert row.state == QualificationState.SUBMITTED


def test_pictures_are_sealed_and_every_look_is_on_record(registers: Registers):
    row = registers.complete()
    document = row.documents.get(kind=DocumentKind.CERTIFICATE)
    assert scan()[:16] not in bytes(document.file.ciphertext)
    data = actions.open_picture(document=document, actor=registers.cast.manager, at=registers.at)
    assert data.startswith(b"\xff\xd8\xff")
    assert kinds(document.subject)[-1] == "register.document_seen"
    with pytest.raises(Http404):
        actions.open_picture(document=document, actor=registers.cast.rival, at=registers.at)


def test_a_class_with_an_unqualified_lecturer_is_not_filed(registers: Registers, school: School):
    training_class = school.ready(lecturer=registers.novice)
    with pytest.raises(Refusal) as refused:
        submit_filing(training_class=training_class, actor=registers.cast.manager, at=registers.at)
    assert [finding.code for finding in _failed(refused.value)] == ["lecturer_route"]


def test_the_way_to_an_unqualified_lecturers_papers_is_on_both_pages_of_the_class(
    registers: Registers, school: School, time_machine: Any
):
    time_machine.move_to(registers.at.astimezone(datetime.UTC), tick=False)
    training_class = school.ready(lecturer=registers.novice)
    register = reverse("registers:lecturer", args=[registers.novice.pk])
    client = client_of(registers.cast.manager)
    for name in ("timetable", "filing"):
        page = client.get(reverse(f"classes:{name}", args=[training_class.pk])).content.decode()
        assert f'href="{register}"' in page, name
    assert client.get(register).status_code == 200


@pytest.mark.parametrize(
    ("since", "failed"),
    [
        (datetime.date(2024, 9, 21), []),  # two years to the first day
        (datetime.date(2024, 9, 22), ["lecturer_route"]),
    ],
)
def test_two_years_are_counted_to_the_first_day(
    registers: Registers, school: School, since: datetime.date, failed: list[str]
):
    registers.confirmed(training_since=since)
    training_class = school.ready(lecturer=registers.novice)
    if failed:
        with pytest.raises(Refusal) as refused:
            submit_filing(training_class=training_class, actor=registers.cast.manager, at=registers.at)
        assert [finding.code for finding in _failed(refused.value)] == failed
    else:
        submit_filing(training_class=training_class, actor=registers.cast.manager, at=registers.at)


def test_a_paper_that_has_run_out_no_longer_counts(registers: Registers):
    row = registers.entered(route=Route.EXPERIMENT, training_since=None)
    for kind, until in (
        (DocumentKind.EXPERIMENT, datetime.date(2026, 9, 21)),
        (DocumentKind.GOOD_EFFECT, None),
    ):
        actions.add_to_qualification(
            qualification=row,
            kind=kind,
            paper=paper("证明", valid_until=until),
            actor=registers.cast.manager,
            at=registers.at,
        )
    actions.submit_qualification(qualification=row, actor=registers.cast.manager, at=registers.at)
    actions.decide_qualification(
        qualification=row, confirmed=True, reason="", actor=registers.cast.officer, at=registers.at
    )
    last, after = datetime.date(2026, 9, 21), datetime.date(2026, 9, 22)
    assert lecturer_record(registers.novice.pk, last).experimental_class
    assert not lecturer_record(registers.novice.pk, after).experimental_class


def _failed(refusal: Refusal) -> list[Any]:
    findings: Any = refusal.details["findings"]
    return [finding for finding in findings if finding.blocks]
