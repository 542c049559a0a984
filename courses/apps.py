from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoursesApp(AppConfig):
    name = "courses"
    verbose_name = _("课程")

    def ready(self) -> None:
        import_module("courses.evidence")
