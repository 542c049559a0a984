from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from audit import kinds


class AuditApp(AppConfig):
    name = "audit"
    verbose_name = _("留痕")

    def ready(self) -> None:
        from audit import checks  # noqa: F401  registers system checks

        kinds.register(
            kinds.Kind(
                "evidence.verified",
                sentence=_("核对留痕：{chains} 条链、{entries} 条记录、{roots} 个根，发现 {faults} 处出入"),
                schema={
                    "chains": int,
                    "entries": int,
                    "roots": int,
                    "faults": int,
                    "first_fault": str | None,
                },
            ),
        )
