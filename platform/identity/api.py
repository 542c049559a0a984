"""One's own consent, face and checks (DESIGN §6)."""

from typing import Any

from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import RefusalSerializer
from accounts.api_views import APIView, TextField, UploadField
from accounts.models import User
from accounts.parsers import JSONParser
from identity import actions, consent_texts, queries, uploads
from identity.faces import get_engine
from identity.models import FaceCheck
from identity.permissions import access_own_check, own_person
from identity.states import ConsentPurpose
from identity.wording import words_of


class SectionSerializer(serializers.Serializer[Any]):
    title = serializers.CharField()
    body = serializers.CharField()


class ConsentTextSerializer(serializers.Serializer[Any]):
    version = serializers.CharField()
    title = serializers.CharField()
    sections = SectionSerializer(many=True)
    citation = serializers.CharField()
    sha256 = serializers.CharField(help_text="of the text exactly as shown here")


class ConsentSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    purpose = serializers.ChoiceField(choices=ConsentPurpose.choices)
    version = serializers.CharField(source="text_version")
    sha256 = serializers.CharField(source="text_sha256")
    given_at = serializers.DateTimeField()
    withdrawn_at = serializers.DateTimeField(allow_null=True)


class ConsentStateSerializer(serializers.Serializer[Any]):
    text = ConsentTextSerializer()
    consent = ConsentSerializer(allow_null=True)


class ConsentWishSerializer(serializers.Serializer[Any]):
    """Consent is said twice over: to which text, and that one agrees to it."""

    version = TextField(max_length=40, help_text="the text that was shown")
    agreed = serializers.BooleanField(help_text="true, said by the person; anything else records nothing")

    def validate_agreed(self, agreed: bool) -> bool:
        if not agreed:
            raise serializers.ValidationError(
                _("没有同意就什么也不记；不同意也可以，用验证码签到，学时一样算。"), code="not_agreed"
            )
        return agreed


class ConsentView(APIView):
    """The text in force and whether one has consented to face checks; giving and withdrawing consent."""

    @extend_schema(responses={200: ConsentStateSerializer, 403: RefusalSerializer, 409: RefusalSerializer})
    def get(self, request: Request) -> Response:
        _user, person = own_person(request.user)
        text = consent_texts.current_text(ConsentPurpose.FACE, on=timezone.localdate())
        processor = consent_texts.processor()
        shown = {
            "version": text.version,
            "title": text.title,
            "sections": text.filled(processor),
            "citation": text.citation,
            "sha256": text.sha256(processor),
        }
        return Response(ConsentStateSerializer({"text": shown, "consent": queries.open_consent(person)}).data)

    @extend_schema(
        request=ConsentWishSerializer,
        responses={
            201: ConsentSerializer,
            400: RefusalSerializer,
            403: RefusalSerializer,
            409: RefusalSerializer,
        },
    )
    def post(self, request: Request) -> Response:
        user, person = own_person(request.user)
        wish = ConsentWishSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        consent = actions.give_consent(
            person=person, actor=user, at=timezone.now(), text_version=wish.validated_data["version"]
        )
        return Response(ConsentSerializer(consent).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        request=None,
        responses={
            204: OpenApiResponse(description="Withdrawn; template and pictures are destroyed."),
            403: RefusalSerializer,
            409: RefusalSerializer,
        },
    )
    def delete(self, request: Request) -> Response:
        user, person = own_person(request.user)
        actions.withdraw_consent(person=person, actor=user, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class FaceCheckSerializer(serializers.Serializer[FaceCheck]):
    """A check as its person sees it; the score stays with those who review."""

    id = serializers.IntegerField(source="pk")
    purpose = serializers.CharField()
    state = serializers.CharField()
    outcome = serializers.CharField(allow_null=True)
    passed = serializers.BooleanField()
    problem = serializers.CharField()
    message = serializers.SerializerMethodField()
    next = serializers.SerializerMethodField()
    at = serializers.DateTimeField()
    judged_at = serializers.DateTimeField(allow_null=True)

    def get_message(self, check: FaceCheck) -> str:
        return words_of(check).message

    def get_next(self, check: FaceCheck) -> str:
        return words_of(check).next_step


class FaceSerializer(serializers.Serializer[Any]):
    consented = serializers.BooleanField()
    enrolled = serializers.BooleanField()
    engine = serializers.CharField()
    enrolled_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)


class EnrolmentFramesSerializer(serializers.Serializer[Any]):
    """One to eight JPEG or PNG pictures of the same moment, as repeated parts called `frames`."""

    frames = serializers.ListField(child=UploadField(), max_length=8)


class FaceView(APIView):
    """Whether one's face is enrolled; enrolling it. The work is done by a worker: follow the check."""

    parser_classes = (MultiPartParser, FormParser, JSONParser)

    @extend_schema(responses={200: FaceSerializer, 403: RefusalSerializer})
    def get(self, request: Request) -> Response:
        _user, person = own_person(request.user)
        engine_id = get_engine().engine_id
        template = queries.live_template(person, engine_id, at=timezone.now())
        return Response(
            FaceSerializer(
                {
                    "consented": queries.open_consent(person) is not None,
                    "enrolled": template is not None,
                    "engine": engine_id,
                    "enrolled_at": template.created_at if template else None,
                    "expires_at": template.expires_at if template else None,
                }
            ).data
        )

    @extend_schema(
        request={"multipart/form-data": EnrolmentFramesSerializer},
        responses={
            202: FaceCheckSerializer,
            403: RefusalSerializer,
            409: RefusalSerializer,
            422: RefusalSerializer,
        },
    )
    def post(self, request: Request) -> Response:
        user, person = own_person(request.user)
        frames = uploads.read_frames(request.FILES.getlist(uploads.FIELD))
        check = actions.request_enrolment(person=person, frames=frames, actor=user, at=timezone.now())
        check.refresh_from_db()
        return Response(FaceCheckSerializer(check).data, status=status.HTTP_202_ACCEPTED)


class FaceCheckView(APIView):
    """One of one's own checks; ask again until its state is no longer `pending`."""

    @extend_schema(responses={200: FaceCheckSerializer, 404: RefusalSerializer})
    def get(self, request: Request, pk: int) -> Response:
        assert isinstance(request.user, User)
        return Response(FaceCheckSerializer(access_own_check(request.user, pk)).data)


api_urlpatterns = [
    path("me/consent/", ConsentView.as_view(), name="consent"),
    path("me/face/", FaceView.as_view(), name="face"),
    path("me/face/checks/<int:pk>/", FaceCheckView.as_view(), name="face-check"),
]
