"""The supervision house over HTTP: a read-only mirror, scoped by region (DESIGN §6, M13–M18)."""

from typing import Any

from django.http import Http404
from django.urls import path
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import RefusalSerializer
from accounts.models import Bureau, User
from accounts.registers.api import LecturerSerializer, MeasureSerializer
from accounts.registers.models import Measure
from accounts.registers.permissions import lecturers_of
from accounts.registers.queries import lecturer_rows, search_lecturers
from accounts.states import Role
from attendance.api import seconds_text
from attendance.queries import credit_of_class
from classes.live.models import RoomEvent
from classes.models import TrainingClass
from exams.queries import completions_of
from policy.messages import exact_text
from subsidies.api import DIFFERS
from subsidies.models import Claim
from subsidies.reconciliation import differing_claims
from supervision import permissions, queries
from supervision.permissions import ALIAS

ERRORS = {401: RefusalSerializer, 404: RefusalSerializer}


class IsSupervisor(BasePermission):
    """Supervision accounts, reading. To everybody else these addresses do not exist."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.user, User):
            return False
        if request.method not in SAFE_METHODS or not request.user.has_role(Role.REGULATOR):
            raise Http404
        return True


class SupervisedView(generics.GenericAPIView[Any]):
    """A GET-only view over the read-only login that remembers what it showed."""

    permission_classes = [IsSupervisor]
    http_method_names = ["get", "head", "options"]

    @property
    def bureau(self) -> Bureau:
        assert isinstance(self.request.user, User)
        return permissions.bureau_of(self.request.user)

    def training_class(self, pk: int) -> TrainingClass:
        """The class, as the subject of this look; Http404 outside the account's region."""
        assert isinstance(self.request.user, User)
        found = permissions.access_class(self.request.user, pk)
        self.request._request.look_subject = found.subject  # type: ignore[attr-defined]
        return found


class FiguresSerializer(serializers.Serializer[Any]):
    classes = serializers.IntegerField()
    running = serializers.IntegerField()
    trainees = serializers.IntegerField()
    verdicts = serializers.IntegerField()
    attendance_passed = serializers.IntegerField()
    credited_seconds = serializers.IntegerField()
    sat = serializers.IntegerField()
    certificates = serializers.IntegerField()
    claims = serializers.IntegerField()
    claimed = serializers.DecimalField(max_digits=14, decimal_places=2)
    decided = serializers.DecimalField(max_digits=14, decimal_places=2)
    claims_differing = serializers.IntegerField(help_text="claims whose amount is not the one on record")


class FiguresView(SupervisedView):
    serializer_class = FiguresSerializer

    @extend_schema(responses={200: FiguresSerializer, **ERRORS})
    def get(self, request: Request) -> Response:
        """What the region comes to (P23–P25)."""
        return Response(FiguresSerializer(queries.figures_of(self.bureau)).data)


class SupervisedClassSerializer(serializers.Serializer[TrainingClass]):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    institution = serializers.CharField(source="institution.name")
    region = serializers.CharField(source="institution.region_id")
    course = serializers.CharField(source="course.name")
    lecturer = serializers.CharField(source="lecturer.name", default="")
    assistant = serializers.CharField(source="assistant.name", default="")
    state = serializers.CharField()
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    trainees = serializers.IntegerField()
    passed = serializers.IntegerField()
    certified = serializers.IntegerField()


class ClassListView(SupervisedView, generics.ListAPIView[TrainingClass]):
    """Classes of the region that were ever submitted."""

    serializer_class = SupervisedClassSerializer

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return TrainingClass.objects.none()
        return queries.class_table(self.bureau)


class LecturerListView(SupervisedView):
    """Lecturers of the region, with how they stand today (Q2, M14)."""

    serializer_class = LecturerSerializer

    @extend_schema(
        operation_id="supervision_lecturers_list",
        responses={200: LecturerSerializer(many=True), **ERRORS},
    )
    def get(self, request: Request) -> Response:
        institutions = permissions.institutions_supervised_by(self.bureau)
        page = self.paginate_queryset(search_lecturers(lecturers_of(institutions)))
        rows = lecturer_rows(page or [], institutions, on=timezone.localdate())
        return self.get_paginated_response(LecturerSerializer(rows, many=True).data)


class MeasureListView(SupervisedView, generics.ListAPIView[Measure]):
    """Every measure against the region's lecturers and institutions, lifted ones too (L5-L7, Q8, Q9)."""

    serializer_class = MeasureSerializer

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return Measure.objects.none()
        return queries.measures_of(self.bureau)


class SupervisedTraineeSerializer(serializers.Serializer[Any]):
    enrolment = serializers.IntegerField()
    name = serializers.CharField()
    id_number = serializers.CharField(help_text="masked")
    seconds = serializers.DictField(child=serializers.CharField(), help_text="exact seconds by kind")
    credited_seconds = serializers.CharField()
    required_seconds = serializers.CharField()
    share = serializers.CharField(help_text="exact fraction n/d")
    attendance_passed = serializers.BooleanField()
    score = serializers.CharField(allow_null=True, help_text="of 100 points, exact")
    exam_passed = serializers.BooleanField(allow_null=True)
    certificate = serializers.CharField(allow_null=True)


class ClassTraineesView(SupervisedView):
    serializer_class = SupervisedTraineeSerializer
    pagination_class = None

    @extend_schema(responses={200: SupervisedTraineeSerializer(many=True), **ERRORS})
    def get(self, request: Request, pk: int) -> Response:
        """Attendance, exam and certificate of every trainee, computed now (M13, M15–M17)."""
        training_class = self.training_class(pk)
        results = {row.enrolment.pk: row for row in completions_of(training_class, using=ALIAS)}
        return Response(
            [
                {
                    "enrolment": row.enrolment_id,
                    "name": row.name,
                    "id_number": row.row.id_number_masked,
                    "seconds": {kind.value: seconds_text(length) for kind, length in row.by_kind.items()},
                    "credited_seconds": seconds_text(row.credited_microseconds),
                    "required_seconds": seconds_text(row.required_microseconds),
                    "share": f"{row.share.numerator}/{row.share.denominator}",
                    "attendance_passed": row.passed,
                    **_result(results.get(row.enrolment_id)),
                }
                for row in credit_of_class(training_class, using=ALIAS)
            ]
        )


def _result(found: Any) -> dict[str, Any]:
    certificate = getattr(found.enrolment, "certificate", None) if found else None
    return {
        "score": exact_text(found.attempt.hundredths) if found and found.attempt else None,
        "exam_passed": found.exam.passed if found and found.exam else None,
        "certificate": certificate.number if certificate else None,
    }


class RoomEventSerializer(serializers.ModelSerializer[RoomEvent]):
    class Meta:
        model = RoomEvent
        fields = ["seq", "type", "data", "actor", "at"]


class LessonEventsView(SupervisedView, generics.ListAPIView[RoomEvent]):
    """The interaction of one lesson, in order (M18)."""

    serializer_class = RoomEventSerializer

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return RoomEvent.objects.none()
        training_class = self.training_class(self.kwargs["pk"])
        if not training_class.lessons.filter(pk=self.kwargs["lesson_pk"]).exists():
            raise Http404
        return RoomEvent.objects.using(ALIAS).filter(room__lesson_id=self.kwargs["lesson_pk"])


class SupervisedClaimSerializer(serializers.ModelSerializer[Claim]):
    institution = serializers.CharField(source="institution.name")
    differs = serializers.SerializerMethodField(help_text=DIFFERS)

    def get_differs(self, claim: Claim) -> bool:
        return claim.pk in self.context["differing"]

    class Meta:
        model = Claim
        fields = [
            "id",
            "number",
            "training_class",
            "institution",
            "state",
            "edition",
            "rate",
            "effective_trainees",
            "amount",
            "decided_amount",
            "submitted_at",
            "decided_at",
            "differs",
        ]


class ClaimListView(SupervisedView, generics.ListAPIView[Claim]):
    """Submitted claims of the region."""

    serializer_class = SupervisedClaimSerializer

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return Claim.objects.none()
        return permissions.claims_supervised_by(self.bureau)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.get_queryset()) or []
        context = {"differing": differing_claims(page, using=ALIAS)}
        return self.get_paginated_response(SupervisedClaimSerializer(page, many=True, context=context).data)


api_urlpatterns = [
    path("supervision/figures/", FiguresView.as_view(), name="supervision-figures"),
    path("supervision/classes/", ClassListView.as_view(), name="supervision-classes"),
    path("supervision/classes/<int:pk>/trainees/", ClassTraineesView.as_view(), name="supervision-trainees"),
    path(
        "supervision/classes/<int:pk>/lessons/<int:lesson_pk>/events/",
        LessonEventsView.as_view(),
        name="supervision-events",
    ),
    path("supervision/lecturers/", LecturerListView.as_view(), name="supervision-lecturers"),
    path("supervision/measures/", MeasureListView.as_view(), name="supervision-measures"),
    path("supervision/claims/", ClaimListView.as_view(), name="supervision-claims"),
]
