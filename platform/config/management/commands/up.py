"""`manage.py up`: what bin/run does once the machine is set up."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from config.supervisor.__main__ import main


class Command(BaseCommand):
    help = "Run the whole platform on this machine: servers, web, worker and beat. Ctrl-C stops it."
    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        """Hand every argument on; Django's own options mean nothing here."""
        sys.exit(main(argv[2:]))

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(main([]))
