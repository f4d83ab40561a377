"""Answering a read of stored bytes: conditions, ranges, parts, HEAD. Plain HTTP, no S3 XML.

Source: RFC 9110 sections 13 and 14, and for parts AWS's GetObject.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from vexobj_s3compat.asgi import RawHeaders
from vexobj_s3compat.conditions import check_read, etag_matches, http_date, parse_http_date
from vexobj_s3compat.content import Content, PartRange
from vexobj_s3compat.errors import InvalidPartNumber, InvalidRequest, NotModified
from vexobj_s3compat.ranges import content_range, parse_range
from vexobj_s3compat.respond import Response

_ACCEPT_RANGES = (b"accept-ranges", b"bytes")
_OF_THE_BODY = (b"content-type", b"x-amz-checksum-")


async def serve_content(
    method: str,
    request_headers: Mapping[str, str],
    content: Content,
    *,
    etag: str,
    last_modified: datetime,
    headers: Sequence[tuple[bytes, bytes]] = (),
    part_number: int | None = None,
    parts_count: int | None = None,
) -> Response:
    """The answer to GET or HEAD: 200, 206 or 304, with validators and Accept-Ranges.

    `headers` go out with every one of these, but for what describes a body with a 304; they hold
    no validators, lengths or ranges. The content is opened only where bytes will be sent. `etag`
    comes without quotes. `parts_count` is told (x-amz-mp-parts-count) when a part is asked for.

    Raises:
        PreconditionFailed, InvalidRange, InvalidPartNumber.
        InvalidRequest: a range of a part.
    """
    answer: RawHeaders = [
        (b"etag", b'"%b"' % etag.encode()),
        (b"last-modified", http_date(last_modified).encode()),
        _ACCEPT_RANGES,
        *headers,
    ]
    try:
        check_read(request_headers, etag, last_modified)
    except NotModified:
        # RFC 9110 section 15.4.5: a cache would put these in the place of what it has, and SDKs
        # check the body against any checksum they are told, where there is no body too.
        return Response(304, [pair for pair in answer if not pair[0].startswith(_OF_THE_BODY)])
    start, length, partial = 0, content.size, False
    if part_number is not None:
        part = await _part(request_headers, content, part_number, parts_count or 1)
        start, length, partial = part.start, part.length, part.length > 0
        if parts_count is not None:
            answer.append((b"x-amz-mp-parts-count", b"%d" % parts_count))
    elif "range" in request_headers and _range_holds(request_headers, etag, last_modified):
        found = parse_range(request_headers["range"], content.size)
        if found is not None:
            start, length, partial = found.start, found.length, True
    if partial:
        answer.append((b"content-range", content_range(start, length, content.size).encode()))
    payload = b"" if method == "HEAD" or not length else await content.open(start, length)
    return Response(206 if partial else 200, answer, payload, length)


async def _part(headers: Mapping[str, str], content: Content, number: int, count: int) -> PartRange:
    if "range" in headers:
        raise InvalidRequest("Cannot specify both Range header and partNumber query parameter")
    part = await content.part(number)
    if part is None:
        raise InvalidPartNumber(
            fields={"PartNumberRequested": str(number), "ActualPartCount": str(count)}
        )
    return part


def _range_holds(headers: Mapping[str, str], etag: str, last_modified: datetime) -> bool:
    """Whether If-Range, where given, still names this very representation."""
    validator = headers.get("if-range")
    if validator is None:
        return True
    moment = parse_http_date(validator)
    if moment is None:
        return etag_matches(validator, etag)
    return http_date(last_modified) == http_date(moment)
