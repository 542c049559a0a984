"""Every kind of evidence is read by people: no state, reason or other code stands raw in its sentence."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from string import Formatter
from typing import Any, get_args, get_origin

import pytest
from django.db import models
from django.utils import translation

from attendance.states import NOT_CONFIRMED
from audit import kinds
from audit.kinds import Commitment, Digest, Kind
from classes.live.states import RoomRole
from identity.faces.problems import PROBLEMS
from identity.states import CheckState
from policy import terms

# Facts of text that are said as they are: names, titles and numbers that people gave.
PLAIN = {
    "bureau.registered": {"name"},
    "bureau.renamed": {"name"},
    "campaign.event_created": {"code"},
    "certificate.issued": {"number"},
    "certificate.printed": {"number"},
    "certificate.revoked": {"number"},
    "course.changed": {"name"},
    "course.created": {"name"},
    "course.material_added": {"title"},
    "filing.approved": {"number"},
    "institution.registered": {"credit_code"},
    "platform.reported": {"name"},
    **{
        f"claim.{step}": {"number"}
        for step in (
            "drawn_up",
            "redrawn",
            "submitted",
            "returned",
            "noticed",
            "exported",
            "export_downloaded",
            "dossier_made",
        )
    },
    "objection.lodged": {"number"},
}
# Facts of text that hold a code, with the codes they may hold.
CODES: dict[tuple[str, str], list[str]] = {
    ("attendance.sign_in_referred", "reason"): [CheckState.GREY],
    ("attendance.sign_in_refused", "reason"): [NOT_CONFIRMED, *CheckState.values, *PROBLEMS],
    ("class.changed", "edition"): ["demo", "henan-2020-97"],
    ("class.created", "edition"): ["demo", "henan-2020-97"],
    ("institution.registered", "designated_from"): ["2026-01-01"],
    ("media.published", "feed"): [f"{role}-7" for role in RoomRole.values],
    ("recording.made", "feed"): [f"{role}-7" for role in RoomRole.values],
    ("roster.trainee_added", "source"): ["campaign/9", "event/9/K7", "staff", "roster"],
    ("supervision.looked", "path"): ["/supervision/", "/supervision/claims/"],
}
SAMPLES: dict[Any, Any] = {
    str: "豫",
    int: 7,
    bool: True,
    Decimal: Decimal("4.50"),
    date: date(2026, 9, 7),
    datetime: datetime(2026, 9, 7, 1, 2, 3, tzinfo=UTC),
    Digest: "ab" * 32,
    Commitment: "cd" * 32,
    list: [],
    dict: {},
}
REGISTERED = [kind for kind in kinds.registered() if not kind.name.startswith("probe.")]


def known_codes() -> set[str]:
    """Every state and term that the platform keeps as a code."""
    choices = models.TextChoices.__subclasses__()
    own = [choice for choice in choices if not choice.__module__.startswith(("django.", "tests."))]
    of_norm = [one for one in vars(terms).values() if isinstance(one, type) and issubclass(one, Enum)]
    every: list[type[Enum]] = [*of_norm, *own]
    return {str(one.value) for choice in every for one in choice} | {
        NOT_CONFIRMED,
        *PROBLEMS,
    }


def values_of(kind: Kind, name: str) -> list[Any]:
    """What a fact may hold: every member of an enum, every code, else one sample; and nothing, if it may."""
    if (kind.name, name) in CODES:
        return list(CODES[kind.name, name])
    values: list[Any] = []
    for arm in kinds._arms(kind.schema[name]):
        if isinstance(arm, type) and issubclass(arm, Enum):
            values += list(arm)
        elif arm is bool:
            values += [True, False]
        elif arm is type(None):
            values.append(None)
        elif get_origin(arm) is list:
            values.append([SAMPLES[get_args(arm)[0]]])
        elif get_origin(arm) is dict:
            values.append({"key": SAMPLES[get_args(arm)[1]]})
        else:
            values.append(SAMPLES[arm])
    return values


def samples(kind: Kind) -> Iterator[dict[str, Any]]:
    """Facts of this kind that hold, one after the other, everything that each fact may hold."""
    every = {name: values_of(kind, name) for name in kind.schema}
    for n in range(max(map(len, every.values()), default=1)):
        yield {name: values[n % len(values)] for name, values in every.items()}


def raw_codes(sentence: str) -> set[str]:
    return set(re.findall(r"[a-z][a-z_]*", sentence)) & known_codes()


@pytest.mark.parametrize("kind", REGISTERED, ids=lambda kind: kind.name)
def test_no_code_stands_raw_in_a_sentence(kind: Kind):
    with translation.override("zh-hans"):
        said = [kind.render(kind.encode(facts)) for facts in samples(kind)]
    assert {sentence: found for sentence in said if (found := raw_codes(sentence))} == {}


@pytest.mark.parametrize("kind", REGISTERED, ids=lambda kind: kind.name)
def test_a_text_in_a_sentence_is_known_to_be_a_name_or_a_code(kind: Kind):
    if callable(kind.sentence):
        assert kind.name in {"attendance.check_answered", "claim.decided", "objection.answered"}
        return
    places = {place for _text, place, _spec, _how in Formatter().parse(str(kind.sentence)) if place}
    texts = {name for name in places if str in kinds._arms(kind.schema[name])}
    assert texts - PLAIN.get(kind.name, set()) == {name for of, name in CODES if of == kind.name}


def test_the_table_of_codes_speaks_of_facts_that_are():
    assert [(of, name) for of, name in CODES if name not in kinds.get(of).schema] == []
    assert {of for of in PLAIN if kinds.find(of) is None} == set()


def test_a_refused_sign_in_says_why_in_words():
    refused = kinds.get("attendance.sign_in_refused")
    with translation.override("zh-hans"):
        said = {
            code: refused.render({"sign_in": 1, "method": "face", "reason": code})
            for code in ("rejected", "image_too_dark", NOT_CONFIRMED)
        }
    assert said == {
        "rejected": "签到没有通过：没认出来",
        "image_too_dark": "签到没有通过：光线有点暗",
        NOT_CONFIRMED: "签到没有通过：助教没有在课堂里看到本人",
    }
