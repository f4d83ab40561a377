"""Upkeep on a medium that does not do what it is asked."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from vexobj_storage import MemoryBlobStore, MetaStore, ObjectStore, OutOfSpace, StoreConfig
from vexobj_storage.testing.clocks import ManualClock
from vexobj_storage.testing.helpers import PLAIN, chunks, make_bucket, put

_BIG = b"bytes" * 10_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(
    tmp_path: Path, metadata: MetaStore, clock: ManualClock
) -> AsyncIterator[ObjectStore]:
    store = ObjectStore(StoreConfig(tmp_path), metadata, MemoryBlobStore(), clock.now, clock.ticks)
    yield store
    await store.close()


async def test_a_clock_that_jumps_ahead_ends_no_grace(
    store: ObjectStore, clock: ManualClock
) -> None:
    bucket = await make_bucket(store)
    await put(store, bucket, b"key", _BIG)
    await store.clock_guard.record()
    await store.delete_object(bucket, b"key")
    assert (await store.collect_garbage()).condemned == 1
    clock.jump(timedelta(days=400))
    assert (await store.collect_garbage()).removed == 0
    clock.advance(timedelta(minutes=11))
    assert (await store.collect_garbage()).removed == 1


async def test_what_a_wrong_clock_put_off_is_collected_once_it_is_right(
    store: ObjectStore, clock: ManualClock
) -> None:
    bucket = await make_bucket(store)
    await store.clock_guard.record()
    clock.jump(timedelta(days=400))
    await store.clock_guard.accept()
    for key in (b"condemned", b"dropped"):
        await put(store, bucket, key, _BIG + key)
    upload = await store.create_upload(bucket, b"upload", PLAIN)
    await store.put_part(upload, 1, await store.stage(chunks(_BIG)))
    await store.abort_upload(bucket, b"upload", upload.upload_id)
    await store.delete_object(bucket, b"condemned")
    await store.collect_garbage()
    await store.delete_object(bucket, b"dropped")
    clock.jump(-timedelta(days=400))
    await store.clock_guard.accept()
    removed = 0
    for _ in range(4):
        removed += (await store.collect_garbage()).removed
        clock.advance(timedelta(minutes=11))
    assert removed == 3


async def test_a_blob_that_cannot_be_removed_holds_up_no_other(tmp_path: Path) -> None:
    store = await ObjectStore.open(StoreConfig(tmp_path, gc_grace=timedelta(0)))
    bucket = await make_bucket(store)
    for name in (b"stuck", b"free"):
        await put(store, bucket, name, name * 10_000)
    path = store.path(await store.get_object(bucket, b"stuck"))
    assert path is not None
    path.unlink()
    path.mkdir()  # what a medium that refuses to unlink looks like, to root too
    for name in (b"stuck", b"free"):
        await store.delete_object(bucket, name)
    removed = 0
    for _ in range(4):
        removed += (await store.collect_garbage()).removed
    assert removed == 1
    path.rmdir()
    assert (await store.collect_garbage()).removed == 1
    await store.close()


async def test_small_parts_do_not_take_the_room_kept_for_deletions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await ObjectStore.open(StoreConfig(tmp_path))
    bucket = await make_bucket(store)
    await put(store, bucket, b"source", b"bytes")
    source = await store.get_object(bucket, b"source")
    upload = await store.create_upload(bucket, b"key", PLAIN)
    await store.close()
    store = await ObjectStore.open(StoreConfig(tmp_path))
    told = list(os.statvfs(tmp_path))
    told[4] = 0  # f_bavail
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result(told))
    with pytest.raises(OutOfSpace):
        await store.put_part(upload, 1, store.stage_bytes(b"part"))
    with pytest.raises(OutOfSpace):
        await store.copy_part(upload, 1, source, 0, 5)
    await store.abort_upload(bucket, b"key", upload.upload_id)
    await store.delete_object(bucket, b"source")
    await store.close()
