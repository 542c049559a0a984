"""`manage.py prepare_database`: migrate as the owner, then give each login its grants. Safe to repeat."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connections

from config.grants import grant_roles


class Command(BaseCommand):
    help = "Migrate as yuchuang_owner, then grant each login what it may do. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", database="owner", interactive=False, verbosity=options["verbosity"])
        granted = grant_roles(connections["owner"])
        self.stdout.write(f"up to date: {len(granted)} tables, each granted to its logins")
