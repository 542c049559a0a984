"""docs/exchange-format.md says what the code does."""

from django.conf import settings

from exchange.format_page import page_with_tables
from exchange.packages import FORMAT, kinds


def test_the_page_lists_every_kind_as_it_is():
    page = (settings.ROOT / "docs" / "exchange-format.md").read_text("utf-8")
    assert page_with_tables(page) == page, "run manage.py write_exchange_format"
    assert FORMAT in page.splitlines()[0]
    assert {"filing", "filing-receipt", "filing-reconciliation"} <= {kind.name for kind in kinds()}
