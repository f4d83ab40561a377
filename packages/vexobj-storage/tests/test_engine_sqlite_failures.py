"""What the SQLite engine may say when the device fails it in or after a commit."""

import asyncio
import errno
import fcntl
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from support.tools import need
from vexobj_storage import (
    CommitUncertain,
    NoSuchKey,
    ObjectStore,
    StoreBusy,
    StoreConfig,
    WriteFailed,
    open_metadata,
)
from vexobj_storage.metadata.connections import SqliteFiles, open_lock, write_lock
from vexobj_storage.metadata.sqlite import SqliteConfig, SqliteMetaStore
from vexobj_storage.metadata.statement import Statement, insert_for
from vexobj_storage.metadata.tables import Facts
from vexobj_storage.metadata.tx import Tx
from vexobj_storage.metadata.writer import WriterLimits
from vexobj_storage.testing import invariants
from vexobj_storage.testing.helpers import content

_PUT = Statement(lambda dialect: insert_for(dialect, Facts))


async def _put(tx: Tx, name: str) -> None:
    await tx.run(_PUT, name=name, value="")


async def test_a_checkpoint_that_fails_does_not_take_back_a_commit(tmp_path: Path) -> None:
    await (await open_metadata(tmp_path)).close()
    engine = SqliteMetaStore(tmp_path)

    def write_elsewhere() -> None:
        for name in "bc":
            asyncio.run(engine.write(_put, name))

    SqliteFiles(tmp_path).wal.unlink()
    writing = asyncio.create_task(engine.write(_put, "a"))
    await asyncio.sleep(0)
    # On purpose on this loop's thread: the answer is underway while the writer's turn ends.
    later = threading.Thread(target=write_elsewhere)
    later.start()
    later.join(60)
    await writing
    await engine.close()


_PUTS = """
    import asyncio, os, signal, sys
    from pathlib import Path
    from vexobj_storage import ObjectStore, StoreConfig
    from vexobj_storage.testing.helpers import make_bucket, put

    async def main():
        store = await ObjectStore.open(StoreConfig(Path(sys.argv[1])))
        bucket = await make_bucket(store)
        for number in range(20):
            try:
                await put(store, bucket, b"key", b"%d " % number * 10_000)
            except Exception as error:
                print(type(error).__name__, number, flush=True)
                os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(main())
"""
_FAILING_SYNC = 10
"""Of one thread's: more than opening a store makes, and fewer than the puts do."""


def _put_until_a_sync_fails(data: Path) -> tuple[str, int]:
    """What the put was told, and which it was, when the log could not be synced; then the crash."""
    inject = f"inject=fdatasync:error=EIO:when={_FAILING_SYNC}"
    done = subprocess.run(
        [
            *(need("strace"), "-f", "-qq", "-o", os.devnull, "-P", SqliteFiles(data).wal),
            *("-e", inject, sys.executable, "-c", textwrap.dedent(_PUTS), data),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    told, number = done.stdout.split()
    return told, int(number)


async def test_a_commit_that_could_not_be_synced_may_still_come_to_pass(tmp_path: Path) -> None:
    """SQLite finds the frames of the failed commit whole when it recovers after a crash."""
    told, number = _put_until_a_sync_fails(tmp_path)
    assert told == CommitUncertain.__name__
    store = await ObjectStore.open(StoreConfig(tmp_path))
    try:
        bucket = await store.bucket("bucket")
        left = await content(store, bucket, b"key")
        assert left in {b"%d " % each * 10_000 for each in (number - 1, number)}
        await invariants(store)
    finally:
        await store.close()


async def test_a_read_whose_transaction_sqlite_ended_says_what_was_wrong(tmp_path: Path) -> None:
    """As it does after an I/O error; here the operation ends it."""
    rollback = Statement(lambda _: text("ROLLBACK"))

    async def lose(tx: Tx) -> None:
        await tx.run(rollback)
        raise NoSuchKey("bucket", "key")

    engine = await open_metadata(tmp_path)
    with pytest.raises(NoSuchKey):
        await engine.scan(lose)
    await engine.close()


async def test_a_database_that_is_none_is_a_condition(tmp_path: Path) -> None:
    await (await open_metadata(tmp_path)).close()
    SqliteFiles(tmp_path).database.write_bytes(b"no database " * 1000)
    with pytest.raises(WriteFailed):
        await open_metadata(tmp_path)


async def _write_until_answered(engine: SqliteMetaStore) -> None:
    for _ in range(200):
        writing = asyncio.create_task(engine.write(_put, "impatient"))
        if (await asyncio.wait({writing}, timeout=0.1))[0]:
            await writing
            break
        writing.cancel()


async def test_a_lock_that_another_process_keeps_does_not_gather_writers(tmp_path: Path) -> None:
    await (await open_metadata(tmp_path)).close()
    engine = SqliteMetaStore(tmp_path, SqliteConfig(limits=WriterLimits(lock_seconds=0.05)))
    lock = open_lock(SqliteFiles(tmp_path))
    with write_lock(lock):
        patient = asyncio.create_task(engine.write(_put, "patient"))
        with pytest.raises(StoreBusy):
            await _write_until_answered(engine)
    os.close(lock)
    await patient
    await engine.write(_put, "late")
    await engine.close()


async def test_a_lock_that_failed_once_does_not_count_as_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await open_metadata(tmp_path)).close()
    engine = SqliteMetaStore(tmp_path, SqliteConfig(limits=WriterLimits(lock_seconds=0)))

    def no_locks(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    with monkeypatch.context() as patched:
        patched.setattr(fcntl, "flock", no_locks)
        with pytest.raises(WriteFailed):
            await engine.write(_put, "a")
    await engine.write(_put, "b")
    await engine.close()
