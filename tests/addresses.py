"""Every address of the platform, and what the numbers in it stand for in the world of tests/world.py."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from attendance.models import Check, SignIn
from classes.actions import upload_receipt
from classes.models import Filing
from classes.recruitment.states import RegistrationState
from config.demo.recruitment import build_recruitment, register_learner
from config.demo.registers import enter_candidates, order_correction
from courses.actions import draft_version
from exams.actions.attempts import start_attempt
from exams.actions.papers import set_exam
from exams.models import Certificate, Submission
from policy.terms import HourKind
from subsidies.models import Claim
from tests.classes.receipts import receipt_file, receipt_row
from tests.courses.shelf import shelve
from tests.world import World

KEY = "7a1e4bb0-6b55-4f5e-9a56-8d4ab1b2a001"  # a device's own name
NOTHING = 10**9  # the number of what does not exist


def addresses(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """(name with namespaces, pattern) of everything in the URLconf."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix)
        else:
            yield f"{prefix}{pattern.name}", pattern


@dataclass(frozen=True)
class Places:
    """What the numbers in addresses stand for: one thing of each kind."""

    ids: dict[str, int]
    certificate: str  # its number
    event: str  # its code

    def address(self, name: str, route: str, at: str = "") -> str:
        """The address of something in the world; `at` names another one of its kind, such as `draft`."""
        found: dict[str, Any] = {}
        if route.startswith("supervision/"):
            at = "claimed"
        for part in re.findall(r"<(?:\w+:)?(\w+)>", route):
            if part == "pk":
                found[part] = self._number(kind_of(route), at)
            elif part in ("lesson", "lesson_pk"):
                found[part] = self._number("lessons/", at)
            elif part == "class_pk":
                found[part] = self.ids["draw-up"]
            elif part == "n":
                found[part] = self._number(word_before(f"<int:{part}>", route), at)
            elif part == "material":
                found[part] = self.ids["video"]
            elif part == "enrolment":
                found[part] = self.ids["attendance/"]
            elif part == "objection_pk":
                found[part] = self._number("objections/", at)
            elif part == "number" and "certificates" in route:
                found[part] = self.certificate
            else:
                found[part] = self._word(part)
        return reverse(name, kwargs=found)

    def _word(self, part: str) -> str | int:
        words: dict[str, str | int] = {
            "code": self.event,
            "kind": "slides",
            "question": 0,
            "peer": KEY,
            "connection": KEY,
            "row": "H5",
            "edition_id": "henan-2020-97",
        }
        return words.get(part, NOTHING)

    def _number(self, kind: str, at: str) -> int:
        return self.ids.get(f"{kind}@{at}", self.ids.get(kind, NOTHING))


def kind_of(route: str) -> str:
    """What `<int:pk>` stands for: the word before it, unless the page is about something else."""
    if "coursework" in route:
        return "coursework"
    before = word_before("<int:pk>", route)
    return {"sign-in/": "sign-in", "sign-ins/": "sign-in"}.get(before, before)


def word_before(part: str, route: str) -> str:
    """The part of the address before this one, with its slash."""
    return route.split(part)[0].rstrip("/").rsplit("/", 1)[-1] + "/"


def find_places(world: World) -> Places:
    """Pick one thing of each kind; the learner's sitting of the running class's exam is begun for it."""
    cast, running, claimed = world.cast, world["running"], world["claimed"]
    learner = running.enrolments.get(person=cast.learner.person)
    claim = Claim.objects.get(training_class=claimed)
    exam_lesson = running.lessons.get(kind=HourKind.EXAM)
    exam = set_exam(actor=cast.trainer, training_class=running, lesson=exam_lesson, at=world.now)
    attempt = start_attempt(actor=cast.learner, exam=exam, at=exam_lesson.starts_at)
    submission = Submission.objects.filter(enrolment__training_class=world["finished"]).first()
    certificate = Certificate.objects.filter(enrolment__training_class=claimed)[0]
    assert submission is not None
    assert cast.trainer.person_id
    filing = Filing.objects.get(training_class=world["filed"])
    receipt = upload_receipt(
        content=receipt_file([receipt_row(filing)]),
        filename="receipt.xlsx",
        actor=cast.officer,
        at=world.now,
    )
    campaign = build_recruitment(cast, now=world.now, draft=world["draft"])
    registration = register_learner(cast, campaign, now=world.now)
    shelf = shelve(running, cast, world.now)
    draft = draft_version(course=running.course, actor=cast.operator, at=world.now)
    measure = order_correction(cast, at=world.now)
    submitted, entered = enter_candidates(cast, at=world.now)
    ids = {
        "classes/": running.pk,
        **{f"classes/@{stage}": one.pk for stage, one in world.classes.items()},
        "lessons/": running.lessons.order_by("starts_at")[1].pk,
        "lessons/@claimed": claimed.lessons.order_by("starts_at")[0].pk,
        "coursework": running.lessons.get(kind=HourKind.HOMEWORK).pk,
        "filings/": filing.pk,
        "receipts/": receipt.pk,
        "claims/": claim.pk,
        "notices/": claim.notice.pk,
        "sign-in": SignIn.objects.filter(enrolment=learner).latest("pk").pk,
        "checks/": Check.objects.filter(lesson__training_class=running).latest("pk").pk,
        "attendance/": learner.pk,
        "roster/": learner.pk,
        "roster/@draft": world["draft"].enrolments.earliest("pk").pk,
        "staff/": cast.trainer.memberships.get().pk,
        "courses/": running.course_id,
        "pages/": 1,
        "lines/": 1,
        "versions/": shelf["video"].version.number,
        "versions/@draft": draft.number,
        "materials/": shelf["slides"].pk,
        "materials/@video": shelf["video"].pk,
        "materials/@draft": draft.materials.earliest("pk").pk,
        "video": shelf["video"].pk,
        "institutions/": cast.school.pk,
        "bureaus/": cast.bureau.pk,
        "accounts/": cast.officer.pk,
        "offices/": cast.officer.memberships.get().pk,
        "campaigns/": campaign.pk,
        "events/": campaign.events.get().pk,
        "lecturers/": cast.trainer.person_id,
        "losses/": cast.trainer.person_id,
        "lecturers/@new": entered.person_id,
        "qualifications/": submitted.pk,
        "qualifications/@draft": entered.pk,
        "documents/": submitted.documents.all()[0].pk,
        "measures/": measure.pk,
        "registrations/": registration.pk,
        "registrations/@assigned": campaign.registrations.filter(state=RegistrationState.ASSIGNED)[0].pk,
        "category-evidence/": registration.evidence.get().pk,
        "certificates/": certificate.pk,
        "exams/": exam.pk,
        "exam lesson": exam_lesson.pk,
        "attempts/": attempt.pk,
        "submissions/": submission.pk,
        "draw-up": world["finished"].pk,
    }
    return Places(ids, certificate.number, campaign.events.get().code)
