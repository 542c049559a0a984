"""Text as others write it: what counts as something written, what as the same, which number it names."""

import unicodedata

MOST_DIGITS = 18  # fits the database's 64 bits

# Blank to the eye although Unicode calls them letters or symbols: Hangul fillers and the empty braille cell.
_BLANK = frozenset(map(chr, (0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800)))


def _shows(character: str) -> bool:
    """Whether a character shows: spaces, control and format characters (zero width, BOM) do not."""
    return (
        not character.isspace()
        and character not in _BLANK
        and unicodedata.category(character) not in ("Cc", "Cf")
    )


def whole_number(text: str | None) -> int | None:
    """The number that a client names in ASCII digits, such as a row, a page or a key; None for other text.

    Also None beyond 18 digits: no key is that large, and reading thousands of digits is refused by Python.
    """
    if not text or len(text) > MOST_DIGITS or not (text.isascii() and text.isdecimal()):
        return None
    return int(text)


def bare(text: str) -> str:
    """The text without what does not show before and after it; empty where nothing does."""
    shown = [place for place, character in enumerate(text) if _shows(character)]
    return text[shown[0] : shown[-1] + 1] if shown else ""


def one_spelling(text: str) -> str:
    """A number or a code as it is kept and compared: full-width forms as plain ones (Unicode NFKC), without
    what does not show, and one space where there were several.
    """
    plain = unicodedata.normalize("NFKC", text)
    return " ".join("".join(c for c in plain if _shows(c) or c.isspace()).split())
