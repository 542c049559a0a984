"""The final exam, who completed a class, concluding it, and the public check of a certificate (DESIGN §6).

A question is named by its place in the exam's paper, an option by its place in the question, both from 0; the
correct options never leave the server.
"""

from typing import Any

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import RefusalSerializer
from accounts.api_views import APIView
from accounts.models import User
from audit.models import Root
from classes.models import Lesson
from classes.permissions import access_class
from exams import queries
from exams.actions.attempts import save_answer, start_attempt, submit_attempt
from exams.actions.certificates import conclude_class
from exams.actions.papers import set_exam
from exams.certificates.public import DIFFERS, PublicCertificate, public_certificate
from exams.models import Attempt, AttemptAnswer, Exam
from exams.paper import judged, shown_questions
from exams.permissions import access_attempt, access_exam, access_results
from exams.queries import Completion
from exams.states import AttemptState, CertificateState, QuestionKind
from policy.messages import percent_figure

Body = serializers.Serializer[Any]
ERRORS = {400: RefusalSerializer, 403: RefusalSerializer, 404: RefusalSerializer, 409: RefusalSerializer}
LARGEST = 2**31 - 1  # what the database's integers hold
OPTIONS_AT_MOST = 20


class ExamsView(APIView):
    """Parse, fetch for this person (404 for strangers), act."""

    def user(self) -> User:
        assert isinstance(self.request.user, User)
        return self.request.user

    def body(self, form: type[Body]) -> dict[str, Any]:
        parsed = form(data=self.request.data)
        parsed.is_valid(raise_exception=True)
        data: dict[str, Any] = parsed.validated_data
        return data


# --- the exam ---


class ExamSerializer(serializers.Serializer[Exam]):
    """An exam without its questions; they come with a sitting."""

    id = serializers.IntegerField(source="pk")
    training_class = serializers.IntegerField(source="training_class_id")
    lesson = serializers.IntegerField(source="lesson_id")
    starts_at = serializers.DateTimeField(source="lesson.starts_at")
    ends_at = serializers.DateTimeField(source="lesson.ends_at")
    seconds_allowed = serializers.IntegerField()
    questions = serializers.SerializerMethodField(help_text="How many.")
    total_points = serializers.IntegerField()

    def get_questions(self, exam: Exam) -> int:
        return len(exam.paper)


class ExamWishSerializer(Body):
    lesson = serializers.IntegerField(
        min_value=1, max_value=LARGEST, help_text="An exam lesson of the class."
    )
    seconds_allowed = serializers.IntegerField(
        min_value=1, max_value=LARGEST, required=False, help_text="By default the whole lesson."
    )


class ExamView(ExamsView):
    @extend_schema(summary="An exam", responses={200: ExamSerializer, 404: RefusalSerializer})
    def get(self, request: Request, pk: int) -> Response:
        return Response(ExamSerializer(access_exam(self.user(), pk)).data)


class ClassExamView(ExamsView):
    """The exam of a class: everybody of the class may see that there is one, its staff sets it."""

    @extend_schema(summary="The exam of a class", responses={200: ExamSerializer, 404: RefusalSerializer})
    def get(self, request: Request, pk: int) -> Response:
        exam = queries.exam_of(access_class(self.user(), pk))
        if exam is None:
            raise Http404
        return Response(ExamSerializer(exam).data)

    @extend_schema(
        summary="Set the exam from the course's question bank",
        request=ExamWishSerializer,
        responses={201: ExamSerializer, **ERRORS},
    )
    def post(self, request: Request, pk: int) -> Response:
        training_class = access_class(self.user(), pk)
        wish = self.body(ExamWishSerializer)
        exam = set_exam(
            actor=self.user(),
            training_class=training_class,
            lesson=get_object_or_404(Lesson, pk=wish["lesson"], training_class=training_class),
            seconds_allowed=wish.get("seconds_allowed"),
            at=timezone.now(),
        )
        return Response(ExamSerializer(exam).data, status=status.HTTP_201_CREATED)


# --- a sitting ---


class PaperOptionSerializer(Body):
    option = serializers.IntegerField()
    text = serializers.CharField()


class PaperQuestionSerializer(Body):
    number = serializers.IntegerField(help_text="Where it stands on this trainee's screen, from 1.")
    question = serializers.IntegerField(help_text="Its name when answering.")
    kind = serializers.ChoiceField(choices=QuestionKind.choices)
    stem = serializers.CharField()
    points = serializers.IntegerField()
    options = PaperOptionSerializer(many=True)
    chosen = serializers.ListField(child=serializers.IntegerField())
    revision = serializers.IntegerField(help_text="0 before the first save.")


class AttemptSerializer(Body):
    """One's own sitting. Questions are empty once it is handed in; points and `passed` are null before."""

    id = serializers.IntegerField()
    exam = serializers.IntegerField()
    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=AttemptState.choices)
    server_now = serializers.DateTimeField()
    started_at = serializers.DateTimeField()
    deadline_at = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    total = serializers.IntegerField()
    points = serializers.IntegerField(allow_null=True)
    passed = serializers.BooleanField(allow_null=True)
    questions = PaperQuestionSerializer(many=True)


def attempt_body(attempt: Attempt) -> dict[str, Any]:
    """A sitting as its trainee sees it."""
    finding = judged(attempt)
    data = {
        "id": attempt.pk,
        "exam": attempt.exam_id,
        "number": attempt.number,
        "state": attempt.state,
        "server_now": timezone.now(),
        "started_at": attempt.started_at,
        "deadline_at": attempt.deadline_at,
        "submitted_at": attempt.submitted_at,
        "total": attempt.exam.total_points,
        "points": attempt.points,
        "passed": finding.passed if finding else None,
        "questions": shown_questions(attempt) if attempt.state == AttemptState.RUNNING else [],
    }
    return dict(AttemptSerializer(data).data)


class ChoiceSerializer(Body):
    chosen = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=LARGEST), max_length=OPTIONS_AT_MOST
    )
    revision = serializers.IntegerField(
        min_value=1, max_value=LARGEST, help_text="Counts up with each save; an older one changes nothing."
    )


class SavedAnswerSerializer(serializers.Serializer[AttemptAnswer]):
    """What is stored now, which may be newer than what was sent."""

    question = serializers.IntegerField()
    chosen = serializers.ListField(child=serializers.IntegerField())
    revision = serializers.IntegerField()
    saved_at = serializers.DateTimeField()


class AttemptsView(ExamsView):
    @extend_schema(
        summary="Begin the exam, or go on with it",
        request=None,
        responses={200: AttemptSerializer, 201: AttemptSerializer, **ERRORS},
    )
    def post(self, request: Request, pk: int) -> Response:
        at = timezone.now()
        attempt = start_attempt(actor=self.user(), exam=access_exam(self.user(), pk), at=at)
        is_new = attempt.started_at == at
        return Response(
            attempt_body(access_attempt(self.user(), attempt.pk)),
            status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK,
        )


class AttemptView(ExamsView):
    @extend_schema(summary="One's own sitting", responses={200: AttemptSerializer, 404: RefusalSerializer})
    def get(self, request: Request, pk: int) -> Response:
        return Response(attempt_body(access_attempt(self.user(), pk)))


class AnswerView(ExamsView):
    @extend_schema(
        operation_id="exam_answer_save",
        summary="Save what is chosen for one question",
        request=ChoiceSerializer,
        responses={200: SavedAnswerSerializer, **ERRORS},
    )
    def put(self, request: Request, pk: int, question: int) -> Response:
        at = timezone.now()
        attempt = access_attempt(self.user(), pk)
        choice = self.body(ChoiceSerializer)
        answer = save_answer(
            actor=self.user(),
            attempt=attempt,
            question=question,
            chosen=choice["chosen"],
            revision=choice["revision"],
            at=at,
        )
        return Response(SavedAnswerSerializer(answer).data)


class SubmitView(ExamsView):
    @extend_schema(
        summary="Hand in and be marked", request=None, responses={200: AttemptSerializer, **ERRORS}
    )
    def post(self, request: Request, pk: int) -> Response:
        at = timezone.now()
        attempt = access_attempt(self.user(), pk)
        submit_attempt(actor=self.user(), attempt=attempt, at=at)
        return Response(attempt_body(access_attempt(self.user(), pk)))


# --- who completed, and the end of a class ---


class CompletionReasonSerializer(Body):
    code = serializers.CharField()
    message = serializers.CharField()
    citation = serializers.CharField()


class CompletionSerializer(Body):
    """What one trainee has reached; null for what is not judged yet."""

    enrolment = serializers.IntegerField()
    name = serializers.CharField()
    id_number = serializers.CharField(help_text="masked")
    attendance_passed = serializers.BooleanField(allow_null=True)
    points = serializers.IntegerField(allow_null=True)
    total = serializers.IntegerField(allow_null=True)
    exam_passed = serializers.BooleanField(allow_null=True)
    passed = serializers.BooleanField()
    reasons = CompletionReasonSerializer(many=True)
    certificate = serializers.CharField(allow_null=True, help_text="Its number.")


def completion_body(one: Completion) -> dict[str, Any]:
    """One row of a class's results."""
    reasons = [finding.render(gettext) for finding in one.decision.reasons]
    return {
        "enrolment": one.enrolment.pk,
        "name": one.enrolment.person.name,
        "id_number": one.enrolment.person.id_number_masked,
        "attendance_passed": one.verdict.passed if one.verdict else None,
        "points": one.attempt.points if one.attempt else None,
        "total": one.attempt.exam.total_points if one.attempt else None,
        "exam_passed": one.exam.passed if one.exam else None,
        "passed": one.passed,
        "reasons": [
            {"code": item["code"], "message": item["message"], "citation": item["citation"]}
            for item in reasons
        ],
        "certificate": one.certificate.number if one.certificate else None,
    }


class CompletionsView(GenericAPIView[Any]):
    """Everybody's exam, attendance and certificate, by name; for staff, institution and bureau."""

    serializer_class = CompletionSerializer

    @extend_schema(summary="Who completed the class", responses={200: CompletionSerializer(many=True)})
    def get(self, request: Request, pk: int) -> Response:
        assert isinstance(request.user, User)
        page = self.paginate_queryset(queries.completions_of(access_results(request.user, pk)))
        return self.get_paginated_response([completion_body(one) for one in page or []])


class IssuedSerializer(Body):
    id = serializers.IntegerField(source="pk")
    number = serializers.CharField()
    enrolment = serializers.IntegerField(source="enrolment_id")
    issued_on = serializers.DateField()


class ConcludedSerializer(Body):
    training_class = serializers.IntegerField()
    certificates = IssuedSerializer(many=True)


class ConcludeView(ExamsView):
    @extend_schema(
        summary="End a class: verdicts and certificates, once and for good",
        request=None,
        responses={200: ConcludedSerializer, **ERRORS},
    )
    def post(self, request: Request, pk: int) -> Response:
        training_class = access_class(self.user(), pk)
        certificates = conclude_class(actor=self.user(), training_class=training_class, at=timezone.now())
        data = {"training_class": training_class.pk, "certificates": certificates}
        return Response(ConcludedSerializer(data).data)


# --- the public check ---


class SealSerializer(serializers.Serializer[Root]):
    number = serializers.IntegerField()
    day = serializers.DateField()
    merkle_root = serializers.CharField()
    public_key = serializers.CharField()
    signature = serializers.CharField()


class VerifiedSerializer(serializers.Serializer[PublicCertificate]):
    """A certificate as anybody may see it: name and ID number masked."""

    number = serializers.CharField()
    state = serializers.ChoiceField(
        source="standing",
        choices=[*CertificateState.choices, (DIFFERS, gettext_lazy("与留痕不一致"))],
        help_text="`differs` where the evidence log does not bear it out: do not rely on what it says",
    )
    differences = serializers.ListField(
        source="differing", child=serializers.CharField(), help_text="what differs from the log, by name"
    )
    name = serializers.CharField(help_text="masked")
    id_number = serializers.CharField(help_text="masked")
    course_type = serializers.CharField(source="course")
    mode = serializers.CharField()
    hours = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    institution = serializers.CharField()
    attendance_percent = serializers.SerializerMethodField(help_text="cut to two decimals, never rounded")
    issued_on = serializers.DateField()
    pdf_sha256 = serializers.CharField()
    root = SealSerializer(allow_null=True, help_text="The signed evidence root that covers the file's entry.")
    revoked_at = serializers.DateTimeField(allow_null=True)
    revocation_reason = serializers.CharField()
    checked_at = serializers.SerializerMethodField()

    def get_attendance_percent(self, certificate: PublicCertificate) -> str:
        return f"{percent_figure(certificate.share)}%"

    @extend_schema_field(serializers.DateTimeField())
    def get_checked_at(self, certificate: PublicCertificate) -> str:
        return timezone.now().isoformat()


class VerifyView(APIView):
    permission_classes = [AllowAny]
    authentication_classes = ()

    @extend_schema(
        summary="Check a certificate by its number",
        responses={200: VerifiedSerializer, 404: RefusalSerializer, 409: RefusalSerializer},
    )
    def get(self, request: Request, number: str) -> Response:
        found = public_certificate(number)
        if found is None:
            raise Http404
        return Response(VerifiedSerializer(found).data, headers={"Cache-Control": "no-store"})


api_urlpatterns = [
    path("exams/<int:pk>/", ExamView.as_view(), name="exam"),
    path("exams/<int:pk>/attempts/", AttemptsView.as_view(), name="attempts"),
    path("attempts/<int:pk>/", AttemptView.as_view(), name="attempt"),
    path("attempts/<int:pk>/answers/<int:question>/", AnswerView.as_view(), name="attempt-answer"),
    path("attempts/<int:pk>/submit/", SubmitView.as_view(), name="attempt-submit"),
    path("classes/<int:pk>/exam/", ClassExamView.as_view(), name="class-exam"),
    path("classes/<int:pk>/completions/", CompletionsView.as_view(), name="completions"),
    path("classes/<int:pk>/conclude/", ConcludeView.as_view(), name="conclude"),
    path("certificates/<str:number>/verify/", VerifyView.as_view(), name="certificate-verify"),
]
