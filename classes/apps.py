from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClassesApp(AppConfig):
    name = "classes"
    verbose_name = _("培训班")
