"""Every address of the platform. Each app writes its own full paths; this file only gathers them."""

from importlib import import_module

from django.urls import include, path
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts.views import start_page

PAGES = (
    "accounts",
    "accounts.registers",
    "identity",
    "courses",
    "classes",
    "classes.live",
    "classes.recruitment",
    "attendance",
    "exams",
    "exams.certificates",
    "subsidies",
    "supervision",
)
APIS = (
    "accounts",
    "accounts.registers",
    "identity",
    "courses",
    "classes",
    "classes.live",
    "classes.recruitment",
    "attendance",
    "exams",
    "subsidies",
    "supervision",
)
api = [pattern for app in APIS for pattern in import_module(f"{app}.api").api_urlpatterns]

urlpatterns = [
    path("start/", start_page, name="start"),
    path("language/", set_language, name="set_language"),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    # The split view has no inline script, which our content security policy would refuse.
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api-docs"),
    path("api/v1/", include((api, "api"))),
    *(path("", include(f"{app}.urls")) for app in PAGES),
    path("", include("config.site_urls")),
]

handler400 = "config.views.bad_request"
handler403 = "config.views.forbidden"
handler404 = "config.views.not_found"
handler500 = "config.views.server_error"
