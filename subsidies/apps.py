from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SubsidiesApp(AppConfig):
    name = "subsidies"
    verbose_name = _("补贴")

    def ready(self) -> None:
        from accounts import start
        from subsidies import evidence, queries  # noqa: F401  (evidence registers this app's kinds)

        start.register(queries.next_steps_for)
