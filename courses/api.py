"""The catalogue (DESIGN §6): everybody may read courses, their published versions and outlines; materials are
for those who teach, attend or edit them.
"""

from fractions import Fraction
from typing import Any

from django.db.models import QuerySet
from django.urls import path, reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import RefusalSerializer
from accounts.api_views import APIView, ReadsBody
from courses import permissions
from courses.models import HOUR_KINDS, Course, CourseVersion, Material
from courses.outlines import hours_of
from courses.queries import OTHER_TYPES, catalogue, filtered, versions_of, with_hours
from courses.states import MaterialKind, MaterialState, Origin, VersionState
from policy.messages import plain
from policy.terms import COURSE_TYPES

Body = serializers.Serializer[Any]


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string"}], "example": 4})
class HoursField(serializers.DecimalField):
    """Lesson hours: an integer where they are whole, else a decimal string."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=kwargs.pop("max_digits", 5), decimal_places=2, **kwargs)

    def to_representation(self, value: Any) -> Any:
        return plain(Fraction(value))


class CourseSerializer(Body):
    id = serializers.IntegerField(source="pk", read_only=True)
    name = serializers.CharField(read_only=True)
    course_type = serializers.CharField(
        read_only=True, help_text="GYB, SYB, or another type, for which editions give no standard hours"
    )
    version = serializers.IntegerField(
        read_only=True, allow_null=True, help_text="number of the newest published version"
    )
    hours = HoursField(
        max_digits=7, read_only=True, help_text="lesson hours (课时) of that version's outline"
    )
    origin = serializers.ChoiceField(choices=Origin.choices, read_only=True)
    original = serializers.CharField(
        source="converted_from.name",
        default=None,
        read_only=True,
        allow_null=True,
        help_text="the offline course (H2)",
    )
    institution = serializers.IntegerField(source="institution_id", read_only=True, allow_null=True)


class UnitSerializer(Body):
    position = serializers.IntegerField()
    title = serializers.CharField()
    kind = serializers.ChoiceField(choices=HOUR_KINDS)
    hours = HoursField()


class VersionSerializer(Body):
    id = serializers.IntegerField(source="pk")
    number = serializers.IntegerField()
    state = serializers.ChoiceField(choices=VersionState.choices)
    published_at = serializers.DateTimeField(allow_null=True)
    notes = serializers.CharField()
    outline_digest = serializers.CharField(help_text="SHA-256, as filings quote it; empty for a draft")
    hours = serializers.SerializerMethodField(help_text="by kind")
    outline = UnitSerializer(many=True)

    def get_hours(self, version: CourseVersion) -> dict[str, Any]:
        return {kind.value: plain(Fraction(hours)) for kind, hours in hours_of(version).items()}


class CourseDetailSerializer(CourseSerializer):
    summary = serializers.CharField()
    audience = serializers.CharField()
    versions = VersionSerializer(many=True)


class MaterialSerializer(Body):
    id = serializers.IntegerField(source="pk")
    position = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=MaterialKind.choices)
    title = serializers.CharField()
    state = serializers.ChoiceField(choices=MaterialState.choices)
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    pages = serializers.IntegerField(allow_null=True)
    duration_ms = serializers.IntegerField(allow_null=True)
    captions = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField(help_text="the page on which it is shown")

    def get_captions(self, material: Material) -> bool:
        return bool(material.captions)

    def get_url(self, material: Material) -> str:
        return reverse("courses:material", args=[material.pk])


class CourseListView(ReadsBody, generics.ListAPIView[Course]):
    permission_classes = [AllowAny]
    serializer_class = CourseSerializer

    def get_queryset(self) -> QuerySet[Course]:
        asked = self.request.query_params
        return filtered(
            catalogue(),
            course_type=asked.get("course_type", ""),
            origin=asked.get("origin", ""),
            search=asked.get("search", ""),
        )

    @extend_schema(
        summary="Courses, with the hours of their outlines",
        parameters=[
            OpenApiParameter(
                "course_type", enum=[*COURSE_TYPES, OTHER_TYPES], description="other: neither GYB nor SYB"
            ),
            OpenApiParameter("origin", enum=Origin.values),
            OpenApiParameter("search", description="part of the name"),
        ],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class CourseView(APIView):
    """One course with its versions and their outlines, the newest first; drafts for those who edit."""

    permission_classes = [AllowAny]

    @extend_schema(
        summary="A course with its versions and outlines",
        responses={200: CourseDetailSerializer, 404: RefusalSerializer},
    )
    def get(self, request: Request, pk: int) -> Response:
        access = permissions.access_course(request.user, pk)
        course = with_hours(Course.objects.filter(pk=access.pk)).get()
        drafts = permissions.can_edit(request.user, course)
        found = CourseVersion.objects.filter(
            pk__in=[version.pk for version in versions_of(course, drafts=drafts)]
        )
        versions = found.order_by("-number").prefetch_related("outline")
        body = CourseDetailSerializer(_WithVersions(course, list(versions))).data
        return Response(body)


class _WithVersions:
    """A course whose `versions` are those that somebody may see."""

    def __init__(self, course: Course, versions: list[CourseVersion]) -> None:
        self._course, self.versions = course, versions

    def __getattr__(self, name: str) -> Any:
        return getattr(self._course, name)


class MaterialListView(ReadsBody, generics.ListAPIView[Material]):
    """The slides and videos of one version, for those who teach, attend or edit it."""

    permission_classes = [IsAuthenticated]
    serializer_class = MaterialSerializer

    def get_queryset(self) -> QuerySet[Material]:
        if getattr(self, "swagger_fake_view", False):
            return Material.objects.none()
        version = permissions.access_version(self.request.user, self.kwargs["pk"], self.kwargs["n"])
        permissions.require_materials(self.request.user, version)
        materials = version.materials.order_by("position")
        if permissions.can_edit(self.request.user, version.course):
            return materials
        return materials.filter(state=MaterialState.READY)

    @extend_schema(
        summary="Slides and videos of a version",
        parameters=[OpenApiParameter("n", OpenApiTypes.INT, OpenApiParameter.PATH, description="number")],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


api_urlpatterns = [
    path("courses/", CourseListView.as_view(), name="courses"),
    path("courses/<int:pk>/", CourseView.as_view(), name="course"),
    path("courses/<int:pk>/versions/<int:n>/materials/", MaterialListView.as_view(), name="course-materials"),
]
