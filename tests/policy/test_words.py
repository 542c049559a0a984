"""What counts as something written."""

import pytest

from policy.words import bare, one_spelling, whole_number

BLANK = ["", " ", "\u3000", "\t\n", "\u200b", "\ufeff\u2060", "\u00ad", "\u2800", "\u3164", "\x00"]


@pytest.mark.parametrize("text", BLANK, ids=ascii)
def test_what_does_not_show_is_empty(text: str) -> None:
    assert bare(text) == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (" 第一课 ", "第一课"),
        ("\u200b标题\ufeff", "标题"),
        ("王\u3000小满", "王\u3000小满"),
        ("-", "-"),
        ("👩\u200d🏫", "👩\u200d🏫"),
    ],
    ids=ascii,
)
def test_what_shows_stays_as_it_is(text: str, shown: str) -> None:
    assert bare(text) == shown


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("007", 7), ("9" * 18, 10**18 - 1)]
    + [(text, None) for text in (None, "", "-1", "1.0", " 1", "１", "²", "9" * 19, "9" * 5000)],
    ids=lambda value: ascii(value)[:12],
)
def test_a_number_is_read_from_a_few_plain_digits_only(text: str | None, number: int | None) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "豫创备 0001 号",
        " 豫创备  0001\t号 ",
        "豫创备\u30000001\u00a0号",
        "豫创备 ０００１ 号",
        "豫创\u200b备 0001 号\ufeff",
    ],
    ids=ascii,
)
def test_a_number_has_one_spelling(text: str) -> None:
    assert one_spelling(text) == "豫创备 0001 号"


@pytest.mark.parametrize("text", BLANK, ids=ascii)
def test_what_does_not_show_is_no_number(text: str) -> None:
    assert one_spelling(text) == ""
