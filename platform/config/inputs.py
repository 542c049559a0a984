"""What no address of the platform takes: the character NUL, which the database cannot hold in text, and
text in which nothing shows.
"""

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.utils.deprecation import MiddlewareMixin

from policy.words import bare

NUL = "\0"


class NulMiddleware(MiddlewareMixin):
    """Take NUL out of what a query asks for; an address that holds one leads nowhere.

    Forms and serializers refuse it in what is sent by themselves; searches and filters read the query as it
    comes, on every page and in the API.
    """

    get_response: Callable[[HttpRequest], HttpResponse]

    def process_request(self, request: HttpRequest) -> None:
        if NUL in request.path:
            raise Http404
        if not any(NUL in text for pair in request.GET.lists() for text in (pair[0], *pair[1])):
            return
        clean = QueryDict(mutable=True, encoding=request.GET.encoding)
        for name, values in request.GET.lists():
            clean.setlist(name.replace(NUL, ""), [value.replace(NUL, "") for value in values])
        clean._mutable = False
        request.GET = clean  # type: ignore[assignment]


class BlankMiddleware(MiddlewareMixin):
    """Take what does not show (spaces, zero width characters) for nothing, in every field of every form.

    So no form has to know of it: a required field says that it is empty. The API reads its own bodies
    (`accounts.api_views.TextField`).
    """

    get_response: Callable[[HttpRequest], HttpResponse]

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> None:
        if request.method != "POST" or getattr(view, "csrf_exempt", False):
            return
        if all(not text or bare(text) for _name, values in request.POST.lists() for text in values):
            return
        clean = request.POST.copy()
        for name, values in request.POST.lists():
            clean.setlist(name, [text if bare(text) else "" for text in values])
        clean._mutable = False
        request.POST = clean  # type: ignore[assignment]
