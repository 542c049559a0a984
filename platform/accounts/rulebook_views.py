"""The rules as pages for everybody: what applies, from which document, how it is read, and what is still
open.
"""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from accounts.calendars import calendar
from accounts.editions import all_editions
from accounts.rulebook import articles, compare, known_edition, the_norm
from policy.citations import citation_of, citations
from policy.editions import Edition, Parameter


def _said(parameter: Parameter | None) -> dict[str, Any] | None:
    """A parameter as the pages show it."""
    if parameter is None:
        return None
    body = parameter.render(gettext)
    return {
        **body,
        "text": parameter.value_text(gettext),
        "document": parameter.document.render(gettext),
        "own_citation": parameter.citation if parameter.citation != citation_of(parameter.row) else "",
        "is_reading": parameter.reading is not None,
        "alternatives": [gettext(text) for text in parameter.alternatives],
    }


@require_safe
def editions(request: HttpRequest) -> HttpResponse:
    """Every edition with what it still leaves open, and the years whose working days are known."""
    known = list(all_editions().values())
    return render(
        request,
        "accounts/editions.html",
        {
            "editions": [
                {"edition": one, "open": len(one.unset()), "all": len(one.parameters)} for one in known
            ],
            "years": [
                (year, published, gettext(published.document) if published.document else "")
                for year, published in sorted(calendar().years.items(), reverse=True)[:8]
            ],
            "left": the_norm(),
            "right": next((one for one in known if one != the_norm()), the_norm()),
        },
    )


@require_safe
def edition(request: HttpRequest, edition_id: str) -> HttpResponse:
    """One edition, article by article, for reading and printing."""
    shown = _access(edition_id)
    return render(
        request,
        "accounts/edition.html",
        {
            "edition": shown,
            "articles": [
                {
                    "article": article,
                    "rows": [(row.citation, [_said(one) for one in row.parameters]) for row in article.rows],
                }
                for article in articles(shown)
            ],
            "open": [_said(one) for one in shown.unset()],
            "sources": [source.render(gettext) for source in shown.sources],
            "readings": sum(one.reading is not None for one in shown.parameters.values()),
            "back_url": reverse("accounts:editions"),
        },
    )


@require_safe
def comparison(request: HttpRequest) -> HttpResponse:
    """Two editions side by side; what is the same in both only on request."""
    known = list(all_editions().values())
    left = known_edition(request.GET.get("left", "")) or the_norm()
    right = known_edition(request.GET.get("right", "")) or next((one for one in known if one != left), left)
    everything = request.GET.get("all") == "1"
    differences = compare(left, right)
    return render(
        request,
        "accounts/compare.html",
        {
            "editions": known,
            "left": left,
            "right": right,
            "everything": everything,
            "differing": sum(one.differs for one in differences),
            "same": sum(not one.differs for one in differences),
            "rows": [
                {
                    "sample": _said(one.sample),
                    "left": _said(one.left),
                    "right": _said(one.right),
                    "differs": one.differs,
                }
                for one in differences
                if everything or one.differs
            ],
            "back_url": reverse("accounts:editions"),
        },
    )


@require_safe
def rule(request: HttpRequest, row: str) -> HttpResponse:
    """Lead from a citation to its place in the norm; another edition may be asked for."""
    if row not in citations():
        raise Http404
    shown = known_edition(request.GET.get("edition", "")) or the_norm()
    return redirect(f"{reverse('accounts:edition', args=[shown.id])}#{row}")


def _access(edition_id: str) -> Edition:
    found = known_edition(edition_id)
    if found is None:
        raise Http404
    return found
