from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AttendanceApp(AppConfig):
    name = "attendance"
    verbose_name = _("考勤")

    def ready(self) -> None:
        from attendance.reconciliation import attendance_differences
        from audit import reconciliation

        reconciliation.register(attendance_differences)
        import_module("attendance.evidence")
        import_module("attendance.room")
