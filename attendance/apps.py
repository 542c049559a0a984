from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AttendanceApp(AppConfig):
    name = "attendance"
    verbose_name = _("考勤")

    def ready(self) -> None:
        import_module("attendance.evidence")
        import_module("attendance.room")
