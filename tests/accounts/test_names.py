"""A name begins with a character of a name; marks alone are none."""

import pytest

from accounts.names import parse_name
from policy.refusals import Refusal


@pytest.mark.parametrize("text", ["李明远", "阿依古丽·买买提", "Anna-Maria O'Neil", "欧阳 娜娜", "〇一"])
def test_a_name_is_kept(text: str) -> None:
    assert parse_name(text)


@pytest.mark.parametrize("text", ["--", "·", "-李四", ".", "' '", "=1+1", "+张三", "@王五", "张三1", ""])
def test_marks_and_formulas_are_no_name(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_name(text)
    assert (refused.value.code, refused.value.rule) == ("name_form", "P7")
