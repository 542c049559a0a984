from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IdentityApp(AppConfig):
    name = "identity"
    verbose_name = _("身份核验")

    def ready(self) -> None:
        from audit import reconciliation
        from identity.reconciliation import code_differences

        import_module("identity.evidence")
        reconciliation.register(code_differences)
