"""An object's bytes out of its segments, in constant memory."""

from bisect import bisect_right
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Protocol

from vexobj_storage.blobs.base import BlobStore
from vexobj_storage.errors import BlobCorrupt
from vexobj_storage.types import Segment

InlineBytes = Callable[[bytes], Awaitable[bytes | None]]
"""The bytes of a blob that lives in the metadata store; None if it does not."""


class Readable(Protocol):
    """What is asked of a BlobStore, or of what opens its blobs."""

    def open(self, blob_id: bytes, offset: int, length: int) -> AsyncGenerator[bytes, None]: ...


async def read_segments(
    blobs: Readable,
    segments: Sequence[Segment],
    start: int,
    length: int,
    *,
    inline: InlineBytes | None = None,
) -> AsyncGenerator[bytes, None]:
    """Stream `length` bytes of the object from `start`, in chunks of at most 1 MiB.

    `segments` are in order of `start` and without gaps. `inline` is asked for each blob, when it
    is reached, before the store is; leave it out when no segment is inline. `aclose` the stream
    to stop early.

    Raises:
        BlobMissing: a blob is nowhere.
        BlobCorrupt: a blob, or the list of segments, is too short; never a silent short stream.
    """
    index = max(bisect_right(segments, start, key=_start) - 1, 0)
    while length:
        if index >= len(segments):
            last = segments[-1].blob_id.hex() if segments else ""
            raise BlobCorrupt(last, f"the segments end {length} bytes too early")
        segment = segments[index]
        skipped = start - segment.start
        taken = min(length, segment.length - skipped)
        if taken > 0:
            data = None if inline is None else await inline(segment.blob_id)
            if data is None:
                stream = blobs.open(segment.blob_id, segment.offset + skipped, taken)
                async with aclosing(_exactly(stream, segment.blob_id, taken)) as exact:
                    async for chunk in exact:
                        yield chunk
            else:
                yield _slice(data, segment, skipped, taken)
            start += taken
            length -= taken
        index += 1


def read_segment_now(blobs: BlobStore, segment: Segment, start: int, length: int) -> bytes | None:
    """A range of the object that lies within `segment`, if it can be had without waiting."""
    return blobs.read_now(segment.blob_id, segment.offset + start - segment.start, length)


def _start(segment: Segment) -> int:
    return segment.start


def _slice(data: bytes, segment: Segment, skipped: int, length: int) -> bytes:
    offset = segment.offset + skipped
    piece = data[offset : offset + length]
    if len(piece) < length:
        raise BlobCorrupt(segment.blob_id.hex(), f"{length - len(piece)} bytes are missing")
    return piece


async def _exactly(
    stream: AsyncGenerator[bytes, None], blob_id: bytes, length: int
) -> AsyncGenerator[bytes, None]:
    """A store that ends early, or gives too much, must not shift what follows."""
    async with aclosing(stream):
        async for chunk in stream:
            length -= len(chunk)
            if length < 0:
                raise BlobCorrupt(blob_id.hex(), f"{-length} bytes too many")
            yield chunk
    if length:
        raise BlobCorrupt(blob_id.hex(), f"{length} bytes are missing")
