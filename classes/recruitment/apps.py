from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecruitmentApp(AppConfig):
    name = "classes.recruitment"
    label = "recruitment"
    verbose_name = _("招生与筛选")

    def ready(self) -> None:
        from classes.recruitment import evidence

        evidence.register_kinds()
