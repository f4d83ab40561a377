"""Answers to reads, over content that must not be opened in vain."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vexobj_s3compat import BytesContent, PartRange, Payload, serve_content
from vexobj_s3compat.errors import (
    InvalidPartNumber,
    InvalidRange,
    InvalidRequest,
    PreconditionFailed,
    S3Error,
)
from vexobj_s3compat.listing import fold
from vexobj_s3compat.respond import Response

MODIFIED = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
DATE = "Fri, 02 Jan 2026 03:04:05 GMT"


class Counted(BytesContent):
    """Content in two parts, `ab` and the rest, that counts how often it is opened."""

    opened = 0

    async def open(self, start: int, length: int) -> Payload:
        Counted.opened += 1
        return await super().open(start, length)

    async def part(self, number: int) -> PartRange | None:
        parts = {1: PartRange(0, 2, 2), 2: PartRange(2, self.size - 2, 2)}
        return parts.get(number)


async def serve(
    headers: dict[str, str], *, method: str = "GET", part: int | None = None, body: bytes = b"abcde"
) -> Response:
    Counted.opened = 0
    return await serve_content(
        method,
        headers,
        Counted(body),
        etag="tag",
        last_modified=MODIFIED,
        headers=[(b"content-type", b"text/plain")],
        part_number=part,
        parts_count=2,
    )


@pytest.mark.parametrize(
    ("headers", "method", "part", "status", "payload", "content_range", "opened"),
    [
        ({}, "GET", None, 200, b"abcde", None, 1),
        ({}, "HEAD", None, 200, b"", None, 0),
        ({"range": "bytes=1-2"}, "GET", None, 206, b"bc", b"bytes 1-2/5", 1),
        ({"range": "bytes=1-2"}, "HEAD", None, 206, b"", b"bytes 1-2/5", 0),
        ({"range": "bytes=1-2,4-4"}, "GET", None, 200, b"abcde", None, 1),
        ({"range": "bytes=1-", "if-range": '"tag"'}, "GET", None, 206, b"bcde", b"bytes 1-4/5", 1),
        ({"range": "bytes=1-", "if-range": '"old"'}, "GET", None, 200, b"abcde", None, 1),
        ({"range": "bytes=1-", "if-range": DATE}, "GET", None, 206, b"bcde", b"bytes 1-4/5", 1),
        ({"if-none-match": '"tag"'}, "GET", None, 304, b"", None, 0),
        ({"if-modified-since": DATE}, "HEAD", None, 304, b"", None, 0),
        ({}, "GET", 2, 206, b"cde", b"bytes 2-4/5", 1),
        ({}, "HEAD", 1, 206, b"", b"bytes 0-1/5", 0),
    ],
)
async def test_reads(
    headers: dict[str, str],
    method: str,
    part: int | None,
    status: int,
    payload: bytes,
    content_range: bytes | None,
    opened: int,
) -> None:
    response = await serve(headers, method=method, part=part)
    found = dict(response.headers)
    assert (response.status, response.payload) == (status, payload)
    assert found.get(b"content-range") == content_range
    assert found[b"etag"] == b'"tag"'
    assert found[b"last-modified"] == DATE.encode()
    assert found.get(b"content-type") == (None if status == 304 else b"text/plain")
    assert (b"x-amz-mp-parts-count" in found) == (part is not None)
    assert Counted.opened == opened


@pytest.mark.parametrize(
    ("headers", "part", "error"),
    [
        ({"range": "bytes=5-"}, None, InvalidRange),
        ({"if-match": '"old"'}, None, PreconditionFailed),
        ({}, 3, InvalidPartNumber),
        ({"range": "bytes=0-0"}, 1, InvalidRequest),
        ({"range": "bytes=9-", "if-match": '"old"'}, None, PreconditionFailed),
    ],
)
async def test_refusals(headers: dict[str, str], part: int | None, error: type[S3Error]) -> None:
    with pytest.raises(error):
        await serve(headers, part=part)
    assert Counted.opened == 0


async def test_nothing_is_opened_for_nothing() -> None:
    response = await serve({}, body=b"")
    assert (response.status, response.length, Counted.opened) == (200, 0, 0)


KEYS = st.lists(st.text("ab/", min_size=1, max_size=6).map(str.encode), unique=True).map(sorted)


@given(KEYS, st.sampled_from([b"", b"a", b"a/"]), st.sampled_from([b"", b"/", b"b/"]))
def test_pages_of_any_size_tell_the_same(
    keys: list[bytes], prefix: bytes, delimiter: bytes
) -> None:
    rows = [(key, None) for key in keys]
    whole = fold(rows, prefix, delimiter, b"", 1000)
    for limit in (1, 2, 3):
        told: list[bytes] = []
        prefixes: list[bytes] = []
        after: bytes | None = b""
        while after is not None:
            rest = [row for row in rows if row[0] > after]
            page = fold(rest, prefix, delimiter, after, limit)
            told += [key for key, _ in page.rows]
            prefixes += page.common_prefixes
            after = page.last
        assert (told, prefixes) == ([key for key, _ in whole.rows], whole.common_prefixes)
