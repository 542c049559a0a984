"""A Refusal that leaves a page's view becomes a page, an htmx fragment or JSON, with its status."""

from collections.abc import Callable

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

from accounts.refusals import rendered
from policy.refusals import Refusal


class RefusalMiddleware(MiddlewareMixin):
    """The API has its own handler (config.api); this one serves pages and other views."""

    get_response: Callable[[HttpRequest], HttpResponse]

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Refusal):
            return None
        body = rendered(exception)
        if request.path.startswith("/api/") or request.headers.get("Accept", "").startswith(
            "application/json"
        ):
            return JsonResponse(body, status=exception.status)
        template = "includes/refusal.html" if getattr(request, "htmx", False) else "site/refusal.html"
        # htmx swaps nothing on a 4xx unless told to; the fragment carries its own role=alert and focus.
        return render(request, template, {"refusal": body}, status=exception.status)


def form_error(form: BaseForm, refusal: Refusal, field: str | None = None) -> None:
    """Show a refusal on the form that caused it, beside `field` when the mistake belongs to one."""
    body = rendered(refusal)
    text = body["message"]
    if body["details"].get("next"):
        text += body["details"]["next"]
    form.add_error(field if field in form.fields else None, text)
