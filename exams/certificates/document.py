"""The certificate on paper: A4, Song type, a double wheat-gold frame, number top right, QR bottom left.

Fonts are the OFL Noto faces of installed font packages, embedded as subsets. The Chinese faces hold all of
《通用规范汉字表》; a name with a rarer character takes that one from the next face that has it.
"""

import datetime
import io
import logging
import re
from collections.abc import Iterator
from decimal import Decimal
from importlib import resources
from pathlib import Path

import segno
from django.conf import settings
from django.urls import reverse
from fpdf import FPDF
from fpdf.enums import TextMode
from fpdf.fonts import TTFFont

from accounts import editions
from exams.models import Certificate
from policy.terms import course_type_name

GOLD = (190, 140, 60)
SEAL = (184, 52, 42)
INK = (29, 36, 48)
INK_2 = (74, 83, 97)
_DIGITS = "〇一二三四五六七八九"


# In the order in which a character is looked for.
_FACES = (
    ("pylopdf_fonts_zh_cn", "NotoSerifSC-Regular.otf"),
    ("pylopdf_fonts_zh_cn", "NotoSansSC-Regular.otf"),
    ("pylopdf_fonts_jp", "NotoSerifJP-Regular.otf"),  # 𠮷 and other characters outside the official table
)
_MISSING = "〓"  # what printers put where they have no type
logger = logging.getLogger(__name__)
logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells every glyph it keeps


def _faces() -> Iterator[Path]:
    for package, face in _FACES:
        yield Path(str(resources.files(package).joinpath(face)))


def readable_number(number: str) -> str:
    """41012026000318 → 豫创证 4101 2026 000318."""
    return f"豫创证 {number[:4]} {number[4:8]} {number[8:]}"


def han_date(day: datetime.date) -> str:
    """2026-11-30 → 二〇二六年十一月三十日."""

    def two(n: int) -> str:
        tens, ones = divmod(n, 10)
        return ("" if tens == 0 else "十" if tens == 1 else _DIGITS[tens] + "十") + (
            _DIGITS[ones] if ones else ""
        )

    year = "".join(_DIGITS[int(digit)] for digit in str(day.year))
    return f"{year}年{two(day.month)}月{two(day.day)}日"


def _spelled(day: datetime.date) -> str:
    return f"{day.year} 年 {day.month} 月 {day.day} 日"


def check_url(certificate: Certificate) -> str:
    """The public page that tells whether this certificate is genuine and still valid."""
    return f"{settings.PUBLIC_URL}{reverse('certificates:check')}?number={certificate.number}"


def draw(certificate: Certificate) -> bytes:
    """Return the PDF of a certificate; the same certificate always gives the same bytes."""
    training_class = certificate.enrolment.training_class
    person, course = certificate.enrolment.person, training_class.course
    hours = sum((lesson.hours for lesson in training_class.lessons.all()), start=Decimal(0))
    pdf = FPDF(format="A4")
    pdf.set_creation_date(certificate.issued_at)
    pdf.set_auto_page_break(False)
    pdf.set_title(f"河南省就业创业培训合格证 {certificate.number}")
    pdf.set_lang("zh-CN")
    first, *others = _faces()
    pdf.add_font("song", fname=first)
    name = _printable(pdf, person.name, others)
    school = _printable(pdf, training_class.institution.name, others)
    pdf.add_page()

    pdf.set_draw_color(*GOLD)
    pdf.set_line_width(0.9)
    pdf.rect(15, 15, 180, 267)
    pdf.set_line_width(0.3)
    pdf.rect(17.5, 17.5, 175, 262)

    def centred(text: str, y: float, size: float) -> None:
        pdf.set_font("song", size=size)
        pdf.set_xy(25, y)
        pdf.cell(160, size * 0.5, text, align="C")

    pdf.set_text_color(*INK_2)
    pdf.set_font("song", size=11)
    pdf.set_xy(25, 28)
    pdf.cell(160, 6, f"编号：{readable_number(certificate.number)}", align="R")

    pdf.set_text_color(*INK)
    with pdf.local_context(text_mode=TextMode.FILL_STROKE, line_width=0.25, draw_color=INK):  # heavier
        centred("河南省就业创业培训", 58, 30)
        centred("合格证", 76, 30)

    pdf.set_font("song", size=16)
    words = (
        f"{name}，身份证号 {person.id_number_masked}，于 {_spelled(training_class.starts_on)}"
        f"至 {_spelled(training_class.ends_on)}参加{course_type_name(course.course_type)}，"
        f"共 {hours.normalize():f} 课时。考勤合格，结业考试合格，准予结业。"
    )
    for line, text in enumerate(_lines(pdf, f"　　{words}", width=146)):
        pdf.set_xy(32, 112 + 12 * line)
        pdf.cell(146, 12, text, align="L")

    picture = io.BytesIO()
    segno.make(check_url(certificate), error="m").save(picture, kind="png", scale=8, border=1)
    picture.seek(0)
    pdf.image(picture, x=32, y=218, w=34)
    pdf.set_font("song", size=10)
    pdf.set_text_color(*INK_2)
    pdf.set_xy(32, 254)
    pdf.cell(34, 5, "扫码查验", align="C")

    pdf.set_text_color(*INK)
    pdf.set_font("song", size=14)
    pdf.set_xy(90, 240)
    pdf.cell(88, 8, school, align="R")
    pdf.set_xy(90, 250)
    pdf.cell(88, 8, han_date(certificate.issued_on), align="R")

    if editions.edition(training_class.edition).demo:
        _demo_seal(pdf, x=146, y=211)
    return bytes(pdf.output())


# What stays together: a number with its unit, a Latin word, a character with its opening or closing marks.
_UNITS = re.compile(r"[（《“]*(?:\d+ [年月日]|\d+ 课时|[\w*'·]+|.)[，。、；：）》”]*", re.ASCII)


def _lines(pdf: FPDF, text: str, *, width: float) -> Iterator[str]:
    """Break Chinese text into lines of at most `width` millimetres: anywhere but within a unit."""
    line = ""
    for unit in _UNITS.findall(text):
        if line and pdf.get_string_width(line + unit.rstrip()) > width:
            yield line.rstrip(" ")
            line = unit.lstrip(" ")
        else:
            line += unit
    yield line


def _printable(pdf: FPDF, text: str, others: list[Path]) -> str:
    """The text with fallback faces added for what the first has no type for, and 〓 where none has."""
    missing = {character for character in text if not _has(pdf, character)}
    for place, face in enumerate(others):
        family = f"fallback{place}"
        if missing and family not in pdf.fonts:
            pdf.add_font(family, fname=face)
            pdf.set_fallback_fonts([name for name in pdf.fonts if name.startswith("fallback")])
        missing = {character for character in missing if not _has(pdf, character)}
    if missing:
        logger.warning(
            "no installed face prints %s", ", ".join(f"U+{ord(one):04X}" for one in sorted(missing))
        )
    return "".join(_MISSING if character in missing else character for character in text)


def _has(pdf: FPDF, character: str) -> bool:
    return any(isinstance(font, TTFFont) and ord(character) in font.cmap for font in pdf.fonts.values())


def _demo_seal(pdf: FPDF, *, x: float, y: float) -> None:
    """演示专用章 over the date: a demo certificate must never pass for a real one."""
    pdf.set_draw_color(*SEAL)
    pdf.set_text_color(*SEAL)
    pdf.set_line_width(0.8)
    pdf.ellipse(x, y, 34, 34)
    pdf.set_font("song", size=14)
    with pdf.rotation(8, x + 17, y + 17):
        for line, offset in (("演示", 9), ("专用章", 17)):
            pdf.set_xy(x, y + offset)
            pdf.cell(34, 7, line, align="C")
