"""The page that shows somebody's code, once."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts.actions import IssuedCode


def slip_page(request: HttpRequest, issued: IssuedCode, *, back_url: str, back_label: str) -> HttpResponse:
    """A slip to be printed and handed over in person; the view that answers with it is never cached."""
    return render(
        request,
        "accounts/issued.html",
        {
            "issued": issued,
            "entry": request.build_absolute_uri(reverse("accounts:activate")),
            "back_url": back_url,
            "back_label": back_label,
        },
    )
