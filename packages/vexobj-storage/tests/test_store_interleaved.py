"""Two transactions held open beside each other, which only PostgreSQL allows."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from vexobj_storage import (
    MemoryBlobStore,
    MetaStore,
    ObjectStore,
    StoreConfig,
    Versioning,
    open_metadata,
)
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import buckets, deletes, gc, objects
from vexobj_storage.metadata.tx import Tx
from vexobj_storage.testing import invariants
from vexobj_storage.testing.helpers import PLAIN, content, make_bucket, put
from vexobj_storage.types import BucketChange, ObjectName, StoredObject, WriteCondition

_BIG = b"same bytes " * 4096
_LONG_ENOUGH_SECONDS = 0.2
"""What does not wait for a lock has ended by then; a test that waits in vain only proves less."""


@pytest.fixture
async def metadata(tmp_path: Path, postgres_url: str) -> AsyncIterator[MetaStore]:
    engine = await open_metadata(tmp_path, postgres_url)
    yield engine
    await engine.close()


@pytest.fixture
def store(tmp_path: Path, metadata: MetaStore) -> ObjectStore:
    return ObjectStore(StoreConfig(tmp_path, gc_grace=timedelta(0)), metadata, MemoryBlobStore())


class _Held:
    """An operation that has done its work and has not committed."""

    def __init__(self, metadata: MetaStore, operation: Any, *args: Any) -> None:
        self._done, self._go = asyncio.Event(), asyncio.Event()

        async def held(tx: Tx) -> Any:
            answer = await operation(tx, *args)
            self._done.set()
            await self._go.wait()
            return answer

        self._task = asyncio.ensure_future(metadata.write(held))

    async def against(self, other: Any) -> Any:
        """Start `other` beside it, then let it commit; what `other` answers."""
        await self._done.wait()
        beside = asyncio.ensure_future(other)
        await asyncio.wait({beside}, timeout=_LONG_ENOUGH_SECONDS)
        self._go.set()
        await self._task
        return await beside


async def test_a_blob_is_not_shared_while_it_is_condemned(
    store: ObjectStore, metadata: MetaStore
) -> None:
    bucket = await make_bucket(store)
    first = await put(store, bucket, b"key", _BIG)
    await store.delete_object(bucket, b"key")
    held = _Held(metadata, gc.collect, time.time_ns() // 1000, 0, 100)
    second = await held.against(put(store, bucket, b"key", _BIG))
    assert second.blob_id != first.blob_id
    await store.collect_garbage()
    assert await content(store, bucket, b"key") == _BIG
    assert await invariants(store) == set()


async def test_a_blob_is_not_condemned_while_it_is_shared(
    store: ObjectStore, metadata: MetaStore
) -> None:
    bucket = await make_bucket(store)
    await put(store, bucket, b"key", _BIG)
    source = await store.get_object(bucket, b"key")
    copy = await _copying(store, metadata, source)
    await store.delete_object(bucket, b"key")
    report = await copy.against(store.collect_garbage())
    assert report.condemned == 0
    assert await content(store, bucket, b"copy") == _BIG
    await invariants(store)


async def test_collectors_take_their_locks_in_one_order(
    store: ObjectStore, metadata: MetaStore
) -> None:
    """One looks at what another forgets: neither ends the other's transaction."""
    bucket = await make_bucket(store)
    await put(store, bucket, b"key", _BIG)
    await store.delete_object(bucket, b"key")
    now_us = time.time_ns() // 1000
    await metadata.write(gc.collect, now_us, 0, 100)
    ((entry, _),) = (await metadata.write(gc.collect, now_us, 0, 100)).removable
    found, forgetting, begun = asyncio.Event(), asyncio.Event(), []

    async def look(tx: Tx) -> None:
        begun.append("look")
        await tx.all(gc._DUE, now_us=now_us, limit=100)
        found.set()
        await forgetting.wait()
        await tx.one(gc._LOCK_BLOB, blob_id=entry.id)

    async def forget(tx: Tx) -> tuple[int, int]:
        begun.append("forget")
        return await gc.forget(tx, [entry])

    looking = asyncio.ensure_future(metadata.write(look))
    await found.wait()
    other = asyncio.ensure_future(metadata.write(forget))
    await asyncio.wait({other}, timeout=_LONG_ENOUGH_SECONDS)
    forgetting.set()
    await asyncio.gather(looking, other)
    assert begun == ["look", "forget"]
    assert await invariants(store) == {entry.id}


async def _copying(store: ObjectStore, metadata: MetaStore, source: StoredObject) -> _Held:
    version = source.version
    draft = rows.draft(
        await store.bucket("bucket"),
        b"copy",
        PLAIN,
        now_us=1,
        size=version.size,
        etag=version.etag,
        sha256=version.sha256,
    )
    held = _Held(metadata, objects.copy_object, draft, version, WriteCondition())
    await held._done.wait()
    return held


async def test_a_bucket_is_configured_after_the_writes_under_way(
    store: ObjectStore, metadata: MetaStore
) -> None:
    bucket = await make_bucket(store)
    await put(store, bucket, b"key", b"1")
    enable = BucketChange(versioning=Versioning.ENABLED)
    held = _Held(metadata, buckets.update_bucket, "bucket", enable)
    version = await held.against(put(store, bucket, b"key", b"2"))
    assert version.version_id != "null"
    names = [ObjectName(b"key")]
    held = _Held(metadata, deletes.delete_objects, bucket, names, "", 1)
    await held.against(put(store, bucket, b"key", b"3"))
    assert len((await store.list_versions(bucket)).versions) == 4
    await invariants(store)


async def test_garbage_queued_twice_at_one_instant_is_not_forgotten(
    store: ObjectStore, metadata: MetaStore
) -> None:
    bucket, now_us = await make_bucket(store), time.time_ns() // 1000
    for key in (b"1", b"2"):
        await put(store, bucket, key, _BIG)
    await metadata.write(deletes.delete_objects, bucket, [ObjectName(b"1")], "", now_us)
    held = _Held(metadata, deletes.delete_objects, bucket, [ObjectName(b"2")], "", now_us)
    await held.against(store.collect_garbage())
    await invariants(store)
    await store.collect_garbage()
    assert await invariants(store) == set()
    assert not [blob async for blob in store._blobs.iterate()]
