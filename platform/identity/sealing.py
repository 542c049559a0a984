"""Face data at rest: what is kept, under which key, and how it becomes unreadable.

A template is encrypted under a random key of its own; that key is kept in another table, sealed by the
platform's (`accounts.vault`). Deleting the key's row destroys the template everywhere, in copies and
backups of the template table too. Both layers authenticate whose face it is and which engine made it, so a
row moved to somebody else does not open.
"""

import secrets
import struct
from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from accounts import vault

NONCE_BYTES = 12


def seal_template(vectors: bytes, *, person_id: int, engine_id: str) -> tuple[bytes, bytes]:
    """Return (ciphertext, sealed key) of a new template."""
    context = _template_context(person_id, engine_id)
    key = AESGCM.generate_key(bit_length=256)
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, vectors, context), vault.seal(key, context=context)


def open_template(ciphertext: bytes, sealed_key: bytes, *, person_id: int, engine_id: str) -> bytes:
    """Return the vectors; raises `InvalidTag` unless key, person and engine belong together."""
    context = _template_context(person_id, engine_id)
    key = vault.unseal(sealed_key, context=context)
    return AESGCM(key).decrypt(ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], context)


def seal_frames(frames: Sequence[bytes], *, check_id: int) -> bytes:
    """Encrypt the frames of one check; they open only as that check's."""
    packed = b"".join(struct.pack(">I", len(frame)) + frame for frame in frames)
    return vault.seal(packed, context=_frames_context(check_id))


def open_frames(sealed: bytes, *, check_id: int) -> list[bytes]:
    packed = vault.unseal(sealed, context=_frames_context(check_id))
    frames, place = [], 0
    while place < len(packed):
        (length,) = struct.unpack_from(">I", packed, place)
        frames.append(packed[place + 4 : place + 4 + length])
        place += 4 + length
    return frames


def _template_context(person_id: int, engine_id: str) -> bytes:
    return f"identity.template:{person_id}:{engine_id}".encode()


def _frames_context(check_id: int) -> bytes:
    return f"identity.frames:{check_id}".encode()
