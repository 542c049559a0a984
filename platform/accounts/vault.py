"""Sealing of personal data at rest: AES-256-GCM, one nonce per value, bound to where the value belongs.

`seal(b"410105…", context=b"person.id_number")` returns `version(1) ‖ nonce(12) ‖ ciphertext ‖ tag(16)`.
The context is
authenticated, so a ciphertext moved to another column or person does not open. `blind_index` lets a column be
searched for equality without being readable: HMAC-SHA-256 under another key.
"""

import base64
import hashlib
import hmac
import secrets
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

VERSION = b"\x01"
NONCE_BYTES = 12


@lru_cache(maxsize=4)
def _cipher(key: str) -> AESGCM:
    return AESGCM(base64.b64decode(key))


def seal(plaintext: bytes, *, context: bytes) -> bytes:
    """Encrypt `plaintext` so that only `unseal` with the same context opens it."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return VERSION + nonce + _cipher(settings.DATA_KEY).encrypt(nonce, plaintext, context)


def unseal(sealed: bytes | memoryview, *, context: bytes) -> bytes:
    """Decrypt what `seal` made.

    Raises `cryptography.exceptions.InvalidTag` when value, key or context differ.
    """
    data = bytes(sealed)
    if data[:1] != VERSION:
        raise ValueError("sealed value of an unknown version")
    return _cipher(settings.DATA_KEY).decrypt(data[1 : 1 + NONCE_BYTES], data[1 + NONCE_BYTES :], context)


def blind_index(value: str, *, context: str) -> bytes:
    """Return 32 bytes that are equal exactly for equal values in the same context, and tell nothing else."""
    key = base64.b64decode(settings.INDEX_KEY)
    return hmac.new(key, f"{context}\0{value}".encode(), hashlib.sha256).digest()
