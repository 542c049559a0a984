"""A Refusal that leaves a page's view becomes a page, an htmx fragment or JSON, with its status."""

from collections.abc import Callable

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.deprecation import MiddlewareMixin

from accounts.refusals import rendered
from config.api import method_not_allowed_body
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


class MethodMiddleware(MiddlewareMixin):
    """An address asked in a way it does not answer says so in a page, or in JSON under /api/.

    Whoever had to sign in while sending a form lands on such an address: nothing was saved, and the page
    leads back to where the form is.
    """

    get_response: Callable[[HttpRequest], HttpResponse]

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if not isinstance(response, HttpResponseNotAllowed) or response.content:
            return response
        allowed = response.headers["Allow"]
        if request.path.startswith("/api/"):
            body = method_not_allowed_body(str(request.method), allowed.split(", "))
            answer: HttpResponse = JsonResponse(body, status=405)
        else:
            answer = render(request, "site/405.html", {"above": _page_above(request.path)}, status=405)
        answer.headers["Allow"] = allowed
        return answer


def _page_above(path: str) -> str:
    """The nearest address above this one that the platform knows; empty at the top."""
    while path := path.rstrip("/").rpartition("/")[0]:
        try:
            resolve(f"{path}/")
        except Resolver404:
            continue
        return f"{path}/"
    return ""


def form_error(form: BaseForm, refusal: Refusal, field: str | None = None) -> None:
    """Show a refusal on the form that caused it, beside `field` when the mistake belongs to one."""
    body = rendered(refusal)
    text, field = body["message"], field or refusal.field
    if body["details"].get("next"):
        text += body["details"]["next"]
    form.add_error(field if field in form.fields else None, text)
