"""Signing in and out, checks, the class's attendance and one's own meter (DESIGN §6).

Seconds are decimal strings, exact to the microsecond; shares are fractions (`n/d`) with a cut percentage
beside them.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any
from uuid import UUID

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import RefusalSerializer
from accounts.api_views import APIView, TextField, UploadField
from accounts.models import User
from accounts.parsers import JSONParser
from attendance import actions, queries
from attendance.actions import Beat
from attendance.actions.sign_in import sign_in_opens_at
from attendance.models import MICROSECONDS, Check, CheckAnswer, OpenWatch, SignIn
from attendance.permissions import (
    access_check,
    access_roomed_lesson,
    access_sign_in,
    access_times_of_class,
    require_trainee,
)
from attendance.queries import LessonTrace, TraineeCredit
from attendance.states import CheckKind, SignInMethod, SignInState
from attendance.wording import reason_words, remark_words, sign_in_words
from classes.models import Enrolment, Lesson
from classes.permissions import access_class
from courses.models import Material
from identity import uploads
from policy.messages import exact_text, percent_figure

Body = serializers.Serializer[Any]
ERRORS = {400: RefusalSerializer, 403: RefusalSerializer, 404: RefusalSerializer, 409: RefusalSerializer}
NOT_YET = "none"
MOST_MS = 2**31 - 1


def seconds_text(microseconds: int) -> str:
    """Exact seconds: 9080, or 9079.999999."""
    return exact_text(Fraction(microseconds, MICROSECONDS))


# --- signing in and out ---


class SignInFramesSerializer(Body):
    """One to eight JPEG or PNG pictures of the same moment, as repeated parts called `frames`."""

    frames = serializers.ListField(child=UploadField(), max_length=8)


class CodeSerializer(Body):
    code = TextField(max_length=40)


class SignInSerializer(Body):
    """The latest sign-in of one trainee to one lesson; `state` is `none` before the first."""

    id = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(choices=[(NOT_YET, "none"), *SignInState.choices])
    method = serializers.ChoiceField(choices=SignInMethod.choices, allow_null=True)
    requested_at = serializers.DateTimeField(allow_null=True)
    signed_out_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()
    message = serializers.CharField()
    next = serializers.CharField()
    opens_at = serializers.DateTimeField()


def sign_in_body(lesson: Lesson, sign_in: SignIn | None) -> Mapping[str, Any]:
    """A sign-in, or that there is none, in the words its trainee reads."""
    words = sign_in_words(sign_in) if sign_in else None
    data = {
        "id": sign_in.pk if sign_in else None,
        "state": sign_in.state if sign_in else NOT_YET,
        "method": sign_in.method if sign_in else None,
        "requested_at": sign_in.requested_at if sign_in else None,
        "signed_out_at": sign_in.signed_out_at if sign_in else None,
        "reason": sign_in.reason if sign_in else "",
        "message": words.message if words else "",
        "next": words.next_step if words else "",
        "opens_at": sign_in_opens_at(lesson),
    }
    return SignInSerializer(data).data


class AttendanceView(APIView):
    """Parse, fetch for this person (404 for strangers), act."""

    def user(self) -> User:
        assert isinstance(self.request.user, User)
        return self.request.user

    def body(self, form: type[Body]) -> dict[str, Any]:
        parsed = form(data=self.request.data)
        parsed.is_valid(raise_exception=True)
        data: dict[str, Any] = parsed.validated_data
        return data

    def lesson(self, pk: int) -> Lesson:
        return access_roomed_lesson(self.user(), pk)


class SignInView(AttendanceView):
    """One's own sign-in to a lesson: by face, followed until it is judged, or by the assistant's code."""

    parser_classes = (MultiPartParser, FormParser, JSONParser)

    @extend_schema(responses={200: SignInSerializer, **ERRORS})
    def get(self, request: Request, pk: int) -> Response:
        lesson = self.lesson(pk)
        enrolment = require_trainee(self.user(), lesson.training_class)
        return Response(sign_in_body(lesson, queries.last_sign_in(lesson, enrolment)))

    @extend_schema(
        request={"multipart/form-data": SignInFramesSerializer, "application/json": CodeSerializer},
        responses={201: SignInSerializer, **ERRORS, 422: RefusalSerializer, 429: RefusalSerializer},
    )
    def post(self, request: Request, pk: int) -> Response:
        lesson, user, at = self.lesson(pk), self.user(), timezone.now()
        if "code" in request.data:
            code = self.body(CodeSerializer)["code"]
            sign_in = actions.sign_in_by_code(lesson=lesson, code=code, actor=user, at=at)
        else:
            frames = uploads.read_frames(request.FILES.getlist(uploads.FIELD))
            sign_in = actions.sign_in_by_face(lesson=lesson, frames=frames, actor=user, at=at)
        sign_in.refresh_from_db()
        return Response(sign_in_body(lesson, sign_in), status=status.HTTP_201_CREATED)


class SignOutView(AttendanceView):
    """End one's own time in a lesson."""

    @extend_schema(request=None, responses={200: SignInSerializer, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        lesson = self.lesson(pk)
        sign_in = actions.sign_out(lesson=lesson, actor=self.user(), at=timezone.now())
        return Response(sign_in_body(lesson, sign_in))


class ConfirmView(AttendanceView):
    """The assistant saw that it is the person."""

    @extend_schema(request=None, responses={200: SignInSerializer, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        sign_in = access_sign_in(self.user(), pk)
        sign_in = actions.confirm_sign_in(sign_in=sign_in, actor=self.user(), at=timezone.now())
        return Response(sign_in_body(sign_in.lesson, sign_in))


class RefuseView(AttendanceView):
    """The assistant saw that it is not the person, or nobody."""

    @extend_schema(request=None, responses={200: SignInSerializer, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        sign_in = access_sign_in(self.user(), pk)
        sign_in = actions.refuse_sign_in(sign_in=sign_in, actor=self.user(), at=timezone.now())
        return Response(sign_in_body(sign_in.lesson, sign_in))


class CodeWishSerializer(Body):
    enrolment = serializers.IntegerField(min_value=1)


class IssuedCodeSerializer(Body):
    code = serializers.CharField(help_text="Shown once and kept nowhere.")


class CodesView(AttendanceView):
    """The assistant makes a one-time code for one trainee, to tell them."""

    @extend_schema(request=CodeWishSerializer, responses={201: IssuedCodeSerializer, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        lesson = self.lesson(pk)
        wish = self.body(CodeWishSerializer)
        enrolment = get_object_or_404(
            Enrolment.objects.select_related("person"),
            pk=wish["enrolment"],
            training_class=lesson.training_class,
        )
        code = actions.issue_sign_in_code(
            lesson=lesson, enrolment=enrolment, actor=self.user(), at=timezone.now()
        )
        return Response({"code": code}, status=status.HTTP_201_CREATED)


# --- checks ---


class RollCallSerializer(Body):
    seconds = serializers.IntegerField(required=False, help_text="By default what the edition says.")


class QuestionSerializer(RollCallSerializer):
    prompt = TextField(max_length=200)
    options = serializers.ListField(child=TextField(max_length=100), max_length=6)
    correct = serializers.IntegerField(min_value=0, help_text="Index of the right option.")
    target = serializers.ChoiceField(
        choices=["one", "all"], default="one", help_text="One trainee by lot, or everybody in the room."
    )


class CheckSerializer(serializers.Serializer[Check]):
    id = serializers.IntegerField(source="pk")
    kind = serializers.ChoiceField(choices=CheckKind.choices)
    prompt = serializers.CharField()
    options = serializers.ListField(child=serializers.CharField())
    opened_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField()
    asked = serializers.SerializerMethodField()

    def get_asked(self, check: Check) -> list[int]:
        return list(check.targets.order_by("pk").values_list("enrolment_id", flat=True))


class OptionSerializer(Body):
    option = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, help_text="Index of the option; none for a roll call."
    )


class CheckAnswerSerializer(serializers.Serializer[CheckAnswer]):
    check = serializers.IntegerField(source="target.asked_in_id")
    answered_at = serializers.DateTimeField()
    option = serializers.IntegerField(allow_null=True)
    correct = serializers.BooleanField(allow_null=True)


class RollCallView(AttendanceView):
    """Ask everybody in the room whether they are there (F20)."""

    @extend_schema(request=RollCallSerializer, responses={201: CheckSerializer, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        lesson = self.lesson(pk)
        wish = self.body(RollCallSerializer)
        check = actions.call_roll(
            lesson=lesson, actor=self.user(), at=timezone.now(), seconds=wish.get("seconds")
        )
        return Response(CheckSerializer(check).data, status=status.HTTP_201_CREATED)


class QuestionView(AttendanceView):
    """Put a question to one trainee by lot, or to everybody in the room (F21)."""

    @extend_schema(request=QuestionSerializer, responses={201: CheckSerializer, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        lesson = self.lesson(pk)
        wish = self.body(QuestionSerializer)
        check = actions.ask_question(
            lesson=lesson,
            prompt=wish["prompt"],
            options=wish["options"],
            correct=wish["correct"],
            seconds=wish.get("seconds"),
            everyone=wish["target"] == "all",
            actor=self.user(),
            at=timezone.now(),
        )
        return Response(CheckSerializer(check).data, status=status.HTTP_201_CREATED)


class AnswerView(AttendanceView):
    """Answer a check one was asked in, by the server's clock; the first answer stands."""

    @extend_schema(request=OptionSerializer, responses={200: CheckAnswerSerializer, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        at = timezone.now()
        check = access_check(self.user(), pk)
        option = self.body(OptionSerializer).get("option")
        answer = actions.answer_check(check=check, option=option, actor=self.user(), at=at)
        return Response(CheckAnswerSerializer(answer).data)


# --- time ---


class TimeReasonSerializer(Body):
    code = serializers.CharField()
    message = serializers.CharField()
    citation = serializers.CharField()
    lesson = serializers.IntegerField(allow_null=True)


class TimeSerializer(Body):
    """One trainee's time. Everything exact; `share` is credited / required."""

    enrolment = serializers.IntegerField()
    name = serializers.CharField()
    id_number = serializers.CharField(help_text="masked")
    seconds = serializers.DictField(child=serializers.CharField(), help_text="by kind of hours")
    credited_seconds = serializers.CharField()
    required_seconds = serializers.CharField()
    pass_share = serializers.CharField()
    missing_seconds = serializers.IntegerField()
    share = serializers.CharField()
    share_percent = serializers.CharField(help_text="cut to two decimals, never rounded")
    passed = serializers.BooleanField()
    concluded = serializers.BooleanField(help_text="whether the verdict is final")
    reasons = TimeReasonSerializer(many=True)


def time_body(one: TraineeCredit, *, concluded: bool) -> dict[str, Any]:
    """One trainee's time and verdict, as the class's table and the meter show it."""
    return {
        "enrolment": one.enrolment_id,
        "name": one.name,
        "id_number": one.row.id_number_masked,
        "seconds": {kind.value: seconds_text(time) for kind, time in one.by_kind.items()},
        "credited_seconds": seconds_text(one.credited_microseconds),
        "required_seconds": seconds_text(one.required_microseconds),
        "pass_share": str(one.decision.required_share),
        "missing_seconds": one.decision.missing_seconds,
        "share": f"{one.share.numerator}/{one.share.denominator}",
        "share_percent": f"{percent_figure(one.share)}%",
        "passed": one.passed,
        "concluded": concluded,
        "reasons": _reasons(one),
    }


def _reasons(one: TraineeCredit) -> list[dict[str, Any]]:
    findings = [finding.render(gettext) for finding in one.decision.findings]
    return [
        *(
            {"code": item["code"], "message": item["message"], "citation": item["citation"], "lesson": None}
            for item in findings
        ),
        *(
            {
                "code": remark.code,
                "message": remark_words(remark.code, remark.missed_checks or 1),
                "citation": "",
                "lesson": remark.lesson_id,
            }
            for remark in one.remarks
        ),
    ]


class ClassAttendanceView(GenericAPIView[Any]):
    """Every trainee's time and verdict, by name; for the class's staff, its institution and its bureau."""

    serializer_class = TimeSerializer

    @extend_schema(responses={200: TimeSerializer(many=True), 404: RefusalSerializer, 409: RefusalSerializer})
    def get(self, request: Request, pk: int) -> Response:
        assert isinstance(request.user, User)
        training_class = access_times_of_class(request.user, pk)
        concluded = queries.is_concluded(training_class)
        credits = queries.credit_of_class(training_class)
        page = self.paginate_queryset(credits)
        bodies = [time_body(one, concluded=concluded) for one in page or []]
        return self.get_paginated_response(TimeSerializer(bodies, many=True).data)


class LostSerializer(Body):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    seconds = serializers.CharField()
    reason = serializers.CharField()
    message = serializers.CharField()


class LessonTimeSerializer(Body):
    lesson = serializers.IntegerField()
    number = serializers.IntegerField()
    title = serializers.CharField()
    kind = serializers.CharField()
    state = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    worth_seconds = serializers.CharField()
    credited_seconds = serializers.CharField()
    lost = LostSerializer(many=True)


class MeterSerializer(TimeSerializer):
    training_class = serializers.IntegerField()
    lessons = LessonTimeSerializer(many=True)


class MeterView(AttendanceView):
    """One's own time in a class, lesson by lesson, with what was not credited and why."""

    @extend_schema(
        parameters=[OpenApiParameter("class", OpenApiTypes.INT, required=True)],
        responses={200: MeterSerializer, **ERRORS},
    )
    def get(self, request: Request) -> Response:
        try:
            wanted = serializers.IntegerField(min_value=1).run_validation(request.query_params.get("class"))
        except serializers.ValidationError as error:
            raise serializers.ValidationError({"class": error.detail}) from error
        training_class = access_class(self.user(), wanted)
        enrolment = require_trainee(self.user(), training_class)
        enrolment.training_class = training_class
        body = time_body(queries.credit_of(enrolment), concluded=queries.is_concluded(training_class))
        lessons = [_lesson_body(lesson) for lesson in queries.trace(enrolment)]
        return Response(
            MeterSerializer({**body, "training_class": training_class.pk, "lessons": lessons}).data
        )


def _lesson_body(traced: LessonTrace) -> dict[str, Any]:
    lesson = traced.lesson
    return {
        "lesson": lesson.pk,
        "number": traced.number,
        "title": lesson.title,
        "kind": lesson.kind,
        "state": lesson.state,
        "starts_at": lesson.starts_at,
        "ends_at": lesson.ends_at,
        "worth_seconds": seconds_text(traced.worth),
        "credited_seconds": seconds_text(traced.microseconds),
        "lost": [
            {
                "starts_at": piece.starts_at,
                "ends_at": piece.ends_at,
                "seconds": seconds_text(piece.microseconds),
                "reason": piece.reason.value,
                "message": reason_words(piece),
            }
            for piece in traced.lost
        ],
    }


# --- watching on demand ---


class WatchWishSerializer(Body):
    material = serializers.IntegerField(min_value=1, help_text="A video of the class's course version.")
    position_ms = serializers.IntegerField(min_value=0, max_value=MOST_MS, default=0)


class BeatSerializer(Body):
    seq = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    nonce = serializers.UUIDField(help_text="The one that came with the last answer.")
    position_ms = serializers.IntegerField(min_value=0, max_value=MOST_MS)
    playing = serializers.BooleanField(help_text="False when the player was paused or came to its end.")


class WatchSerializer(Body):
    """A watch under way: send the next heartbeat with this nonce and `seq` + 1 within the timeout."""

    watch = serializers.UUIDField(source="connection")
    material = serializers.IntegerField(source="material_id")
    seq = serializers.IntegerField()
    nonce = serializers.UUIDField()
    every_seconds = serializers.SerializerMethodField()
    timeout_seconds = serializers.SerializerMethodField()

    def get_every_seconds(self, watch: OpenWatch) -> int:
        return int(settings.HEARTBEAT_SECONDS)

    def get_timeout_seconds(self, watch: OpenWatch) -> int:
        return int(settings.PRESENCE_TIMEOUT_SECONDS)


class WatchesView(AttendanceView):
    """Start the clock on a video of a mixed class (H14); a watch elsewhere ends there."""

    @extend_schema(request=WatchWishSerializer, responses={201: WatchSerializer, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        training_class = access_class(self.user(), pk)
        wish = self.body(WatchWishSerializer)
        material = get_object_or_404(
            Material, pk=wish["material"], version_id=training_class.course_version_id
        )
        watch = actions.open_watch(
            training_class=training_class,
            material=material,
            position_ms=wish["position_ms"],
            actor=self.user(),
            at=timezone.now(),
        )
        return Response(WatchSerializer(watch).data, status=status.HTTP_201_CREATED)


class BeatView(AttendanceView):
    """A heartbeat: where the player is, in answer to the last nonce. The server's clock times it."""

    @extend_schema(request=BeatSerializer, responses={200: WatchSerializer, **ERRORS})
    def post(self, request: Request, connection: UUID) -> Response:
        at = timezone.now()
        beat = Beat(**self.body(BeatSerializer))
        watch = actions.beat_watch(connection=connection, beat=beat, actor=self.user(), at=at)
        return Response(WatchSerializer(watch).data)


class WatchEndView(AttendanceView):
    """The player was left; the clock stops at the last heartbeat."""

    @extend_schema(request=None, responses={204: None, **ERRORS})
    def post(self, request: Request, connection: UUID) -> Response:
        actions.end_watch(connection=connection, actor=self.user(), at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


api_urlpatterns = [
    path("classes/<int:pk>/watches/", WatchesView.as_view(), name="watches"),
    path("watches/<uuid:connection>/beat/", BeatView.as_view(), name="watch-beat"),
    path("watches/<uuid:connection>/end/", WatchEndView.as_view(), name="watch-end"),
    path("lessons/<int:pk>/sign-in/", SignInView.as_view(), name="sign-in"),
    path("lessons/<int:pk>/sign-out/", SignOutView.as_view(), name="sign-out"),
    path("lessons/<int:pk>/sign-in-codes/", CodesView.as_view(), name="sign-in-codes"),
    path("sign-in/<int:pk>/confirm/", ConfirmView.as_view(), name="sign-in-confirm"),
    path("sign-in/<int:pk>/refuse/", RefuseView.as_view(), name="sign-in-refuse"),
    path("lessons/<int:pk>/roll-calls/", RollCallView.as_view(), name="roll-calls"),
    path("lessons/<int:pk>/questions/", QuestionView.as_view(), name="questions"),
    path("checks/<int:pk>/answer/", AnswerView.as_view(), name="check-answer"),
    path("classes/<int:pk>/attendance/", ClassAttendanceView.as_view(), name="class-attendance"),
    path("me/meter/", MeterView.as_view(), name="meter"),
]
