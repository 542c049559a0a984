"""The registers over HTTP: lecturers, qualifications, measures, and the platform's record."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import RefusalSerializer
from accounts.api_views import APIView, DayField, ReadsBody, TextField
from accounts.models import Institution, Person, User
from accounts.registers import actions, permissions, queries
from accounts.registers.models import Measure, Qualification
from accounts.registers.states import Ground, MeasureKind, QualificationState, Route

_REFUSED = {400: RefusalSerializer, 403: RefusalSerializer, 404: RefusalSerializer, 409: RefusalSerializer}


class PaperSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    name = serializers.CharField()
    number = serializers.CharField()
    valid_from = serializers.DateField(allow_null=True)
    valid_until = serializers.DateField(allow_null=True)
    retired_at = serializers.DateTimeField(allow_null=True)


class QualificationSerializer(serializers.ModelSerializer[Qualification]):
    """A lecturer's qualification with the papers it rests on; their pictures are for the pages."""

    person_name = serializers.CharField(source="person.name")
    route = serializers.ChoiceField(choices=Route.choices)
    state = serializers.ChoiceField(choices=QualificationState.choices)
    documents = PaperSerializer(many=True)

    class Meta:
        model = Qualification
        fields = (
            *("id", "person", "person_name", "institution", "route", "number", "certified_on"),
            *("training_since", "state", "submitted_at", "decided_at", "reason", "documents"),
        )


class MeasureSerializer(serializers.ModelSerializer[Measure]):
    """An order of an office; without person and institution it is against the platform."""

    kind = serializers.ChoiceField(choices=MeasureKind.choices)
    row = serializers.ChoiceField(choices=Ground.choices)
    bureau = serializers.CharField(source="bureau.name")

    class Meta:
        model = Measure
        fields = (
            *("id", "kind", "person", "institution", "row", "ground", "since", "deadline"),
            *("is_announced", "bureau", "ordered_at", "ended_on", "end_reason"),
        )


class LecturerSerializer(serializers.Serializer[Any]):
    """A lecturer as of today; `passed` by the norm itself."""

    id = serializers.IntegerField(source="person.pk")
    name = serializers.CharField(source="person.name")
    institutions = serializers.ListField(child=serializers.CharField())
    qualification = serializers.IntegerField(source="qualification.pk", default=None, allow_null=True)
    state = serializers.CharField(source="qualification.state", default=None, allow_null=True)
    disqualified_from = serializers.DateField(source="measure.since", default=None, allow_null=True)
    passed = serializers.BooleanField()
    findings = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ListField(child=serializers.DictField()))
    def get_findings(self, row: queries.LecturerRow) -> Any:
        return [finding.render(gettext) for finding in row.findings]


class QualificationDecisionSerializer(serializers.Serializer[Any]):
    confirmed = serializers.BooleanField()
    reason = TextField(max_length=300, required=False, default="", allow_blank=True)


class OrderSerializer(serializers.Serializer[Any]):
    """Against a `person` (disqualification) or an `institution`; without either, against the platform."""

    kind = serializers.ChoiceField(choices=MeasureKind.choices)
    row = serializers.ChoiceField(choices=Ground.choices)
    person = serializers.IntegerField(required=False, allow_null=True, default=None)
    institution = serializers.IntegerField(required=False, allow_null=True, default=None)
    ground = TextField(max_length=500)
    since = DayField()
    deadline = DayField(required=False, allow_null=True, default=None)
    is_announced = serializers.BooleanField(required=False, default=False)


class EndSerializer(serializers.Serializer[Any]):
    reason = TextField(max_length=500)


class PlatformRowSerializer(serializers.Serializer[Any]):
    row = serializers.CharField()
    met = serializers.BooleanField()
    function = serializers.CharField(source="function.said", default="")
    documents = serializers.IntegerField(source="document_count")


class PlatformConditionSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField(source="condition.number")
    passed = serializers.BooleanField(source="finding.passed")
    rows = PlatformRowSerializer(many=True)


class PlatformSerializer(serializers.Serializer[Any]):
    """The five facts of N2 and the nine conditions of P0."""

    name = serializers.CharField(source="report.name", default="")
    legal_representative = serializers.CharField(source="report.legal_representative", default="")
    address = serializers.CharField(source="report.address", default="")
    contact_person = serializers.CharField(source="report.contact_person", default="")
    contact_details = serializers.CharField(source="report.contact_details", default="")
    eligible = serializers.BooleanField(source="whole.passed")
    conditions = PlatformConditionSerializer(many=True)


def _user(request: Request) -> User:
    assert isinstance(request.user, User)  # every view here but the platform's asks for a signed-in person
    return request.user


class LecturersView(ReadsBody, generics.GenericAPIView[Person]):
    """The lecturers of one's institution or region, with how they stand today."""

    serializer_class = LecturerSerializer

    @extend_schema(
        operation_id="lecturers_list",
        parameters=[OpenApiParameter("search", description="part of a name")],
        responses={200: LecturerSerializer(many=True), 404: RefusalSerializer},
    )
    def get(self, request: Request) -> Response:
        user = permissions.require_register(request.user)
        institutions = permissions.institutions_visible_to(user)
        search = request.query_params.get("search", "").strip().replace("\x00", "")[:40]
        found = queries.search_lecturers(permissions.lecturers_of(institutions), search=search)
        page = self.paginate_queryset(found)
        rows = queries.lecturer_rows(page or [], institutions, on=timezone.localdate())
        return self.get_paginated_response(LecturerSerializer(rows, many=True).data)


class QualificationView(APIView):
    """One qualification."""

    @extend_schema(responses={200: QualificationSerializer, 404: RefusalSerializer})
    def get(self, request: Request, pk: int) -> Response:
        return Response(QualificationSerializer(permissions.access_qualification(request.user, pk)).data)


class QualificationDecisionView(APIView):
    """The office confirms a qualification, or returns it with a reason (T1, T2)."""

    @extend_schema(
        request=QualificationDecisionSerializer, responses={200: QualificationSerializer, **_REFUSED}
    )
    def post(self, request: Request, pk: int) -> Response:
        row = permissions.access_qualification(request.user, pk)
        permissions.require_office(
            permissions.office_over_institution(request.user, row.institution), rule="T1"
        )
        sent = QualificationDecisionSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        actions.decide_qualification(
            qualification=row, actor=_user(request), at=timezone.now(), **sent.validated_data
        )
        return Response(QualificationSerializer(permissions.access_qualification(request.user, pk)).data)


class MeasuresView(ReadsBody, generics.GenericAPIView[Measure]):
    """GET: the measures one may know of, the newest first. POST: an office orders one (L5-L7, Q8, Q9)."""

    serializer_class = MeasureSerializer

    @extend_schema(operation_id="measures_list", responses=MeasureSerializer(many=True))
    def get(self, request: Request) -> Response:
        found = permissions.measures_visible_to(request.user).select_related("bureau")
        page = self.paginate_queryset(found.order_by("-ordered_at", "-pk"))
        return self.get_paginated_response(MeasureSerializer(page, many=True).data)

    @extend_schema(
        operation_id="measures_create",
        request=OrderSerializer,
        responses={201: MeasureSerializer, **_REFUSED},
    )
    def post(self, request: Request) -> Response:
        user = _user(request)
        permissions.require_office(next(iter(permissions.offices_of(user)), None), rule="Q8")
        sent = OrderSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        data, at = dict(sent.validated_data), timezone.now()
        person, institution = data.pop("person"), data.pop("institution")
        order = actions.Order(**data)
        if order.kind == MeasureKind.DISQUALIFICATION:
            found = get_object_or_404(Person, pk=person)
            measure = actions.disqualify_lecturer(person=found, order=order, actor=user, at=at)
        else:
            body = get_object_or_404(Institution, pk=institution) if institution is not None else None
            measure = actions.order_institution(institution=body, order=order, actor=user, at=at)
        return Response(MeasureSerializer(measure).data, status=status.HTTP_201_CREATED)


class MeasureEndView(APIView):
    """An office lifts a measure from today on."""

    @extend_schema(request=EndSerializer, responses={200: MeasureSerializer, **_REFUSED})
    def post(self, request: Request, pk: int) -> Response:
        row = permissions.access_measure(request.user, pk)
        permissions.require_office(permissions.office_over(request.user, row), rule=row.row)
        sent = EndSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        row = actions.end_measure(measure=row, actor=_user(request), at=timezone.now(), **sent.validated_data)
        return Response(MeasureSerializer(row).data)


class PlatformView(APIView):
    """What this platform is, and which of the nine conditions it meets today: for everybody (N2, P0)."""

    permission_classes = [AllowAny]

    @extend_schema(responses={200: PlatformSerializer})
    def get(self, request: Request) -> Response:
        whole, conditions = queries.platform_conditions(timezone.localdate())
        body = {"report": queries.current_report(), "whole": whole, "conditions": conditions}
        return Response(PlatformSerializer(body).data)


api_urlpatterns = [
    path("lecturers/", LecturersView.as_view(), name="lecturers"),
    path("qualifications/<int:pk>/", QualificationView.as_view(), name="qualification"),
    path(
        "qualifications/<int:pk>/decision/",
        QualificationDecisionView.as_view(),
        name="qualification-decision",
    ),
    path("measures/", MeasuresView.as_view(), name="measures"),
    path("measures/<int:pk>/end/", MeasureEndView.as_view(), name="measure-end"),
    path("platform/", PlatformView.as_view(), name="platform"),
]
