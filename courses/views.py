"""The catalogue's pages: everybody may read them (F3); who edits a course also writes its versions here."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from accounts.permissions import require_role
from accounts.refusals import rendered
from accounts.states import Role
from courses import actions, permissions
from courses.forms import CourseForm, OutlineForm, SlidesForm, VideoForm
from courses.models import Course, CourseVersion, Material, SlidePage
from courses.offers import offers_of
from courses.outlines import hours_of, units_of
from courses.queries import OTHER_TYPES, catalogue, filtered, newest_published, versions_of, with_hours
from courses.ranges import file_response
from courses.states import MATERIAL_MOVES, VERSION_MOVES, MaterialKind, Origin
from courses.videos import MOST_CAPTION_BYTES
from policy.refusals import Refusal
from policy.terms import COURSE_TYPES, HOMEWORK_AND_EXAM, QUALITY_AND_TUTORING, HourKind
from policy.words import whole_number

PAGE_SIZE = 20
# The kinds of hours in groups, each with its colour and what it is called in a key.
GROUPS: tuple[tuple[str, tuple[HourKind, ...]], ...] = (
    ("live", (HourKind.LIVE,)),
    ("work", HOMEWORK_AND_EXAM),
    ("care", QUALITY_AND_TUTORING),
    ("on_demand", (HourKind.ON_DEMAND,)),
    ("offline", (HourKind.OFFLINE,)),
)


@require_safe
def course_list(request: HttpRequest) -> HttpResponse:
    """Published courses, by type, origin and part of the name; who edits some sees their drafts too."""
    asked = {name: request.GET.get(name, "") for name in ("course_type", "origin", "search")}
    asked["search"] = asked["search"].replace("\0", "").strip()[:80]
    page = Paginator(filtered(catalogue(), **asked), PAGE_SIZE).get_page(request.GET.get("page"))
    can_propose = permissions.can_propose(request.user)
    return render(
        request,
        "courses/list.html",
        {
            "page": page,
            "asked": asked,
            "is_filtered": any(asked.values()),
            "types": [
                *((code, _(name)) for code, name in COURSE_TYPES.items()),
                (OTHER_TYPES, _("其他类型")),
            ],
            "origins": Origin.choices,
            "can_propose": can_propose,
            "unpublished": _unpublished(request) if can_propose else [],
        },
    )


def _unpublished(request: HttpRequest) -> list[Course]:
    """Courses that one edits and that have a draft to be finished."""
    drafted = permissions.visible_to(request.user).filter(versions__state="draft").order_by("pk")
    return [course for course in drafted if permissions.can_edit(request.user, course)]


@require_safe
def course_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What a course is, for whom, its hours and outline, and who teaches it next."""
    course = permissions.access_course(request.user, pk)
    edits = permissions.can_edit(request.user, course)
    version = newest_published(course)
    return render(
        request,
        "courses/detail.html",
        {
            "course": with_hours(Course.objects.filter(pk=pk)).get(),
            "version": version,
            "edits": edits,
            "versions": versions_of(course, drafts=edits),
            "offers": offers_of(course, timezone.localdate()),
            "reads_materials": version is not None and permissions.can_read_materials(request.user, version),
            "materials": version.materials.count() if version else 0,
            **_outline(version),
        },
    )


@require_safe
def version_detail(request: HttpRequest, pk: int, n: int) -> HttpResponse:
    """One version: its outline, its materials, and for who edits it what may be done next."""
    version = permissions.access_version(request.user, pk, n)
    edits = permissions.can_edit(request.user, version.course)
    reads = permissions.can_read_materials(request.user, version)
    materials = list(version.materials.order_by("position")) if reads else []
    if not edits:
        materials = [one for one in materials if one.state == "ready"]
    return render(
        request,
        "courses/version.html",
        {
            "course": version.course,
            "version": version,
            "edits": edits,
            "reads_materials": reads,
            "materials": materials,
            "material_count": version.materials.count(),
            "is_processing": any(MATERIAL_MOVES[one.state] for one in materials),
            "verbs": VERSION_MOVES[version.state] if edits else {},
            **_outline(version),
        },
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Enter a course: the operator for the platform, a manager for their institution."""
    user = require_role(request.user, Role.OPERATOR, Role.MANAGER)
    form = CourseForm(request.POST or None, of_institution=not user.has_role(Role.OPERATOR))
    if request.method == "POST" and form.is_valid():
        try:
            course = actions.create_course(details=form.details, actor=user, at=timezone.now())
        except Refusal as refusal:
            _show(form, refusal)
        else:
            messages.success(request, _("课程已录入。下一步：写大纲，每个课时教什么。"))
            return redirect("courses:outline", course.pk, 1)
    status = 400 if form.errors else 200
    return render(request, "courses/form.html", {"form": form, "course": None}, status=status)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what is said about a course."""
    user, course = _editor(request, pk)
    form = CourseForm.of(course, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.update_course(course=course, details=form.details, actor=user, at=timezone.now())
        except Refusal as refusal:
            _show(form, refusal)
        else:
            messages.success(request, _("课程信息已保存。"))
            return redirect("courses:detail", pk)
    status = 400 if form.errors else 200
    return render(request, "courses/form.html", {"form": form, "course": course}, status=status)


@login_required
@require_POST
def draft(request: HttpRequest, pk: int) -> HttpResponse:
    """Start the next version, or go on with the draft that is there."""
    user, course = _editor(request, pk)
    version = actions.draft_version(course=course, actor=user, at=timezone.now())
    return redirect("courses:version", pk, version.number)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def outline(request: HttpRequest, pk: int, n: int) -> HttpResponse:
    """The editor of a draft's outline."""
    user, version = _drafter(request, pk, n)
    form = OutlineForm.of(units_of(version), version.notes)
    refusal: Mapping[str, Any] | None = None
    if request.method == "POST":
        form = OutlineForm.sent(request.POST)
        wish = request.POST.get("do", "save")
        if not form.change(wish) and wish == "save":
            units = form.units()
            if units is not None:
                try:
                    actions.set_outline(
                        version=version, units=units, notes=form.notes, actor=user, at=timezone.now()
                    )
                except Refusal as error:
                    refusal = rendered(error)
                else:
                    messages.success(request, _("大纲已保存。"))
                    return redirect("courses:version", pk, n)
    if not form.rows:
        form.change("add")
    problems = refusal is not None or any(row.problems for row in form.rows)
    return render(
        request,
        "courses/outline.html",
        {"course": version.course, "version": version, "form": form, "refusal": refusal},
        status=400 if problems else 200,
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest, pk: int, n: int) -> HttpResponse:
    """Publish a draft: a page that repeats what becomes fixed."""
    user, version = _drafter(request, pk, n)
    if request.method == "POST":
        actions.publish_version(version=version, actor=user, at=timezone.now())
        messages.success(request, _("第 %(n)s 版已发布，新建的班都用它。") % {"n": n})
        return redirect("courses:version", pk, n)
    return render(
        request,
        "courses/publish.html",
        {
            "course": version.course,
            "version": version,
            "materials": version.materials.order_by("position"),
            **_outline(version),
        },
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def retire(request: HttpRequest, pk: int, n: int) -> HttpResponse:
    """Take a version out of use: a page that says what that does."""
    user, version = _editor_of_version(request, pk, n)
    if request.method == "POST":
        actions.retire_version(version=version, actor=user, at=timezone.now())
        messages.success(request, _("第 %(n)s 版已停用。") % {"n": n})
        return redirect("courses:version", pk, n)
    return render(request, "courses/retire.html", {"course": version.course, "version": version})


# --- materials ---


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def add_material(request: HttpRequest, pk: int, n: int, kind: str) -> HttpResponse:
    """Add slides or a video to a draft."""
    if kind not in MaterialKind.values:
        raise Http404
    user, version = _drafter(request, pk, n)
    is_video = kind == MaterialKind.VIDEO
    form = (VideoForm if is_video else SlidesForm)(request.POST or None, request.FILES or None)
    refusal: Mapping[str, Any] | None = None
    if request.method == "POST" and form.is_valid():
        sent = {"title": form.cleaned_data["title"], "file": form.cleaned_data["file"]}
        try:
            if is_video:
                captions = form.cleaned_data["captions"]
                text = captions.read(MOST_CAPTION_BYTES + 1) if captions else None
                actions.add_video(version=version, **sent, captions=text, actor=user, at=timezone.now())
            else:
                actions.add_slides(version=version, **sent, actor=user, at=timezone.now())
        except Refusal as error:
            refusal = rendered(error)
        else:
            messages.success(
                request,
                _("视频已加入。") if is_video else _("课件已收到，正在一页一页处理，您可以先做别的。"),
            )
            return redirect("courses:version", pk, n)
    return render(
        request,
        "courses/add_material.html",
        {
            "course": version.course,
            "version": version,
            "form": form,
            "is_video": is_video,
            "refusal": refusal,
        },
        status=400 if form.errors or refusal else 200,
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def remove_material(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a material out of a draft."""
    user = _user(request)
    material = permissions.access_material(user, pk)
    version = material.version
    permissions.require_edit(user, version.course)
    permissions.require_draft(version)
    if request.method == "POST":
        actions.remove_material(material=material, actor=user, at=timezone.now())
        messages.success(request, _("“%(title)s”已移出这一版。") % {"title": material.title})
        return redirect("courses:version", version.course_id, version.number)
    return render(
        request,
        "courses/remove_material.html",
        {"course": version.course, "version": version, "material": material},
    )


@login_required
@require_safe
def material(request: HttpRequest, pk: int) -> HttpResponse:
    """Slides page by page, or a video; watching here earns no time (that is the class's page)."""
    found = permissions.access_material(request.user, pk)
    context: dict[str, Any] = {
        "course": found.version.course,
        "version": found.version,
        "material": found,
        "edits": permissions.can_edit(request.user, found.version.course),
    }
    if found.is_video:
        return render(request, "courses/video.html", context)
    pages = list(found.slide_pages.order_by("number"))
    wanted = whole_number(request.GET.get("page")) or 1
    number = min(wanted, len(pages))
    return render(
        request,
        "courses/slides.html",
        {
            **context,
            "pages": pages,
            "page": pages[number - 1] if pages else None,
            "previous": number - 1,
            "next": number + 1 if number < len(pages) else 0,
            "data": {"pages": [_page_data(found, page) for page in pages], "number": number},
        },
    )


def _page_data(found: Material, page: SlidePage) -> dict[str, Any]:
    """What static/courses/slides.js needs of one page."""
    return {
        "url": reverse("courses:page", args=[found.pk, page.number]),
        "width": page.width,
        "height": page.height,
        "text": page.text,
    }


@login_required
@require_safe
def slide_page(request: HttpRequest, pk: int, n: int) -> HttpResponseBase:
    """One page as a picture. It never changes, so a phone keeps it."""
    found = permissions.access_material(request.user, pk)
    page = get_object_or_404(SlidePage, material=found, number=n)
    return _file(request, page.file, "image/webp", f"{found.sha256}-{n}")


@login_required
@require_safe
def material_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A video, whole or in the range that a player asks for; the PDF of slides only for who edits it."""
    found = permissions.access_material(request.user, pk)
    if not found.is_video and not permissions.can_edit(request.user, found.version.course):
        raise Http404
    return _file(request, found.file, "video/mp4" if found.is_video else "application/pdf", found.sha256)


@login_required
@require_safe
def captions(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A video's captions."""
    found = permissions.access_material(request.user, pk)
    if not found.captions:
        raise Http404
    return _file(request, found.captions, "text/vtt", f"{found.sha256}-captions")


def _file(request: HttpRequest, file: Any, content_type: str, version: str) -> HttpResponseBase:
    response = file_response(request, file, content_type=content_type, etag=f'"{version}"')
    response.headers["Cache-Control"] = "private, max-age=86400"
    return response


def _editor(request: HttpRequest, pk: int) -> tuple[User, Course]:
    user = _user(request)
    course = permissions.access_course(user, pk)
    permissions.require_edit(user, course)
    return user, course


def _editor_of_version(request: HttpRequest, pk: int, n: int) -> tuple[User, CourseVersion]:
    user = _user(request)
    version = permissions.access_version(user, pk, n)
    permissions.require_edit(user, version.course)
    return user, version


def _drafter(request: HttpRequest, pk: int, n: int) -> tuple[User, CourseVersion]:
    user, version = _editor_of_version(request, pk, n)
    permissions.require_draft(version)
    return user, version


def _show(form: CourseForm, refusal: Refusal) -> None:
    body = rendered(refusal)
    name = form.FIELD_OF_CODE.get(refusal.code)
    form.add_error(name if name in form.fields else None, body["message"] + body["details"]["next"])


def _outline(version: CourseVersion | None) -> dict[str, Any]:
    """The outline with its hours by group, for the table and the squares."""
    hours = hours_of(version)
    groups = [
        (code, sum((hours.get(kind, Decimal(0)) for kind in kinds), Decimal(0))) for code, kinds in GROUPS
    ]
    return {
        "outline": list(version.outline.all()) if version else [],
        "groups": [(code, have) for code, have in groups if have],
        "total": sum(hours.values(), Decimal(0)),
        "by_kind": [(_(kind.label), have.normalize()) for kind, have in hours.items()],
    }


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
