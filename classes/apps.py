from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClassesApp(AppConfig):
    name = "classes"
    verbose_name = _("培训班")

    def ready(self) -> None:
        from accounts import start
        from audit import reconciliation
        from classes import evidence, packages, queries, standing, teaching
        from classes.checks import register_findings
        from classes.reconciliation import class_differences
        from classes.reviews import name_findings

        evidence.register_kinds()
        packages.register_kinds()
        start.register(queries.next_steps_for)
        teaching.register()
        reconciliation.register(class_differences)
        register_findings(standing.findings_on)
        name_findings(standing.SUBJECTS)
