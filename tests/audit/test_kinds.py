from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import models
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from audit import commit, kinds, new_salt
from audit.checks import sentences_fit_their_facts
from audit.kinds import Commitment, Digest, FactsRefused, Kind
from policy.refusals import Refusal


class Verdict(models.TextChoices):
    PASSED = "passed", _("合格")
    FAILED = "failed", _("不合格")


EVERYTHING = Kind(
    "probe.everything",
    sentence="{person} 于 {day} {verdict}，{seconds} 秒，{amount} 元，{moment}，{units}，{present}，{reason}",
    schema={
        "person": str,
        "day": date,
        "verdict": Verdict,
        "seconds": int,
        "amount": Decimal,
        "moment": datetime,
        "units": list[int],
        "present": bool,
        "reason": str | None,
        "file": Digest,
        "id_number": Commitment | None,
        "by_kind": dict[str, int],
        "findings": list,
    },
)
FACTS: dict[str, Any] = {
    "person": "学员 7",
    "day": date(2026, 9, 7),
    "verdict": Verdict.PASSED,
    "seconds": 5400,
    "amount": Decimal("6000.00"),
    "moment": datetime(2026, 9, 7, 1, 2, 3, 4, tzinfo=UTC),
    "units": [1, 2],
    "present": True,
    "file": "ab" * 32,
    "by_kind": {"live": 5400},
    "findings": [{"code": "late", "seconds": 3}, None],
}


def test_facts_are_written_as_json_by_their_schema():
    commitment = commit("王小满", salt=new_salt())
    assert EVERYTHING.encode({**FACTS, "id_number": commitment}) == {
        "person": "学员 7",
        "day": "2026-09-07",
        "verdict": "passed",
        "seconds": 5400,
        "amount": "6000.00",
        "moment": "2026-09-07T01:02:03.000004Z",
        "units": [1, 2],
        "present": True,
        "reason": None,
        "file": "ab" * 32,
        "id_number": commitment,
        "by_kind": {"live": 5400},
        "findings": [{"code": "late", "seconds": 3}, None],
    }
    assert EVERYTHING.commitments == {"id_number"}


@pytest.mark.parametrize(
    "change",
    [
        {"unheard_of": 1},
        {"seconds": 1.0},
        {"seconds": True},
        {"seconds": "5400"},
        {"seconds": None},
        {"seconds": 2**53},
        {"present": 1},
        {"person": 7},
        {"person": "half \ud800"},
        {"person": "nul \x00"},
        {"amount": 6000},
        {"amount": Decimal("NaN")},
        {"day": datetime(2026, 9, 7, tzinfo=UTC)},
        {"moment": datetime(2026, 9, 7)},  # noqa: DTZ001
        {"moment": date(2026, 9, 7)},
        {"verdict": "maybe"},
        {"units": [1, "2"]},
        {"units": "12"},
        {"file": "AB" * 32},
        {"id_number": "11010519491231002X"},
        {"by_kind": {"live": 1.5}},
        {"by_kind": {7: 1}},
        {"findings": [{"score": 0.5}]},
        {"findings": [{"at": datetime(2026, 9, 7, tzinfo=UTC)}]},
        {"findings": [2**60]},
        {"findings": ["x" * 65536]},
    ],
)
def test_facts_that_do_not_match_are_refused(change: dict[str, Any]):
    with pytest.raises(FactsRefused):
        EVERYTHING.encode(FACTS | change)


@pytest.mark.parametrize("name", ["person", "seconds", "file"])
def test_a_missing_fact_is_refused(name: str):
    with pytest.raises(FactsRefused, match=f"needs the fact {name}"):
        EVERYTHING.encode({key: value for key, value in FACTS.items() if key != name})


@pytest.mark.parametrize(
    "text",
    [
        "身份证 11010519491231002X 有误",
        "１１０１０５１９４９１２３１００２Ｘ",
        "请联系13812345678",
        "电话：１３８１２３４５６７８。",
        "2319063a-9759-41b2-b021-b19433105148 或 19433105148",
    ],
)
def test_text_with_an_id_or_mobile_number_is_refused_with_a_way_out(text: str):
    with pytest.raises(Refusal) as refused:
        EVERYTHING.encode(FACTS | {"reason": text})
    assert refused.value.code == "personal_data_in_evidence"
    assert refused.value.next_step
    assert text not in str(refused.value.render())


@pytest.mark.parametrize(
    "text",
    [
        "410105194912310021",
        "410105194913310029",
        "91410100MA9KXYZT1Q",
        "20261234567",
        "138123456789",
        "a" * 64,
        "2319063a-9759-41b2-b021-b19433105148",  # a connection's id, with the digits of a mobile number in it
    ],
)
def test_other_numbers_may_be_in_text(text: str):
    assert EVERYTHING.encode(FACTS | {"reason": text})["reason"] == text


def test_the_sentence_reads_facts_as_people_write_them():
    sentence = EVERYTHING.render(EVERYTHING.encode(FACTS))
    assert sentence == (
        "学员 7 于 2026年9月7日 合格，5400 秒，6,000.00 元，2026年9月7日 09:02:03，1、2，是，—"
    )


def test_a_sentence_may_be_a_function_of_the_decoded_facts():
    kind = Kind(
        "probe.function", sentence=lambda facts: f"{facts['amount'] / 2} 元", schema={"amount": Decimal}
    )
    assert kind.render({"amount": "3.00"}) == "1.50 元"


def test_facts_of_an_older_schema_still_read():
    kind = Kind("probe.older", sentence="{n} 与 {added_since}", schema={"n": int, "added_since": int})
    assert kind.render({"n": 1, "dropped_since": 2}) == "1 与 —"


def test_registering_twice_the_same_is_fine_and_another_definition_is_refused():
    kind = Kind("probe.noted", sentence="记下 {n}", schema={"n": int, "text": str | None})
    kinds.register(kind)
    with pytest.raises(ValueError, match="already registered"):
        kinds.register(Kind("probe.noted", sentence="记下 {n}", schema={"n": int}))
    assert kinds.get("probe.noted") == kind


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("noted", {}),
        ("Probe.noted", {}),
        ("probe.noted", {"N": int}),
        ("probe.noted", {"n": float}),
        ("probe.noted", {"n": int | float}),
        ("probe.noted", {"n": list[float]}),
        ("probe.noted", {"n": dict[int, str]}),
        ("probe.noted", {"n": bytes}),
    ],
)
def test_a_kind_that_could_hold_what_evidence_cannot_is_refused(name: str, schema: dict[str, Any]):
    with pytest.raises(ValueError, match=r"is not a|cannot be a"):
        Kind(name, sentence="", schema=schema)


def test_a_sentence_about_a_fact_that_is_not_there_fails_the_system_check(monkeypatch: pytest.MonkeyPatch):
    assert sentences_fit_their_facts(None) == []
    monkeypatch.setitem(kinds._registry, "probe.wrong", Kind("probe.wrong", "{m}", {"n": int}))
    errors = sentences_fit_their_facts(None)
    assert {(error.id, error.obj) for error in errors} == {("audit.E001", "probe.wrong")}


def test_every_registered_kind_has_a_sentence():
    with translation.override("zh-hans"):
        silent = [
            kind.name for kind in kinds.registered() if not callable(kind.sentence) and not str(kind.sentence)
        ]
    assert silent == []


def test_a_fact_that_is_a_code_is_said_in_words() -> None:
    spoken = Kind(
        "probe.spoken",
        sentence="版本 {edition}，来源 {source}",
        schema={"edition": str, "source": str | None},
        words={"edition": lambda code: f"《{code.upper()}》", "source": lambda code: code.partition("/")[0]},
    )
    assert spoken.render({"edition": "demo", "source": "campaign/9"}) == "版本 《DEMO》，来源 campaign"
    assert spoken.render({"edition": "demo", "source": None}) == "版本 《DEMO》，来源 —"
