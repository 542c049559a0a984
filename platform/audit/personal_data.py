"""Recognise ID numbers and mobile numbers in text, to keep them out of what can never be erased."""

import re
import unicodedata
from datetime import date

_ID_NUMBER = re.compile(r"(?<![0-9])[1-9][0-9]{5}(?P<born>[0-9]{8})[0-9]{3}[0-9Xx](?![0-9A-Za-z])")
_MOBILE_NUMBER = re.compile(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])")
# A random UUID may hold the digits of some mobile number (three in ten thousand do); it is nobody's.
_UUID = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9A-Za-z])")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643


def holds_personal_data(text: str) -> bool:
    """Whether a text contains a mainland mobile number, or an ID number with a right date and check digit."""
    plain = _UUID.sub(" ", unicodedata.normalize("NFKC", text))  # full-width digits too
    return bool(_MOBILE_NUMBER.search(plain)) or any(
        _is_id_number(found) for found in _ID_NUMBER.finditer(plain)
    )


def _is_id_number(found: re.Match[str]) -> bool:
    number = found.group()
    try:
        date.fromisoformat(found["born"])
    except ValueError:
        return False
    check = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=False)) % 11
    return "10X98765432"[check] == number[17].upper()
