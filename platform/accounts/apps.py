from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsApp(AppConfig):
    name = "accounts"
    verbose_name = _("人员与机构")

    def ready(self) -> None:
        from accounts import start
        from accounts.first_steps import first_steps_for
        from accounts.reconciliation import account_differences, body_differences
        from audit import reconciliation

        import_module("accounts.evidence")
        reconciliation.register(account_differences)
        reconciliation.register(body_differences)
        start.register(first_steps_for)
