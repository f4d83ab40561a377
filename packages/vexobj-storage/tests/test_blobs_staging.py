"""Staging: digests, thresholds, announced sizes, and nothing left behind."""

import asyncio
import hashlib
import itertools
import os
import threading
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vexobj_storage.blobs.base import BlobWriter, Through
from vexobj_storage.blobs.local import LocalBlobStore
from vexobj_storage.blobs.memory import MemoryBlobStore
from vexobj_storage.blobs.testing import get_blob
from vexobj_storage.errors import EntityTooLarge, SizeMismatch
from vexobj_storage.files import Buffer
from vexobj_storage.staging import stage, stage_bytes
from vexobj_storage.types import StagedContent

_INLINE = 16 * 1024
_MAX = 1 << 40


async def stream(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def files_under(path: Path) -> list[Path]:
    return [found for found in path.rglob("*") if found.is_file()]


class Crc32:
    """A caller's hasher; notes the threads it ran in."""

    def __init__(self) -> None:
        self.value = 0
        self.threads: set[int] = set()

    def update(self, data: bytes, /) -> None:
        assert type(data) is bytes
        self.threads.add(threading.get_ident())
        self.value = zlib.crc32(data, self.value)

    def digest(self) -> bytes:
        return self.value.to_bytes(4, "big")


async def content_of(blobs: MemoryBlobStore, staged: StagedContent) -> bytes:
    if staged.inline is not None:
        return staged.inline
    return await get_blob(blobs, staged.blob_id, 0, staged.size)


@given(
    sizes=st.lists(
        st.one_of(st.integers(0, 100), st.integers(0, 400_000), st.just(_INLINE)), max_size=8
    ),
    inline_max_bytes=st.sampled_from([0, 1, _INLINE, 300_000]),
)
def test_digests_and_bytes(sizes: list[int], inline_max_bytes: int) -> None:
    data = bytes(itertools.islice(itertools.cycle(range(251)), sum(sizes)))
    offsets = list(itertools.accumulate(sizes, initial=0))
    chunks = [data[start:end] for start, end in itertools.pairwise(offsets)]

    async def check() -> None:
        blobs, crc = MemoryBlobStore(), Crc32()
        staged = await stage(
            blobs,
            stream(chunks),
            inline_max_bytes=inline_max_bytes,
            max_bytes=len(data),
            size=len(data),
            hashers={"CRC32": crc},
        )
        assert staged.size == len(data)
        assert staged.md5 == hashlib.md5(data).digest()
        assert staged.sha256 == hashlib.sha256(data).digest()
        assert crc.value == zlib.crc32(data)
        assert (staged.inline is not None) == (len(data) <= inline_max_bytes)
        assert await content_of(blobs, staged) == data

    asyncio.run(check())


def test_stage_bytes() -> None:
    staged = stage_bytes(b"small")
    assert (staged.size, staged.inline) == (5, b"small")
    assert staged.md5 == hashlib.md5(b"small").digest()
    assert staged.sha256 == hashlib.sha256(b"small").digest()
    assert stage_bytes(b"small", sha256=b"s" * 32).sha256 == b"s" * 32
    assert len(staged.blob_id) == 16
    assert stage_bytes(b"small").blob_id != staged.blob_id


@pytest.mark.parametrize("size", [0, 1, 2046, 2047, 2048, 4096, 16_384])
def test_bytes_are_digested_whole(size: int) -> None:
    data = os.urandom(size)
    staged = stage_bytes(data)
    assert staged.md5 == hashlib.md5(data, usedforsecurity=False).digest()
    assert staged.sha256 == hashlib.sha256(data).digest()


async def test_small_content_opens_no_file(tmp_path: Path) -> None:
    blobs = LocalBlobStore(tmp_path / "data")
    crc = Crc32()
    staged = await stage(
        blobs,
        stream([b"x" * 1000] * 16),
        inline_max_bytes=_INLINE,
        max_bytes=_MAX,
        hashers={"CRC32": crc},
    )
    assert staged.inline == b"x" * 16_000
    assert crc.threads == {threading.get_ident()}
    assert [found async for found in blobs.iterate()] == []
    await blobs.close()


async def test_large_content_is_hashed_off_the_loop(tmp_path: Path) -> None:
    blobs = LocalBlobStore(tmp_path / "data")
    crc = Crc32()
    staged = await stage(
        blobs,
        stream([os.urandom(320 * 1024)] * 4),
        inline_max_bytes=_INLINE,
        max_bytes=_MAX,
        hashers={"CRC32": crc},
    )
    assert staged.inline is None
    assert threading.get_ident() not in crc.threads
    await blobs.close()


class CountingStore(MemoryBlobStore):
    def __init__(self) -> None:
        super().__init__()
        self.writes: list[int] = []
        self.aborted = 0

    def create(self, blob_id: bytes, size: int | None = None) -> BlobWriter:
        return CountingWriter(self, super().create(blob_id, size))


class CountingWriter:
    def __init__(self, store: CountingStore, inner: BlobWriter) -> None:
        self._store = store
        self._inner = inner

    async def write(self, chunk: Buffer, through: Through | None = None) -> None:
        self._store.writes.append(len(chunk))
        await self._inner.write(chunk, through)

    async def commit(self) -> None:
        await self._inner.commit()

    async def abort(self) -> None:
        self._store.aborted += 1
        await self._inner.abort()


async def test_one_write_per_large_chunk_and_few_for_small_ones() -> None:
    blobs = CountingStore()
    await stage(blobs, stream([b"x" * 320_000] * 5), inline_max_bytes=_INLINE, max_bytes=_MAX)
    assert blobs.writes == [320_000] * 5
    blobs.writes.clear()
    await stage(blobs, stream([b"x"] * 300_000), inline_max_bytes=_INLINE, max_bytes=_MAX)
    assert sum(blobs.writes) == 300_000
    assert len(blobs.writes) == 3


@pytest.mark.parametrize(
    ("sizes", "announced", "maximum", "condition"),
    [
        ([10], 11, _MAX, SizeMismatch),
        ([10], 9, _MAX, SizeMismatch),
        ([], 1, _MAX, SizeMismatch),
        ([200_000] * 3, 600_001, _MAX, SizeMismatch),
        ([200_000] * 3, 599_999, _MAX, SizeMismatch),
        ([200_000] * 3, None, 599_999, EntityTooLarge),
        ([200_000] * 3, 600_000, 599_999, EntityTooLarge),
        ([10], None, 9, EntityTooLarge),
    ],
)
async def test_wrong_sizes(
    sizes: list[int], announced: int | None, maximum: int, condition: type[Exception]
) -> None:
    blobs = CountingStore()
    with pytest.raises(condition):
        await stage(
            blobs,
            stream(b"x" * size for size in sizes),
            inline_max_bytes=_INLINE,
            max_bytes=maximum,
            size=announced,
        )
    assert [found async for found in blobs.iterate()] == []
    assert blobs.aborted == bool(blobs.writes)


async def test_too_large_is_known_before_the_first_chunk() -> None:
    chunks = stream([b"first"])
    with pytest.raises(EntityTooLarge):
        await stage(MemoryBlobStore(), chunks, inline_max_bytes=_INLINE, max_bytes=99, size=100)
    assert await anext(chunks) == b"first"


async def test_an_error_of_the_stream_leaves_nothing(tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 400_000
        raise ConnectionResetError

    blobs = LocalBlobStore(tmp_path / "data")
    with pytest.raises(ConnectionResetError):
        await stage(blobs, broken(), inline_max_bytes=_INLINE, max_bytes=_MAX)
    await blobs.close()
    assert files_under(tmp_path) == []


async def test_cancellation_leaves_nothing(tmp_path: Path) -> None:
    stalled = asyncio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        yield b"x" * 400_000
        stalled.set()
        await asyncio.Event().wait()

    blobs = LocalBlobStore(tmp_path / "data")
    task = asyncio.create_task(stage(blobs, stalling(), inline_max_bytes=_INLINE, max_bytes=_MAX))
    await stalled.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await blobs.close()
    assert files_under(tmp_path) == []


async def test_memory_is_constant(tmp_path: Path) -> None:
    async def large() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield bytes(320 * 1024)

    blobs = LocalBlobStore(tmp_path / "data")
    tracemalloc.start()
    try:
        await stage(blobs, large(), inline_max_bytes=_INLINE, max_bytes=_MAX)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    await blobs.close()
    assert peak < 4 * 1024**2
