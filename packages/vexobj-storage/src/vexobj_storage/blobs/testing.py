"""What every BlobStore must do, as functions that take an empty store and raise AssertionError.

@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
async def test_contract(check, store):
    await check(store)
"""

import os
import threading
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from vexobj_storage.blobs.base import BlobStore
from vexobj_storage.errors import BlobCorrupt, BlobMissing, WriteFailed
from vexobj_storage.files import Buffer
from vexobj_storage.ids import new_id

BlobCheck = Callable[[BlobStore], Awaitable[None]]

_MIB = 1024**2


async def put_blob(store: BlobStore, data: bytes, *, chunk_bytes: int = 320 * 1024) -> bytes:
    """Commit `data` under a new id."""
    blob_id = new_id()
    writer = store.create(blob_id, len(data))
    for start in range(0, len(data), chunk_bytes):
        await writer.write(data[start : start + chunk_bytes])
    await writer.commit()
    return blob_id


async def get_blob(store: BlobStore, blob_id: bytes, offset: int, length: int) -> bytes:
    """Read a range whole."""
    async with aclosing(store.open(blob_id, offset, length)) as stream:
        return b"".join([chunk async for chunk in stream])


async def reads_back_what_was_written(store: BlobStore) -> None:
    for size in (0, 1, 4096, 320 * 1024, 3 * _MIB + 7):
        data = os.urandom(size)
        blob_id = await put_blob(store, data)
        assert await get_blob(store, blob_id, 0, size) == data
        found = await store.stat(blob_id)
        assert found is not None
        assert (found.blob_id, found.size) == (blob_id, size)
        assert abs(found.modified_at - datetime.now(UTC)) < timedelta(minutes=1)


async def reads_ranges_in_bounded_chunks(store: BlobStore) -> None:
    data = os.urandom(2 * _MIB + 11)
    blob_id = await put_blob(store, data)
    for offset, length in ((0, 1), (_MIB - 1, 2), (5, 2 * _MIB), (len(data) - 1, 1), (3, 0)):
        async with aclosing(store.open(blob_id, offset, length)) as stream:
            chunks = [chunk async for chunk in stream]
        assert b"".join(chunks) == data[offset : offset + length]
        assert all(0 < len(chunk) <= _MIB for chunk in chunks)


async def accepts_any_buffer(store: BlobStore) -> None:
    blob_id = new_id()
    writer = store.create(blob_id)
    await writer.write(b"one ")
    await writer.write(bytearray(b"two "))
    await writer.write(memoryview(b"xthree")[1:])
    await writer.commit()
    assert await get_blob(store, blob_id, 0, 13) == b"one two three"


async def stores_what_through_returns(store: BlobStore) -> None:
    seen: list[bytes] = []

    def through(chunk: Buffer) -> Buffer:
        seen.append(bytes(chunk))
        return bytes(chunk).upper()

    blob_id = new_id()
    writer = store.create(blob_id)
    for chunk in (b"a", b"b" * 400_000, b"c"):
        await writer.write(chunk, through)
    await writer.commit()
    assert seen == [b"a", b"b" * 400_000, b"c"]
    assert await get_blob(store, blob_id, 0, 400_002) == b"A" + b"B" * 400_000 + b"C"


async def an_error_of_through_passes_through(store: BlobStore) -> None:
    def through(chunk: Buffer) -> Buffer:
        raise LookupError(len(chunk))

    writer = store.create(blob_id := new_id())
    assert isinstance(await _error_of(writer.write(b"abc", through)), LookupError)
    await writer.abort()
    assert await store.stat(blob_id) is None


async def shows_nothing_before_commit(store: BlobStore) -> None:
    blob_id = new_id()
    writer = store.create(blob_id)
    await writer.write(b"x" * _MIB)
    assert await store.stat(blob_id) is None
    assert store.read_now(blob_id, 0, 1) is None
    assert [found async for found in store.iterate()] == []
    await _is_missing(store, blob_id)
    await writer.commit()
    assert await get_blob(store, blob_id, 0, _MIB) == b"x" * _MIB


async def abort_leaves_nothing(store: BlobStore) -> None:
    blob_id = new_id()
    writer = store.create(blob_id)
    await writer.write(b"x" * _MIB)
    await writer.abort()
    await writer.abort()
    await _is_missing(store, blob_id)
    assert await store.sweep(datetime.now(UTC) + timedelta(days=1)) == 0
    for call in (writer.commit(), writer.write(b"more")):
        assert isinstance(await _error_of(call), WriteFailed), "a closed writer took a call"


async def abort_after_commit_does_nothing(store: BlobStore) -> None:
    blob_id = new_id()
    writer = store.create(blob_id)
    await writer.write(b"kept")
    await writer.commit()
    await writer.abort()
    assert await get_blob(store, blob_id, 0, 4) == b"kept"


async def never_ends_short_in_peace(store: BlobStore) -> None:
    blob_id = await put_blob(store, b"x" * 700_000)
    for offset, length in ((0, 700_001), (699_999, 2), (700_000, 1), (10**9, 1)):
        error = await _error_of(get_blob(store, blob_id, offset, length))
        assert isinstance(error, BlobCorrupt), f"{length} bytes from {offset} ended in peace"
        assert error.blob_id == blob_id.hex()
        assert store.read_now(blob_id, offset, length) is None


async def knows_what_is_missing(store: BlobStore) -> None:
    blob_id = new_id()
    await _is_missing(store, blob_id)
    assert await store.stat(blob_id) is None
    assert store.read_now(blob_id, 0, 1) is None
    await store.delete(blob_id)


async def deletes(store: BlobStore) -> None:
    blob_id = await put_blob(store, b"gone")
    other = await put_blob(store, b"kept")
    assert await store.delete(blob_id) is True
    await store.delete(blob_id)
    await _is_missing(store, blob_id)
    assert await get_blob(store, other, 0, 4) == b"kept"


async def a_started_read_survives_delete(store: BlobStore) -> None:
    data = os.urandom(4 * _MIB)
    blob_id = await put_blob(store, data)
    async with aclosing(store.open(blob_id, 0, len(data))) as stream:
        received = await anext(stream)
        await store.delete(blob_id)
        async for chunk in stream:
            received += chunk
    assert received == data


async def iterates_over_all(store: BlobStore) -> None:
    sizes = {await put_blob(store, b"x" * size): size for size in range(1, 40)}
    assert {found.blob_id: found.size async for found in store.iterate()} == sizes
    async with aclosing(store.iterate()) as some:
        await anext(some)


async def a_read_may_stop_early(store: BlobStore) -> None:
    blob_id = await put_blob(store, b"x" * 4 * _MIB)
    for _ in range(20):
        async with aclosing(store.open(blob_id, 0, 4 * _MIB)) as stream:
            await anext(stream)


async def read_now_gives_exactly_the_range_or_nothing(store: BlobStore) -> None:
    data = os.urandom(300_000)
    blob_id = await put_blob(store, data)
    for offset, length in ((0, 1), (0, 300_000), (4095, 2), (299_999, 1)):
        assert store.read_now(blob_id, offset, length) in (None, data[offset : offset + length])


async def writers_do_not_meet(store: BlobStore) -> None:
    """Interleaved writers, each seeing its own `through` calls one at a time."""
    active = threading.Lock()

    def through(chunk: Buffer) -> Buffer:
        assert active.acquire(blocking=False)
        active.release()
        return chunk

    writers = {(blob_id := new_id()): store.create(blob_id) for _ in range(5)}
    for round_number in range(4):
        for number, writer in enumerate(writers.values()):
            await writer.write(bytes([number, round_number]) * 1000, through)
    for number, (blob_id, writer) in enumerate(writers.items()):
        await writer.commit()
        expected = b"".join(bytes([number, turn]) * 1000 for turn in range(4))
        assert await get_blob(store, blob_id, 0, 8000) == expected


CONTRACT: tuple[BlobCheck, ...] = (
    reads_back_what_was_written,
    reads_ranges_in_bounded_chunks,
    accepts_any_buffer,
    stores_what_through_returns,
    an_error_of_through_passes_through,
    shows_nothing_before_commit,
    abort_leaves_nothing,
    abort_after_commit_does_nothing,
    never_ends_short_in_peace,
    knows_what_is_missing,
    deletes,
    a_started_read_survives_delete,
    iterates_over_all,
    a_read_may_stop_early,
    read_now_gives_exactly_the_range_or_nothing,
    writers_do_not_meet,
)


async def _is_missing(store: BlobStore, blob_id: bytes) -> None:
    error = await _error_of(get_blob(store, blob_id, 0, 1))
    assert isinstance(error, BlobMissing), "a blob that is not there was read"
    assert error.blob_id == blob_id.hex()


async def _error_of(call: Awaitable[object]) -> Exception | None:
    try:
        await call
    except Exception as error:  # noqa: BLE001 - the caller looks at it
        return error
    return None
