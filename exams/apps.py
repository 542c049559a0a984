from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExamsApp(AppConfig):
    name = "exams"
    verbose_name = _("考试与证书")

    def ready(self) -> None:
        from accounts import start
        from exams import evidence, queries  # noqa: F401  (evidence registers this app's kinds)

        start.register(queries.next_steps_for)
