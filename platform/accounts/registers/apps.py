from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RegistersApp(AppConfig):
    name = "accounts.registers"
    label = "registers"
    verbose_name = _("讲师、机构和平台登记")

    def ready(self) -> None:
        from accounts import start
        from accounts.registers import evidence, queries
        from accounts.registers.reconciliation import register_differences
        from audit import reconciliation

        evidence.register_kinds()
        reconciliation.register(register_differences)
        start.register(queries.next_steps_for)
