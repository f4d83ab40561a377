"""What a relaxed store may lose in a power cut, and what it never does."""

import asyncio
import contextlib
import os
import shutil
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from vexobj_storage import AuditEntry, Durability, LocalBlobStore, ObjectStore, StoreConfig
from vexobj_storage.errors import CommitUncertain
from vexobj_storage.metadata import connections
from vexobj_storage.metadata.connections import SqliteFiles
from vexobj_storage.metadata.migrate import migrate_sqlite
from vexobj_storage.metadata.ops import facts
from vexobj_storage.metadata.ops.audit import new_nonce
from vexobj_storage.metadata.postgres import PostgresConfig, PostgresMetaStore
from vexobj_storage.metadata.sqlite import SqliteConfig, SqliteMetaStore
from vexobj_storage.metadata.statement import Statement
from vexobj_storage.metadata.tx import Operation, Tx, durable
from vexobj_storage.metadata.writer import SyncPolicy
from vexobj_storage.recording import Recorded, recording
from vexobj_storage.testing import invariants
from vexobj_storage.testing.helpers import PLAIN, content, make_bucket, put

NEVER = 3600.0
SOMEBODY = AuditEntry(
    datetime(2030, 1, 1, tzinfo=UTC), new_nonce(), "action", "b/key", "K", "i", "n", "::1", "r", {}
)
WRITTEN = Statement(lambda _: text("SELECT pg_current_wal_insert_lsn()"))
FLUSHED = Statement(lambda _: text("SELECT pg_current_wal_flush_lsn()"))
WAITS = Statement(lambda _: text("SELECT current_setting('synchronous_commit')"))


class Disk:
    """Counts the syncs of a log, and remembers how long it was at the last one."""

    def __init__(self) -> None:
        self.synced = threading.Semaphore(0)
        self.count = self.bytes = 0
        self.fails = False

    def sync(self, path: Path) -> None:
        if self.fails:
            raise OSError(5, "Input/output error")
        self.count += 1
        self.bytes = path.stat().st_size
        self.synced.release()


@pytest.fixture
def disk() -> Disk:
    return Disk()


def relaxed(directory: Path, disk: Disk, seconds: float = NEVER) -> SqliteMetaStore:
    migrate_sqlite(SqliteFiles(directory))
    policy = SyncPolicy(Durability.RELAXED, seconds, disk.sync)
    return SqliteMetaStore(directory, SqliteConfig(policy=policy))


@pytest.fixture
async def engine(tmp_path: Path, disk: Disk) -> AsyncIterator[SqliteMetaStore]:
    engine = relaxed(tmp_path, disk)
    yield engine
    await engine.close()


async def remember(tx: Tx, name: str) -> None:
    await facts.remember(tx, name, "value")


@durable
async def remember_well(tx: Tx, name: str) -> None:
    await remember(tx, name)


async def remember_everywhere(tx: Tx, name: str) -> None:
    await remember(tx, name)
    tx.bump_epoch()


@pytest.mark.parametrize(("durability", "level"), [("strict", 2), ("relaxed", 1)])
def test_sqlite_syncs_at_each_commit_or_not(tmp_path: Path, durability: str, level: int) -> None:
    files, chosen = SqliteFiles(tmp_path), Durability(durability)
    with contextlib.closing(connections.connect(files, durability=chosen)) as connection:
        assert connection.execute("PRAGMA synchronous").fetchone() == (level,)


async def test_a_relaxed_commit_waits_for_no_disk_and_is_there_in_time(
    tmp_path: Path, disk: Disk
) -> None:
    engine = relaxed(tmp_path, disk, seconds=0.01)
    await engine.write(remember, "a")
    assert await asyncio.to_thread(disk.synced.acquire, timeout=60)
    await engine.write(remember, "b")
    assert await asyncio.to_thread(disk.synced.acquire, timeout=60)
    assert disk.bytes == SqliteFiles(tmp_path).wal.stat().st_size
    await engine.close()
    assert disk.count == 2


@pytest.mark.parametrize("operation", [remember_well, remember_everywhere])
async def test_what_must_not_come_back_waits_for_the_disk(
    engine: SqliteMetaStore, disk: Disk, operation: Operation[[str], None]
) -> None:
    await engine.write(remember, "early")
    counts = [disk.count]
    await engine.write(operation, "a")
    counts.append(disk.count)
    with recording(SOMEBODY):
        await Recorded(engine).write(operation, "b")
    assert [*counts, disk.count] == [0, 1, 2]


async def test_what_is_owed_is_synced_at_the_end(tmp_path: Path, disk: Disk) -> None:
    engine = relaxed(tmp_path, disk)
    await engine.write(remember, "a")
    await engine.close()
    assert disk.count == 1


async def test_a_sync_that_fails_leaves_it_uncertain(engine: SqliteMetaStore, disk: Disk) -> None:
    disk.fails = True
    await engine.write(remember, "nobody asked")
    with pytest.raises(CommitUncertain):
        await engine.write(remember_well, "a")
    disk.fails = False
    await engine.write(remember_well, "b")
    assert await engine.read(facts.recall, "a") == "value"


async def test_a_power_cut_takes_the_last_writes_and_no_bytes_of_others(
    tmp_path: Path, disk: Disk
) -> None:
    """The log ends anywhere behind what was synced; what is done to blobs is done."""
    data = tmp_path / "data"
    data.mkdir()
    config = StoreConfig(data, inline_max_bytes=100, gc_grace=timedelta(0))
    store = ObjectStore(config, relaxed(data, disk), LocalBlobStore(data))
    bucket = await make_bucket(store)
    wal, expected, cuts = SqliteFiles(data).wal, dict[bytes, bytes](), list[Path]()
    for number in range(24):
        key = b"%d" % (number % 5)
        await put(store, bucket, key, b"%d" % number * (400 if number % 3 else 1))
        if number % 4 == 1:
            stored = await store.get_object(bucket, key)
            await store.copy_object(stored, bucket, b"copy", PLAIN)
        if number % 4 == 2:
            await store.delete_object(bucket, b"%d" % ((number + 1) % 5))
        if number % 6 == 5:
            await store.collect_garbage()
            listed = (await store.list_objects(bucket)).objects
            expected = {o.key: await content(store, bucket, o.key) for o in listed}
            assert disk.count
        cuts.append(image(data, tmp_path / f"cut-{number}", disk.bytes, number % 3))
    for cut in cuts:
        await whole_after_the_cut(cut)
    await put(store, bucket, b"acknowledged, and not on disk", b"1")
    assert wal.stat().st_size > disk.bytes
    lost = image(data, tmp_path / "lost", disk.bytes, 0)
    await store.close()
    after = await whole_after_the_cut(lost)
    assert after == expected


def image(data: Path, target: Path, synced: int, thirds: int) -> Path:
    """What a power cut leaves of a store: of its log what was synced, and some of the rest."""
    shutil.copytree(data, target)
    (target / "metadata.db-shm").unlink()
    wal = SqliteFiles(target).wal
    os.truncate(wal, synced + (wal.stat().st_size - synced) * thirds // 3)
    return target


async def whole_after_the_cut(directory: Path) -> dict[bytes, bytes]:
    store = await ObjectStore.open(StoreConfig(directory, inline_max_bytes=100))
    try:
        await invariants(store)
        bucket = await store.bucket("bucket")
        listed = (await store.list_objects(bucket)).objects
        return {o.key: await content(store, bucket, o.key) for o in listed}
    finally:
        await store.close()


async def told(url: str, durability: Durability) -> str:
    async def ask(tx: Tx) -> str:
        row = await tx.one(WAITS)
        assert row is not None
        return str(row[0])

    engine = await PostgresMetaStore.open(url, PostgresConfig(durability=durability))
    try:
        return await engine.write(ask)
    finally:
        await engine.close()


@pytest.mark.parametrize(("database", "strict"), [("on", "on"), ("off", "on"), ("local", "local")])
async def test_postgresql_waits_for_its_log_or_not(
    postgres_url: str, database: str, strict: str
) -> None:
    name = postgres_url.rpartition("/")[2]
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = {database}')
    await connection.close()
    assert await told(postgres_url, Durability.STRICT) == strict
    assert await told(postgres_url, Durability.RELAXED) == "off"


async def test_postgresql_waits_for_what_must_not_come_back(postgres_url: str) -> None:
    async def position(tx: Tx, statement: Statement) -> int:
        row = await tx.one(statement)
        assert row is not None
        return int(row[0])

    @durable
    async def write(tx: Tx) -> int:
        await remember(tx, "a")
        return await position(tx, WRITTEN)

    config = PostgresConfig(durability=Durability.RELAXED)
    engine = await PostgresMetaStore.open(postgres_url, config)
    try:
        for _ in range(20):
            await engine.write(remember, "b")
            written = await engine.write(write)
            assert await engine.read(position, FLUSHED) >= written
    finally:
        await engine.close()


@pytest.mark.parametrize("durability", list(Durability))
async def test_a_store_is_opened_as_it_is_configured(
    tmp_path: Path, metadata_url: str | None, durability: Durability
) -> None:
    config = StoreConfig(tmp_path, metadata_url, durability=durability)
    store = await ObjectStore.open(config)
    await put(store, await make_bucket(store), b"key", b"data")
    await store.close()
    store = await ObjectStore.open(config)
    assert await content(store, await store.bucket("bucket"), b"key") == b"data"
    await store.close()
