"""What axe-core finds wrong with a page in a browser."""

from functools import cache
from pathlib import Path

from django.conf import settings
from playwright.sync_api import Page

SCRIPT = Path(settings.ROOT) / ".local" / "npm" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SHOWN = 160  # characters of each element's HTML


@cache
def _script() -> str:
    return SCRIPT.read_text("utf-8")


def faults(page: Page) -> list[str]:
    """Each rule the page breaks as it stands, with the elements that break it."""
    if page.evaluate("() => !window.axe"):
        page.evaluate(_script())  # past the content security policy, as the debugger's console is
    found = page.evaluate(
        "async (runOnly) => (await axe.run(document, { runOnly, resultTypes: ['violations'] })).violations",
        RULES,
    )
    return [f"{one['id']}: {[node['html'][:SHOWN] for node in one['nodes']]}" for one in found]
