from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SubsidiesApp(AppConfig):
    name = "subsidies"
    verbose_name = _("补贴")

    def ready(self) -> None:
        from accounts import start
        from audit import reconciliation
        from subsidies import evidence, queries  # noqa: F401  (evidence registers this app's kinds)
        from subsidies.reconciliation import claim_differences

        start.register(queries.next_steps_for)
        reconciliation.register(claim_differences)
