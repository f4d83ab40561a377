"""The SQLite engine: writes through one writer thread, point reads inline, listings on threads."""

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from vexobj_storage.errors import StoreClosed
from vexobj_storage.metadata.connections import SqliteFiles, condition, connect
from vexobj_storage.metadata.epoch import EpochFile
from vexobj_storage.metadata.snapshot import Vacuum
from vexobj_storage.metadata.sqlite_tx import FirstStatementOnly, SqliteTx, drive
from vexobj_storage.metadata.tx import Operation, SnapshotNeeded
from vexobj_storage.metadata.writer import SqliteWriter, SyncPolicy, WriterLimits

P = ParamSpec("P")
R = TypeVar("R")

_SCAN_THREADS = 2
_CACHE_SHARES = 4


@dataclass(frozen=True, slots=True)
class SqliteConfig:
    """`cache_bytes` bounds the page caches of all this process's connections together."""

    cache_bytes: int = 64 * 1024 * 1024
    limits: WriterLimits = field(default_factory=WriterLimits)
    policy: SyncPolicy = field(default_factory=SyncPolicy)


class SqliteMetaStore:
    """One data directory's metadata, of which other processes may have their own engine.

    The schema is there already (`open_metadata` sees to that). Make it after forking: a SQLite
    connection does not survive a fork.
    """

    dialect = "sqlite"

    def __init__(self, directory: Path, config: SqliteConfig | None = None) -> None:
        config = config or SqliteConfig()
        files, share = SqliteFiles(directory), config.cache_bytes // _CACHE_SHARES
        self._files = files
        self._epoch = EpochFile(files.epoch)
        self._writer = SqliteWriter(
            files, self._epoch, cache_bytes=share, limits=config.limits, policy=config.policy
        )
        self._reader = connect(files, read_only=True, cache_bytes=share)
        self._scanners = _Scanners(files, cache_bytes=share)
        self._closed = False

    async def write(self, operation: Operation[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        if self._closed:
            raise StoreClosed
        return await self._writer.submit(operation, args, kwargs)

    async def read(self, operation: Operation[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        if self._closed:
            raise StoreClosed
        try:
            return drive(operation(FirstStatementOnly(self._reader), *args, **kwargs))
        except SnapshotNeeded:
            return _snapshot(self._reader, operation, args, kwargs)
        except sqlite3.Error as error:
            raise condition(error, writing=False) or error from error

    async def scan(self, operation: Operation[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        if self._closed:
            raise StoreClosed
        return await self._scanners.run(operation, args, kwargs)

    async def epoch(self) -> int:
        return self._epoch.read()

    def stamp(self, bucket_id: int, key: bytes) -> int | None:
        return self._epoch.stamp(bucket_id, key)

    async def snapshot(self, path: Path) -> None:
        """Of one read transaction, off the event loop and without the interpreter's lock."""
        if self._closed:
            raise StoreClosed
        vacuum = Vacuum(self._files)
        running = asyncio.ensure_future(asyncio.to_thread(vacuum.run, path))
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            vacuum.interrupt()
            await asyncio.wait([running])
            raise

    async def close(self) -> None:
        """Writes that were accepted are committed, scans under way end; idempotent."""
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._scanners.close()
        self._reader.close()
        self._writer.close()
        self._epoch.close()


class _Scanners:
    """Threads with a read-only connection each; more than two only fight over the GIL."""

    def __init__(self, files: SqliteFiles, *, cache_bytes: int) -> None:
        self._files, self._cache_bytes = files, cache_bytes
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._pool = ThreadPoolExecutor(_SCAN_THREADS, "metadata-scan", initializer=self._connect)

    async def run(
        self, operation: Callable[..., Awaitable[R]], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> R:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._scan, operation, args, kwargs)

    def close(self) -> None:
        self._pool.shutdown()
        for connection in self._connections:
            connection.close()

    def _connect(self) -> None:
        connection = connect(self._files, read_only=True, cache_bytes=self._cache_bytes)
        self._local.connection = connection
        self._connections.append(connection)

    def _scan(
        self, operation: Callable[..., Awaitable[R]], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> R:
        return _snapshot(self._local.connection, operation, args, kwargs)


def _snapshot(
    connection: sqlite3.Connection,
    operation: Callable[..., Awaitable[R]],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> R:
    connection.execute("BEGIN")
    try:
        return drive(operation(SqliteTx(connection), *args, **kwargs))
    except sqlite3.Error as error:
        raise condition(error, writing=False) or error from error
    finally:
        if connection.in_transaction:  # SQLite ends it itself when a device fails
            connection.execute("ROLLBACK")
