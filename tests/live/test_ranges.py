"""Parts of a file, as a player asks for them (RFC 9110, section 14)."""

import pytest
from django.core.files.base import ContentFile
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory

from courses.ranges import CHUNK, file_response

CONTENT = bytes(range(256)) * (CHUNK // 256) + b"the end"
SIZE = len(CONTENT)
ETAG = '"abc"'


async def ask(headers: dict[str, str]):
    request = RequestFactory().get("/", headers=headers)
    response = file_response(request, ContentFile(CONTENT), content_type="video/webm", etag=ETAG)
    if isinstance(response, StreamingHttpResponse):
        return response, b"".join([part async for part in response])
    assert isinstance(response, HttpResponse)
    return response, response.content


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=0-0", 0, 0),
        ("bytes=5-9", 5, 9),
        (f"bytes={CHUNK - 1}-{CHUNK}", CHUNK - 1, CHUNK),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
        (f"bytes=10-{SIZE + 99}", 10, SIZE - 1),
        ("bytes=-7", SIZE - 7, SIZE - 1),
        (f"bytes=-{SIZE + 5}", 0, SIZE - 1),
    ],
)
async def test_a_range_is_answered_with_exactly_those_bytes(asked, first, last):
    response, body = await ask({"Range": asked})
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert response["Content-Length"] == str(last - first + 1)
    assert response["Content-Type"] == "video/webm"
    assert body == CONTENT[first : last + 1]


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE + 10}-{SIZE + 20}", "bytes=-0"])
async def test_a_range_beyond_the_end_is_refused_with_the_size(asked):
    response, body = await ask({"Range": asked})
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{SIZE}"
    assert body == b""


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Range": ""},
        {"Range": "bytes=-"},
        {"Range": "bytes=9-5"},
        {"Range": "bytes=0-4,8-9"},
        {"Range": "lines=0-4"},
        {"Range": "bytes=a-b"},
        {"Range": "bytes=0-4", "If-Range": '"another"'},
    ],
)
async def test_anything_else_is_answered_with_the_whole_file(headers):
    response, body = await ask(headers)
    assert response.status_code == 200
    assert response["Accept-Ranges"] == "bytes"
    assert response["Content-Length"] == str(SIZE)
    assert body == CONTENT


async def test_a_range_of_the_same_version_is_answered():
    response, body = await ask({"Range": "bytes=0-4", "If-Range": ETAG})
    assert response.status_code == 206
    assert response["ETag"] == ETAG
    assert body == CONTENT[:5]
