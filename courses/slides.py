"""Slides as a PDF: judged when they arrive, rendered page by page as WebP pictures by the worker."""

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pypdfium2
from pypdfium2.raw import FPDF_ERR_PASSWORD

from policy.messages import gettext_noop
from policy.refusals import Refusal

MOST_BYTES = 60 * 1024 * 1024
MOST_PAGES = 300
WIDTH = 1280  # pixels: sharp on a phone held sideways, 30 to 120 kB a page
TALLEST = 2560
QUALITY = 80
LONGEST_TEXT = 4000

# PDFium is not safe in several threads at once, and a web process has several.
_one_at_a_time = threading.Lock()


class NotRenderable(Exception):
    """A PDF that opened but whose pages cannot be drawn."""


@dataclass(frozen=True, slots=True)
class Page:
    number: int
    webp: bytes
    width: int
    height: int
    text: str


def page_count(path: Path) -> int:
    """How many pages a PDF has.

    Raises Refusal `slides_not_pdf`, `slides_locked` (a password), `slides_too_many_pages` (all 400).
    """
    with path.open("rb") as file:
        head = file.read(1024)
    if b"%PDF-" not in head:
        raise _not_pdf()
    with _one_at_a_time:
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError as error:
            if getattr(error, "err_code", None) == FPDF_ERR_PASSWORD:
                raise Refusal(
                    "slides_locked",
                    gettext_noop("这个 PDF 设了打开密码，平台读不了。"),
                    found=True,
                    required=False,
                    next_step=gettext_noop("请去掉密码，另存一份再传。"),
                    status=400,
                ) from None
            raise _not_pdf() from None
        try:
            pages = len(document)
        finally:
            document.close()
    if not 0 < pages <= MOST_PAGES:
        raise Refusal(
            "slides_too_many_pages",
            gettext_noop("课件有 %(pages)s 页，一份要在 1 到 %(most)s 页之间。"),
            found=pages,
            required=MOST_PAGES,
            params={"pages": pages, "most": MOST_PAGES},
            next_step=gettext_noop("请按课分成几份再传。"),
            status=400,
        )
    return pages


def rendered_pages(path: Path) -> Iterator[Page]:
    """Every page as a picture, one after another; raises NotRenderable where one cannot be drawn."""
    with _one_at_a_time:
        try:
            document = pypdfium2.PdfDocument(path)
        except pypdfium2.PdfiumError as error:
            raise NotRenderable(str(error)) from error
        try:
            for number in range(len(document)):
                yield _render(document, number)
        finally:
            document.close()


def _render(document: pypdfium2.PdfDocument, number: int) -> Page:
    try:
        page = document[number]
        width, height = page.get_size()
        if width <= 0 or height <= 0:
            raise NotRenderable(f"page {number + 1} has no size")
        picture = page.render(scale=min(WIDTH / width, TALLEST / height)).to_pil().convert("RGB")
        text = page.get_textpage().get_text_bounded()[:LONGEST_TEXT].replace("\0", "")
    except (pypdfium2.PdfiumError, ValueError, MemoryError) as error:
        raise NotRenderable(str(error)) from error
    stream = io.BytesIO()
    picture.save(stream, "WEBP", quality=QUALITY, method=4)
    return Page(number + 1, stream.getvalue(), picture.width, picture.height, text.strip())


def _not_pdf() -> Refusal:
    return Refusal(
        "slides_not_pdf",
        gettext_noop("这个文件不是 PDF，或者已经损坏。"),
        found=False,
        required="PDF",
        next_step=gettext_noop("请在演示软件里另存为 PDF，再传一次。"),
        status=400,
    )
