"""The certificate on paper: A4, Song type, a double wheat-gold frame, number top right, QR bottom left.

Fonts are the OFL Noto faces of the installed font package; they are embedded as subsets.
"""

import datetime
import io
from decimal import Decimal
from importlib import resources
from pathlib import Path

import segno
from django.conf import settings
from django.urls import reverse
from fpdf import FPDF
from fpdf.enums import XPos, YPos

from accounts import editions
from exams.models import Certificate
from policy.terms import course_type_name

GOLD = (190, 140, 60)
SEAL = (184, 52, 42)
INK = (29, 36, 48)
INK_2 = (74, 83, 97)
_DIGITS = "〇一二三四五六七八九"


def _font(name: str) -> Path:
    return Path(str(resources.files("pylopdf_fonts_zh_cn").joinpath(name)))


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
    pdf.add_font("song", fname=_font("NotoSerifSC-Regular.otf"))
    pdf.add_font("hei", fname=_font("NotoSansSC-Regular.otf"))
    pdf.set_fallback_fonts(["hei"])  # rare characters in names
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
    centred("河南省就业创业培训", 58, 30)
    centred("合格证", 76, 30)

    pdf.set_font("song", size=16)
    pdf.set_xy(32, 112)
    pdf.multi_cell(
        146,
        12,
        f"　　{person.name}，身份证号 {person.id_number_masked}，于 {_spelled(training_class.starts_on)}"
        f"至 {_spelled(training_class.ends_on)}参加 {course_type_name(course.course_type)}，"
        f"共 {hours.normalize():f} 课时。"
        "考勤合格，结业考试合格，准予结业。",
        new_x=XPos.LMARGIN,
        new_y=YPos.NEXT,
        align="L",
    )

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
    pdf.cell(88, 8, training_class.institution.name, align="R")
    pdf.set_xy(90, 250)
    pdf.cell(88, 8, han_date(certificate.issued_on), align="R")

    if editions.edition(training_class.edition).demo:
        _demo_seal(pdf, x=146, y=226)
    return bytes(pdf.output())


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
