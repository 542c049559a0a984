"""Opening pictures that strangers send: two formats, hard limits, upright, at the measured width."""

import io
import struct
import warnings
import zlib
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

from identity.faces.port import Picture
from identity.faces.problems import unusable

FORMATS = ("JPEG", "PNG")
MAX_FRAMES = 8
MAX_BYTES = 8 * 1024 * 1024  # one frame: a phone's full photo; the camera page sends about 60 kB
MAX_BYTES_TOGETHER = 24 * 1024 * 1024
MAX_PIXELS = 25_000_000  # above any phone's usual photo; decoded it is 75 MB
LEAST_SIDE = 96
# Detection at 320 moves the landmarks enough to change an SFace vector (cosine 0.88 to itself), so pictures
# are brought to 640 wide and never below it. Pictures that are very tall are limited by their height
# instead.
WORKING_WIDTH = 640
WORKING_HEIGHT = 1280

# What Pillow raises for bytes that are no picture, or stop in the middle of one.
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, IndexError, struct.error, zlib.error)


def check_frames(frames: Sequence[bytes]) -> None:
    """Judge a burst by what can be known without decoding it, cheap enough for a web process.

    Raises frames_missing, frames_too_many, image_too_big, image_unreadable, image_too_small.
    """
    if not frames:
        raise unusable("frames_missing", found=0, required=1)
    if len(frames) > MAX_FRAMES:
        raise unusable("frames_too_many", found=len(frames), required=MAX_FRAMES)
    if (together := sum(map(len, frames))) > MAX_BYTES_TOGETHER:
        raise unusable("image_too_big", found=together, required=MAX_BYTES_TOGETHER)
    for frame in frames:
        _open(frame)


def read_picture(data: bytes) -> Picture:
    """Decode one JPEG or PNG into an upright RGB picture of working size.

    Raises image_unreadable, image_too_big, image_too_small.
    """
    image = _open(data)
    try:
        # Phones turn pictures by a note in the EXIF data, and that data is dropped here for good.
        image.draft("RGB", (2 * WORKING_WIDTH, 2 * WORKING_WIDTH))
        upright = ImageOps.exif_transpose(image).convert("RGB")
    except _UNREADABLE as error:
        raise unusable("image_unreadable", required=FORMATS) from error
    scale = min(1.0, WORKING_WIDTH / upright.width, WORKING_HEIGHT / upright.height)
    if scale < 1.0:
        size = (max(1, round(upright.width * scale)), max(1, round(upright.height * scale)))
        upright = upright.resize(size, Image.Resampling.BOX if scale < 0.5 else Image.Resampling.BILINEAR)
    if min(upright.size) < LEAST_SIDE:
        raise unusable("image_too_small", found=min(upright.size), required=LEAST_SIDE)
    return np.asarray(upright, dtype=np.uint8)


def _open(data: bytes) -> Image.Image:
    """Read the header only, and judge bytes and pixels before a single pixel is unpacked."""
    if len(data) > MAX_BYTES:
        raise unusable("image_too_big", found=len(data), required=MAX_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise unusable("image_too_big", required=MAX_PIXELS) from error
    except _UNREADABLE as error:
        raise unusable("image_unreadable", required=FORMATS) from error
    if (pixels := image.width * image.height) > MAX_PIXELS:
        raise unusable("image_too_big", found=pixels, required=MAX_PIXELS)
    if min(image.size) < LEAST_SIDE:
        raise unusable("image_too_small", found=min(image.size), required=LEAST_SIDE)
    return image
