"""Scrub on media that do not give what they hold, which says nothing of what that is."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from pathlib import Path

import pytest

from vexobj_storage import (
    BlobStat,
    Damage,
    KeyRing,
    LocalBlobStore,
    MasterKey,
    MemoryBlobStore,
    MetaStore,
    ObjectStore,
    ReadFailed,
    StoreBusy,
    StoreConfig,
)
from vexobj_storage.testing.encryption import with_keys
from vexobj_storage.testing.helpers import content, make_bucket, put
from vexobj_storage.testing.scrub import scrub

_BIG = b"bytes" * 20_000


class MoodyBlobStore(MemoryBlobStore):
    """Raises `error`, while there is one, `times` at most."""

    def __init__(self) -> None:
        super().__init__()
        self.error: Exception | None = None
        self.times = 1_000_000

    async def open(self, blob_id: bytes, offset: int, length: int) -> AsyncGenerator[bytes, None]:
        self._sulk()
        async for chunk in super().open(blob_id, offset, length):
            yield chunk

    async def stat(self, blob_id: bytes) -> BlobStat | None:
        self._sulk()
        return await super().stat(blob_id)

    def _sulk(self) -> None:
        if self.error is not None and self.times:
            self.times -= 1
            raise self.error


@pytest.fixture
def moody() -> MoodyBlobStore:
    return MoodyBlobStore()


@pytest.fixture
async def store(
    tmp_path: Path, metadata: MetaStore, moody: MoodyBlobStore
) -> AsyncIterator[ObjectStore]:
    store = ObjectStore(StoreConfig(tmp_path), metadata, moody)
    yield store
    await store.close()


async def test_what_cannot_be_read_is_told_and_stays_in_use(
    store: ObjectStore, moody: MoodyBlobStore
) -> None:
    bucket = await make_bucket(store)
    version = await put(store, bucket, b"key", _BIG)
    moody.error = ReadFailed("Input/output error")
    found = await scrub(store)
    assert (found.unreadable, found.corrupt, found.missing) == (1, 0, 0)
    (finding,) = await store.findings()
    assert (finding.damage, finding.quarantined) == (Damage.UNREADABLE, False)
    assert finding.reason == "Input/output error"
    assert [place.key for place in finding.places] == [b"key"]
    moody.error = None
    assert await content(store, bucket, b"key") == _BIG
    assert (await put(store, bucket, b"same", _BIG)).blob_id == version.blob_id
    await scrub(store)
    assert await store.findings() == []


async def test_a_read_that_fails_once_is_tried_again(
    store: ObjectStore, moody: MoodyBlobStore
) -> None:
    bucket = await make_bucket(store)
    await put(store, bucket, b"key", _BIG)
    moody.error, moody.times = ReadFailed("Input/output error"), 2
    assert (await scrub(store)).unreadable == 0


async def test_a_service_out_of_reach_halts_the_pass(
    store: ObjectStore, moody: MoodyBlobStore
) -> None:
    bucket = await make_bucket(store)
    await put(store, bucket, b"key", _BIG)
    moody.error = StoreBusy()
    halted = await scrub(store)
    assert (halted.blobs, halted.ended_at) == (0, None)
    assert halted.halted is not None
    moody.error = None
    step = await store.scrub_some()
    assert step is not None
    assert step.blobs == 1
    assert await store.scrub_some() is None
    state = await store.scrub_state()
    assert state.completed is not None
    assert (state.completed.blobs, state.completed.halted) == (1, None)


async def test_a_key_that_is_missing_is_no_damage(store: ObjectStore) -> None:
    sealing = await with_keys(store)
    bucket = await make_bucket(sealing)
    for key, data in ((b"stored", _BIG), (b"inline", b"inline")):
        await put(sealing, bucket, key, data)
    keys = KeyRing(store._metadata, [MasterKey(b"w" * 32)])
    wrong = ObjectStore(store.config, store._metadata, store._blobs, keys=keys)
    found = await scrub(wrong)
    assert (found.sealed_away, found.corrupt, found.unreadable) == (2, 0, 0)
    assert await store.findings() == []
    assert (await scrub(sealing)).sealed_away == 0


def _a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _a_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


@pytest.mark.parametrize("becomes", [_a_directory, _a_loop])
async def test_what_is_no_file_any_more_is_damaged(
    tmp_path: Path, metadata: MetaStore, becomes: Callable[[Path], None]
) -> None:
    store = ObjectStore(StoreConfig(tmp_path), metadata, LocalBlobStore(tmp_path))
    bucket = await make_bucket(store)
    await put(store, bucket, b"key", _BIG)
    path = store.path(await store.get_object(bucket, b"key"))
    assert path is not None
    becomes(path)
    assert (await scrub(store)).corrupt == 1
    assert path.is_symlink() or path.is_dir()


async def test_an_error_of_the_device_is_none_of_the_bytes(tmp_path: Path) -> None:
    blobs = LocalBlobStore(tmp_path)
    path = blobs.path(bytes(16))
    assert path is not None
    path.parent.mkdir(parents=True)
    path.symlink_to("/proc/self/mem")  # nothing is mapped at its beginning: EIO, to root too
    with pytest.raises(ReadFailed):
        _ = [chunk async for chunk in blobs.open(bytes(16), 0, 100)]
    await blobs.close()


async def test_what_was_found_is_refused_by_every_process(
    tmp_path: Path, metadata: MetaStore, moody: MoodyBlobStore
) -> None:
    """At its next look at the bucket, whatever it remembers of the object."""
    stores = [ObjectStore(StoreConfig(tmp_path), metadata, moody) for _ in range(2)]
    bucket = await make_bucket(stores[0])
    version = await put(stores[0], bucket, b"key", _BIG)
    await stores[1].bucket("bucket")
    assert await content(stores[1], bucket, b"key") == _BIG
    assert version.blob_id is not None
    await moody.delete(version.blob_id)
    writer = moody.create(version.blob_id)
    await writer.write(b"x" + _BIG[1:])
    await writer.commit()
    await scrub(stores[0])
    stored = await stores[1].get_object(await stores[1].bucket("bucket"), b"key")
    assert stores[1].read_now(stored, 0, 100) is None
