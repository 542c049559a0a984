"""A file in parts: what a browser's player asks for when somebody seeks (RFC 9110, section 14)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from django.core.files import File
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

CHUNK = 64 * 1024
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
    if bounds is None:
        response = FileResponse(file.open("rb"), content_type=content_type)
        response.headers["Content-Length"] = str(size)
    elif bounds is NOTHING:
        response = HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    else:
        first, last = bounds
        response = StreamingHttpResponse(
            _read(file.open("rb"), first, last - first + 1), status=206, content_type=content_type
        )
        response.headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        response.headers["Content-Length"] = str(last - first + 1)
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


def _read(file: IO[bytes], first: int, length: int) -> Iterator[bytes]:
    with file:
        file.seek(first)
        while length > 0 and (chunk := file.read(min(CHUNK, length))):
            length -= len(chunk)
            yield chunk
