"""Who may see exams, sittings, coursework and certificates. Who teaches is the class's question."""

from django.contrib.auth.models import AnonymousUser
from django.http import Http404

from accounts.models import User
from classes.models import TrainingClass
from classes.permissions import access_class, can_decide, can_manage, can_teach, sees_roster
from classes.queries import classes_visible_to
from exams.models import Attempt, Certificate, Exam, Submission


def access_exam(user: User | AnonymousUser, pk: int) -> Exam:
    """The exam of a class that this account sees; Http404 otherwise."""
    exam = (
        Exam.objects.select_related("lesson", "training_class__institution__region", "training_class__course")
        .filter(pk=pk, training_class__in=classes_visible_to(user).order_by())
        .first()
    )
    if exam is None:
        raise Http404
    return exam


def access_attempt(user: User | AnonymousUser, pk: int) -> Attempt:
    """One's own sitting; Http404 for everybody else, staff included."""
    if not isinstance(user, User) or user.person_id is None:
        raise Http404
    attempt = (
        Attempt.objects.select_related("exam__lesson", "exam__training_class", "enrolment")
        .filter(pk=pk, enrolment__person_id=user.person_id)
        .first()
    )
    if attempt is None:
        raise Http404
    return attempt


def access_results(user: User | AnonymousUser, pk: int) -> TrainingClass:
    """A class whose results this account may read: its staff, institution and bureau; or Http404."""
    training_class = access_class(user, pk)
    if not sees_roster(user, training_class):
        raise Http404
    return training_class


def access_submission(user: User | AnonymousUser, pk: int) -> Submission:
    """A trainee's work, for who teaches or manages the class; Http404 otherwise."""
    submission = (
        Submission.objects.select_related(
            "lesson", "enrolment__person", "enrolment__training_class", "scored_by__person"
        )
        .filter(pk=pk, enrolment__training_class__in=classes_visible_to(user).order_by())
        .first()
    )
    if submission is None:
        raise Http404
    training_class = submission.enrolment.training_class
    if not isinstance(user, User) or not can_read_work(user, training_class):
        raise Http404
    return submission


def can_read_work(user: User, training_class: TrainingClass) -> bool:
    """Whether this account reads a class's work: who teaches it, and its manager (P13, M10)."""
    return can_teach(user, training_class) or can_manage(user, training_class)


def access_certificate(user: User | AnonymousUser, pk: int) -> Certificate:
    """A certificate, for its trainee, the institution's manager and the officer of its region; or Http404."""
    certificate = (
        Certificate.objects.select_related(
            "enrolment__person", "enrolment__training_class__institution__region"
        )
        .filter(pk=pk)
        .first()
    )
    if certificate is None or not isinstance(user, User):
        raise Http404
    enrolment = certificate.enrolment
    is_own = user.person_id is not None and enrolment.person_id == user.person_id
    if not (
        is_own or can_manage(user, enrolment.training_class) or can_decide(user, enrolment.training_class)
    ):
        raise Http404
    return certificate
