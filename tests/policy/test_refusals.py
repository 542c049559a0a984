"""One family of refusals, one shape on every edge."""

import json
import pickle
from datetime import date
from decimal import Decimal
from fractions import Fraction

from policy.messages import Message, exact_text, fill, gettext_noop, plain
from policy.refusals import Refusal
from policy.terms import Mode
from policy.timetable import check_timetable


def _refusal() -> Refusal:
    return Refusal(
        "class_too_large",
        gettext_noop("每班不超过 %(cap)s 人，现在 %(size)s 人（%(mode)s）。"),
        found=31,
        required=30,
        rule="F12",
        next_step=gettext_noop("请移出 %(surplus)s 人。"),
        params={"cap": 30, "size": 31, "surplus": 1, "mode": Mode.MIXED.label},
        details={"class": "2026-6"},
    )


def test_a_refusal_renders_to_exactly_the_contract() -> None:
    assert _refusal().render() == {
        "code": "class_too_large",
        "message": "每班不超过 30 人，现在 31 人（线上+线下）。",
        "details": {
            "class": "2026-6",
            "found": 31,
            "required": 30,
            "rule": "F12",
            "next": "请移出 1 人。",
        },
        "citation": "规范 五（四）：“创办企业培训(SYB)每班不超过30人”",
    }


def test_templates_are_translated_before_they_are_filled() -> None:
    english = {
        _refusal().message: "At most %(cap)s (%(mode)s); you have %(size)s.",
        "请移出 %(surplus)s 人。": "Remove %(surplus)s.",
        "线上+线下": "mixed",
    }
    body = _refusal().render(english.__getitem__)
    assert body["message"] == "At most 30 (mixed); you have 31."
    assert body["details"]["next"] == "Remove 1."


def test_an_empty_message_never_reaches_the_catalogue() -> None:
    def header(_: str) -> str:
        raise AssertionError("a catalogue answers the empty string with its own header")

    assert fill("", {}, header) == ""
    assert plain(gettext_noop(""), header) == ""


def test_a_refusal_reads_as_its_sentence_and_survives_a_queue() -> None:
    refusal = _refusal()
    assert str(refusal) == "每班不超过 30 人，现在 31 人（线上+线下）。"
    assert pickle.loads(pickle.dumps(refusal)).render() == refusal.render()


def test_a_stated_citation_goes_before_the_rows_own() -> None:
    refusal = Refusal("face_filing_due", "人脸信息已满 10 万。", rule="P14", citation="第十五条")
    assert refusal.render()["citation"] == "第十五条"
    assert Refusal("no_rule", "没有依据的拒绝。").render()["citation"] == ""


def test_details_carry_findings_and_exact_numbers(demo) -> None:
    findings = check_timetable(demo, course_type="GYB", mode="full_live", hours={"live": 23}).findings
    refusal = Refusal(
        "filing_fails",
        "有不符合规范的地方。",
        found=Fraction(48, 5),
        required=Decimal("10.00"),
        details={"findings": findings, "on": date(2026, 9, 24), "mode": Mode.MIXED, "share": Fraction(1, 3)},
    )
    details = refusal.render()["details"]
    assert [finding["row"] for finding in details["findings"]] == ["H4", "H5", "H6", "H7", "H9"]
    assert (details["found"], details["required"], details["on"]) == ("9.6", "10.00", "2026-09-24")
    assert (details["mode"], details["share"]) == ("mixed", "1/3")
    json.dumps(details)


def test_numbers_are_written_without_loss() -> None:
    written = [exact_text(number) for number in (15, Fraction(72, 5), Fraction(-1, 8), Fraction(44, 3))]
    assert written == ["15", "14.4", "-0.125", "44/3"]
    assert exact_text(Decimal("1E+3")) == "1000"


def test_a_message_fills_lists_and_literal_per_cents() -> None:
    message = Message("%(modes)s 各占 50%%", {"modes": [mode.label for mode in Mode]})
    assert message.render() == "全程直播、线上+线下 各占 50%"


def test_a_code_with_a_label_is_told_to_programs_and_in_words_to_people() -> None:
    refusal = Refusal("x", "不行。", found=Mode.MIXED, required=[Mode.FULL_LIVE, Mode.MIXED])
    details = refusal.render()["details"]
    assert (details["found"], details["required"]) == ("mixed", ["full_live", "mixed"])
    assert details["words"] == {"found": "线上+线下", "required": ["全程直播", "线上+线下"]}
    assert "words" not in Refusal("x", "不行。", found=31, required=[30, 31]).render()["details"]
