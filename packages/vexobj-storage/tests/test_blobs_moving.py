"""Blobs on their way from one store to another: readable throughout, and none lost."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import pytest

from support.faulty import CutAnswer, faulty_proxy
from support.s3services import EVERY_MAKE
from vexobj_storage import (
    BlobPlace,
    BlobServiceUnusable,
    BlobStore,
    KeyRing,
    LocalBlobStore,
    MasterKey,
    MemoryBlobStore,
    MetaStore,
    MoveProgress,
    MovingBlobStore,
    ObjectStore,
    S3BlobConfig,
    S3BlobStore,
    StoreBusy,
    StoreConfig,
    move_blobs,
    open_blobs,
)
from vexobj_storage.blobs.testing import CONTRACT, BlobCheck, get_blob, put_blob
from vexobj_storage.metadata.ops import places
from vexobj_storage.testing import invariants
from vexobj_storage.testing.helpers import content, make_bucket, put

_BIG = 400_000


@pytest.fixture(params=["to memory", "to files"])
async def moving(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MovingBlobStore]:
    pair: list[BlobStore] = [MemoryBlobStore(), LocalBlobStore(tmp_path)]
    target, source = pair if request.param == "to memory" else reversed(pair)
    store = MovingBlobStore(target, source)
    yield store
    await store.close()


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
async def test_contract(check: BlobCheck, moving: MovingBlobStore) -> None:
    await check(moving)


async def test_both_places_are_one_store(moving: MovingBlobStore) -> None:
    old, new = await put_blob(moving.source, b"old"), await put_blob(moving, b"new")
    assert await moving.source.stat(new) is None
    assert {await get_blob(moving, each, 0, 3) for each in (old, new)} == {b"old", b"new"}
    assert {found.blob_id async for found in moving.iterate()} == {old, new}
    assert moving.path(old) is moving.path(new) is None
    assert await moving.delete(old) is True
    assert await moving.delete(new) is True
    assert [found async for found in moving.iterate()] == []


async def test_a_blob_may_move_while_it_is_read(moving: MovingBlobStore) -> None:
    """The source cuts a read short when the blob goes, as a service may."""
    data = os.urandom(2_000_000)
    blob_id = await put_blob(moving.source, data)

    class Forgetful(MemoryBlobStore):
        async def open(
            self, blob_id: bytes, offset: int, length: int
        ) -> AsyncGenerator[bytes, None]:
            while length:
                taken = min(length, 1000)
                async with aclosing(super().open(blob_id, offset, taken)) as stream:
                    async for chunk in stream:
                        yield chunk
                offset, length = offset + taken, length - taken

    source = Forgetful()
    writer = source.create(blob_id)
    await writer.write(data)
    await writer.commit()
    forgetful = MovingBlobStore(moving.target, source)
    received = b""
    async with aclosing(forgetful.open(blob_id, 0, len(data))) as stream:
        async for chunk in stream:
            if not received:
                writer = moving.target.create(blob_id)
                await writer.write(data)
                await writer.commit()
                await source.delete(blob_id)
            received += chunk
    assert received == data


@pytest.mark.parametrize("read_back", [True, False])
async def test_moving_empties_the_source(
    tmp_path: Path, metadata: MetaStore, moving: MovingBlobStore, read_back: bool
) -> None:
    store = ObjectStore(StoreConfig(tmp_path), metadata, moving.source)
    bucket = await make_bucket(store)
    bodies = {b"%d" % n: os.urandom(_BIG + n) for n in range(7)} | {b"small": b"inline"}
    for key, body in bodies.items():
        await put(store, bucket, key, body)
    seen: list[tuple[int, int]] = []

    def progress(now: MoveProgress) -> None:
        seen.append((now.moved, now.moved_bytes))

    report = await move_blobs(metadata, moving, read_back=read_back, progress=progress)
    assert (report.blobs, report.moved, report.damaged) == (7, 7, [])
    assert report.moved_bytes == report.bytes == sum(map(len, bodies.values())) - 6
    assert seen == sorted(seen)
    assert [found async for found in moving.source.iterate()] == []
    moved = ObjectStore(StoreConfig(tmp_path), metadata, moving.target)
    assert {key: await content(moved, bucket, key) for key in bodies} == bodies
    assert await invariants(moved) == set()


async def test_sealed_blobs_move_as_they_are(tmp_path: Path, metadata: MetaStore) -> None:
    keys = await KeyRing.open(metadata, [MasterKey(b"m" * 32)], seal=True, now_us=0)
    source, target = MemoryBlobStore(), MemoryBlobStore()
    store = ObjectStore(StoreConfig(tmp_path), metadata, source, keys=keys)
    bucket, body = await make_bucket(store), os.urandom(_BIG)
    await put(store, bucket, b"key", body)
    assert (await move_blobs(metadata, MovingBlobStore(target, source))).moved == 1
    moved = ObjectStore(StoreConfig(tmp_path), metadata, target, keys=keys)
    assert await content(moved, bucket, b"key") == body


async def test_what_is_damaged_stays_and_is_named(tmp_path: Path, metadata: MetaStore) -> None:
    source, target = LocalBlobStore(tmp_path), MemoryBlobStore()
    store = ObjectStore(StoreConfig(tmp_path), metadata, source)
    bucket = await make_bucket(store)
    await put(store, bucket, b"good", os.urandom(_BIG))
    stored = await put(store, bucket, b"bad", os.urandom(_BIG))
    assert stored.blob_id is not None
    path = source.path(stored.blob_id)
    assert path is not None
    path.write_bytes(b"x" * _BIG)
    report = await move_blobs(metadata, MovingBlobStore(target, source))
    assert report.damaged == [stored.blob_id.hex()]
    assert [found.blob_id async for found in source.iterate()] == [stored.blob_id]
    assert len([found async for found in target.iterate()]) == report.moved == 1
    await source.close()


async def test_a_condemned_orphan_moves_as_it_is(
    tmp_path: Path, metadata: MetaStore, moving: MovingBlobStore
) -> None:
    store = ObjectStore(StoreConfig(tmp_path), metadata, moving.source)
    orphan = await put_blob(moving.source, b"nobody's")
    assert await store.sweep_orphans(timedelta(seconds=-1)) == 1
    report = await move_blobs(metadata, moving)
    assert (report.moved, report.damaged, report.left) == (1, [], 0)
    assert await get_blob(moving.target, orphan, 0, 8) == b"nobody's"


async def test_a_deletion_meets_the_copy(metadata: MetaStore) -> None:
    """Whichever step of the copy it falls on, the blob is nowhere afterwards."""
    for step in range(12):
        target, source = MemoryBlobStore(), MemoryBlobStore()
        blob_id = await put_blob(source, os.urandom(3_000_000))
        moving = MovingBlobStore(target, source)
        task = asyncio.create_task(move_blobs(metadata, moving))
        for _ in range(step * 3):
            await asyncio.sleep(0)
        await moving.delete(blob_id)
        await task
        assert [found async for found in moving.iterate()] == [], step


@EVERY_MAKE
async def test_a_move_that_was_cut_is_gone_on_with(
    tmp_path: Path, metadata: MetaStore, s3_config: S3BlobConfig
) -> None:
    source = LocalBlobStore(tmp_path)
    store = ObjectStore(StoreConfig(tmp_path), metadata, source)
    bucket = await make_bucket(store)
    bodies = {b"%d" % n: os.urandom(_BIG + n) for n in range(12)}
    for key, body in bodies.items():
        await put(store, bucket, key, body)
    async with faulty_proxy(s3_config.endpoint) as proxy:
        config = StoreConfig(tmp_path, blob_place=BlobPlace.S3, s3=s3_config)
        weak = S3BlobConfig(
            proxy.url,
            s3_config.bucket,
            s3_config.access_key_id,
            s3_config.secret_access_key,
            prefix=s3_config.prefix,
            max_attempts=1,
        )
        remote = await S3BlobStore.connect(weak)
        left = 5

        def plan(method: str, _target: str) -> CutAnswer | None:
            nonlocal left
            left -= method == "PUT"
            return CutAnswer(0) if left < 0 else None

        proxy.plan = plan
        with pytest.raises(StoreBusy):
            await move_blobs(metadata, MovingBlobStore(remote, source))
        await remote.close()
    assert 0 < len([found async for found in source.iterate()]) <= 12
    both = await open_blobs(config, metadata)
    assert isinstance(both, MovingBlobStore)
    assert (await move_blobs(metadata, both)).damaged == []
    await metadata.write(places.drop_place, BlobPlace.LOCAL)
    await both.close()
    alone = await open_blobs(config, metadata)
    assert isinstance(alone, S3BlobStore)
    moved = ObjectStore(config, metadata, alone)
    assert {key: await content(moved, bucket, key) for key in bodies} == bodies
    await alone.close()
    back = await open_blobs(StoreConfig(tmp_path, s3=s3_config), metadata)
    assert isinstance(back, MovingBlobStore)
    assert (await move_blobs(metadata, back)).moved == 12
    assert len([found async for found in back.target.iterate()]) == 12
    await back.close()
    await source.close()


async def test_a_place_that_is_forgotten_is_asked_for(
    tmp_path: Path, metadata: MetaStore, s3_config: S3BlobConfig
) -> None:
    config = StoreConfig(tmp_path, blob_place=BlobPlace.S3, s3=s3_config)
    await (await open_blobs(config, metadata)).close()
    with pytest.raises(BlobServiceUnusable):
        await open_blobs(StoreConfig(tmp_path), metadata)
