"""RFC 8785: its own examples, and the verifier's second implementation beside the library's."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import offline_verifier
from audit.canonical import canonical, digest

# RFC 8785 §3.2.3: keys are sorted by UTF-16 code units, so the emoji comes before the ligature.
KEYS = {
    "\u20ac": "Euro Sign",
    "\r": "Carriage Return",
    "\ufb33": "Hebrew Letter Dalet With Dagesh",
    "1": "One",
    "\U0001f600": "Emoji: Grinning Face",
    "\u0080": "Control",
    "\u00f6": "Latin Small Letter O With Diaeresis",
}
SORTED = (
    '{"\\r":"Carriage Return","1":"One","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis",'
    '"\u20ac":"Euro Sign","\U0001f600":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}'
)
# §3.2.2: the strings and literals of its example.
VALUES = {"string": '\u20ac$\u000f\nA\'B"\\\\"/', "literals": [None, True, False]}
WRITTEN = '{"literals":[null,true,false],"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'


@pytest.mark.parametrize(("value", "written"), [(KEYS, SORTED), (VALUES, WRITTEN)])
def test_the_examples_of_rfc_8785(value: dict[str, Any], written: str):
    assert canonical(value) == written.encode()
    assert offline_verifier.canonical(value) == written


def test_a_known_hash():
    assert digest({"b": [1, "豫"], "a": None}) == (
        "03e8b30c75b2821e4a60e79bb373e915abf8621ac633b422a71feb287f9f0e79"
    )


plain = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text()
values = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(values)
def test_the_verifiers_own_writer_agrees_with_the_platforms(value: object):
    assert offline_verifier.canonical(value).encode() == canonical(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [1.5, 2**53, -(2**53)])
def test_the_verifier_takes_no_number_that_evidence_never_holds(value: float):
    with pytest.raises(ValueError, match="never holds"):
        offline_verifier.canonical([value])
