"""The catalogue (DESIGN §6); everybody may read it."""

from fractions import Fraction
from typing import Any

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.permissions import AllowAny

from courses.models import Course
from courses.queries import catalogue
from policy.messages import plain


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string"}], "example": 4})
class HoursField(serializers.DecimalField):
    """Lesson hours: an integer where they are whole, else a decimal string."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=kwargs.pop("max_digits", 5), decimal_places=2, **kwargs)

    def to_representation(self, value: Any) -> Any:
        return plain(Fraction(value))


class CourseSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk", read_only=True)
    name = serializers.CharField(read_only=True)
    course_type = serializers.CharField(
        read_only=True, help_text="GYB, SYB, or another type, for which editions give no standard hours"
    )
    hours = HoursField(max_digits=7, read_only=True, help_text="lesson hours (课时) of the whole outline")
    origin = serializers.CharField(read_only=True)


@extend_schema(summary="Courses, with the hours of their outlines")
class CourseListView(generics.ListAPIView[Course]):
    permission_classes = [AllowAny]
    serializer_class = CourseSerializer

    def get_queryset(self) -> QuerySet[Course]:
        return catalogue()


api_urlpatterns = [path("courses/", CourseListView.as_view(), name="courses")]
