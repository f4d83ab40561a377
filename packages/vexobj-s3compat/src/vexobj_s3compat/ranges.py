"""Byte ranges: the Range header as S3 reads it, and its answers. Source: RFC 9110 section 14."""

import re
from typing import NamedTuple

from vexobj_s3compat.errors import InvalidArgument, InvalidRange

_RANGE = re.compile(r"bytes=[ \t]*([0-9]*)-([0-9]*)[ \t]*", re.IGNORECASE)
_COPY_RANGE = re.compile(r"bytes=([0-9]{1,20})-([0-9]{1,20})")
_MAX_DIGITS = 20


class ByteRange(NamedTuple):
    """`length` bytes from `start`, both within the object."""

    start: int
    length: int


def parse_range(value: str | None, size: int) -> ByteRange | None:
    """The range to answer with 206, or None for the whole object.

    An end past the object is clamped. What is malformed is ignored, and several ranges are too,
    as S3 does.

    Raises:
        InvalidRange: it begins past the object; carries `Content-Range: bytes */size`.
    """
    if value is None or (match := _RANGE.fullmatch(value)) is None:
        return None
    first, last = match.groups()
    if not first:
        if not last:
            return None
        length = min(_number(last), size)
        if length == 0:
            raise _unsatisfiable(value, size)
        return ByteRange(size - length, length)
    start = _number(first)
    end = _number(last) if last else size - 1
    if last and end < start:
        return None
    if start >= size:
        raise _unsatisfiable(value, size)
    return ByteRange(start, min(end, size - 1) - start + 1)


def content_range(start: int, length: int, size: int) -> str:
    """The Content-Range of a 206."""
    return f"bytes {start}-{start + length - 1}/{size}"


def parse_copy_source_range(value: str) -> tuple[int, int]:
    """x-amz-copy-source-range: (first, last), both inclusive and both required.

    Raises:
        InvalidArgument: it is not `bytes=first-last`.
    """
    match = _COPY_RANGE.fullmatch(value)
    if match is not None:
        first, last = int(match[1]), int(match[2])
        if first <= last:
            return first, last
    raise InvalidArgument(
        "The x-amz-copy-source-range value must be of the form bytes=first-last where first and "
        "last are the zero-based offsets of the first and last bytes to copy",
        fields={"ArgumentName": "x-amz-copy-source-range", "ArgumentValue": value},
    )


def _number(digits: str) -> int:
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) <= _MAX_DIGITS else 10**_MAX_DIGITS


def _unsatisfiable(value: str, size: int) -> InvalidRange:
    return InvalidRange(
        fields={"RangeRequested": value, "ActualObjectSize": str(size)},
        headers={"content-range": f"bytes */{size}"},
    )
