"""Every look is itself on record, whoever looks.

Written over a login that may do nothing but this one INSERT.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import User
from accounts.states import Role
from supervision.models import Look

LOOKS = "looks"
PREFIXES = ("/supervision/", "/api/v1/supervision/")


class LookMiddleware:
    """Record before the page is sent: a look that cannot be recorded is not shown."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith(PREFIXES) and response.status_code < 400:
            user = request.user
            if isinstance(user, User) and user.has_role(Role.REGULATOR) and user.bureau:
                Look.objects.using(LOOKS).create(
                    user_id=user.pk,
                    bureau_id=user.bureau.pk,
                    path=request.path[:300],
                    subject=getattr(request, "look_subject", ""),
                    at=timezone.now(),
                )
        return response
