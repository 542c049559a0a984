from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExamsApp(AppConfig):
    name = "exams"
    verbose_name = _("考试与证书")

    def ready(self) -> None:
        from exams import evidence  # noqa: F401  (registers this app's evidence kinds)
