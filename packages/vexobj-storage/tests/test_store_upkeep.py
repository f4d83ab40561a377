"""Upkeep on a medium that does not do what it is asked."""

from datetime import timedelta
from pathlib import Path

from vexobj_storage import ObjectStore, StoreConfig
from vexobj_storage.testing.helpers import make_bucket, put


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
