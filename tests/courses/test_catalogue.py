"""The catalogue that every platform starts with."""

from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from accounts.editions import edition
from courses.actions import load_catalogue
from courses.models import Course, OutlineUnit
from policy.timetable import check_timetable


@pytest.mark.django_db
def test_the_pilot_courses_of_the_norm_are_there_and_of_neither_type():
    assert load_catalogue() == 5
    pilots = Course.objects.filter(origin="pilot")
    assert {course.name for course in pilots} == {"创业认知", "创业计划", "启动规划"}
    assert {course.course_type for course in pilots}.isdisjoint({"GYB", "SYB"})


@pytest.mark.django_db
def test_loading_again_changes_nothing_and_mends_what_was_changed():
    load_catalogue()
    before = list(OutlineUnit.objects.order_by("pk").values_list("pk", "title"))
    load_catalogue()
    assert list(OutlineUnit.objects.order_by("pk").values_list("pk", "title")) == before
    course = Course.objects.get(course_type="GYB")
    OutlineUnit.objects.create(course=course, position=99, title="多出来", kind="live", hours=1)
    load_catalogue()
    assert list(OutlineUnit.objects.order_by("pk").values_list("pk", "title")) == before


@pytest.mark.django_db
@pytest.mark.parametrize("course_type", ["GYB", "SYB"])
def test_an_outline_is_itself_a_lawful_full_live_plan(course_type):
    load_catalogue()
    hours: dict[str, Decimal] = {}
    for unit in Course.objects.get(course_type=course_type).outline.all():
        hours[unit.kind] = hours.get(unit.kind, Decimal(0)) + unit.hours
    assert check_timetable(edition("demo"), course_type=course_type, mode="full_live", hours=hours).passed


@pytest.mark.django_db
def test_everybody_reads_the_catalogue_in_the_same_number_of_queries(django_assert_num_queries):
    load_catalogue()
    client = APIClient()
    Course.objects.exclude(course_type="GYB").delete()
    with django_assert_num_queries(2):
        one = client.get("/api/v1/courses/").json()
    load_catalogue()
    with django_assert_num_queries(2):
        five = client.get("/api/v1/courses/").json()
    assert (one["count"], five["count"]) == (1, 5)
    gyb = next(course for course in five["results"] if course["course_type"] == "GYB")
    assert (gyb["name"], gyb["hours"]) == ("创业意识培训（GYB）", 24)
