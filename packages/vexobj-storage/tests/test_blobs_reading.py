"""Ranges over segments."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vexobj_storage.blobs.memory import MemoryBlobStore
from vexobj_storage.blobs.testing import put_blob
from vexobj_storage.errors import BlobCorrupt, BlobMissing
from vexobj_storage.ids import new_id
from vexobj_storage.reading import InlineBytes, read_segment_now, read_segments
from vexobj_storage.types import Segment


def inline_from(stored: dict[bytes, bytes]) -> InlineBytes:
    async def inline(blob_id: bytes) -> bytes | None:
        return stored.get(blob_id)

    return inline


async def collect(stream: AsyncGenerator[bytes, None]) -> bytes:
    async with aclosing(stream):
        return b"".join([chunk async for chunk in stream])


@given(data=st.data())
def test_any_range_of_any_segments(data: st.DataObject) -> None:
    layout = data.draw(
        st.lists(
            st.tuples(
                st.booleans(),
                st.integers(0, 50),
                st.one_of(st.integers(0, 60), st.integers(1_000_000, 1_200_000)),
            ),
            min_size=1,
            max_size=6,
        )
    )
    total = sum(length for _, _, length in layout)
    start = data.draw(st.integers(0, total))
    length = data.draw(st.integers(0, total - start))

    async def check() -> None:
        blobs, stored, segments, whole = MemoryBlobStore(), dict[bytes, bytes](), [], b""
        for is_inline, offset, size in layout:
            content = os.urandom(offset + size + 3)
            if is_inline:
                stored[blob_id := new_id()] = content
            else:
                blob_id = await put_blob(blobs, content)
            segments.append(Segment(len(whole), blob_id, offset, size))
            whole += content[offset : offset + size]
        stream = read_segments(blobs, segments, start, length, inline=inline_from(stored))
        assert await collect(stream) == whole[start : start + length]

    asyncio.run(check())


async def test_now() -> None:
    blobs = MemoryBlobStore()
    blob_id = await put_blob(blobs, b"0123456789")
    segment = Segment(100, blob_id, 2, 5)
    assert read_segment_now(blobs, segment, 101, 3) == b"345"
    assert read_segment_now(blobs, Segment(0, new_id(), 0, 5), 0, 5) is None


async def test_a_missing_blob_is_told() -> None:
    blobs = MemoryBlobStore()
    segments = [
        Segment(0, await put_blob(blobs, b"12345"), 0, 5),
        Segment(5, missing := new_id(), 0, 5),
    ]
    assert await collect(read_segments(blobs, segments, 0, 5)) == b"12345"
    with pytest.raises(BlobMissing) as raised:
        await collect(read_segments(blobs, segments, 0, 6))
    assert raised.value.blob_id == missing.hex()


class LyingStore(MemoryBlobStore):
    """Ends early, or gives more, without a word."""

    def __init__(self, difference: int) -> None:
        super().__init__()
        self._difference = difference

    async def open(self, blob_id: bytes, offset: int, length: int) -> AsyncGenerator[bytes, None]:
        del blob_id, offset
        yield bytes(length + self._difference)


@pytest.mark.parametrize("difference", [-1, 1])
async def test_a_lying_store_is_found_out(difference: int) -> None:
    with pytest.raises(BlobCorrupt):
        await collect(read_segments(LyingStore(difference), [Segment(0, new_id(), 0, 9)], 0, 9))


async def test_short_inline_bytes_and_short_manifests_are_corrupt() -> None:
    blobs = MemoryBlobStore()
    blob_id = new_id()
    segments = [Segment(0, blob_id, 0, 5)]
    with pytest.raises(BlobCorrupt):
        await collect(read_segments(blobs, segments, 0, 5, inline=inline_from({blob_id: b"123"})))
    stored = inline_from({blob_id: b"12345"})
    with pytest.raises(BlobCorrupt):
        await collect(read_segments(blobs, segments, 0, 6, inline=stored))
    with pytest.raises(BlobCorrupt):
        await collect(read_segments(blobs, [], 0, 1, inline=stored))


async def test_stopping_early_closes_the_blob_stream() -> None:
    closed = asyncio.Event()

    class WatchedStore(MemoryBlobStore):
        async def open(
            self, blob_id: bytes, offset: int, length: int
        ) -> AsyncGenerator[bytes, None]:
            try:
                async for chunk in super().open(blob_id, offset, length):
                    yield chunk
            finally:
                closed.set()

    blobs = WatchedStore()
    blob_id = await put_blob(blobs, bytes(2_000_000))
    stream = read_segments(blobs, [Segment(0, blob_id, 0, 2_000_000)], 0, 2_000_000)
    async with aclosing(stream):
        await anext(stream)
    assert closed.is_set()
