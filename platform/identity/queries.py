"""What is known of people's consents, templates and checks."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Person
from identity.models import Consent, FaceCheck, FaceFrames, FaceTemplate
from identity.states import CheckState, ConsentPurpose, Purpose

# 人脸识别技术应用安全管理办法 第十五条: from this many people on, a filing with the provincial cyberspace
# office is due within 30 working days.
FILING_DUTY_PEOPLE = 100_000


def open_consent(person: Person) -> Consent | None:
    """The consent to face checks that the person has given and not withdrawn."""
    return Consent.objects.filter(
        person=person, purpose=ConsentPurpose.FACE, withdrawn_at__isnull=True
    ).first()


def live_template(person: Person, engine_id: str, *, at: datetime | None = None) -> FaceTemplate | None:
    """The template that checks by this engine compare with; never one of another engine.

    With `at`, none whose time is over, even if the hourly task has not destroyed it yet.
    """
    live = FaceTemplate.objects.select_related("key").filter(
        person=person, engine_id=engine_id, destroyed_at__isnull=True
    )
    return (live.filter(expires_at__gt=at) if at else live).first()


def waiting_enrolment(person: Person) -> FaceCheck | None:
    """An enrolment that was sent in and not judged yet."""
    return FaceCheck.objects.filter(person=person, purpose=Purpose.ENROL, state=CheckState.PENDING).first()


def last_enrolment(person: Person) -> FaceCheck | None:
    """The person's latest try to enrol."""
    return FaceCheck.objects.filter(person=person, purpose=Purpose.ENROL).first()


def checks_in_doubt(subject: str) -> QuerySet[FaceCheck]:
    """The checks about `subject`, or anything below it, that wait for a person; the longest waiting first."""
    return (
        FaceCheck.objects.select_related("person")
        .filter(Q(subject=subject) | Q(subject__startswith=f"{subject}/"), state=CheckState.GREY)
        .order_by("at", "pk")
    )


def stored_face_people() -> int:
    """How many people's face data is held right now, templates or pictures (FILING_DUTY_PEOPLE)."""
    templates = FaceTemplate.objects.filter(person=OuterRef("pk"), destroyed_at__isnull=True)
    pictures = FaceFrames.objects.filter(face_check__person=OuterRef("pk"))
    return Person.objects.filter(Exists(templates) | Exists(pictures)).count()
