"""`manage.py write_exchange_format`: make the tables of docs/exchange-format.md anew."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from exchange.format_page import page_with_tables


class Command(BaseCommand):
    help = "Write the tables of docs/exchange-format.md from the kinds of packages."

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.ROOT / "docs" / "exchange-format.md"
        path.write_text(page_with_tables(path.read_text("utf-8")), "utf-8")
