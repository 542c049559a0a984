"""`manage.py found`: what a platform needs before anybody can sign in. Safe to repeat."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.actions import found_operator, issue_activation, reset_access
from courses.actions import load_catalogue
from exams.actions.bank import load_question_bank
from policy.refusals import Refusal


class Command(BaseCommand):
    help = str(
        gettext_lazy("建平台的第一个账号（平台运营），载入课程目录和题库。账号还没设密码时，发一个新激活码。")
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--operator-username", default="operator", help=_("平台运营账号的用户名"))
        parser.add_argument(
            "--reset", action="store_true", help=_("忘了密码：原来的密码和登录作废，发一个新激活码")
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        with transaction.atomic():
            courses = load_catalogue(at=now)
            load_question_bank()
            try:
                user = found_operator(username=options["operator_username"], at=now)
            except Refusal as refusal:
                raise CommandError(_(refusal.message) + _(refusal.next_step)) from None
            issued = None
            if options["reset"]:
                issued = reset_access(user=user, actor=None, at=now)
            elif not user.has_usable_password():
                issued = issue_activation(user=user, actor=None, at=now)
        self.stdout.write(_("课程目录有 %(count)d 门课，题库已载入。") % {"count": courses})
        if issued is None:
            self.stdout.write(_("平台运营账号 %(name)s 已经设好密码，请直接登录。") % {"name": user.username})
            return
        until = timezone.localtime(issued.valid_until)
        for label, value in (
            (_("打开"), settings.PUBLIC_URL.rstrip("/") + reverse("accounts:activate")),
            (_("用户名"), user.username),
            (_("激活码"), issued.code),
            (_("有效期至"), f"{until:%Y-%m-%d %H:%M}"),
        ):
            self.stdout.write(f"{label}: {value}")
        self.stdout.write(
            _("用它设好密码就能登录。激活码只显示这一次；没有用掉，再运行 manage.py found 会换一个新的。")
        )
