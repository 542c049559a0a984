"""docs/live-protocol.md says what the code does: no type or code is missing there, none is there in vain."""

import re
from pathlib import Path

import pytest

from classes.live import consumers, hub
from classes.live.protocol import CloseCode, ErrorCode, Event, FromClient, FromServer, encode

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "live-protocol.md").read_text("utf-8")


def table_of(heading: str) -> list[str]:
    """The first column of the table below a heading."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    return [row.split("|")[1].strip().strip("`") for row in rows[1:]]


@pytest.mark.parametrize(
    ("heading", "members"),
    [
        ("What the browser says", FromClient),
        ("What the server says to one socket", FromServer),
        ("What happens in a room", Event),
        ("Why a message is not accepted", ErrorCode),
        ("Why the server closes a socket", CloseCode),
    ],
)
def test_every_type_and_code_is_told_once(heading, members):
    assert table_of(heading) == [str(member.value) for member in members]


def test_the_dialogue_uses_only_what_there_is():
    said = set(re.findall(r'"type":"([\w.]+)"', PAGE))
    assert said <= {member.value for kind in (FromClient, FromServer, Event) for member in kind}


def test_its_figures_are_the_codes():
    assert f"{consumers.LONGEST_MESSAGE:,} characters" in PAGE
    assert f"{hub.QUEUE_LENGTH} messages waited" in PAGE


def test_a_message_has_one_form():
    assert encode("hand.lowered", 15, {"person": 7, "name": "王"}) == (
        '{"type":"hand.lowered","id":15,"data":{"person":7,"name":"王"}}'
    )
