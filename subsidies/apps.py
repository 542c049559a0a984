from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SubsidiesApp(AppConfig):
    name = "subsidies"
    verbose_name = _("补贴")

    def ready(self) -> None:
        from subsidies import evidence  # noqa: F401  (registers this app's evidence kinds)
