"""Browsers of the cast: one Chromium each, so that each has a camera of its own."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import BrowserContext, Error, Page, Playwright, expect, sync_playwright

from tests.browser import CHROMIUM, FLAGS

FACES = Path(__file__).resolve().parent.parent / "faces"
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}
PATIENCE = 20_000  # milliseconds: other tests may run beside this one


def film_of(folder: Path, portrait: str) -> Path:
    """A film for Chromium's fake camera: the portrait in 640 × 480, a little nearer in every frame."""
    film = folder / f"{portrait}.mjpeg"
    with open(film, "wb") as out, Image.open(FACES / f"{portrait}.jpg") as picture:
        for step in range(10):
            scene = Image.new("RGB", (640, 480), (150, 155, 150))
            height = 440 + 4 * step
            width = round(picture.width * height / picture.height)
            scene.paste(picture.convert("RGB").resize((width, height)), ((640 - width) // 2, 480 - height))
            scene.save(out, "jpeg", quality=92)
    return film


class Browsers:
    """Opens browsers at one address and closes them all."""

    def __init__(self, playwright: Playwright, url: str, folder: Path) -> None:
        self.playwright = playwright
        self.url = url
        self.folder = folder
        self._open: list[BrowserContext] = []
        self.troubles: list[str] = []  # what any page's console called an error

    def open(self, name: str, *, portrait: str | None = None, viewport: dict[str, int] = DESKTOP) -> Page:
        """A new browser, with its own cookies, and a portrait before its camera."""
        flags = [*FLAGS, "--autoplay-policy=no-user-gesture-required"]
        if portrait:
            flags.append(f"--use-file-for-fake-video-capture={film_of(self.folder, portrait)}")
        context = self.playwright.chromium.launch_persistent_context(
            self.folder / f"profile-{name}",
            executable_path=CHROMIUM,
            args=flags,
            viewport=viewport,  # type: ignore[arg-type]
            locale="zh-CN",
            permissions=["camera", "microphone"],
            base_url=self.url,
            accept_downloads=True,
        )
        context.set_default_timeout(PATIENCE)
        self._open.append(context)
        page = context.pages[0]
        context.on(  # of every tab
            "console",
            lambda message: (
                self.troubles.append(f"{name}: {message.text}") if message.type == "error" else None
            ),
        )
        context.on("weberror", lambda error: self.troubles.append(f"{name}: {error.error}"))
        return page

    def shut(self, page: Page) -> None:
        """Close one browser."""
        self._open.remove(page.context)
        page.context.close()

    def describe(self) -> None:
        """Say where every browser stands; pytest shows it when the test has failed."""
        for context in self._open:
            for page in context.pages:
                with suppress(Error):
                    print(page.url, "|", " ".join(page.inner_text("body", timeout=1000).split())[:600])
        print("\n".join(self.troubles))

    def close(self) -> None:
        for context in self._open:
            context.close()


@contextmanager
def browsers_at(url: str, folder: Path) -> Iterator[Browsers]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browsers = Browsers(playwright, url, folder)
        try:
            yield browsers
        finally:
            browsers.describe()
            browsers.close()


def sign_in(page: Page, username: str, password: str) -> None:
    """Through the page, as a person does."""
    page.goto("/accounts/login/")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", password)
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/accounts/login/" not in url)


def fits(page: Page) -> None:
    """Nothing on this page is wider than the screen it is on."""
    width = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width[0] <= width[1], (page.url, width)


def api(page: Page, method: str, path: str, data: Any = None) -> dict[str, Any]:
    """Call the API as the person signed in on this page: {"status": …, "body": …}."""
    found: dict[str, Any] = page.evaluate(
        """async ([method, path, data]) => {
            const token = (document.cookie.match(/csrftoken=([^;]+)/) || [])[1] || "";
            const headers = { "X-CSRFToken": token, Accept: "application/json" };
            if (data !== null) headers["Content-Type"] = "application/json";
            const body = data === null ? undefined : JSON.stringify(data);
            const answer = await fetch("/api/v1/" + path, { method, headers, body });
            const text = await answer.text();
            let parsed = null;
            try { parsed = JSON.parse(text); } catch { parsed = text; }
            return { status: answer.status, body: parsed };
        }""",
        [method, path, data],
    )
    return found


def done(found: dict[str, Any], *statuses: int) -> Any:
    """The body of an answer that must have succeeded."""
    assert found["status"] in (statuses or (200, 201)), found
    return found["body"]
