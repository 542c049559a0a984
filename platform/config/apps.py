from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConfigApp(AppConfig):
    name = "config"
    verbose_name = _("平台")

    def ready(self) -> None:
        """Register the system checks, and what this platform does."""
        from config import checks, platform_functions  # checks: importing registers, settings are complete

        platform_functions.register()
