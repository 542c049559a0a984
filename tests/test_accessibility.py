"""Every page of the platform in a browser: in order for axe-core, no wider than a small phone, and whole.

The rows of the access matrix say which pages there are and who may see them. A page that nobody walks fails
here, and so does a template that no walk has drawn.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test.signals import template_rendered
from django.urls import path
from django.utils import timezone
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response

from accounts.models import User
from attendance.actions import sign_out
from attendance.models import SignIn
from attendance.states import SignInMethod, SignInState
from classes.models import Lesson
from config import urls, views
from config.demo.cast import build_cast
from config.demo.rosters import people, roster_file
from identity import sealing
from identity.actions import give_consent
from identity.models import FaceCheck, FaceFrames
from identity.states import CheckState, Purpose
from subsidies.actions.claims import draw_up_claim, submit_claim
from subsidies.actions.objections import lodge_objection
from subsidies.models import Claim
from tests import axe
from tests.addresses import Places, addresses, find_places
from tests.cast import client_of
from tests.identity.conftest import shown_text
from tests.identity.pictures import portrait
from tests.live.sockets import LiveServer
from tests.test_access_matrix import CAST, table
from tests.world import World, build_world

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, databases="__all__")]

# Who a page was made for: the public, or the first of these whom the matrix lets in.
MADE_FOR = "LMTOGP"
# Pages that tell more to others, or about something else than the running class: who, and @ what. C is a
# classmate of the learner's who left the lesson and has not begun the exam, A has a certificate.
TELLING = """
start                  L C A T S M R O P
classes:list           L M O
classes:create         M
classes:detail         L T M M@draft O@filed M@claimed
classes:edit           M@draft
classes:cancel         M@draft
classes:roster         M M@draft T
classes:roster_remove  M@draft
classes:timetable      L M@draft
classes:filing         M@draft M O@filed
live:room              L T S
live:replay            L@closed
courses:detail         N M P
courses:version        N P@draft
courses:outline        P@draft
courses:publish        P@draft
courses:retire         P
courses:add_material   P@draft
courses:remove_material P@draft
identity:consent       L T
identity:review        S
attendance:sign_in     C L L@closed
attendance:desk        S
attendance:meter       L A@claimed
attendance:sign_out    L C
attendance:class       M M@claimed
attendance:trainee     L M
attendance:trace       L M
exams:mine             L A
exams:take             L C
exams:result           A@claimed
exams:coursework       L A@claimed
exams:score            T
exams:class            T M@claimed
registers:lecturer     M O M@new T
registers:qualification M@draft O M P
registers:edit         M@draft
registers:institution  M O P
registers:measure      M O
registers:platform     N O P
subsidies:list         M O
subsidies:claim        M O M@draft
subsidies:redraw       M@draft
subsidies:submit       M@draft
subsidies:answer       O
"""
# The draft, once it is before the office.
AFTER_SUBMITTING = """
subsidies:claim        O@draft
subsidies:return       O@draft
subsidies:announce     O@draft
"""
# Answers of ours that are no pages.
FILES = {
    "schema",
    "classes:roster_template",
    "classes:roster_faults",
    "classes:roster_marked",
    "classes:calendar_feed",
    "classes:package",
    "classes:package_state",
    "classes:package_manifest",
    "classes:receipt_form",
    "classes:receipt_file",
    "classes:receipt_report",
    "courses:page",
    "courses:file",
    "courses:captions",
    "recruitment:evidence_picture",
    "identity:picture",
    "live:recording",
    "subsidies:export",
    "subsidies:dossier",
    "certificates:pdf",
    "registers:picture",
}
# Pages that need more than an address: `beside_the_rows` leads to them. And one for the provincial office,
# which the cast does not have: the form is that of `registers:order`.
BEHIND = {
    "classes:roster_preview",
    "recruitment:questionnaire",
    "recruitment:done",
    "registers:order_platform",
}
# Short addresses that only lead on.
LEADING = {"accounts:rule", "recruitment:event"}
# Drawn by Swagger UI, not by us: only that it arrives whole.
NOT_OURS = {"api-docs"}
DESK, PHONE, SMALL = (1280, 900), (390, 844), (320, 640)

HEAD = """() => [
    document.documentElement.lang, document.title.trim(), document.querySelectorAll("h1").length
]"""
# How wide a page is that is wider than its window, and words that stick out of their card or button.
WIDER = """() => {
    const width = document.documentElement.scrollWidth;
    const found = width > window.innerWidth ? [`${width} px`] : [];
    const scrolls = (one, box) => one !== box
        && (getComputedStyle(one).overflowX !== "visible" || scrolls(one.parentElement, box));
    const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    while (words.nextNode()) {
        const box = words.currentNode.parentElement.closest(".yc-card, .yc-note, .yc-valid, .btn, body");
        range.selectNodeContents(words.currentNode);
        if (range.getBoundingClientRect().right > box.getBoundingClientRect().right + 1
            && !scrolls(words.currentNode.parentElement, box))
            found.push(words.currentNode.data.trim().slice(0, 40));
    }
    return found.slice(0, 5);
}"""


# --- pages that only come when something is wrong: this module's URLconf adds an address for each ---


def _raise(error: Exception) -> Callable[[HttpRequest], HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        raise error

    return view


urlpatterns = [
    path("wrong/400/", _raise(BadRequest())),
    path("wrong/403/", _raise(PermissionDenied())),
    path("wrong/500/", _raise(RuntimeError("asked for by a test"))),
    path("wrong/403/csrf/", views.csrf_failure),
    *urls.urlpatterns,
]
handler400, handler403, handler404, handler500 = (
    urls.handler400,
    urls.handler403,
    urls.handler404,
    urls.handler500,
)


# --- the walk ---


@dataclass(frozen=True)
class Visit:
    """One look at one page by one viewer; `act` leads on from there to the page that is meant."""

    name: str
    letter: str
    address: str
    status: int = 200
    act: Callable[[Page], object] | None = None


def visits(rows: str, places: Places) -> Iterator[Visit]:
    """What rows of `TELLING` say."""
    routes = {name: str(pattern.pattern) for name, pattern in addresses()}
    for line in rows.strip().splitlines():
        name, *viewers = line.split()
        for viewer in viewers:
            letter, _, at = viewer.partition("@")
            yield Visit(name, letter, places.address(name, routes[name], at))


def untold() -> str:
    """Rows for every other page of the matrix."""
    told = {line.split()[0] for line in f"{TELLING}{AFTER_SUBMITTING}".splitlines() if line}
    rows = []
    for (name, method), who in table().items():
        if method == "get" and not name.startswith("api:") and name not in FILES | BEHIND | LEADING | told:
            made_for = "N" if "N" in who else next((one for one in MADE_FOR if one in who), "-")
            rows.append(f"{name} {made_for}")
    return "\n".join(rows)


def beside_the_rows(places: Places) -> Iterator[Visit]:
    """Pages behind a button or a refusal, and a page whose address has a second form."""

    def decide(page: Page) -> None:
        page.check("input[name=decision] >> nth=1")
        page.fill("textarea[name=reason]", "直播 15 课时，少 1 课时。")
        page.click("form[action*=decision] button.btn-primary")

    def upload(page: Page) -> None:
        (name, id_number, phone), *_ = people(1, first=90)
        content = roster_file([(name, id_number[:-1], phone), ("", id_number, "1380")])
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        page.set_input_files("input[type=file]", {"name": "花名册.xlsx", "mimeType": kind, "buffer": content})
        page.click("form[enctype] button.btn-primary")

    def send(page: Page) -> None:
        page.click("main form[method=post] button.btn-primary")

    def give_codes(page: Page) -> None:
        page.click("main form[action*=activation] button >> nth=0")

    number, own = places.certificate, places.ids["registrations/"]
    routes = {name: str(pattern.pattern) for name, pattern in addresses()}

    def at(name: str, which: str = "") -> str:
        return places.address(name, routes[name], which)

    yield Visit("no meter", "T", "/meter/")
    yield Visit("a certificate", "N", f"{at('certificates:check')}?number={number}")
    yield Visit("no certificate", "N", f"{at('certificates:check')}?number=1")
    yield Visit("a filing", "M", at("classes:filing", "draft"), act=send)
    yield Visit("a decision", "O", at("classes:filing", "filed"), act=decide)
    yield Visit("a roster with faults", "M", at("classes:roster", "draft"), act=upload)
    yield Visit("a video", "L", at("courses:material", "video"))
    yield Visit("codes for a class", "M", at("classes:roster"), act=give_codes)
    yield Visit("a code for staff", "M", at("accounts:staff"), act=give_codes)
    yield Visit("a code for an applicant", "M", at("recruitment:registration", "assigned"), act=give_codes)
    yield Visit("a receipt to apply", "O", at("classes:receipt"), act=send)
    yield Visit("a questionnaire", "L", f"{at('recruitment:questionnaire')}?registration={own}")
    yield Visit("a registration", "L", f"{at('recruitment:done')}?registration={own}")
    yield Visit("a form sent back", "M", at("classes:create"), 400, send)
    yield Visit("sign-in by code", "C", f"{at('attendance:sign_in')}?way=code")
    yield Visit("a wrong method", "M", at("classes:package_retry"), 405)
    yield Visit("a refusal", "M", at("classes:edit"), 409)
    yield Visit("not found", "N", "/no-such-page/", 404)
    yield Visit("not found", "L", "/no-such-page/", 404)
    for wrong in ("400", "403", "500", "403/csrf"):
        yield Visit(wrong, "N", f"/wrong/{wrong}/", int(wrong[:3]))


class Window:
    """A browser window in one language. It changes hands: another window for each viewer would be dear."""

    def __init__(self, browser: Browser, url: str, language: str) -> None:
        self.language = language
        self.heard: list[str] = []  # what went wrong while the page at hand was open
        self._url = url
        self._user: User | None = None
        self._size = (0, 0)
        self._context = browser.new_context(
            base_url=url, locale=language, no_viewport=True, reduced_motion="reduce"
        )
        self._context.set_default_timeout(60_000)
        self._add_cookie(settings.LANGUAGE_COOKIE_NAME, "en" if language == "en" else "zh-hans")
        if language != "en":
            self._context.add_init_script(path=axe.SCRIPT)  # cheaper than once again for each page
        self.page = self._context.new_page()
        self._debugger = self._context.new_cdp_session(self.page)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.heard.append(f"script: {error}"))
        self.page.on("response", self._on_response)
        self.page.on("requestfailed", self._on_failure)

    def hand_to(self, user: User | None) -> None:
        """Sign this person in, or nobody."""
        if user != self._user:
            if self.page.query_selector("body[data-entered]"):
                self.page.goto("about:blank")  # whoever was in a room leaves it
            name = settings.SESSION_COOKIE_NAME
            self._context.clear_cookies(name=name)
            if user:
                self._add_cookie(name, client_of(user).cookies[name].value)
            self._user = user

    def resize(self, size: tuple[int, int]) -> None:
        """Give the page this size; the window itself, which is dear to resize, keeps its own."""
        if size != self._size:
            metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
            self._debugger.send("Emulation.setDeviceMetricsOverride", metrics)
            self._size = size

    def shoot(self, name: str, size: tuple[int, int]) -> None:
        """Keep a picture where somebody asked for them."""
        if folder := os.environ.get("YUCHUANG_PICTURES"):
            file = re.sub(r"\W+", "_", f"{size[0]} {self.language} {name}")
            self.page.screenshot(path=f"{folder}/{file}.png", full_page=True)

    def _add_cookie(self, name: str, value: str) -> None:
        self._context.add_cookies([{"name": name, "value": value, "url": self._url}])

    def _on_console(self, said: ConsoleMessage) -> None:
        # A failed request is told by its answer, which knows whether it was the page itself.
        if said.type == "error" and "Failed to load resource" not in said.text:
            self.heard.append(f"console: {said.text}")

    def _on_response(self, answer: Response) -> None:
        if answer.status >= 400 and not answer.request.is_navigation_request():
            self.heard.append(f"{answer.status} for {answer.url}")

    def _on_failure(self, asked: Request) -> None:
        if asked.failure != "net::ERR_ABORTED":  # the page that asked was left
            self.heard.append(f"{asked.failure} for {asked.url}")


def walk(windows: list[Window], viewers: dict[str, User | None], visits: Iterable[Visit]) -> Iterator[str]:
    """Everything that is wrong: in Chinese, then once for each page in English, whose words are longer."""
    seen: set[str] = set()
    for visit in visits:
        for window in windows[:1] if visit.name in seen else windows:
            window.hand_to(viewers[visit.letter])
            window.heard.clear()
            found = [*look(window, visit, again=visit.name in seen), *window.heard]
            yield from (f"{visit.name} by {visit.letter} in {window.language}: {one}" for one in found)
        seen.add(visit.name)


def look(window: Window, visit: Visit, *, again: bool) -> Iterator[str]:
    """What is wrong with one page: at a desk, on a phone, and on a small phone. What axe-core finds at a desk
    and not on a phone is in the frame, which is the same `again`.
    """
    page = window.page
    window.resize(DESK)
    answer = page.goto(visit.address)
    if visit.act:
        with page.expect_navigation() as arrival:
            visit.act(page)
        answer = arrival.value
    assert answer is not None
    arrived = urlsplit(page.url)
    if answer.status != visit.status:
        yield f"{visit.address} answered {answer.status}"
    if not visit.act and arrived.path != urlsplit(visit.address).path:
        yield f"{visit.address} led to {arrived.path}"
    if not answer.headers.get("content-type", "").startswith("text/html"):
        yield f"{visit.address} is no page"
    if visit.name in NOT_OURS:
        page.wait_for_load_state("networkidle")
        return
    if visit.name == "live:room":
        page.wait_for_selector("body[data-entered]")
    lang, title, headings = page.evaluate(HEAD)
    if (lang, headings) != (window.language, 1) or not title:
        yield f"lang is {lang}, title is {title!r}, {headings} h1"
    for size in (DESK, PHONE, SMALL):
        window.resize(size)
        if sticking_out := page.evaluate(WIDER):
            yield f"wider than {size[0]} px: {sticking_out}"
        if window.language != "en" and (size == PHONE or (size == DESK and not again)):
            yield from (f"at {size[0]} px {one}" for one in axe.faults(page))
        window.shoot(f"{visit.name} {visit.letter} {arrived.path}", size)


@contextmanager
def templates_drawn() -> Iterator[set[str]]:
    """The names of all templates rendered meanwhile, in the server's threads too."""
    drawn: set[str] = set()
    template_rendered.connect(lambda template, **_: drawn.add(template.name), weak=False, dispatch_uid="walk")
    try:
        yield drawn
    finally:
        template_rendered.disconnect(dispatch_uid="walk")


def page_templates() -> set[str]:
    """Every template that is a page of its own."""
    folder = settings.ROOT / "templates"
    names = {str(file.relative_to(folder)) for file in folder.rglob("*.html")}
    return {name for name in names if not re.search(r"^includes/|(^|/)_", name)}


# --- the world, and what seldom happens in it ---


def furnish(world: World, classmates: list[User], alumna: User) -> Places:
    """Add an objection, a draft claim, somebody who left, and a face that the engine was not sure of."""
    now, cast, running, claimed = world.now, world.cast, world["running"], world["claimed"]
    places = find_places(world)
    closed, lesson = running.lessons.order_by("starts_at")[:2]
    assert cast.learner.person
    give_consent(
        person=cast.learner.person,
        actor=cast.learner,
        at=now,
        text_version=shown_text(now),
    )
    for classmate in classmates:
        sign_out(lesson=lesson, actor=classmate, at=now)
    check = sign_in_with_a_doubtful_face(lesson, classmates[-1], at=now)
    objection = lodge_objection(
        notice=Claim.objects.get(training_class=claimed).notice,
        line_number=1,
        text="这个人那两天在外地打工，没有上课。",
        contact="13900001111",
        at=now,
    )
    draft = draw_up_claim(actor=cast.manager, training_class=world["finished"], at=now)
    enrolment = claimed.enrolments.get(person=alumna.person)
    more = {
        "lessons/@closed": closed.pk,
        "face-checks/": check.pk,
        "objections/": objection.pk,
        "claims/@draft": draft.pk,
        "attempts/@claimed": enrolment.attempts.latest("pk").pk,
        "coursework@claimed": enrolment.submissions.latest("pk").lesson_id,
    }
    return replace(places, ids=places.ids | more)


def sign_in_with_a_doubtful_face(lesson: Lesson, trainee: User, *, at: datetime) -> FaceCheck:
    """A sign-in that waits for a person's word, as the engine leaves it when it is not sure."""
    assert trainee.person
    check = FaceCheck.objects.create(
        person=trainee.person,
        purpose=Purpose.SIGN_IN,
        subject=f"{lesson.subject}/person/{trainee.person_id}",
        state=CheckState.GREY,
        score_permille=380,
        asked_by=trainee,
        at=at,
        judged_at=at,
    )
    FaceFrames.objects.create(
        face_check=check,
        sealed=sealing.seal_frames([portrait("person_a_1")], check_id=check.pk),
        keep_until=at + timedelta(hours=1),
    )
    SignIn.objects.create(
        enrolment=lesson.training_class.enrolments.get(person=trainee.person),
        lesson=lesson,
        method=SignInMethod.FACE,
        state=SignInState.PENDING,
        requested_at=at,
        face_check=check,
    )
    return check


@pytest.fixture
def world() -> World:
    now = timezone.now()
    with transaction.atomic():
        return build_world(build_cast(at=now, password=None), now=now, most=3)


@pytest.fixture
def server(settings: Any) -> Iterator[LiveServer]:
    settings.ROOT_URLCONF = __name__
    settings.JANUS_HTTP_URL = ""  # pictures are tests/live/test_media.py's
    running = LiveServer()
    running.start()
    yield running
    running.stop()


def test_every_page_is_in_order(chromium: Browser, world: World, server: LiveServer) -> None:
    classmates = [one.person.user for one in world["running"].enrolments.order_by("pk")[1:]]
    alumna = world["claimed"].enrolments.order_by("pk")[0].person.user
    places = furnish(world, classmates, alumna)
    viewers = {letter: world.cast[name] if name else None for letter, name in CAST.items()}
    viewers |= {"C": classmates[0], "A": alumna}
    with templates_drawn() as drawn:
        windows = [Window(chromium, f"http://{server.address}", language) for language in ("zh-CN", "en")]
        rows = [*visits(TELLING, places), *visits(untold(), places), *beside_the_rows(places)]
        wrong = list(walk(windows, viewers, rows))
        draft = Claim.objects.get(pk=places.ids["claims/@draft"])
        submit_claim(actor=world.cast.manager, claim=draft, at=timezone.now())
        wrong += walk(windows, viewers, visits(AFTER_SUBMITTING, places))
    assert wrong == [], "\n".join(wrong)
    assert page_templates() - drawn == set()
