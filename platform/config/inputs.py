"""What no address of the platform takes: the character NUL, which the database cannot hold in text."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.utils.deprecation import MiddlewareMixin

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
