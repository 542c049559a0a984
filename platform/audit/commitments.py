"""Personal data in evidence: only as a salted commitment.

The owner of the value keeps value and salt, encrypted, in its own table. Whoever is shown both can check
that they are what the entry was about; once they are erased, the 64 digits in the chain say nothing and the
chain still verifies.
"""

import hashlib
import hmac
import secrets

SALT_BYTES = 16


def new_salt() -> bytes:
    """A fresh random salt, one per commitment."""
    return secrets.token_bytes(SALT_BYTES)


def commit(value: str, *, salt: bytes) -> str:
    """Commit to a value: HMAC-SHA-256 under the salt, as 64 hexadecimal digits.

    Raises ValueError for a salt under 16 bytes, with which an ID number could be found by trying.
    """
    if len(salt) < SALT_BYTES:
        raise ValueError(f"a commitment needs a salt of at least {SALT_BYTES} bytes, not {len(salt)}")
    return hmac.new(salt, value.encode(), hashlib.sha256).hexdigest()


def opens(commitment: str, value: str, *, salt: bytes) -> bool:
    """Whether this value and salt are what was committed to."""
    return hmac.compare_digest(commitment, commit(value, salt=salt))
