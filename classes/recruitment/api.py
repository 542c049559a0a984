"""Recruitment over HTTP: open campaigns and registering for everybody, deciding for the institution."""

import uuid
from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers, status
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import id_numbers
from accounts.api import RefusalSerializer
from accounts.api_views import APIView, DayField, ReadsBody, TextField, UploadField
from accounts.models import User
from accounts.parsers import JSONParser
from accounts.phones import parse_phone
from classes.models import CATEGORIES
from classes.permissions import access_class
from classes.recruitment import actions, queries, throttle
from classes.recruitment.models import Campaign, OfflineEvent, Registration
from classes.recruitment.permissions import access_registration, require_institution
from classes.recruitment.queries import InboxFilter
from classes.recruitment.standing import standing_of
from classes.recruitment.states import Education, RegistrationState, Source
from policy.messages import gettext_noop
from policy.refusals import Refusal

_REFUSED = {400: RefusalSerializer, 403: RefusalSerializer, 404: RefusalSerializer, 409: RefusalSerializer}


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    institution_name = serializers.CharField(source="institution.name")
    course_name = serializers.CharField(source="course.name")
    course_type = serializers.CharField(source="course.course_type")

    class Meta:
        model = Campaign
        fields = (
            *("id", "institution", "institution_name", "course", "course_name", "course_type"),
            *("planned_from", "planned_until", "places", "description", "state"),
        )


class RegistrationSerializer(serializers.ModelSerializer[Registration]):
    """A registration as its institution sees it in a list; ID number and phone are masked."""

    course_name = serializers.CharField(source="course.name")
    id_number = serializers.CharField(source="id_number_masked")
    phone = serializers.CharField(source="phone_masked")
    fitting_course_name = serializers.CharField(source="fitting_course.name", default=None, allow_null=True)
    source_name = serializers.CharField(help_text="the event's or campaign's own name, in words")
    stage = serializers.SerializerMethodField()
    class_id = serializers.IntegerField(source="enrolment.training_class_id", default=None, allow_null=True)

    class Meta:
        model = Registration
        fields = (
            *("id", "number", "state", "submitted_at", "name", "id_number", "phone", "category"),
            *("source", "source_name", "campaign", "event", "course", "course_name", "fitting_course"),
            *("fitting_course_name", "stage", "waiting_since", "class_id", "reason"),
        )

    def get_stage(self, registration: Registration) -> str | None:
        screening = queries.latest_screening(registration)
        return screening.judged.value if screening else None


class ScreeningSerializer(serializers.Serializer[Any]):
    questionnaire = serializers.CharField()
    score = serializers.IntegerField()
    most = serializers.IntegerField()
    found = serializers.CharField()
    judged = serializers.CharField()
    needs = serializers.ListField(child=serializers.CharField())
    suggested_course = serializers.IntegerField(source="suggested_course_id", allow_null=True)
    changed_reason = serializers.CharField()


class DocumentSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    category = serializers.CharField()
    document = serializers.CharField()
    valid_from = serializers.DateField(allow_null=True)
    valid_until = serializers.DateField(allow_null=True)
    state = serializers.CharField()
    reason = serializers.CharField()


class RegistrationDetailSerializer(RegistrationSerializer):
    """One registration with its screening and documents. `elsewhere` names no institution."""

    screening = serializers.SerializerMethodField()
    documents = serializers.SerializerMethodField()
    elsewhere = serializers.SerializerMethodField()

    class Meta:
        model = Registration
        fields = (
            *RegistrationSerializer.Meta.fields,
            *("education", "occupation", "wish", "privacy_version"),
            *("screening", "documents", "elsewhere"),
        )

    @extend_schema_field(ScreeningSerializer(allow_null=True))
    def get_screening(self, registration: Registration) -> Any:
        screening = queries.latest_screening(registration)
        return ScreeningSerializer(screening).data if screening else None

    @extend_schema_field(DocumentSerializer(many=True))
    def get_documents(self, registration: Registration) -> Any:
        held = queries.evidence_of(registration.institution_id, bytes(registration.id_number_index))
        return DocumentSerializer(held, many=True).data

    def get_elsewhere(self, registration: Registration) -> bool:
        return bool(
            queries.known_elsewhere(
                [bytes(registration.id_number_index)],
                institution_id=registration.institution_id,
                course_type=registration.course.course_type,
            )
        )


class ApplicationSerializer(serializers.Serializer[Any]):
    """学员报名表 (M1). Send your own `key` (UUID): the same key again is the same registration."""

    key = serializers.UUIDField(required=False)
    campaign = serializers.IntegerField()
    event = TextField(max_length=12, required=False, default="", allow_blank=True)
    name = TextField(max_length=40)
    id_number = TextField(max_length=id_numbers.MOST_TYPED)
    phone = TextField(max_length=20)
    category = serializers.ChoiceField(choices=CATEGORIES)
    education = serializers.ChoiceField(choices=Education.choices)
    occupation = TextField(max_length=60)
    wish = TextField(max_length=500, required=False, default="", allow_blank=True)
    privacy_version = TextField(max_length=40, help_text="the version of the text the applicant agreed to")
    document = TextField(max_length=60, required=False, default="", allow_blank=True)
    valid_from = DayField(required=False, allow_null=True, default=None)
    valid_until = DayField(required=False, allow_null=True, default=None)
    photo = UploadField(required=False, allow_null=True, default=None)


class StandingSerializer(serializers.Serializer[Any]):
    """Where a registration stands, without personal data. `stage` counts the six of F1."""

    number = serializers.CharField()
    state = serializers.ChoiceField(choices=RegistrationState.choices)
    institution = serializers.CharField()
    course = serializers.CharField()
    stage = serializers.IntegerField()
    next = serializers.CharField()


def standing_body(registration: Registration) -> dict[str, Any]:
    standing = standing_of(registration)
    return {
        "number": registration.number,
        "state": registration.state,
        "institution": registration.institution.name,
        "course": registration.course.name,
        "stage": standing.stage,
        "next": standing.next,
    }


class RegistrationDecisionSerializer(serializers.Serializer[Any]):
    verb = serializers.ChoiceField(choices=["assign", "wait", "reject", "reopen", "release"])
    class_id = serializers.IntegerField(required=False, allow_null=True, default=None)
    reason = TextField(max_length=300, required=False, default="", allow_blank=True)


class CampaignsView(ReadsBody, generics.GenericAPIView[Campaign]):
    """Campaigns that take registrations, for everybody (F2, F3)."""

    permission_classes = [AllowAny]
    serializer_class = CampaignSerializer

    @extend_schema(operation_id="campaigns_list", responses=CampaignSerializer(many=True))
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(queries.open_campaigns())
        return self.get_paginated_response(CampaignSerializer(page, many=True).data)


class RegistrationsView(ReadsBody, generics.GenericAPIView[Registration]):
    """GET: an institution's registrations. POST: the public registration form."""

    serializer_class = RegistrationSerializer
    parser_classes = [JSONParser, MultiPartParser, FormParser]

    def get_permissions(self) -> list[BasePermission]:
        return [AllowAny() if self.request.method == "POST" else IsAuthenticated()]

    @extend_schema(
        operation_id="registrations_list",
        parameters=[
            OpenApiParameter("state", enum=RegistrationState.values),
            OpenApiParameter("category", enum=[code for code, _label in CATEGORIES]),
            OpenApiParameter("source", enum=Source.values),
            OpenApiParameter("search", description="part of a name, or a registration number"),
        ],
        responses={200: RegistrationSerializer(many=True), 403: RefusalSerializer},
    )
    def get(self, request: Request) -> Response:
        institution = require_institution(request.user)
        wanted = InboxFilter(
            **{
                name: request.query_params.get(name, "").replace("\x00", "")[:40]
                for name in ("state", "course", "campaign", "category", "source", "search")
            }
        )
        page = self.paginate_queryset(queries.inbox(institution, wanted))
        return self.get_paginated_response(RegistrationSerializer(page, many=True).data)

    @extend_schema(
        operation_id="registrations_create",
        request=ApplicationSerializer,
        responses={
            201: StandingSerializer,
            **_REFUSED,
            422: RefusalSerializer,
            429: RefusalSerializer,
        },
    )
    def post(self, request: Request) -> Response:
        sent = ApplicationSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        data = sent.validated_data
        throttle.require_calm(
            "register", request.META.get("REMOTE_ADDR", ""), throttle.REGISTRATIONS_PER_WINDOW
        )
        campaign = get_object_or_404(Campaign.objects.select_related("institution"), pk=data["campaign"])
        photo = data["photo"]
        document = (
            actions.Document(
                category=data["category"],
                name=data["document"],
                valid_from=data["valid_from"],
                valid_until=data["valid_until"],
                picture=photo.read() if photo is not None else None,
            )
            if data["document"] or photo is not None
            else None
        )
        registration = actions.register(
            campaign=campaign,
            application=actions.Application(
                name=data["name"],
                id_number=id_numbers.parse(data["id_number"]),
                phone=parse_phone(data["phone"], rule="M1"),
                category=data["category"],
                education=data["education"],
                occupation=data["occupation"],
                wish=data["wish"],
                privacy_version=data["privacy_version"],
            ),
            document=document,
            event=_event(data["event"], campaign),
            key=data.get("key") or uuid.uuid4(),
            actor=request.user if isinstance(request.user, User) else None,
            at=timezone.now(),
        )
        return Response(standing_body(registration), status=status.HTTP_201_CREATED)


def _event(code: str, campaign: Campaign) -> OfflineEvent | None:
    if not code.strip():
        return None
    event = OfflineEvent.objects.filter(code=code.strip().upper(), campaign=campaign).first()
    if event is None:
        raise Refusal(
            "event_unknown",
            gettext_noop("这个招生项目没有这个活动码。"),
            found=code[:12],
            required=True,
            rule="I4",
            next_step=gettext_noop("请对照海报核对活动码，没有就不要填。"),
            status=400,
        )
    return event


class RegistrationView(APIView):
    """One registration of one's own institution."""

    @extend_schema(
        operation_id="registrations_retrieve", responses={200: RegistrationDetailSerializer, **_REFUSED}
    )
    def get(self, request: Request, pk: int) -> Response:
        return Response(RegistrationDetailSerializer(access_registration(request.user, pk)).data)


class DecisionView(APIView):
    """Assign to a class, let wait, turn down, take up again, or take off the roster."""

    @extend_schema(
        operation_id="registrations_decide",
        request=RegistrationDecisionSerializer,
        responses={200: RegistrationDetailSerializer, **_REFUSED},
    )
    def post(self, request: Request, pk: int) -> Response:
        registration = access_registration(request.user, pk)
        assert isinstance(request.user, User)  # access_registration lets nobody else pass
        sent = RegistrationDecisionSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        data, at, user = sent.validated_data, timezone.now(), request.user
        if data["verb"] == "assign":
            actions.assign(
                registration=registration,
                training_class=access_class(user, data["class_id"] or 0),
                actor=user,
                at=at,
            )
        elif data["verb"] == "reject":
            actions.reject(registration=registration, reason=data["reason"], actor=user, at=at)
        else:
            step = {
                "wait": actions.put_on_waiting_list,
                "reopen": actions.reopen,
                "release": actions.release,
            }[data["verb"]]
            step(registration=registration, actor=user, at=at)
        return Response(RegistrationDetailSerializer(access_registration(user, pk)).data)


class MineView(ReadsBody, generics.GenericAPIView[Registration]):
    """Where the signed-in person's own registrations stand."""

    serializer_class = StandingSerializer

    @extend_schema(operation_id="me_registrations_list", responses=StandingSerializer(many=True))
    def get(self, request: Request) -> Response:
        person = request.user.person if isinstance(request.user, User) else None
        found = queries.registrations_of(person) if person else Registration.objects.none()
        page = self.paginate_queryset(found)
        return self.get_paginated_response([standing_body(each) for each in page or []])


api_urlpatterns = [
    path("campaigns/", CampaignsView.as_view(), name="campaigns"),
    path("registrations/", RegistrationsView.as_view(), name="registrations"),
    path("registrations/<int:pk>/", RegistrationView.as_view(), name="registration"),
    path("registrations/<int:pk>/decision/", DecisionView.as_view(), name="registration-decision"),
    path("me/registrations/", MineView.as_view(), name="my-registrations"),
]
