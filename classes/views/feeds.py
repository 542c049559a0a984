"""A person's own calendar address, and the feed behind it."""

import hashlib

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import require_role
from classes import actions
from classes.feeds import ROLES, calendar_of, events_of, feed_of
from classes.models import CalendarFeed


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def address(request: HttpRequest) -> HttpResponse:
    """Whether one has an address; POST gives a new one, which is shown this once."""
    user = require_role(request.user, *ROLES)
    context = {"feed": CalendarFeed.objects.filter(user=user).first(), "had": False, "address": ""}
    if request.method == "POST":
        token = actions.issue_feed(actor=user, at=timezone.now())
        path = reverse("classes:calendar_feed", args=[token])
        context |= {
            "had": context["feed"] is not None,
            "address": request.build_absolute_uri(path),
            "webcal": f"webcal://{request.get_host()}{path}",
        }
    return render(request, "classes/calendar.html", context)


@login_required
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """Take one's own address back."""
    user = require_role(request.user, *ROLES)
    actions.end_feed(actor=user, at=timezone.now())
    messages.success(request, _("日历地址已停用。"))
    return redirect("classes:calendar")


@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponseBase:
    """The calendar itself: who knows the address reads it, and nobody learns whether another one exists."""
    found = feed_of(token)
    if found is None:
        raise Http404
    content = calendar_of(events_of(found.user, timezone.localdate()), request.build_absolute_uri)
    etag = f'"{hashlib.sha256(content).hexdigest()}"'
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response["Cache-Control"] = "private, max-age=300"
    response["Content-Disposition"] = 'inline; filename="yuchuang.ics"'
    response["X-Robots-Tag"] = "noindex"
    response["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response
