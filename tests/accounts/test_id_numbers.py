"""GB 11643: what counts as an ID number, and what it shows."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.id_numbers import parse
from config.demo.cast import made_up_id_number
from policy.refusals import Refusal

GOOD = "11010519491231002X"  # the worked example of GB 11643


def test_the_standards_own_example_is_accepted():
    number = parse(GOOD)
    assert number.birthday == datetime.date(1949, 12, 31)
    assert number.masked == "110105********002X"


@pytest.mark.parametrize(
    "typed",
    [
        " 11010519491231002x ",
        "１１０１０５１９４９１２３１００２Ｘ",
        "1101051949123100２ｘ",
        "110105 19491231\u3000002X",
        "\ufeff110105\u200b19491231002X\u00ad",
    ],
    ids=ascii,
)
def test_the_way_it_is_typed_makes_no_difference(typed):
    assert parse(typed).value == GOOD


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "id_number_form"),
        ("11010519491231002", "id_number_form"),
        ("11010519491231002XX", "id_number_form"),
        ("01010519491231002X", "id_number_form"),
        ("1101051949123100٢X", "id_number_form"),  # an Arabic digit
        ("110105-19491231-002X", "id_number_form"),
        ("990105194912310021", "id_number_region"),
        ("470105194912310021", "id_number_region"),
        ("110105194912310021", "id_number_checksum"),
        ("110105194913310026", "id_number_date"),
        ("110105194902290024", "id_number_date"),
        ("110105189912310026", "id_number_date"),
    ],
)
def test_a_number_that_cannot_be_is_refused_with_its_reason(text, code):
    with pytest.raises(Refusal) as refusal:
        parse(text)
    assert refusal.value.code == code
    assert refusal.value.next_step


@given(st.integers(0, 99), st.integers(0, 16), st.integers(1, 9))
def test_changing_any_one_digit_is_noticed(serial, place, step):
    good = made_up_id_number(serial).value
    wrong = good[:place] + str((int(good[place]) + step) % 10) + good[place + 1 :]
    with pytest.raises(Refusal):
        parse(wrong)
