"""The catalogue that every platform starts with."""

import datetime

import pytest
from rest_framework.test import APIClient

from accounts.editions import edition
from audit.models import Entry
from courses.actions import load_catalogue
from courses.models import Course, CourseVersion, OriginalCourse, OutlineUnit
from courses.outlines import hours_of
from courses.queries import newest_published
from policy.timetable import check_timetable


@pytest.fixture
def loaded(db: None, now: datetime.datetime) -> int:
    return load_catalogue(at=now)


def test_the_pilot_courses_of_the_norm_are_there_and_of_neither_type(loaded):
    assert loaded == 5
    pilots = Course.objects.filter(origin="pilot")
    assert {course.name for course in pilots} == {"创业认知", "创业计划", "启动规划"}
    assert {course.course_type for course in pilots}.isdisjoint({"GYB", "SYB"})


def test_a_converted_course_leads_to_its_original_entry(loaded):
    gyb = Course.objects.get(course_type="GYB")
    assert gyb.converted_from == OriginalCourse.objects.get(name="《产生你的企业想法》线下课程")
    assert list(gyb.converted_from.conversions.all()) == [gyb]


def test_every_course_begins_with_a_published_version_that_the_platform_wrote(loaded, now):
    versions = CourseVersion.objects.all()
    assert {(version.number, version.state, version.published_at) for version in versions} == {
        (1, "published", now)
    }
    course = Course.objects.get(course_type="GYB")
    kinds = list(Entry.objects.filter(subject__startswith=course.subject).order_by("seq").values("kind"))
    assert [entry["kind"] for entry in kinds] == [
        "course.created",
        "course.version_drafted",
        "course.outline_set",
        "course.version_published",
    ]


def test_loading_again_changes_nothing(loaded, now):
    before = list(OutlineUnit.objects.order_by("pk").values_list("pk", "version_id", "title"))
    entries = Entry.objects.count()
    load_catalogue(at=now)
    assert list(OutlineUnit.objects.order_by("pk").values_list("pk", "version_id", "title")) == before
    assert Entry.objects.count() == entries


@pytest.mark.parametrize("course_type", ["GYB", "SYB"])
def test_an_outline_is_itself_a_lawful_full_live_plan(course_type, loaded):
    hours = hours_of(newest_published(Course.objects.get(course_type=course_type)))
    assert check_timetable(edition("demo"), course_type=course_type, mode="full_live", hours=hours).passed


def test_everybody_reads_the_catalogue_in_the_same_number_of_queries(loaded, django_assert_num_queries):
    client = APIClient()
    with django_assert_num_queries(2):
        one = client.get("/api/v1/courses/?course_type=GYB").json()
    with django_assert_num_queries(2):
        five = client.get("/api/v1/courses/").json()
    assert (one["count"], five["count"]) == (1, 5)
    gyb = next(course for course in five["results"] if course["course_type"] == "GYB")
    assert (gyb["name"], gyb["hours"]) == ("创业意识培训（GYB）", 24)
