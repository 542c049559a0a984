"""Mobile numbers are read as people type them, and nothing else is taken for one."""

import pytest

from accounts.phones import parse_phone
from policy.refusals import Refusal


@pytest.mark.parametrize(
    "text", ["13912345678", "139 1234 5678", "139-1234-5678", "１３９１２３４５６７８", " 13912345678\u200b"]
)
def test_a_number_is_read_however_it_is_grouped(text: str) -> None:
    assert parse_phone(text, rule="M1") == "13912345678"


@pytest.mark.parametrize(
    "text", ["1391234567", "139123456789", "23912345678", "0371-65000000", "一三九", "+"]
)
@pytest.mark.parametrize("optional", [True, False])
def test_what_is_no_mobile_number_is_refused(text: str, optional: bool) -> None:
    with pytest.raises(Refusal) as refused:
        parse_phone(text, rule="M1", optional=optional)
    assert (refused.value.code, refused.value.rule, refused.value.required) == ("phone_form", "M1", 11)


def test_only_an_optional_number_may_be_left_out() -> None:
    assert parse_phone(" ", rule="P7", optional=True) == ""
    with pytest.raises(Refusal) as refused:
        parse_phone(" ", rule="M1")
    assert refused.value.found == 0
