"""Concluding a class: who gets a certificate, its number, its paper, and what the public may see."""

import contextlib
import datetime
import io

import cv2
import pypdf
import pypdfium2
import pytest
from django.conf import settings
from django.test import Client

from attendance.models import Verdict
from audit.actions import seal_now
from audit.models import Entry
from classes.models import TrainingClass
from classes.states import ClassState
from config.demo.cast import Cast
from exams.actions.certificates import conclude_class, print_pdf, revoke_certificate
from exams.certificates.document import draw, han_date, readable_number
from exams.models import Certificate, CertificateCounter
from exams.queries import completions_of, next_steps_for
from exams.states import CertificateState
from policy.refusals import Refusal
from tests.attendance.conftest import Room
from tests.cast import client_of
from tests.exams.conftest import OVER, START, School

pytestmark = pytest.mark.django_db


@pytest.fixture
def concluded(school: School, cast: Cast) -> Certificate:
    """The learner passed both."""
    school.attends(cast.learner)
    school.sits(cast.learner)
    [certificate] = school.concludes()
    return print_pdf(certificate_id=certificate.pk, at=OVER)


def test_a_certificate_needs_both_the_exam_and_attendance(school: School, cast: Cast) -> None:
    both, exam_only, attendance_only, neither = map(school.trainee, cast.trainees(4))
    for user in (both, attendance_only):
        school.attends(user)
    school.sits(both)
    school.sits(exam_only)
    school.sits(attendance_only, right=False)
    [certificate] = school.concludes()
    assert certificate.enrolment.person == both.person
    outcomes = {
        one.enrolment.person_id: (
            bool(one.exam and one.exam.passed),
            bool(one.verdict and one.verdict.passed),
            one.passed,
            one.certificate is not None,
        )
        for one in completions_of(school.training_class)
    }
    assert outcomes == {
        both.person_id: (True, True, True, True),
        exam_only.person_id: (True, False, False, False),
        attendance_only.person_id: (False, True, False, False),
        neither.person_id: (False, False, False, False),
    }
    facts = Entry.objects.get(kind="class.concluded").facts
    assert facts == {"enrolled": 4, "completed": 1}
    assert Entry.objects.get(kind="certificate.issued").facts["number"] == certificate.number


def test_without_an_exam_the_class_ends_and_nobody_passes(room: Room, cast: Cast) -> None:
    live = room.lesson("08:30", "11:30")
    room.signed_in(room.learner, live, live.starts_at)
    room.seen(room.learner, live, (live.starts_at, live.ends_at))
    assert conclude_class(actor=cast.manager, training_class=room.training_class, at=OVER) == []
    room.training_class.refresh_from_db()
    assert room.training_class.state == ClassState.FINISHED
    assert Verdict.objects.get().passed


def test_the_manager_is_led_to_conclude_when_the_lessons_are_over(school: School, cast: Cast) -> None:
    assert list(next_steps_for(cast.manager, START)) == []
    [task] = next_steps_for(cast.manager, OVER)
    assert (task.title, task.url) == (
        f"给“{school.training_class.name}”结班",
        f"/classes/{school.training_class.pk}/conclude/",
    )
    assert list(next_steps_for(cast.rival, OVER)) == []
    school.concludes()
    assert list(next_steps_for(cast.manager, OVER)) == []


def test_concluding_again_changes_nothing(concluded: Certificate, school: School) -> None:
    entries = Entry.objects.count()
    assert school.concludes() == [concluded]
    assert Entry.objects.count() == entries
    assert CertificateCounter.objects.get().last == 1


def test_only_the_manager_of_the_institution_concludes(school: School, cast: Cast) -> None:
    for actor in (cast.trainer, cast.learner, cast.rival, cast.officer):
        client = client_of(actor)
        assert client.post(f"/classes/{school.training_class.pk}/conclude/").status_code in (403, 404)
        assert client.post(f"/api/v1/classes/{school.training_class.pk}/conclude/").status_code in (403, 404)
    assert TrainingClass.objects.get().state == ClassState.RUNNING
    assert not Verdict.objects.exists()


def test_the_class_does_not_end_while_somebody_sits_the_exam(school: School, cast: Cast) -> None:
    school.starts(cast.learner)
    with pytest.raises(Refusal) as refused:
        school.concludes(START)
    assert refused.value.code == "attempts_running"
    assert not Verdict.objects.exists()


def test_numbers_follow_each_other_without_a_gap(school: School, cast: Cast) -> None:
    CertificateCounter.objects.create(prefix="41012026", last=317)
    for user in map(school.trainee, cast.trainees(3)):
        school.attends(user)
        school.sits(user)
    numbers = [certificate.number for certificate in school.concludes()]
    assert numbers == ["41012026000318", "41012026000319", "41012026000320"]
    assert CertificateCounter.objects.get().last == 320


def test_the_paper_says_who_and_what_and_its_code_leads_to_the_check(
    concluded: Certificate, cast: Cast
) -> None:
    content = draw(concluded)
    assert content == draw(concluded)
    page = pypdf.PdfReader(io.BytesIO(content)).pages[0]
    # pypdf leaves the high byte of each two-byte code of an embedded CID font in its text.
    text = "".join(page.extract_text().replace("\x00", "").split())
    assert cast.learner.person is not None
    for part in ("王小满", concluded.number[-6:], "合格证", "5课时", "演示", "创业意识培训（GYB）"):
        assert part in text
    assert cast.learner.person.open_id_number() not in text
    assert cast.learner.person.id_number_masked in text
    with contextlib.closing(pypdfium2.PdfDocument(content)) as printed:
        picture = printed[0].render(scale=150 / 72).to_numpy()
    decoded, *_ = cv2.QRCodeDetector().detectAndDecode(picture)
    assert decoded == f"{settings.PUBLIC_URL}/certificates/check/?number={concluded.number}"


def test_the_paper_is_drawn_once_and_its_digest_is_on_record(concluded: Certificate) -> None:
    again = print_pdf(certificate_id=concluded.pk, at=OVER)
    assert again.pdf.name == concluded.pdf.name
    assert Entry.objects.get(kind="certificate.printed").facts["pdf"] == concluded.pdf_sha256


def test_dates_and_numbers_read_as_people_write_them() -> None:
    assert han_date(datetime.date(2026, 11, 30)) == "二〇二六年十一月三十日"
    assert han_date(datetime.date(2026, 1, 10)) == "二〇二六年一月十日"
    assert readable_number("41012026000318") == "豫创证 4101 2026 000318"


# --- the public check ---


@pytest.mark.parametrize("typed", ["{n}", "豫创证 {n}", " {a} {b} {c} ", "４１０１{b}{c}"])
def test_anybody_checks_a_certificate_and_sees_no_more_than_the_paper_shows_masked(
    concluded: Certificate, cast: Cast, typed: str
) -> None:
    n = concluded.number
    page = Client().get("/certificates/check/", {"number": typed.format(n=n, a=n[:4], b=n[4:8], c=n[8:])})
    assert page.status_code == 200
    html = page.content.decode()
    assert 'data-state="valid"' in html
    assert "王*满" in html
    assert "王小满" not in html
    assert cast.learner.person is not None
    assert cast.learner.person.open_id_number() not in html


def test_the_check_answers_programs_too(concluded: Certificate) -> None:
    answer = Client().get(f"/api/v1/certificates/{concluded.number}/verify/")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["state"], body["name"], body["course_type"]) == ("valid", "王*满", "GYB")
    assert body["attendance_percent"] == "100%"


@pytest.mark.parametrize("number", ["41012026999999", "x", "4" * 60, "%00"])
def test_an_unknown_number_is_said_to_be_unknown(db: None, number: str) -> None:
    page = Client().get("/certificates/check/", {"number": number})
    assert page.status_code == 200
    assert 'data-state="unknown"' in page.content.decode()
    assert Client().get(f"/api/v1/certificates/{number}/verify/").status_code == 404


def test_a_revoked_certificate_says_since_when_and_why(concluded: Certificate, cast: Cast) -> None:
    revoked = revoke_certificate(actor=cast.officer, certificate=concluded, reason="冒名顶替", at=OVER)
    assert revoked.state == CertificateState.REVOKED
    revoke_certificate(actor=cast.officer, certificate=concluded, reason="再撤一次", at=OVER)
    html = Client().get("/certificates/check/", {"number": concluded.number}).content.decode()
    assert 'data-state="revoked"' in html
    assert "冒名顶替" in html
    assert "再撤一次" not in html
    assert Client().get(f"/api/v1/certificates/{concluded.number}/verify/").json()["state"] == "revoked"
    assert Entry.objects.filter(kind="certificate.revoked").count() == 1


def test_only_an_officer_revokes_and_only_with_a_reason(concluded: Certificate, cast: Cast) -> None:
    for actor, reason, code in (
        (cast.manager, "理由", "officer_required"),
        (cast.learner, "理由", "officer_required"),
        (cast.officer, "  ", "reason_required"),
    ):
        with pytest.raises(Refusal) as refused:
            revoke_certificate(actor=actor, certificate=concluded, reason=reason, at=OVER)
        assert refused.value.code == code
    concluded.refresh_from_db()
    assert concluded.state == CertificateState.VALID


def test_the_file_is_for_its_trainee_the_manager_and_the_officer(concluded: Certificate, cast: Cast) -> None:
    path = f"/certificates/{concluded.pk}/pdf/"
    for user in (cast.learner, cast.manager, cast.officer):
        answer = client_of(user).get(path)
        assert answer.status_code == 200
        assert answer["Content-Disposition"] == f'attachment; filename="{concluded.number}.pdf"'
    for user in (cast.trainer, cast.rival, cast.regulator):
        assert client_of(user).get(path).status_code == 404
    assert client_of(None).get(path).status_code == 302


def test_the_check_names_the_signed_root_once_there_is_one(concluded: Certificate, cast: Cast) -> None:
    path, query = "/certificates/check/", {"number": concluded.number}
    assert "data-root" not in Client().get(path, query).content.decode()
    assert Client().get(f"/api/v1/certificates/{concluded.number}/verify/").json()["root"] is None
    root = seal_now(at=OVER)
    html = Client().get(path, query).content.decode()
    assert f'data-root="{root.number}"' in html
    assert root.merkle_root in html
    body = Client().get(f"/api/v1/certificates/{concluded.number}/verify/").json()
    assert (body["root"]["merkle_root"], body["root"]["signature"]) == (root.merkle_root, root.signature)
    assert body["pdf_sha256"] == concluded.pdf_sha256
