"""The certificate on paper: names of every kind, the same bytes each time, one file even after a crash."""

import hashlib
import io

import pypdf
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from audit.models import Entry
from config.demo.cast import Cast
from exams.actions.certificates import print_pdf
from exams.certificates.document import draw
from exams.models import Certificate, certificate_path
from exams.tasks import print_certificate, print_waiting_certificates
from tests.exams.conftest import OVER, School

pytestmark = pytest.mark.django_db


@pytest.fixture
def issued(school: School, cast: Cast) -> Certificate:
    school.attends(cast.learner)
    school.sits(cast.learner)
    [certificate] = school.concludes()
    return certificate


def text_of(content: bytes) -> str:
    [page] = pypdf.PdfReader(io.BytesIO(content)).pages
    # pypdf leaves the high byte of each two-byte code of an embedded CID font in its text.
    return "".join(page.extract_text().replace("\x00", "").split())


def drawn_for(certificate: Certificate, name: str) -> str:
    person = certificate.enrolment.person
    person.name = name
    person.save(update_fields=["name"])
    return text_of(draw(Certificate.objects.get(pk=certificate.pk)))


@pytest.mark.parametrize(
    "name", ["王小满", "王䶮", "赵𬭎", "刘𫖯", "阿卜杜热合曼·吾斯曼·买买提艾力", "O'Neil"]
)
def test_a_name_stands_on_the_paper_as_it_is_written(issued: Certificate, name: str) -> None:
    assert f"{name}，身份证号" in drawn_for(issued, name)


def test_a_character_outside_the_official_table_comes_from_the_next_face(issued: Certificate) -> None:
    assert "𠮷田建国，身份证号" in drawn_for(issued, "𠮷田建国")


def test_a_character_that_no_face_has_is_marked_and_reported(
    issued: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    assert "王〓，身份证号" in drawn_for(issued, "王\U00031340")
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "no installed face prints U+31340"
    ]


def test_a_file_left_by_a_worker_that_died_is_replaced(issued: Certificate) -> None:
    name = certificate_path(issued, f"{issued.number}.pdf")
    default_storage.delete(name)
    default_storage.save(name, ContentFile(b"half of it"))
    certificate = print_pdf(certificate_id=issued.pk, at=OVER)
    assert certificate.pdf.name == name
    with certificate.pdf.open() as file:
        assert hashlib.sha256(file.read()).hexdigest() == certificate.pdf_sha256
    assert default_storage.listdir(f"certificates/{issued.pk}") == ([], [f"{issued.number}.pdf"])


def test_the_task_may_run_again(issued: Certificate) -> None:
    for _ in range(2):
        print_certificate(issued.pk)
    issued.refresh_from_db()
    entry = Entry.objects.get(kind="certificate.printed")
    assert entry.facts["pdf"] == issued.pdf_sha256 == hashlib.sha256(draw(issued)).hexdigest()


def test_a_certificate_that_the_queue_never_took_is_printed_later(issued: Certificate) -> None:
    assert not Certificate.objects.get().pdf
    print_waiting_certificates()
    assert Certificate.objects.get().pdf.name == certificate_path(issued, f"{issued.number}.pdf")
    print_waiting_certificates()
    assert Entry.objects.filter(kind="certificate.printed").count() == 1
