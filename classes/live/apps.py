from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LiveApp(AppConfig):
    name = "classes.live"
    label = "live"
    verbose_name = _("直播课堂")

    def ready(self) -> None:
        from classes.live import evidence

        evidence.register_kinds()
