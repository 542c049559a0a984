"""Photos of documents as strangers send them: decoded under hard limits, stripped, kept sealed.

What is stored is a fresh JPEG of the pixels alone: place, time and maker of the photo (EXIF) are dropped. It
is encrypted under a key of its own, which is kept in another table, sealed by the platform's; deleting that
row destroys the photo everywhere. Both layers authenticate which record the photo belongs to.
"""

import io
import secrets
import struct
import warnings
import zlib

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from PIL import Image, ImageOps

from accounts import vault
from policy.messages import gettext_noop
from policy.refusals import Refusal

FORMATS = ("JPEG", "PNG")
MAX_BYTES = 8 * 1024 * 1024  # a phone's full photo
MAX_PIXELS = 25_000_000  # decoded it is 75 MB
LEAST_SIDE = 200
LONGEST_SIDE = 2000  # small print of a certificate stays readable
QUALITY = 85
NONCE_BYTES = 12

_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error, zlib.error)


def clean(data: bytes, *, rule: str = "S6") -> bytes:
    """Decode a JPEG or PNG and return it upright, at most 2000 pixels long, as JPEG without any metadata.

    `rule` is the ledger row that asks for the document. Raises Refusal (422): `picture_unreadable`,
    `picture_too_big`, `picture_too_small`.
    """
    if len(data) > MAX_BYTES:
        raise _too_big(len(data), MAX_BYTES, rule)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            if image.width * image.height > MAX_PIXELS:
                raise _too_big(image.width * image.height, MAX_PIXELS, rule)
            if min(image.size) < LEAST_SIDE:
                raise Refusal(
                    "picture_too_small",
                    gettext_noop("照片太小，看不清证明材料。"),
                    found=min(image.size),
                    required=LEAST_SIDE,
                    rule=rule,
                    next_step=gettext_noop("请重新拍一张清楚的照片。"),
                    status=422,
                )
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_big(None, MAX_PIXELS, rule) from error
    except _UNREADABLE as error:
        raise Refusal(
            "picture_unreadable",
            gettext_noop("这张照片打不开。"),
            found=False,
            required=FORMATS,
            rule=rule,
            next_step=gettext_noop("请重新拍一张，只收 JPEG 或 PNG 格式。"),
            status=422,
        ) from error
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    # A new picture of the pixels alone: what travels in `info` (comments, colour profiles) stays behind.
    bare = Image.new("RGB", upright.size)
    bare.paste(upright)
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def _too_big(found: int | None, required: int, rule: str) -> Refusal:
    return Refusal(
        "picture_too_big",
        gettext_noop("照片太大。"),
        found=found,
        required=required,
        rule=rule,
        next_step=gettext_noop("请把照片缩小到 8 MB 以内再传。"),
        status=422,
    )


def seal(picture: bytes, *, context: bytes) -> tuple[bytes, bytes]:
    """Return (ciphertext, sealed key) of a new photo; `context` names the record that it belongs to."""
    key, nonce = AESGCM.generate_key(bit_length=256), secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, picture, context), vault.seal(key, context=context)


def open_sealed(ciphertext: bytes, sealed_key: bytes, *, context: bytes) -> bytes:
    """Return the photo; raises `InvalidTag` unless key and record belong together."""
    key = vault.unseal(sealed_key, context=context)
    return AESGCM(key).decrypt(ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:], context)
