from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditApp(AppConfig):
    name = "audit"
    verbose_name = _("留痕")
