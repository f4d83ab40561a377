"""Two transactions held open beside each other, which only PostgreSQL allows."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from vexobj_storage import (
    Damage,
    MemoryBlobStore,
    MetaStore,
    ObjectLock,
    ObjectLocked,
    ObjectStore,
    Retention,
    RetentionActive,
    RetentionMode,
    StoreConfig,
    Versioning,
    open_metadata,
)
from vexobj_storage.metadata import rows
from vexobj_storage.metadata.ops import buckets, deletes, findings, gc, locks, objects, rewriting
from vexobj_storage.metadata.ops.guard import Removal
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


class _Paused:
    """A transaction that has asked its first question, and goes on when it is let."""

    def __init__(self) -> None:
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    def of(self, operation: Any) -> Any:
        async def paused(tx: Tx, *args: Any, **kwargs: Any) -> Any:
            ask = tx.one

            async def one(statement: Any, **values: Any) -> Any:
                row = await ask(statement, **values)
                if not self.asked.is_set():
                    self.asked.set()
                    await self.go.wait()
                return row

            return await operation(_With(tx, one), *args, **kwargs)

        return paused


class _With:
    """A transaction with another `one`."""

    def __init__(self, tx: Tx, one: Any) -> None:
        self.one, self._tx = one, tx

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tx, name)


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


async def test_a_blob_is_not_shared_while_it_goes_to_quarantine(
    store: ObjectStore, metadata: MetaStore
) -> None:
    bucket = await make_bucket(store)
    first = await put(store, bucket, b"key", _BIG)
    assert first.blob_id is not None

    async def record(tx: Tx) -> object:
        found = [findings.Damaged(first.blob_id or b"", Damage.CORRUPT, "it rots")]
        return await findings.record(tx, found, time.time_ns() // 1000, quarantine=True)

    held = _Held(metadata, record)
    second = await held.against(put(store, bucket, b"other", _BIG))
    assert second.blob_id != first.blob_id
    assert await content(store, bucket, b"other") == _BIG
    await invariants(store)


async def test_a_blob_that_is_being_shared_goes_to_quarantine_with_its_new_reference(
    store: ObjectStore, metadata: MetaStore
) -> None:
    bucket = await make_bucket(store)
    first = await put(store, bucket, b"key", _BIG)
    assert first.blob_id is not None
    copy = await _copying(store, metadata, await store.get_object(bucket, b"key"))
    found = [findings.Damaged(first.blob_id, Damage.CORRUPT, "it rots")]
    now_us = time.time_ns() // 1000
    await copy.against(metadata.write(findings.record, found, now_us, quarantine=True))
    await store.trace_findings()
    (finding,) = await store.findings()
    assert [place.key for place in finding.places] == [b"copy", b"key"]
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
        await tx.all(gc._LOCK_BLOBS, ids=entry.id)

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
        locks_at_us=store.clock_guard.now_us_within,
    )
    held = _Held(metadata, objects.copy_object, draft, version, WriteCondition())
    await held._done.wait()
    return held


async def test_who_replaces_a_version_gives_up_the_blob_that_it_has_by_then(
    store: ObjectStore, metadata: MetaStore
) -> None:
    """It was rewritten between the first look and the replacement."""
    bucket = await make_bucket(store)
    old = await put(store, bucket, b"key", _BIG)
    staged = await store.stage(_once(b"other" * 20_000))
    draft = rows.draft(
        bucket, b"key", PLAIN, now_us=time.time_ns() // 1000, size=staged.size,
        etag=staged.md5.hex(), sha256=staged.sha256, locks_at_us=store.clock_guard.now_us_within,
    )  # fmt: skip
    paused = _Paused()
    replacing = asyncio.ensure_future(
        metadata.write(
            paused.of(objects.put_object), draft, staged, WriteCondition(), deduplicate=True
        )
    )
    await paused.asked.wait()
    name = (bucket.id, b"key", old.uid)
    anew = await store.stage(_once(_BIG))
    assert old.blob_id is not None
    assert await metadata.write(
        rewriting.exchange_in_version, name, old.blob_id, anew, draft.now_us
    )
    paused.go.set()
    await replacing
    assert await content(store, bucket, b"key") == b"other" * 20_000
    await invariants(store)


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


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
    held = _Held(metadata, deletes.delete_objects, bucket, names, Removal(1), 1)
    await held.against(put(store, bucket, b"key", b"3"))
    assert len((await store.list_versions(bucket)).versions) == 4
    await invariants(store)


async def test_garbage_queued_twice_at_one_instant_is_not_forgotten(
    store: ObjectStore, metadata: MetaStore
) -> None:
    bucket, now_us = await make_bucket(store), time.time_ns() // 1000
    for key in (b"1", b"2"):
        await put(store, bucket, key, _BIG)
    by = Removal(now_us)
    await metadata.write(deletes.delete_objects, bucket, [ObjectName(b"1")], by, now_us)
    held = _Held(metadata, deletes.delete_objects, bucket, [ObjectName(b"2")], by, now_us)
    await held.against(store.collect_garbage())
    await invariants(store)
    await store.collect_garbage()
    assert await invariants(store) == set()
    assert not [blob async for blob in store._blobs.iterate()]


@pytest.mark.parametrize("versioning", [Versioning.OFF, Versioning.SUSPENDED])
@pytest.mark.parametrize("removal", ["overwritten", "deleted", "purged"])
async def test_what_is_being_locked_is_not(
    store: ObjectStore, metadata: MetaStore, versioning: Versioning, removal: str
) -> None:
    bucket = await make_bucket(store, versioning)
    version = await put(store, bucket, b"key", b"data")
    held = ObjectLock(legal_hold=True)
    lock = (locks.update_lock, bucket, b"key", None, lambda _: held, False, 1)
    removing = {
        "overwritten": put(store, bucket, b"key", b"other"),
        "deleted": store.delete_object(bucket, b"key"),
        "purged": store.purge(bucket, b"key"),
    }
    chosen = removing.pop(removal)
    for other in removing.values():
        other.close()
    with pytest.raises(ObjectLocked):
        await _Held(metadata, *lock).against(chosen)
    found = (await store.get_object(bucket, b"key")).version
    assert (found.uid, found.lock) == (version.uid, held)
    await invariants(store)


async def test_two_extensions_of_a_retention_keep_the_later(
    store: ObjectStore, metadata: MetaStore
) -> None:
    bucket = await make_bucket(store)
    await put(store, bucket, b"key", b"data")
    now = datetime.now(UTC)
    later, sooner = (
        ObjectLock(Retention(RetentionMode.COMPLIANCE, now + timedelta(days=days)))
        for days in (2, 1)
    )
    lock = (locks.update_lock, bucket, b"key", None, lambda _: later, False, rows.to_us(now))
    with pytest.raises(RetentionActive):
        await _Held(metadata, *lock).against(
            store.update_lock(bucket, b"key", None, lambda _: sooner)
        )
    assert (await store.get_object(bucket, b"key")).version.lock == later
