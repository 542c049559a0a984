"""Slides and videos of a version: what is taken, what is refused, who sees them."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.http import Http404
from django.urls import reverse
from PIL import Image

from accounts.models import User
from audit.models import Entry
from config.demo.cast import Cast
from courses import permissions, slides
from courses.actions import (
    CourseDetails,
    add_slides,
    add_video,
    create_course,
    draft_version,
    process_slides,
    publish_version,
    remove_material,
    set_outline,
)
from courses.models import CourseVersion, Material, SlidePage
from courses.outlines import UnitDraft
from courses.tasks import render_waiting_slides
from policy.refusals import Refusal
from policy.terms import HourKind
from tests.cast import client_of
from tests.classes.conftest import school
from tests.classes.school import School
from tests.courses.shelf import pdf, shelve, video

__all__ = ["school"]
VTT = b"WEBVTT\n\n00:00.000 --> 00:01.000\n\xe4\xbd\xa0\xe5\xa5\xbd\n"


@pytest.fixture
def operator(cast: Cast) -> User:
    return cast.operator


@pytest.fixture
def draft(operator: User, now: datetime.datetime) -> CourseVersion:
    details = CourseDetails(name="返乡创业入门", course_type="GYB", origin="platform")
    version = create_course(details=details, actor=operator, at=now).versions.get()
    units = [UnitDraft(kind=HourKind.LIVE, hours=Decimal(1), title="认识创业")]
    return set_outline(version=version, units=units, notes="", actor=operator, at=now)


@pytest.fixture
def add(draft: CourseVersion, operator: User, now: datetime.datetime) -> Callable[..., Material]:
    def adds(content: bytes, kind: str = "slides", **more: Any) -> Material:
        action: Any = add_slides if kind == "slides" else add_video
        extra = {} if kind == "slides" else {"captions": None}
        sent = {"title": "第一讲", "actor": operator, **extra, **more}
        made: Material = action(version=draft, file=ContentFile(content, name="x"), at=now, **sent)
        return made

    return adds


def code_of(error: pytest.ExceptionInfo[Refusal]) -> tuple[str, int]:
    return error.value.code, error.value.status


# --- slides ---


def test_slides_are_rendered_page_by_page_as_webp_with_their_words(add, now):
    made = add(pdf(3))
    assert (made.state, made.pages) == ("waiting", 3)
    done = process_slides(material=made, at=now)
    assert done.state == "ready"
    pages = list(done.slide_pages.order_by("number"))
    assert [(page.number, page.width, page.height, page.text) for page in pages] == [
        (n, 1280, 720, f"Page {n}") for n in (1, 2, 3)
    ]
    picture = Image.open(BytesIO(pages[1].file.read()))
    assert (picture.format, picture.size) == ("WEBP", (1280, 720))
    facts = Entry.objects.get(kind="course.material_processed").facts
    assert (facts["ready"], facts["pages"]) == (True, 3)


def test_rendering_again_changes_nothing_and_beat_finds_what_the_queue_lost(add, now):
    made = add(pdf(2))
    assert render_waiting_slides() == 1
    made.refresh_from_db()
    before = list(SlidePage.objects.values_list("pk", "file"))
    process_slides(material=made, at=now)
    assert render_waiting_slides() == 0
    assert list(SlidePage.objects.values_list("pk", "file")) == before


def test_pages_that_cannot_be_drawn_fail_the_slides_and_leave_no_pages(add, now):
    made = add(pdf(2))
    default_storage.delete(made.file.name)
    default_storage.save(made.file.name, ContentFile(pdf(2)[:300]))
    done = process_slides(material=made, at=now)
    assert (done.state, done.slide_pages.count()) == ("failed", 0)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"PK\x03\x04 a zip", "slides_not_pdf"),
        (b"%PDF-1.7 and then nothing", "slides_not_pdf"),
        (pdf(1, "secret"), "slides_locked"),
        (pdf(slides.MOST_PAGES + 1), "slides_too_many_pages"),
        (b"", "material_too_big"),
    ],
    ids=["zip", "broken", "locked", "long", "empty"],
)
def test_what_is_no_pdf_for_a_class_is_refused_and_nothing_is_kept(add, content, code):
    entries = Entry.objects.count()
    with pytest.raises(Refusal) as error:
        add(content)
    assert code_of(error) == (code, 400)
    assert (Material.objects.count(), Entry.objects.count()) == (0, entries)


def test_a_file_over_the_limit_is_refused_before_it_is_read(add, monkeypatch):
    monkeypatch.setattr(slides, "MOST_BYTES", len(pdf(1)))
    add(pdf(1))
    monkeypatch.setattr(slides, "MOST_BYTES", len(pdf(1)) - 1)
    with pytest.raises(Refusal) as error:
        add(pdf(1))
    assert error.value.code == "material_too_big"


# --- videos ---


def test_a_video_is_measured_and_can_be_watched_at_once(add):
    made = add(video(2), "video", captions=VTT)
    assert (made.state, made.kind, made.pages) == ("ready", "video", None)
    assert made.duration_ms is not None
    assert 1800 <= made.duration_ms <= 2200
    assert made.captions.read() == VTT


@pytest.mark.parametrize(
    ("content", "captions", "code"),
    [
        (b"not a video at all", None, "video_not_mp4"),
        (video(1, codec="mpeg4"), None, "video_codec"),
        (video(1), b"00:00 hello", "captions_not_vtt"),
        (video(1), b"WEBVTT\n\n\xff\xfe -->", "captions_not_vtt"),
    ],
    ids=["text", "mpeg4", "no header", "no utf-8"],
)
def test_what_phones_cannot_play_is_refused(add, content, captions, code):
    with pytest.raises(Refusal) as error:
        add(content, "video", captions=captions)
    assert code_of(error) == (code, 400)
    assert not Material.objects.exists()


# --- the life of a material ---


def test_a_version_waits_for_its_slides_and_then_nothing_in_it_changes(add, draft, operator, now):
    made = add(pdf(1))
    with pytest.raises(Refusal) as error:
        publish_version(version=draft, actor=operator, at=now)
    assert error.value.code == "materials_not_ready"
    process_slides(material=made, at=now)
    publish_version(version=draft, actor=operator, at=now)
    assert Entry.objects.get(kind="course.version_published").facts["materials"] == [made.sha256]
    for refused in (lambda: remove_material(material=made, actor=operator, at=now), lambda: add(pdf(1))):
        with pytest.raises(Refusal) as error:
            refused()
        assert error.value.code == "version_published"
    attacks = (
        lambda: Material.objects.filter(pk=made.pk).update(title="换一个"),
        lambda: SlidePage.objects.filter(material=made).update(text="换一页"),
        lambda: SlidePage.objects.filter(material=made).delete(),
    )
    for attack in attacks:
        with pytest.raises(IntegrityError, match="does not change"), transaction.atomic():
            attack()


def test_the_next_version_shares_the_files_and_taking_one_out_keeps_the_others(
    add, draft, operator, now, django_capture_on_commit_callbacks
):
    made = add(pdf(1))
    process_slides(material=made, at=now)
    publish_version(version=draft, actor=operator, at=now)
    second = draft_version(course=draft.course, actor=operator, at=now)
    copy = second.materials.get()
    assert (copy.file.name, copy.slide_pages.count()) == (made.file.name, 1)
    with django_capture_on_commit_callbacks(execute=True):
        remove_material(material=copy, actor=operator, at=now)
    assert default_storage.exists(made.file.name)
    assert (second.materials.count(), draft.materials.count()) == (0, 1)


def test_taking_the_only_one_out_takes_its_files(add, operator, now, django_capture_on_commit_callbacks):
    made = add(pdf(1))
    process_slides(material=made, at=now)
    names = [made.file.name, made.slide_pages.get().file.name]
    with django_capture_on_commit_callbacks(execute=True):
        remove_material(material=made, actor=operator, at=now)
    assert [default_storage.exists(name) for name in names] == [False, False]


def test_to_a_manager_the_platforms_draft_does_not_exist(add, cast):
    with pytest.raises(Http404):
        add(pdf(1), actor=cast.manager)
    assert not Material.objects.exists()


# --- who sees them ---


def test_the_people_of_the_class_read_its_version_and_nobody_else(school: School, now):
    training_class = school.approved()
    made = shelve(training_class, school.cast, now)["slides"]
    cast = school.cast
    for user in (cast.trainer, cast.assistant, cast.manager, cast.officer, cast.operator):
        assert permissions.access_material(user, made.pk) == made
    for user in (cast.rival, cast.learner, cast.regulator):
        with pytest.raises(Http404):
            permissions.access_material(user, made.pk)


def test_pages_show_and_ranges_are_served(school: School, now):
    made = shelve(school.approved(), school.cast, now)
    client = client_of(school.cast.trainer)
    page = client.get(reverse("courses:material", args=[made["slides"].pk]))
    assert page.status_code == 200
    assert "第 1 页，共 1 页" in page.content.decode()
    picture = client.get(reverse("courses:page", args=[made["slides"].pk, 1]))
    assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/webp")
    part = client.get(reverse("courses:file", args=[made["video"].pk]), headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.headers["Content-Range"]) == (206, "bytes 2-4/10")
    assert client.get(reverse("courses:file", args=[made["slides"].pk])).status_code == 404


def test_the_operator_uploads_and_publishes_on_pages(draft, operator, django_capture_on_commit_callbacks):
    client = client_of(operator)
    place = [draft.course_id, draft.number]
    url = reverse("courses:add_material", args=[*place, "slides"])
    bad = client.post(url, {"title": "第一讲", "file": SimpleUploadedFile("a.pdf", b"no")})
    assert bad.status_code == 400
    assert "这个文件不是 PDF" in bad.content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        good = client.post(url, {"title": "第一讲", "file": SimpleUploadedFile("a.pdf", pdf(1))})
    assert good.status_code == 302
    assert Material.objects.get().state == "ready"
    assert client.post(reverse("courses:publish", args=place)).status_code == 302
    detail = client_of(None).get(reverse("courses:detail", args=[draft.course_id]))
    assert "认识创业" in detail.content.decode()


def test_the_api_lists_materials_for_those_who_read_them(school: School, now):
    training_class = school.approved()
    shelve(training_class, school.cast, now)
    assert training_class.course_version is not None
    number = training_class.course_version.number
    url = f"/api/v1/courses/{training_class.course_id}/versions/{number}/materials/"
    body = client_of(school.cast.trainer).get(url).json()
    assert [(one["kind"], one["pages"], one["duration_ms"]) for one in body["results"]] == [
        ("slides", 1, None),
        ("video", None, 600_000),
    ]
    refused = client_of(school.cast.rival).get(url)
    assert (refused.status_code, refused.json()["code"]) == (403, "materials_not_open")
