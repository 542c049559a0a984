"""A private Janus of a test run, and browsers with a camera. Only inside the private network of bin/test."""

import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Browser, BrowserContext, Page

from accounts.models import User
from config.supervisor.janus import write_configuration
from tests.cast import client_of
from tests.stack import free_port

ADDRESS = os.environ.get("YUCHUANG_MEDIA_ADDRESS", "")
TOOLS = ("janus", "janus-pp-rec", "ffmpeg", "ffprobe")
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}


def missing() -> str:
    """Why media cannot be tested here; empty where it can."""
    if not ADDRESS:
        return "live video is tested in a private network only (bin/test)"
    absent = [tool for tool in TOOLS if not shutil.which(tool)]
    return f"not installed: {', '.join(absent)}" if absent else ""


class RunningJanus:
    """Janus with a configuration of its own; it can be stopped and started again, as after a fall."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        http, admin = free_port(), free_port()
        self.settings = {
            "JANUS_HTTP_URL": f"http://127.0.0.1:{http}/janus",
            "JANUS_ADMIN_URL": f"http://127.0.0.1:{admin}/admin",
            "JANUS_API_SECRET": secrets.token_hex(16),
            "JANUS_ADMIN_SECRET": secrets.token_hex(16),
            "JANUS_ROOM_KEY": secrets.token_hex(16),
            "JANUS_RECORDINGS_DIR": str(folder / "recordings"),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {**self.settings, "YUCHUANG_MEDIA_ADDRESS": ADDRESS}
        command = write_configuration(self.folder / "janus", environment)
        with open(self.folder / "janus.log", "ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        with httpx.Client(trust_env=False) as client:
            while time.monotonic() < deadline:
                try:
                    if client.get(f"{self.settings['JANUS_HTTP_URL']}/info").status_code == 200:
                        return
                except httpx.TransportError:
                    time.sleep(0.05)
        self.kill()
        raise AssertionError((self.folder / "janus.log").read_text("utf-8", errors="replace"))

    def kill(self) -> None:
        """End it as a crash does: nothing is put away."""
        if self._process:
            self._process.kill()
            self._process.wait(10)
            self._process = None


class Browsers:
    """One browser context per person, each with a camera."""

    def __init__(self, chromium: Browser, url: str, folder: Path) -> None:
        self._chromium = chromium
        self.url = url
        self.folder = folder
        self.contexts: list[BrowserContext] = []
        self.troubles: list[str] = []

    def open(self, user: User, path: str, *, viewport: dict[str, int] = DESKTOP) -> Page:
        """A page of a person who is signed in."""
        context = self._chromium.new_context(
            viewport=viewport,  # type: ignore[arg-type]  # a TypedDict
            locale="zh-CN",
            permissions=["camera", "microphone"],
        )
        context.set_default_timeout(60_000)
        self.contexts.append(context)
        session = client_of(user).cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": self.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: self.troubles.append(f"{user}: {error}"))
        page.on(
            "console",
            lambda said: self.troubles.append(f"{user}: {said.text}") if said.type == "error" else None,
        )
        page.goto(self.url + path)
        return page


@contextmanager
def browsers_at(address: str, folder: Path, chromium: Browser) -> Iterator[Browsers]:
    opened = Browsers(chromium, f"http://{address}", folder)
    try:
        yield opened
    finally:
        for number, context in enumerate(opened.contexts):
            context.pages[0].screenshot(path=folder / f"last-{number}.png")
            context.close()
        print(*opened.troubles, sep="\n")


def frames_decoded(page: Page) -> int:
    """How many frames of the stage's picture this browser has decoded."""
    found = page.evaluate(
        """async () => {
            const peer = document.getElementById("stage").peer;
            let decoded = 0;
            if (peer) for (const one of (await peer.getStats()).values())
                if (one.type === "inbound-rtp" && one.kind === "video") decoded = one.framesDecoded || 0;
            return decoded;
        }"""
    )
    return int(found)


def bytes_received(page: Page, kind: str) -> int:
    found = page.evaluate(
        """async (kind) => {
            let received = 0;
            for (const one of (await document.getElementById("stage").peer.getStats()).values())
                if (one.type === "inbound-rtp" && one.kind === kind) received = one.bytesReceived;
            return received;
        }""",
        kind,
    )
    return int(found)
