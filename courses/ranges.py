"""A file in parts: what a browser's player asks for when somebody seeks (RFC 9110, section 14)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.core.files import File
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

CHUNK = 256 * 1024
NOTHING = (0, -1)
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def file_response(
    request: HttpRequest, file: File[bytes], *, content_type: str, etag: str
) -> HttpResponseBase:
    """Answer with the whole file (200), one range of it (206), or 416 for a range beyond its end.

    A header that names several ranges, or is malformed, counts as absent, as the RFC allows; so does
    one whose `If-Range` names another version.
    """
    size = file.size
    wanted = request.headers.get("Range", "") if request.headers.get("If-Range", etag) == etag else ""
    bounds = _bounds(wanted, size)
    response: HttpResponseBase
    if bounds is NOTHING:
        response = HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    else:
        first, last = bounds or (0, size - 1)
        length = last - first + 1
        status = 206 if bounds else 200
        content = _read(file, first, length)
        response = StreamingHttpResponse(content, status=status, content_type=content_type)
        response.headers["Content-Length"] = str(length)
        if bounds:
            response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = etag
    return response


def _bounds(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte asked for, or NOTHING; None where the whole file is to be sent."""
    match = _RANGE.fullmatch(header.strip())
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:  # the last n bytes
        length = min(int(last), size)
        return (size - length, size - 1) if length else NOTHING
    if last and int(last) < int(first):
        return None
    return (int(first), min(int(last or size), size - 1)) if int(first) < size else NOTHING


async def _read(file: File[bytes], first: int, length: int) -> AsyncIterator[bytes]:
    """Read piece by piece: under ASGI a plain iterator would first be read into memory whole."""
    with await _in_thread(file.open)("rb") as opened:
        await _in_thread(opened.seek)(first)
        while length > 0 and (chunk := await _in_thread(opened.read)(min(CHUNK, length))):
            length -= len(chunk)
            yield chunk


def _in_thread(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    return sync_to_async(function, thread_sensitive=False)
