"""The key that signs roots: Ed25519, its seed in `settings.SIGNING_KEY` (base64, 32 bytes)."""

import base64
import hashlib
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def sign(message: bytes) -> str:
    """Sign with this installation's key; 128 hexadecimal digits."""
    return _key(settings.SIGNING_KEY).sign(message).hex()


def public_key() -> str:
    """This installation's public key, 64 hexadecimal digits."""
    return _key(settings.SIGNING_KEY).public_key().public_bytes_raw().hex()


def trusted_keys() -> frozenset[str]:
    """The public keys whose roots are believed: the current one and those retired (SIGNING_KEYS_RETIRED)."""
    return frozenset({public_key(), *getattr(settings, "SIGNING_KEYS_RETIRED", ())})


def fingerprint(public_key: str) -> str:
    """A public key's fingerprint, short enough to compare by eye: `1a2b 3c4d 5e6f 7081`."""
    digits = hashlib.sha256(bytes.fromhex(public_key)).hexdigest()[:16]
    return " ".join(digits[n : n + 4] for n in range(0, 16, 4))


def is_signed(message: bytes, *, signature: str, by: str) -> bool:
    """Whether the signature over the message is by this public key. Malformed input is simply not signed."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(by)).verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


@lru_cache(maxsize=4)
def _key(encoded: str) -> Ed25519PrivateKey:
    try:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(encoded, validate=True))
    except ValueError as error:
        raise ImproperlyConfigured("SIGNING_KEY must be 32 bytes in base64") from error
