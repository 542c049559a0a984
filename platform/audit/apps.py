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
                sentence=_(
                    "核对留痕：{chains} 条链、{entries} 条记录、{roots} 个根，发现 {faults} 处出入；"
                    "{differences} 行数据和留痕不一致"
                ),
                schema={
                    "chains": int,
                    "entries": int,
                    "roots": int,
                    "faults": int,
                    "first_fault": str | None,
                    "differences": int | None,
                    "first_difference": str | None,
                },
            ),
        )
