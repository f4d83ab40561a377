"""A sweep beside writers, beside another sweep, and cut off at every step of its own."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from vexobj_storage import (
    Bucket,
    BucketChange,
    LifecycleRule,
    MemoryBlobStore,
    MetaStore,
    ObjectStore,
    StoreConfig,
    Versioning,
)
from vexobj_storage.lifecycle import DAY_US
from vexobj_storage.metadata.history import History, Seen
from vexobj_storage.metadata.ops import lifecycle as ops
from vexobj_storage.metadata.ops import sql
from vexobj_storage.metadata.rows import to_us
from vexobj_storage.metadata.tx import Row, Tx
from vexobj_storage.testing.clocks import ManualClock
from vexobj_storage.testing.helpers import make_bucket, put
from vexobj_storage.testing.invariants import invariants

_DAY = timedelta(days=1)


class CutOff(Exception):
    """The process died here."""


@dataclass
class Fragile:
    """A MetaStore whose `left`-th write dies: before it commits, or after."""

    inner: MetaStore
    left: int
    commits: bool

    async def write(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        self.left -= 1
        if self.left < 0 and not self.commits:
            raise CutOff
        answer = await self.inner.write(operation, *args, **kwargs)
        if self.left < 0:
            raise CutOff
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def store(tmp_path: Path, metadata: MetaStore, clock: ManualClock) -> ObjectStore:
    return _store(tmp_path, metadata, clock)


def _store(tmp_path: Path, metadata: Any, clock: ManualClock) -> ObjectStore:
    config = StoreConfig(tmp_path, gc_grace=timedelta(0))
    return ObjectStore(config, metadata, MemoryBlobStore(), clock.now, clock.ticks)


async def _rule(store: ObjectStore, clock: ManualClock, **said: Any) -> str:
    rule = LifecycleRule("", clock.now(), **said)
    return (await store.add_lifecycle_rule("bucket", rule)).id


async def _seen(metadata: MetaStore, bucket: Bucket) -> Sequence[Seen]:
    page = await metadata.scan(ops.scan, bucket.id, b"", -1, b"\xff", 1000)
    return list(History().feed(page, is_last=True))


@pytest.mark.parametrize("change", ["overwritten", "tagged", "deleted", "other rule", "no rule"])
@pytest.mark.parametrize("versioning", [Versioning.OFF, Versioning.ENABLED])
async def test_what_changed_since_it_was_seen_is_judged_anew(
    store: ObjectStore,
    metadata: MetaStore,
    clock: ManualClock,
    change: str,
    versioning: Versioning,
) -> None:
    bucket = await make_bucket(store, versioning)
    await put(store, bucket, b"key", b"old")
    await store.update_object(bucket, b"key", tags={"go": "yes"})
    rule_id = await _rule(store, clock, expire_days=2, tags={"go": "yes"})
    clock.advance(4 * _DAY)
    seen = await _seen(metadata, bucket)
    if change == "overwritten":
        await put(store, bucket, b"key", b"new")
    elif change == "tagged":
        await store.update_object(bucket, b"key", tags={})
    elif change == "deleted":
        await store.delete_object(bucket, b"key")
    elif change == "other rule":
        await store.set_lifecycle("bucket", [LifecycleRule("", clock.now(), expire_days=9)])
    else:
        await store.remove_lifecycle_rule(rule_id)
    before = (await store.list_versions(bucket)).versions
    report = await metadata.write(ops.expire, bucket.id, seen, to_us(clock.now()), DAY_US)
    assert (report.expired, report.versions_removed) == (0, 0)
    assert (await store.list_versions(bucket)).versions == before
    await invariants(store)


async def test_a_version_that_became_current_again_stays(
    store: ObjectStore, metadata: MetaStore, clock: ManualClock
) -> None:
    bucket = await make_bucket(store, Versioning.ENABLED)
    versions = [await put(store, bucket, b"key", b"%d" % n) for n in range(4)]
    await _rule(store, clock, noncurrent_days=1, keep_noncurrent=1)
    clock.advance(3 * _DAY)
    seen = await _seen(metadata, bucket)
    for version in versions[2:]:
        await store.delete_object(bucket, b"key", version.version_id)
    report = await metadata.write(ops.expire, bucket.id, seen, to_us(clock.now()), DAY_US)
    assert report.versions_removed == 0  # the one is current now, the other the newest of the rest
    assert (await store.get_object(bucket, b"key")).version.uid == versions[1].uid
    assert len((await store.list_versions(bucket)).versions) == 2
    await invariants(store)


async def test_a_key_that_is_gone_leaves_no_lock_behind(
    store: ObjectStore, metadata: MetaStore, clock: ManualClock
) -> None:
    bucket = await make_bucket(store, Versioning.ENABLED)
    version = await put(store, bucket, b"key", b"data")
    await _rule(store, clock, expire_days=1)
    clock.advance(3 * _DAY)
    seen = await _seen(metadata, bucket)
    await store.delete_object(bucket, b"key", version.version_id)
    await metadata.write(ops.expire, bucket.id, seen, to_us(clock.now()), DAY_US)
    assert await metadata.scan(_heads) == []


async def _heads(tx: Tx) -> Sequence[Row]:
    return await tx.all(sql.query(select(sql.KEY_HEADS.c.key)))


async def _many(store: ObjectStore, clock: ManualClock) -> None:
    """Keys that expire, noncurrent versions and markers that go, and some that stay."""
    bucket = await make_bucket(store)
    for number in range(150):
        await put(store, bucket, b"tmp/%03d" % number, b"x")
    await store.update_bucket("bucket", BucketChange(versioning=Versioning.ENABLED))
    bucket = await store.bucket("bucket")
    for number in range(120):
        await put(store, bucket, b"old/%03d" % (number % 40), b"x" * number)
    for number in range(5):
        await store.delete_object(bucket, b"gone/%d" % number)
    await put(store, bucket, b"stays", b"x")
    await _rule(store, clock, prefix="tmp/", expire_days=1)
    await _rule(store, clock, prefix="old/", noncurrent_days=1)
    await _rule(store, clock, prefix="gone/", expire_delete_markers=True)
    clock.advance(3 * _DAY)


async def _listing(store: ObjectStore) -> tuple[list[bytes], list[tuple[bytes, int]]]:
    bucket = await store.bucket("bucket")
    live = [each.key for each in (await store.list_objects(bucket)).objects]
    page = await store.list_versions(bucket)
    return live, [(each.key, each.size) for each in page.versions]


@pytest.mark.parametrize("commits", [False, True], ids=["before commit", "after commit"])
async def test_cut_off_anywhere_it_goes_on(
    tmp_path: Path, metadata: MetaStore, clock: ManualClock, commits: bool
) -> None:
    store = _store(tmp_path, metadata, clock)
    await _many(store, clock)
    cuts = 0
    while True:
        # Each run gets one write further than the one before it, from where that one left off.
        fragile = _store(tmp_path, Fragile(metadata, cuts % 2, commits), clock)
        try:
            await fragile.sweep_lifecycle(resume=True)
        except CutOff:
            cuts += 1
            await invariants(store)
        else:
            break
    assert cuts >= 3
    live, versions = await _listing(store)
    assert live == [*(b"old/%03d" % n for n in range(40)), b"stays"]
    assert len(versions) == 41 + 2 * 150
    assert (await store.sweep_lifecycle()).expired == 0
    await invariants(store)


async def test_a_resumed_sweep_begins_where_the_last_one_ended(
    tmp_path: Path, metadata: MetaStore, clock: ManualClock
) -> None:
    store = _store(tmp_path, metadata, clock)
    bucket = await make_bucket(store)
    for at in range(0, 2_100, 300):
        puts = (put(store, bucket, b"%04d" % n, b"x") for n in range(at, at + 300))
        await asyncio.gather(*puts)
    await _rule(store, clock, expire_days=1)
    fragile = _store(tmp_path, Fragile(metadata, 0, commits=True), clock)
    with pytest.raises(CutOff):  # nothing is due: its first write is the mark behind four pages
        await fragile.sweep_lifecycle(resume=True)
    clock.advance(3 * _DAY)
    assert (await store.sweep_lifecycle(resume=True)).expired == 1_077
    assert (await store.sweep_lifecycle(resume=True)).expired == 1_023
    await invariants(store)


async def test_sweeps_and_writers_at_once(store: ObjectStore, clock: ManualClock) -> None:
    for versioning in (Versioning.OFF, Versioning.ENABLED):
        bucket = await make_bucket(store, versioning, name=f"b-{versioning.name.lower()}")
        keys = [b"%02d" % n for n in range(30)]
        for key in keys:
            await put(store, bucket, key, b"old")
        rule = LifecycleRule("", clock.now(), expire_days=1, noncurrent_days=1)
        await store.set_lifecycle(bucket.name, [rule])
        clock.advance(3 * _DAY)
        written = keys[::2]
        await asyncio.gather(
            store.sweep_lifecycle(),
            *(put(store, bucket, key, b"new") for key in written),
            store.sweep_lifecycle(),
        )
        await store.sweep_lifecycle()
        assert [o.key for o in (await store.list_objects(bucket)).objects] == written
        for key in written:
            assert (await store.get_object(bucket, key)).inline == b"new"
    await store.collect_garbage()
    assert await invariants(store) == set()
