from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExamsApp(AppConfig):
    name = "exams"
    verbose_name = _("考试与证书")

    def ready(self) -> None:
        from accounts import start
        from audit import reconciliation
        from exams import evidence, queries  # noqa: F401  (evidence registers this app's kinds)
        from exams.reconciliation import exam_differences

        start.register(queries.next_steps_for)
        reconciliation.register(exam_differences)
