from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SupervisionApp(AppConfig):
    name = "supervision"
    verbose_name = _("监管")

    def ready(self) -> None:
        from supervision import evidence  # noqa: F401  (registers this app's evidence kind)
