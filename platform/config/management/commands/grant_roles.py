"""`manage.py grant_roles`: after every migrate, give each database login its tables."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import connections

from config.grants import grant_roles


class Command(BaseCommand):
    help = "Grant each database login what it may do, after migrations. Runs as the owner; idempotent."

    def handle(self, *args: Any, **options: Any) -> None:
        granted = grant_roles(connections["owner"])
        self.stdout.write(f"{len(granted)} tables granted")
