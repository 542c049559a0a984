"""The room's page, and the replay of a lesson with its recordings."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from accounts.models import User
from classes.live import queries
from classes.live.media import janus
from classes.live.permissions import access_room, require_member
from classes.live.registry import first_closed_gate
from classes.live.states import RoomRole
from classes.live.words import room_words
from classes.models import Lesson
from classes.states import LessonState
from courses.ranges import file_response


@require_safe
@login_required
def room(request: HttpRequest, pk: int) -> HttpResponse:
    """The live room; a trainee who has not signed in goes there first, a closed lesson goes to its replay."""
    user = request.user
    assert isinstance(user, User)
    lesson = access_room(user, pk)
    me = require_member(user, lesson)
    if lesson.state == LessonState.CLOSED:
        return redirect("live:replay", pk=lesson.pk)
    gate = first_closed_gate(lesson, user)
    if gate:
        return redirect(gate)
    response = render(
        request,
        "live/room.html",
        {
            "lesson": lesson,
            "me": me,
            "leads": me.role != RoomRole.TRAINEE,
            "media": janus.is_available(),
            "options": range(1, 5),
            "back_url": reverse("start"),
            "sign_out_url": _page("attendance:sign_out", lesson) if me.role == RoomRole.TRAINEE else "",
            "desk_url": _page("attendance:desk", lesson) if me.role != RoomRole.TRAINEE else "",
            "page": _page_data(lesson, me.role),
        },
    )
    # Safari before 15.4 does not count sockets of the same host as 'self'.
    scheme = "wss" if request.is_secure() else "ws"
    response._csp_update = {"connect-src": [f"{scheme}://{request.get_host()}"]}  # type: ignore[attr-defined]
    return response


def _page(name: str, lesson: Lesson) -> str:
    """A page of a floor above, by its name; empty where it is not installed."""
    try:
        return reverse(name, args=[lesson.pk])
    except NoReverseMatch:
        return ""


def _page_data(lesson: Lesson, role: RoomRole) -> dict[str, Any]:
    """What static/live/*.js needs to know of its page."""
    api = f"/api/v1/lessons/{lesson.pk}/"
    return {
        "lesson": lesson.pk,
        "api": api,
        "checks": "/api/v1/checks/",
        "socket": f"/ws/lessons/{lesson.pk}/",
        "meter": f"/api/v1/me/meter/?class={lesson.training_class_id}" if role == RoomRole.TRAINEE else "",
        "clock": static("live/clock.js"),
        "sprite": static("vendor/icons.svg"),
        "words": room_words(),
    }


@require_safe
@login_required
def replay(request: HttpRequest, pk: int) -> HttpResponse:
    """What was recorded of a lesson, with what was said in it."""
    assert isinstance(request.user, User)
    lesson = access_room(request.user, pk)
    segments = queries.segments(lesson)
    wanted = request.GET.get("segment", "")
    chosen = next((one for one in segments if str(one.pk) == wanted), segments[0] if segments else None)
    return render(
        request,
        "live/replay.html",
        {
            "lesson": lesson,
            "segments": segments,
            "chosen": chosen,
            "messages_said": queries.last_messages(lesson),
        },
    )


@require_safe
@login_required
def recording(request: HttpRequest, pk: int, number: int) -> HttpResponseBase:
    """One recording's file, whole or in the range that a player asks for."""
    assert isinstance(request.user, User)
    lesson = access_room(request.user, pk)
    found = get_object_or_404(queries.recordings(lesson), pk=number)
    content_type = "video/mp4" if str(found.file.name).endswith(".mp4") else "video/webm"
    response = file_response(request, found.file, content_type=content_type, etag=f'"{found.sha256}"')
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response
