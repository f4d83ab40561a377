"""What is sent as an object's bytes: how long it is, and the chunks of it."""

import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

CHUNK_BYTES = 256 * 1024


@runtime_checkable
class Readable(Protocol):
    """A file, or what reads like one: b"" at its end."""

    def read(self, size: int, /) -> bytes: ...


Body = bytes | bytearray | memoryview | str | Readable | Iterable[bytes]


def content_of(
    body: Body, size: int | None = None
) -> tuple[bytes | Iterator[bytes], Mapping[str, str]]:
    """The content of a request and its headers; files and iterables are read as they are sent.

    A file counts from where it stands. `size` announces the length of what cannot tell its own;
    a body that turns out to be of another length raises ValueError while it is sent.
    """
    if isinstance(body, str):
        return body.encode(), {}
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body), {}
    chunks: Iterator[bytes]
    if isinstance(body, Readable):
        if _is_text(body):
            raise TypeError("a file to upload is opened in binary mode")
        size = _rest_of(body) if size is None else size
        chunks = _read(body, size)
    else:
        chunks = iter(body)
    if size is None:
        return chunks, {"transfer-encoding": "chunked"}
    return _exactly(chunks, size), {"content-length": str(size)}


def _is_text(file: object) -> bool:
    return isinstance(file, io.TextIOBase)


def _rest_of(file: Any) -> int | None:
    """How many bytes are left to read, None where only reading tells."""
    try:
        here: int = file.tell()
        end: int = file.seek(0, io.SEEK_END)
        file.seek(here)
    except (AttributeError, OSError, ValueError):
        return None
    return max(0, end - here)


def _read(file: Readable, size: int | None) -> Iterator[bytes]:
    """No more than `size`, though the file may be growing."""
    left = size
    while chunk := file.read(CHUNK_BYTES if left is None else min(CHUNK_BYTES, left)):
        yield chunk
        left = None if left is None else left - len(chunk)


def _exactly(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    sent = 0
    for chunk in chunks:
        sent += len(chunk)
        if sent > size:
            raise ValueError(f"the body is longer than the {size} bytes announced")
        yield chunk
    if sent < size:
        raise ValueError(f"the body ended after {sent} of {size} bytes")
