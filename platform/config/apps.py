from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConfigApp(AppConfig):
    name = "config"
    verbose_name = _("平台")

    def ready(self) -> None:
        """Register the system checks, and what this platform does."""
        from config import (
            checks,  # noqa: F401  (importing registers; settings are complete only now)
            platform_functions,
        )

        platform_functions.register()
