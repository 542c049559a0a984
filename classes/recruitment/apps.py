from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecruitmentApp(AppConfig):
    name = "classes.recruitment"
    label = "recruitment"
    verbose_name = _("招生与筛选")

    def ready(self) -> None:
        from accounts import start
        from classes.actions.classes import after_cancelling
        from classes.checks import register_findings
        from classes.recruitment import evidence, findings, queries
        from classes.recruitment.actions.placement import release_of_cancelled
        from classes.reviews import name_findings

        evidence.register_kinds()
        start.register(queries.next_steps_for)
        register_findings(findings.findings_on)
        after_cancelling(release_of_cancelled)
        name_findings(findings.SUBJECTS)
