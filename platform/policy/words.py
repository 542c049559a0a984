"""What counts as something written: free text that is required has to show something."""

import unicodedata

# Blank to the eye although Unicode calls them letters or symbols: Hangul fillers and the empty braille cell.
_BLANK = frozenset(map(chr, (0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800)))


def _shows(character: str) -> bool:
    """Whether a character shows: spaces, control and format characters (zero width, BOM) do not."""
    return (
        not character.isspace()
        and character not in _BLANK
        and unicodedata.category(character) not in ("Cc", "Cf")
    )


def bare(text: str) -> str:
    """The text without what does not show before and after it; empty where nothing does."""
    shown = [place for place, character in enumerate(text) if _shows(character)]
    return text[shown[0] : shown[-1] + 1] if shown else ""
