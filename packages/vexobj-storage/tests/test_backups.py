"""Backups between engines, of damaged stores, on full targets, and cut off in the midst."""

import asyncio
import json
import os
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vexobj_storage import (
    BackupDamaged,
    BackupOptions,
    BackupRunning,
    BackupSecret,
    BackupTarget,
    BackupTargetTaken,
    BackupTooNew,
    BlobCorrupt,
    Identity,
    KeyUnavailable,
    MasterKey,
    NoSuchBackup,
    NoSuchKey,
    ObjectStore,
    OutOfSpace,
    RestoreOptions,
    RestoreUnfinished,
    StoreConfig,
    StoreNotEmpty,
    Versioning,
    Webhook,
    restore,
    verify_backup,
)
from vexobj_storage.files import Buffer, PosixFiles
from vexobj_storage.testing import invariants
from vexobj_storage.testing.backups import BIG, census, fill, restored
from vexobj_storage.testing.helpers import content, make_bucket, put
from vexobj_storage.testing_postgres import PostgresServer

KEY = MasterKey(b"m" * 32)


@pytest.fixture
def target(tmp_path: Path) -> BackupTarget:
    return BackupTarget(tmp_path / "target")


@pytest.fixture
async def store(tmp_path: Path, metadata_url: str | None) -> AsyncIterator[ObjectStore]:
    store = await ObjectStore.open(StoreConfig(tmp_path / "data", metadata_url))
    yield store
    await store.close()


@pytest.fixture
async def on_sqlite(tmp_path: Path) -> AsyncIterator[ObjectStore]:
    store = await ObjectStore.open(StoreConfig(tmp_path / "data", gc_grace=timedelta(0)))
    yield store
    await store.close()


@pytest.fixture(params=["sqlite", "postgres"])
def other_url(request: pytest.FixtureRequest) -> str | None:
    """Of an empty database, or of one that is to be made."""
    if request.param == "sqlite":
        return None
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.url(server.create_database())


async def test_from_each_engine_to_each(
    store: ObjectStore, target: BackupTarget, tmp_path: Path, other_url: str | None
) -> None:
    await fill(store)
    await store.add_identity(Identity("me", "Me", None, datetime(2026, 1, 1, tzinfo=UTC)))
    await store.back_up(target)
    before = await census(store)
    async with restored(target, tmp_path / "new", other_url) as again:
        assert await census(again) == before
        assert await invariants(again) == set()
        assert (await again.identity("me")).display_name == "Me"
    with pytest.raises(StoreNotEmpty):
        await restore(StoreConfig(tmp_path / "new", other_url), target)


async def test_what_was_still_to_be_told_is_not_told_by_another_store(
    store: ObjectStore, target: BackupTarget, tmp_path: Path
) -> None:
    hook = Webhook("hook", "http://example.com/", ("object.*",), datetime(2026, 1, 1, tzinfo=UTC))
    await store.add_webhook(hook)
    bucket = await make_bucket(store)
    await put(store, bucket, b"told", b"x")
    await store.fan_out(100)
    await put(store, bucket, b"not fanned out", b"x")
    await store.back_up(target)
    async with restored(target, tmp_path / "new") as again:
        assert [each.id for each in await again.webhooks()] == ["hook"]
        await again.fan_out(100)
        assert not await again.deliveries("hook")
        await put(again, await again.bucket("bucket"), b"anew", b"x")
        await again.fan_out(100)
        (delivery,) = await again.deliveries("hook")
        assert delivery.event.data["key"] == "anew"


async def test_a_backup_made_while_writing_is_one_moment(
    store: ObjectStore, target: BackupTarget, tmp_path: Path
) -> None:
    """Writers number their keys: of each writer a backup has all up to some number."""
    bucket = await make_bucket(store, Versioning.ENABLED)
    acknowledged: list[bytes] = []
    stopped, enough = asyncio.Event(), asyncio.Event()

    async def write(writer: int) -> None:
        number = 0
        while not stopped.is_set():
            key = b"%d/%05d" % (writer, number)
            await put(store, bucket, key, key * (4000 if number % 3 else 10))
            acknowledged.append(key)
            if len(acknowledged) >= 40:
                enough.set()
            if number % 4 == 3:
                await store.delete_object(bucket, b"%d/%05d" % (writer, number - 2))
            number += 1

    async with asyncio.TaskGroup() as group:
        for writer in range(4):
            group.create_task(write(writer))
        for _ in range(3):
            await enough.wait()
            before = list(acknowledged)
            manifest = await store.back_up(target)
            acknowledged.clear()
            enough.clear()
            async with restored(target, tmp_path / manifest.name) as again:
                await _check_moment(again, before)
        stopped.set()


async def _check_moment(again: ObjectStore, before: list[bytes]) -> None:
    assert await invariants(again) == set()
    found = await again.bucket("bucket")
    page = await again.list_versions(found, limit=100_000)
    there = {each.key for each in page.versions}
    assert set(before) <= there
    for writer in range(4):  # each wrote in order: what is there has no gap
        mine = sorted(key for key in there if key.startswith(b"%d/" % writer))
        assert mine == [b"%d/%05d" % (writer, n) for n in range(len(mine))]
    for key in random.sample(sorted(there), 20):
        try:
            assert (await content(again, found, key)).startswith(key)
        except NoSuchKey:
            assert int(key.partition(b"/")[2]) % 4 == 1


async def test_damage_in_the_store_is_named_and_the_rest_kept(
    on_sqlite: ObjectStore, target: BackupTarget, tmp_path: Path
) -> None:
    store, bucket = on_sqlite, await make_bucket(on_sqlite)
    for name in (b"good", b"rotten", b"lost"):
        await put(store, bucket, name, os.urandom(BIG))
    for name in (b"rotten", b"lost"):
        path = store.path(await store.get_object(bucket, name))
        assert path is not None
        path.write_bytes(bytes(BIG)) if name == b"rotten" else path.unlink()
    manifest = await store.back_up(target)
    assert (len(manifest.damaged), manifest.blobs_copied) == (2, 1)
    assert set((await verify_backup(target)).damaged) == set(manifest.damaged)
    with pytest.raises(BackupDamaged):
        await restore(StoreConfig(tmp_path / "new"), target)
    config = StoreConfig(tmp_path / "new")
    await restore(config, target, options=RestoreOptions(accept_damage=True))
    again = await ObjectStore.open(config)
    assert len(await content(again, await again.bucket("bucket"), b"good")) == BIG
    await again.close()


async def test_damage_in_the_backup_is_found(
    on_sqlite: ObjectStore, target: BackupTarget, tmp_path: Path
) -> None:
    bucket = await make_bucket(on_sqlite)
    await put(on_sqlite, bucket, b"key", os.urandom(BIG))
    manifest = await on_sqlite.back_up(target)
    (path,) = [each for each in (target.directory / "blobs").rglob("*") if each.is_file()]
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert (await verify_backup(target)).damaged == [path.name]
    with pytest.raises(BackupDamaged):
        await restore(StoreConfig(tmp_path / "new"), target)
    path.write_bytes(data)
    folder = target.path(manifest.name)
    for name in manifest.files:
        file = folder / name
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(BackupDamaged):
            await verify_backup(target)
        with pytest.raises(BackupDamaged):
            await restore(StoreConfig(tmp_path / "other"), target)
        assert not (tmp_path / "other").exists()
        file.write_bytes(whole)
    fields = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(fields | {"format": 2}))
    with pytest.raises(BackupTooNew):
        await restore(StoreConfig(tmp_path / "other"), target)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(BackupDamaged):
        await restore(StoreConfig(tmp_path / "other"), target)
    (folder / "manifest.json").unlink()
    with pytest.raises(NoSuchBackup):
        await restore(StoreConfig(tmp_path / "other"), target)


async def test_a_directory_holds_the_backups_of_one_store(
    on_sqlite: ObjectStore, target: BackupTarget, tmp_path: Path
) -> None:
    await make_bucket(on_sqlite)
    await on_sqlite.back_up(target)
    async with restored(target, tmp_path / "new") as again:
        with pytest.raises(BackupTargetTaken):
            await again.back_up(target)
    with target.locked(), pytest.raises(BackupRunning):
        await on_sqlite.back_up(target)
    assert len(target.names()) == 1


async def test_a_clock_that_was_set_back_does_not_make_the_newest_the_oldest(
    target: BackupTarget, tmp_path: Path
) -> None:
    store = await ObjectStore.open(StoreConfig(tmp_path / "data"))
    first = await store.back_up(target)
    real = store._clock
    store._clock = lambda: real() - timedelta(days=1)
    second = await store.back_up(target, BackupOptions(keep=1))
    assert first.name < second.name
    assert target.names() == [second.name]
    await store.close()


async def test_what_is_sealed_stays_sealed(target: BackupTarget, tmp_path: Path) -> None:
    known = b"plain to see " * 10_000
    config = StoreConfig(tmp_path / "data", master_keys=[KEY], encrypt=True)
    store = await ObjectStore.open(config)
    bucket = await make_bucket(store)
    await put(store, bucket, b"large", known)
    await put(store, bucket, b"small", known[:100])
    secret = BackupSecret("master-key", KEY.id, b"m" * 32)
    outside = await store.back_up(target, BackupOptions(secrets=[BackupSecret("other", "01")]))
    files = [path for path in target.directory.rglob("*") if path.is_file()]
    assert not [path for path in files if known[:50] in path.read_bytes()]
    assert not [path for path in files if path.stat().st_mode & 0o077]
    assert {(key.name, key.id, key.inside) for key in outside.keys} == {
        ("other", "01", False),
        ("master-key", KEY.id, False),
    }
    inside = await store.back_up(target, BackupOptions(secrets=[secret]))
    assert [(key.id, key.inside) for key in inside.keys] == [(KEY.id, True)]
    assert target.secret(inside.name, secret.file) == b"m" * 32
    assert (target.path(inside.name) / "secrets" / secret.file).stat().st_mode & 0o777 == 0o600
    await store.close()
    for masters in ([], [MasterKey(b"x" * 32)]):
        with pytest.raises(KeyUnavailable) as refused:
            await restore(StoreConfig(tmp_path / "new", master_keys=masters), target)
        assert refused.value.master_key_id == KEY.id
        assert not (tmp_path / "new" / "restoring").exists()
    async with restored(target, tmp_path / "new") as again:
        assert await content(again, await again.bucket("bucket"), b"large") == known


class _Full(PosixFiles):
    """A disk with room for so many more bytes."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, descriptor: int, data: Buffer) -> None:
        self.room -= len(data)
        if self.room < 0:
            raise OSError(28, "No space left on device")
        super().write(descriptor, data)


async def test_a_full_target_ends_a_backup_and_loses_none(
    on_sqlite: ObjectStore, target: BackupTarget
) -> None:
    bucket = await make_bucket(on_sqlite)
    first = await on_sqlite.back_up(target)
    for number in range(6):
        await put(on_sqlite, bucket, b"%d" % number, os.urandom(BIG))
    full = BackupTarget(target.directory, _Full(3 * BIG))
    with pytest.raises(OutOfSpace):
        await on_sqlite.back_up(full, BackupOptions(at_once=1))
    assert target.names() == [first.name]
    state = await on_sqlite.backup_state()
    assert state.failure is not None
    assert state.last is not None
    assert state.last.name == first.name
    second = await on_sqlite.back_up(target)
    assert 0 < second.blobs_copied < second.blobs == 6
    assert (await verify_backup(target)).damaged == []


async def test_a_restore_on_a_full_disk_is_gone_on_with(
    on_sqlite: ObjectStore, target: BackupTarget, tmp_path: Path
) -> None:
    bucket = await make_bucket(on_sqlite)
    for number in range(6):
        await put(on_sqlite, bucket, b"%d" % number, os.urandom(BIG))
    first = await on_sqlite.back_up(target)
    config = StoreConfig(tmp_path / "new")
    blob = next(path for path in (target.directory / "blobs").rglob("*") if path.is_file())
    kept = blob.read_bytes()
    blob.unlink()
    with pytest.raises(BackupDamaged):
        await restore(config, target)
    with pytest.raises(RestoreUnfinished):
        await ObjectStore.open(config)
    blob.write_bytes(kept)
    second = await on_sqlite.back_up(target)
    with pytest.raises(RestoreUnfinished):
        await restore(config, target, second.name)
    async with restored(target, tmp_path / "new", name=first.name) as again:
        assert await invariants(again) == set()
        assert await census(again) == await census(on_sqlite)


async def test_names_lead_nowhere_else(target: BackupTarget) -> None:
    for name in ("../../etc", "", "20260101T000000.000000Z-0000/../x", None):
        with pytest.raises(NoSuchBackup):
            await verify_backup(target, name)


async def test_bit_rot_in_an_object_is_not_restored_as_good(
    on_sqlite: ObjectStore, target: BackupTarget
) -> None:
    bucket = await make_bucket(on_sqlite)
    await put(on_sqlite, bucket, b"key", os.urandom(BIG))
    path = on_sqlite.path(await on_sqlite.get_object(bucket, b"key"))
    assert path is not None
    path.write_bytes(bytes(BIG - 1))
    assert len((await on_sqlite.back_up(target)).damaged) == 1
    with pytest.raises(BlobCorrupt):
        await content(on_sqlite, bucket, b"key")
