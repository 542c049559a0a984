"""What this app leaves in the evidence log."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from audit.kinds import Kind, register

register(
    Kind(
        "supervision.looked",
        sentence=_("监管账号在 {seen_at} 查看了 {path}"),
        schema={"look": int, "bureau": int, "path": str, "seen_at": datetime},
    )
)
