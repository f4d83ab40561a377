"""Bytes on their way in (Body) and out (Content): what a backend reads and what it offers.

Nothing here knows S3's XML or a backend's storage.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Hasher(Protocol):
    """What hashlib's objects are."""

    def update(self, data: bytes, /) -> object: ...
    def digest(self) -> bytes: ...


class Body(Protocol):
    """A request's payload, already freed of aws-chunked framing, to be read once.

    The client promised digests of it (x-amz-content-sha256, Content-MD5, x-amz-checksum-*, or a
    trailer). A backend reads all chunks, runs `hashers` over them along with its own MD5 and
    SHA-256, and calls `verify` after the last chunk and before anything becomes visible.
    """

    size: int | None
    """Decoded length in bytes, None when the client did not say."""

    hashers: Mapping[str, Hasher]
    """What `verify` needs beside MD5 and SHA-256, by algorithm; the backend feeds each chunk."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Chunks as they arrive, of at most about 400 KiB.

        Raises:
            IncompleteBody: the client left, or sent less or more than it announced.
            SignatureDoesNotMatch: a chunk signature is wrong.
            InvalidChunk, MalformedTrailerError: the framing is.
            RequestTimeout: no progress for the upload timeout.
        """
        ...

    async def read(self) -> bytes:
        """All of it at once: only for a body whose `size` the caller has checked.

        The hashers are the caller's to feed here too.
        """
        ...

    def verify(self, *, md5: bytes | None = None, sha256: bytes | None = None) -> None:
        """Compare every digest that the client promised with what was computed.

        A backend that always gives both is right. One may be left out only where the client did
        not promise it.

        Raises:
            BadDigest, XAmzContentSHA256Mismatch, InvalidRequest (a trailer that is no checksum).
            ValueError: a promised digest was left out.
        """
        ...

    def checksum(self) -> tuple[str, str] | None:
        """After `verify`: the additional checksum that was proved, as (algorithm, base64)."""
        ...


Payload = bytes | Path | AsyncIterator[bytes]
"""What goes out: ready bytes, a whole file sent by the server itself, or a stream."""


@dataclass(frozen=True, slots=True)
class PartRange:
    """Where part `number` of a multipart object stands."""

    start: int
    length: int
    parts_count: int


class Content(Protocol):
    """An object's bytes as a backend offers them: nothing is read before `open`."""

    @property
    def size(self) -> int: ...

    async def open(self, start: int, length: int) -> Payload:
        """`length` bytes from `start`; both are within the object."""
        ...

    async def part(self, number: int) -> PartRange | None:
        """The range of a part, None if there is no such part; an unparted object is part 1."""
        ...


@dataclass(frozen=True, slots=True)
class BytesContent:
    """Content that is all there."""

    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    async def open(self, start: int, length: int) -> Payload:
        return self.data if length == len(self.data) else self.data[start : start + length]

    async def part(self, number: int) -> PartRange | None:
        return PartRange(0, len(self.data), 1) if number == 1 else None
