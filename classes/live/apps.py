from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LiveApp(AppConfig):
    name = "classes.live"
    label = "live"
    verbose_name = _("直播课堂")

    def ready(self) -> None:
        from accounts.signals import access_ended
        from classes.live import actions, evidence

        evidence.register_kinds()
        access_ended.connect(actions.end_presence, dispatch_uid="live.end_presence")
