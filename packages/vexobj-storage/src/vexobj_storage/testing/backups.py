"""Backups of a store that is in use, and stores made of them."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from vexobj_storage.backups.checking import verify_backup
from vexobj_storage.backups.making import BackupOptions
from vexobj_storage.backups.restoring import restore
from vexobj_storage.backups.target import BackupTarget
from vexobj_storage.blobs.base import BlobStore
from vexobj_storage.core import StoreConfig
from vexobj_storage.errors import StoreNotEmpty
from vexobj_storage.locks import ObjectLock, Retention, RetentionMode
from vexobj_storage.sealing.keys import MasterKey
from vexobj_storage.store import ObjectStore
from vexobj_storage.testing.helpers import (
    chunks,
    complete,
    content,
    make_bucket,
    put,
    put_locked,
    put_part,
)
from vexobj_storage.testing.invariants import invariants
from vexobj_storage.types import Bucket, ObjectAttributes, Versioning

BIG = 100_000
_MASTER = (MasterKey(b"m" * 32),)


async def census(store: ObjectStore) -> dict[str, Any]:
    """All that clients can see of a store."""
    seen: dict[str, Any] = {}
    for bucket in (await store.list_buckets()).items:
        page = await store.list_versions(bucket)
        assert page.next_key is None
        versions = [
            await _version(store, bucket, each.key, each.version_id) for each in page.versions
        ]
        uploads = (await store.list_uploads(bucket)).uploads
        seen[bucket.name] = (replace(bucket, quota=None), versions, uploads)
    return seen


async def _version(store: ObjectStore, bucket: Bucket, key: bytes, version_id: str) -> Any:
    stored = await store.get_object(bucket, key, version_id)
    data = b""
    if not stored.version.is_delete_marker:
        data = b"".join([chunk async for chunk in store.read(stored)])
    return stored.version, data


async def fill(store: ObjectStore) -> None:
    """A little of everything."""
    plain = await make_bucket(store, name="plain")
    await put(store, plain, b"small", b"a few bytes")
    await put(store, plain, b"large", os.urandom(BIG))
    await put(store, plain, "käse/ü".encode(), b"")
    staged = await store.stage(chunks(b"told" * 9000))
    told = ObjectAttributes(
        "image/jpeg", {"cache-control": "no-store"}, {"who": "me"}, "owner", tags={"a": "b"}
    )
    await store.put_object(plain, b"described", staged, told)
    upload = await store.create_upload(plain, b"parts", told)
    parts = [await put_part(store, upload, n, os.urandom(BIG)) for n in (1, 2)]
    await complete(store, plain, upload, parts)
    opened = await store.create_upload(plain, b"unfinished", told)
    await put_part(store, opened, 1, os.urandom(BIG))
    kept = await make_bucket(store, Versioning.ENABLED, name="kept")
    for number in range(3):
        await put(store, kept, b"key", bytes([number]) * BIG)
    await put(store, kept, b"gone", b"gone" * BIG)
    await store.delete_object(kept, b"gone")
    until = datetime(2090, 1, 1, tzinfo=UTC)
    lock = ObjectLock(Retention(RetentionMode.COMPLIANCE, until), legal_hold=True)
    await put_locked(store, kept, b"locked", b"worm" * BIG, lock)


@asynccontextmanager
async def restored(
    target: BackupTarget, directory: Path, url: str | None = None, name: str | None = None
) -> AsyncIterator[ObjectStore]:
    """A store made of a backup, in files."""
    config = StoreConfig(directory, url, gc_grace=timedelta(0), master_keys=_MASTER)
    await restore(config, target, name)
    store = await ObjectStore.open(config)
    try:
        yield store
    finally:
        await store.close()


class BackupContract:
    @pytest.fixture
    def target(self, tmp_path: Path) -> BackupTarget:
        return BackupTarget(tmp_path / "backups of it")

    async def test_a_restored_store_is_the_same(
        self, store: ObjectStore, target: BackupTarget, tmp_path: Path
    ) -> None:
        await fill(store)
        manifest = await store.back_up(target, BackupOptions("0.1"))
        assert (manifest.version, manifest.counts["buckets"], manifest.damaged) == ("0.1", 2, [])
        assert manifest.blobs == manifest.blobs_copied > 0
        check = await verify_backup(target)
        assert (check.manifest.name, check.blobs, check.damaged) == (
            manifest.name,
            manifest.blobs,
            [],
        )
        before = await census(store)
        async with restored(target, tmp_path / "new") as again:
            assert await census(again) == before
            assert await invariants(again) == set()
            bucket = await again.bucket("plain")
            await put(again, bucket, b"later", b"later" * BIG)
            await again.collect_garbage()
            assert await invariants(again) == set()

    async def test_a_second_backup_copies_what_is_new(
        self, store: ObjectStore, target: BackupTarget, tmp_path: Path
    ) -> None:
        bucket = await make_bucket(store)
        await put(store, bucket, b"old", os.urandom(BIG))
        first = await store.back_up(target)
        await put(store, bucket, b"new", os.urandom(BIG))
        await store.delete_object(bucket, b"old")
        for _ in range(3):
            await store.collect_garbage()
        second = await store.back_up(target)
        assert (first.blobs_copied, second.blobs_copied, second.blobs) == (1, 1, 1)
        assert target.names() == [first.name, second.name]
        state = await store.backup_state()
        assert state.last is not None
        assert (state.last.name, state.running, state.failure) == (second.name, None, None)
        async with restored(target, tmp_path / "first", name=first.name) as again:
            assert len(await content(again, await again.bucket("bucket"), b"old")) == BIG

    async def test_old_ones_go_with_the_blobs_of_none_other(
        self, store: ObjectStore, target: BackupTarget
    ) -> None:
        bucket = await make_bucket(store)
        await put(store, bucket, b"stays", os.urandom(BIG))
        for _ in range(3):
            await put(store, bucket, b"changes", os.urandom(BIG))
            await store.collect_garbage()
            await store.back_up(target, BackupOptions(keep=2))
        assert len(target.names()) == 2
        blobs = target.open_blobs()
        assert len([stat async for stat in blobs.iterate()]) == 3
        await blobs.close()
        for name in target.names():
            assert (await verify_backup(target, name)).damaged == []

    async def test_what_a_backup_copies_is_not_collected(
        self, store: ObjectStore, target: BackupTarget, tmp_path: Path
    ) -> None:
        bucket = await make_bucket(store)
        names = [b"%d" % number for number in range(8)]
        for name in names:
            await put(store, bucket, name, os.urandom(BIG))
        slow = _Slow(store._blobs)  # noqa: SLF001 - its blobs are what is slow
        store._blobs = slow  # noqa: SLF001
        making = asyncio.create_task(store.back_up(target, BackupOptions(at_once=1)))
        await slow.reached.wait()
        for name in names:
            await store.delete_object(bucket, name)
        for _ in range(3):
            await store.collect_garbage()
        slow.go_on.set()
        manifest = await making
        store._blobs = slow.inner  # noqa: SLF001
        assert (manifest.blobs, manifest.damaged) == (len(names), [])
        async with restored(target, tmp_path / "new") as again:
            found = await again.bucket("bucket")
            assert [len(await content(again, found, name)) for name in names] == [BIG] * len(names)

    async def test_it_is_restored_into_nothing_else(
        self, store: ObjectStore, target: BackupTarget, tmp_path: Path
    ) -> None:
        await fill(store)
        await store.back_up(target)
        async with restored(target, tmp_path / "new"):
            pass
        with pytest.raises(StoreNotEmpty):
            await restore(StoreConfig(tmp_path / "new", master_keys=_MASTER), target)


class _Slow:
    """A blob store whose reads wait, once begun."""

    def __init__(self, inner: BlobStore) -> None:
        self.inner = inner
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()

        self.create, self.read_now, self.path = inner.create, inner.read_now, inner.path
        self.delete, self.stat, self.iterate = inner.delete, inner.stat, inner.iterate
        self.sweep, self.close = inner.sweep, inner.close

    async def open(self, blob_id: bytes, offset: int, length: int) -> AsyncGenerator[bytes, None]:
        self.reached.set()
        await self.go_on.wait()
        async for chunk in self.inner.open(blob_id, offset, length):
            yield chunk
