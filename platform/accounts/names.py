"""People's names as their ID cards have them."""

import re

from django.utils.translation import gettext_noop

from policy.refusals import Refusal

LONGEST = 40  # characters, as Person.name
_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3007\U00020000-\U0003FFFF"
_NAME = re.compile(rf"[{_HAN}A-Za-z][{_HAN}A-Za-z·' .-]{{0,{LONGEST - 1}}}")
# Two-character names are often padded with a space to look like three.
_SPACE = re.compile(rf"(?<=[{_HAN}·])\s+(?=[{_HAN}·])")


def tidy_name(text: str) -> str:
    """The name with one kind of middle dot and no spaces between Han characters; it may still be no name."""
    return _SPACE.sub("", text.strip().replace("•", "·").replace("・", "·"))


def parse_name(text: str) -> str:
    """Tidy a name and check it (P7); raises Refusal `name_form` (400): digits, signs, the unseen."""
    name = tidy_name(text)
    if not _NAME.fullmatch(name):
        raise Refusal(
            "name_form",
            gettext_noop("姓名里有不该有的字符，或者超过 40 个字。"),
            found=len(name),
            required=LONGEST,
            rule="P7",
            next_step=gettext_noop("请填与身份证一致的姓名。"),
            status=400,
        )
    return name
