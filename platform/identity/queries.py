"""What is known of people's consents, templates and checks."""

from datetime import datetime

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from accounts.models import Person
from identity.models import Consent, FaceCheck, FaceFrames, FaceTemplate
from identity.states import CheckState, ConsentPurpose, Destroyed, Purpose

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


def enrolled_anew(person: Person) -> bool:
    """Whether a template of the person went before another could be compared with it (consent withdrawn,
    time over), and nobody has looked at the person since (P7, P14).

    Withdrawing is free, so it must not be the way to put another face under a name.
    """
    gone = FaceTemplate.objects.filter(
        person=person, destroyed_because__in=[Destroyed.WITHDRAWN, Destroyed.EXPIRED]
    ).aggregate(last=Max("destroyed_at"))["last"]
    if gone is None:
        return False
    looked = FaceCheck.objects.filter(person=person, state=CheckState.CONFIRMED, reviewed_at__gte=gone)
    return not looked.exists()


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
