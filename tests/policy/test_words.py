"""What counts as something written."""

import pytest

from policy.words import bare

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
