"""Sealing: what is stored cannot be read, moved or guessed."""

import pytest
from cryptography.exceptions import InvalidTag

from accounts import vault


def test_what_was_sealed_opens_in_its_own_context_only():
    sealed = vault.seal(b"41010519700101900X", context=b"person.id_number")
    assert vault.unseal(sealed, context=b"person.id_number") == b"41010519700101900X"
    with pytest.raises(InvalidTag):
        vault.unseal(sealed, context=b"person.phone")


def test_one_value_never_seals_to_the_same_bytes_twice():
    assert vault.seal(b"x", context=b"c") != vault.seal(b"x", context=b"c")


def test_a_changed_byte_is_noticed():
    sealed = bytearray(vault.seal(b"secret", context=b"c"))
    sealed[-1] ^= 1
    with pytest.raises(InvalidTag):
        vault.unseal(bytes(sealed), context=b"c")


def test_the_blind_index_is_equal_for_equal_values_and_differs_by_context_and_key(settings):
    first = vault.blind_index("a", context="x")
    assert first == vault.blind_index("a", context="x")
    assert first != vault.blind_index("a", context="y")
    assert first != vault.blind_index("b", context="x")
    settings.INDEX_KEY = "Y2hhbmdlZGNoYW5nZWRjaGFuZ2VkY2hhbmdlZGNoYW4="
    assert first != vault.blind_index("a", context="x")
