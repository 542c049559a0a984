"""Which institutions teach a course next. Classes are a floor above: they register what they offer."""

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from courses.models import Course

MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Offer:
    """A class that is to start: public facts only. `url` leads to where one signs up, if anywhere."""

    institution_id: int
    institution: str
    starts_on: datetime.date
    mode: str
    url: str = ""


Offers = Callable[[Course, datetime.date], Iterable[Offer]]
Link = Callable[[int, Course], str]

_providers: list[Offers] = []
_links: list[Link] = []


def register(provider: Offers) -> None:
    """Add what `provider(course, today)` says to the course's public page."""
    if provider not in _providers:
        _providers.append(provider)


def register_link(link: Link) -> None:
    """Let `link(institution_id, course)` say where one signs up at that institution; "" for nowhere."""
    if link not in _links:
        _links.append(link)


def offers_of(course: Course, today: datetime.date) -> list[Offer]:
    """The next classes of a course, the soonest first."""
    found = sorted(
        (offer for provider in _providers for offer in provider(course, today)),
        key=lambda offer: (offer.starts_on, offer.institution),
    )[:MOST_SHOWN]
    return [_linked(offer, course) for offer in found]


def _linked(offer: Offer, course: Course) -> Offer:
    url = offer.url or next((url for link in _links if (url := link(offer.institution_id, course))), "")
    return Offer(offer.institution_id, offer.institution, offer.starts_on, offer.mode, url)
