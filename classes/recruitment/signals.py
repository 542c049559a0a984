"""Signals of entrusted or divided recruitment, for the office only (I5): they prove and block nothing.

Only the number of other institutions is told, never which they are: the office asks, it does not browse.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Count

from accounts.editions import edition as find_edition
from accounts.registers.queries import has_contract
from classes.models import TrainingClass
from classes.recruitment.models import OfflineEvent, Registration
from classes.recruitment.states import Source
from policy.classes import IndependenceFact, judge_independence
from policy.findings import Finding


@dataclass(frozen=True, slots=True)
class SharedPhone:
    """One contact phone that several different people gave, with who of this class did."""

    phone: str  # masked
    names: tuple[str, ...]
    others: int  # people outside this class with the same phone
    elsewhere: int  # of these, at other institutions


@dataclass(frozen=True, slots=True)
class SharedWord:
    """A recruiter or venue of this class's events that events of other institutions name too."""

    what: IndependenceFact
    word: str
    institutions: int


@dataclass(frozen=True, slots=True)
class Signals:
    finding: Finding
    phones: tuple[SharedPhone, ...]
    words: tuple[SharedWord, ...]
    sources: tuple[tuple[Source, str, int], ...]  # which campaign or event by name, and how many
    imported: int


def signals_of(training_class: TrainingClass, trainees: int) -> Signals:
    """Everything recruitment can show about who really recruited this class."""
    registrations = list(
        Registration.objects.filter(enrolment__training_class=training_class).select_related(
            "event", "campaign__course"
        )
    )
    events = list({row.event.pk: row.event for row in registrations if row.event is not None}.values())
    words = [
        *_shared_words(training_class, IndependenceFact.RECRUITER, "recruiter", events),
        *_shared_words(training_class, IndependenceFact.VENUE, "venue", events),
    ]
    shared: dict[IndependenceFact, int] = {}
    for word in words:
        shared[word.what] = max(shared.get(word.what, 0), word.institutions)
    recorded = {IndependenceFact.RECRUITER, IndependenceFact.VENUE} if events else set()
    lecturer = training_class.lecturer_id
    if lecturer is not None and has_contract(lecturer, training_class.institution_id):
        recorded.add(IndependenceFact.LECTURER_CONTRACT)
    counts = Counter((Source(row.source), row.source_name) for row in registrations)
    order = list(Source)
    return Signals(
        finding=judge_independence(find_edition(training_class.edition), recorded=recorded, shared=shared),
        phones=tuple(_shared_phones(training_class, registrations)),
        words=tuple(words),
        sources=tuple(
            (*which, counts[which]) for which in sorted(counts, key=lambda one: (order.index(one[0]), one[1]))
        ),
        imported=max(0, trainees - len(registrations)),
    )


def _shared_words(
    training_class: TrainingClass,
    what: IndependenceFact,
    column: str,
    events: Iterable[OfflineEvent],
) -> list[SharedWord]:
    wanted = {getattr(event, column) for event in events}
    rows = (
        OfflineEvent.objects.filter(**{f"{column}__in": wanted})
        .exclude(campaign__institution=training_class.institution_id)
        .order_by()
        .values_list(column)
        .annotate(institutions=Count("campaign__institution", distinct=True))
    )
    return [SharedWord(what, word, institutions) for word, institutions in rows]


def _shared_phones(training_class: TrainingClass, registrations: Sequence[Registration]) -> list[SharedPhone]:
    by_phone: dict[bytes, list[Registration]] = {}
    for row in registrations:
        by_phone.setdefault(bytes(row.phone_index), []).append(row)
    users: dict[bytes, dict[bytes, bool]] = {}  # phone → {person: at another institution}
    rows = Registration.objects.filter(phone_index__in=list(by_phone)).values_list(
        "phone_index", "id_number_index", "institution_id"
    )
    for phone, person, institution_id in rows:
        people = users.setdefault(bytes(phone), {})
        elsewhere = institution_id != training_class.institution_id
        people[bytes(person)] = people.get(bytes(person), True) and elsewhere
    found = []
    for phone, people in users.items():
        if len(people) < 2:
            continue
        here = {bytes(row.id_number_index) for row in by_phone[phone]}
        others = {person: elsewhere for person, elsewhere in people.items() if person not in here}
        found.append(
            SharedPhone(
                phone=by_phone[phone][0].phone_masked,
                names=tuple(sorted({row.name for row in by_phone[phone]})),
                others=len(others),
                elsewhere=sum(others.values()),
            )
        )
    return sorted(found, key=lambda each: (-len(each.names) - each.others, each.phone))
