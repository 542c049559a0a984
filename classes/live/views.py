"""The room's page, and the replay of a lesson with its recordings."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from accounts.models import User
from classes.live import queries
from classes.live.permissions import access_room, require_member
from classes.live.ranges import file_response
from classes.live.registry import first_closed_gate
from classes.live.states import RoomRole
from classes.states import LessonState


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
    return render(
        request,
        "live/room.html",
        {"lesson": lesson, "me": me, "leads": me.role != RoomRole.TRAINEE},
    )


@require_safe
@login_required
def replay(request: HttpRequest, pk: int) -> HttpResponse:
    """What was recorded of a lesson, with what was said in it."""
    assert isinstance(request.user, User)
    lesson = access_room(request.user, pk)
    recordings = list(queries.recordings(lesson))
    messages = queries.last_messages(lesson)
    return render(
        request, "live/replay.html", {"lesson": lesson, "recordings": recordings, "messages": messages}
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
