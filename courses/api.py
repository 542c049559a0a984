"""The catalogue (DESIGN §6); everybody may read it."""

from typing import Any

from django.db.models import QuerySet
from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.permissions import AllowAny

from courses.models import Course
from courses.queries import catalogue


class CourseSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk", read_only=True)
    name = serializers.CharField(read_only=True)
    course_type = serializers.CharField(
        read_only=True, help_text="GYB, SYB, or another type, for which editions give no standard hours"
    )
    hours = serializers.DecimalField(
        max_digits=7, decimal_places=2, read_only=True, help_text="lesson hours (课时) of the whole outline"
    )
    origin = serializers.CharField(read_only=True)


@extend_schema(summary="Courses, with the hours of their outlines")
class CourseListView(generics.ListAPIView[Course]):
    permission_classes = [AllowAny]
    serializer_class = CourseSerializer

    def get_queryset(self) -> QuerySet[Course]:
        return catalogue()


api_urlpatterns = [path("courses/", CourseListView.as_view(), name="courses")]
