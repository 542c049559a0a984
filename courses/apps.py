from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoursesApp(AppConfig):
    name = "courses"
    verbose_name = _("课程")
