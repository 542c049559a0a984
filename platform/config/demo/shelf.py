"""Slides and a video in the demo's catalogue, made on the spot: nothing here was taken from anybody."""

import datetime
import shutil
import subprocess
import tempfile
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

from django.core.files.base import ContentFile
from fpdf import FPDF

from config.demo.cast import Cast
from courses.actions import (
    CourseDetails,
    add_slides,
    add_video,
    create_course,
    draft_version,
    process_slides,
    publish_version,
    set_outline,
)
from courses.models import Course, CourseVersion
from courses.outlines import UnitDraft, units_of
from policy.terms import HourKind

MIXED = "创业意识培训（GYB，线上+线下）"
SLIDES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("创业是什么，不是什么", ("先想清楚，再投钱", "平台演示用的课件")),
    ("我有什么", ("本事：会做什么", "钱：能拿出多少，亏得起多少", "人：谁能帮忙", "时间：一天能花几个小时")),
    ("从身边的不方便里找商机", ("哪件事大家都嫌麻烦", "有没有人愿意付钱", "我能不能做得更省事")),
    ("把想法写成一句话", ("给谁，解决什么麻烦，凭什么找我",)),
)
# A lawful mixed plan of 24 课时: 17 offline, 5 live, 1 homework, 1 on demand.
MIXED_PLAN = (
    (HourKind.OFFLINE, 9, "认识创业，认识自己"),
    (HourKind.OFFLINE, 8, "选出最好的一个想法"),
    (HourKind.LIVE, 5, "创业的第一笔账"),
    (HourKind.HOMEWORK, 1, "写一份《我的创业想法书》"),
    (HourKind.ON_DEMAND, 1, "政策和服务：担保贷款、孵化、税费"),
)


def stock(cast: Cast, *, at: datetime.datetime) -> None:
    """Put slides into the GYB course and enter a mixed course with a video; again it changes nothing."""
    if Course.objects.filter(name=MIXED).exists():
        return
    gyb = Course.objects.filter(course_type="GYB").order_by("pk")[0]
    version = draft_version(course=gyb, actor=cast.operator, at=at)
    set_outline(version=version, units=units_of(version), notes="加了课件", actor=cast.operator, at=at)
    _publish(version, cast, at)
    details = CourseDetails(
        name=MIXED,
        course_type="GYB",
        origin="converted",
        original="《产生你的企业想法》线下课程",
        summary="七成课在教室里上，其余在线上：直播算账，视频讲政策，最后交一份想法书。",
        audience="住得近、能到教室来的人。",
    )
    mixed = create_course(details=details, actor=cast.operator, at=at).versions.get()
    units = [UnitDraft(kind=kind, hours=Decimal(hours), title=title) for kind, hours, title in MIXED_PLAN]
    set_outline(version=mixed, units=units, notes="", actor=cast.operator, at=at)
    if shutil.which("ffmpeg") and shutil.which("ffprobe"):
        add_video(
            version=mixed,
            title="担保贷款怎么申请",
            file=ContentFile(_video(), name="video.mp4"),
            captions=None,
            actor=cast.operator,
            at=at,
        )
    _publish(mixed, cast, at)


def _publish(version: CourseVersion, cast: Cast, at: datetime.datetime) -> None:
    slides = add_slides(
        version=version,
        title="第一讲　创业是什么",
        file=ContentFile(_pdf(), name="slides.pdf"),
        actor=cast.operator,
        at=at,
    )
    process_slides(material=slides, at=at)
    publish_version(version=version, actor=cast.operator, at=at)


def _pdf() -> bytes:
    """Four pages of 16:9 with large letters, as a phone needs them."""
    document = FPDF(unit="pt", format=(960, 540))
    document.set_auto_page_break(False)
    document.add_font("sans", fname=Path(str(files("pylopdf_fonts_zh_cn"))) / "NotoSansSC-Regular.otf")
    for number, (title, lines) in enumerate(SLIDES, start=1):
        document.add_page()
        document.set_fill_color(31, 75, 138)
        document.rect(0, 0, 960, 14, style="F")
        document.set_font("sans", size=46)
        document.set_xy(60, 70)
        document.cell(text=title)
        document.set_font("sans", size=30)
        for row, line in enumerate(lines):
            document.set_xy(60, 190 + row * 66)
            document.cell(text=line)
        document.set_font("sans", size=16)
        document.set_xy(60, 495)
        document.cell(text=f"{number} / {len(SLIDES)}")
    return bytes(document.output())


def _video() -> bytes:
    """Two minutes of a test picture with a quiet tone; a few hundred kilobytes."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "video.mp4"
        command = (
            *("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=5:duration=120"),
            *(
                "-f",
                "lavfi",
                "-i",
                "sine=frequency=220:duration=120",
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
            ),
            *("-crf", "34", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "32k", "-ac", "1"),
            *("-movflags", "+faststart", "-shortest", str(target)),
        )
        subprocess.run(command, check=True, timeout=120)
        return target.read_bytes()
