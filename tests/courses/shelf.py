"""Files to upload, and a version with materials on it."""

import datetime
import functools
import subprocess
import tempfile
from pathlib import Path

from django.core.files.base import ContentFile
from fpdf import FPDF

from classes.models import TrainingClass
from config.demo.cast import Cast
from courses.actions import draft_version, publish_version
from courses.models import CourseVersion, Material, SlidePage
from courses.states import MaterialKind, MaterialState
from tests.on_record import change_on_record


@functools.cache
def pdf(pages: int = 2, password: str = "") -> bytes:
    """A small PDF; each page says its number."""
    document = FPDF(unit="pt", format=(640, 360))
    for number in range(1, pages + 1):
        document.add_page()
        document.set_font("helvetica", size=40)
        document.cell(text=f"Page {number}")
    if password:
        document.set_encryption(owner_password=password, user_password=password)
    return bytes(document.output())


@functools.cache
def video(seconds: int = 2, *, codec: str = "libx264", size: str = "64x36", sound: str = "aac") -> bytes:
    """A small MP4 with a test picture and a tone."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "video.mp4"
        command = [
            *("ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"testsrc=size={size}:rate=5:duration={seconds}"),
            *("-f", "lavfi", "-i", f"sine=duration={seconds}", "-c:v", codec, "-pix_fmt", "yuv420p"),
            *("-c:a", sound, "-shortest", str(target)),
        ]
        subprocess.run(command, check=True, timeout=60)
        return target.read_bytes()


def material(version: CourseVersion, kind: str, at: datetime.datetime, **changes: object) -> Material:
    """A material that is ready, without the work of making it; the version has to be a draft."""
    values = {"pages": 1} if kind == MaterialKind.SLIDES else {"duration_ms": 600_000}
    made = Material(
        version=version,
        kind=kind,
        title="第一讲",
        position=version.materials.count() + 1,
        state=MaterialState.READY,
        sha256="0" * 64,
        size=4,
        added_at=at,
        **{**values, **changes},
    )
    made.file.save("file", ContentFile(b"0123456789"), save=False)
    made.save()
    if kind == MaterialKind.SLIDES:
        page = SlidePage(material=made, number=1, width=1280, height=720, text="第一页")
        page.file.save("1.webp", ContentFile(b"webp"), save=False)
        page.save()
    return made


def shelve(training_class: TrainingClass, cast: Cast, at: datetime.datetime) -> dict[str, Material]:
    """Give the class a new version of its course with slides and a video of ten minutes."""
    version = draft_version(course=training_class.course, actor=cast.operator, at=at)
    made = {kind: material(version, kind, at) for kind in MaterialKind.values}
    publish_version(version=version, actor=cast.operator, at=at)
    change_on_record(training_class, course_version=version)
    return made


__all__ = ["material", "pdf", "shelve", "video"]
