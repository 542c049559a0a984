from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FollowupApp(AppConfig):
    name = "followup"
    verbose_name = _("后续服务")
