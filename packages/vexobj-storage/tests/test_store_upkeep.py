"""Upkeep on a medium that does not do what it is asked."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from vexobj_storage import ObjectStore, OutOfSpace, StoreConfig
from vexobj_storage.testing.helpers import PLAIN, make_bucket, put


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
