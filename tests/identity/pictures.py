"""The portraits, and what goes wrong with pictures: all made from the six files in tests/faces."""

import io
import struct
import zlib
from functools import cache
from pathlib import Path

from PIL import Image, ImageEnhance

FACES = Path(__file__).parent.parent / "faces"


def portrait(name: str) -> bytes:
    """The bytes of tests/faces/`name`.jpg."""
    return (FACES / f"{name}.jpg").read_bytes()


def opened(name: str) -> Image.Image:
    return Image.open(io.BytesIO(portrait(name))).convert("RGB")


def jpeg(image: Image.Image, **options: object) -> bytes:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=92, **options)
    return data.getvalue()


@cache
def burst(name: str, count: int = 3) -> tuple[bytes, ...]:
    """Frames as a camera takes them one after the other: the same person, never the same bytes."""
    image = opened(name)
    return tuple(
        jpeg(ImageEnhance.Brightness(image.rotate(turn)).enhance(1 - turn / 50))
        for turn in range(-(count // 2), count - count // 2)
    )


def dark(name: str) -> bytes:
    return jpeg(ImageEnhance.Brightness(opened(name)).enhance(0.1))


def two_people(left: str, right: str, *, share: float = 1.0) -> bytes:
    """Two portraits side by side; `share` is the size of the right one."""
    first, second = (
        opened(left).resize((480, 600)),
        opened(right).resize((int(480 * share), int(600 * share))),
    )
    both = Image.new("RGB", (960, 600), (128, 128, 128))
    both.paste(first, (0, 0))
    both.paste(second, (480, 0))
    return jpeg(both)


def far_away(name: str) -> bytes:
    scene = Image.new("RGB", (640, 480), (128, 128, 128))
    scene.paste(opened(name).resize((72, 90)), (280, 180))
    return jpeg(scene)


def lying(name: str) -> bytes:
    """As phones store an upright picture: turned pixels and an EXIF note to turn them back."""
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn 90° clockwise to see it upright"
    return jpeg(opened(name).transpose(Image.Transpose.ROTATE_90), exif=exif)


def landscape() -> bytes:
    """No face: a gradient."""
    return jpeg(Image.linear_gradient("L").resize((640, 480)).convert("RGB"))


def png_that_claims(width: int, height: int) -> bytes:
    """A few bytes that would unpack to width × height pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1024))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
