"""Every address of the platform. Each app writes its own full paths; this file only gathers them."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from accounts.views import start_page

APPS = [
    "accounts",
    "identity",
    "courses",
    "classes",
    "classes.live",
    "attendance",
    "exams",
    "exams.certificates",
    "subsidies",
    "supervision",
]


def _pages() -> list[URLResolver]:
    return [path("", include(f"{app}.urls")) for app in APPS if find_spec(f"{app}.urls")]


def _api() -> list[URLPattern]:
    from importlib import import_module

    return [
        pattern
        for app in APPS
        if find_spec(f"{app}.api")
        for pattern in getattr(import_module(f"{app}.api"), "api_urlpatterns", [])
    ]


urlpatterns = [
    path("start/", start_page, name="start"),
    path("language/", set_language, name="set_language"),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="api-docs"),
    path("api/v1/", include((_api(), "api"))),
    *_pages(),
]
if find_spec("config.views"):
    urlpatterns += [path("", include("config.site_urls"))] if find_spec("config.site_urls") else []

handler400 = "config.views.bad_request"
handler403 = "config.views.forbidden"
handler404 = "config.views.not_found"
handler500 = "config.views.server_error"
