"""SQLite connections: the one place that opens them, and what their errors mean.

Every connection to a metadata database is opened here, those of migrations and of doctors too:
the pragmas are a part of the store's durability.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vexobj_storage.errors import OutOfSpace, ReadFailed, StorageError, StoreBusy, WriteFailed
from vexobj_storage.types import Durability

APPLICATION_ID = 0x56584F42
BUSY_TIMEOUT_SECONDS = 5.0

# SQLite before these may corrupt a database when two connections checkpoint at one instant
# (https://sqlite.org/wal.html#walresetbug). One process at a time does so here, under the lock
# file; what opens the database from outside is beyond that.
_WAL_RESET_FIXED = ((3, 44, 6), (3, 50, 7), (3, 51, 3))

_SYNCHRONOUS = {Durability.STRICT: "FULL", Durability.RELAXED: "NORMAL"}


@dataclass(frozen=True, slots=True)
class SqliteFiles:
    """Where the parts of a SQLite metadata store are in its data directory."""

    directory: Path

    @property
    def database(self) -> Path:
        return self.directory / "metadata.db"

    @property
    def wal(self) -> Path:
        return self.directory / "metadata.db-wal"

    @property
    def lock(self) -> Path:
        return self.directory / "metadata.lock"

    @property
    def epoch(self) -> Path:
        return self.directory / "metadata.epoch"


def connect(
    files: SqliteFiles,
    *,
    read_only: bool = False,
    cache_bytes: int = 8 * 1024 * 1024,
    durability: Durability = Durability.STRICT,
) -> sqlite3.Connection:
    """Open a connection in autocommit mode. A commit on it is on disk when it returns.

    A commit on a relaxed one is once the log is synced, which a checkpoint does in any case.

    A writing connection belongs under `write_lock` from BEGIN to COMMIT and when it is closed
    (the last one to close checkpoints). A read-only one never checkpoints.
    """
    mode = "ro" if read_only else "rwc"
    connection = sqlite3.connect(
        f"{files.database.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_TIMEOUT_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
    )
    try:
        if not read_only:
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={_SYNCHRONOUS[durability]}")
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute(f"PRAGMA cache_size={-(cache_bytes // 1024)}")
        connection.execute("PRAGMA temp_store=MEMORY")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def write_lock(descriptor: int) -> Iterator[None]:
    """Hold the lock file open at `descriptor`, so that writing processes take turns.

    SQLite's own busy handler sleeps and may never wake in time; this lock queues.
    """
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def open_lock(files: SqliteFiles) -> int:
    """A descriptor for `write_lock`; it is the caller's to close."""
    return os.open(files.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def has_wal_reset_bug(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> bool:
    """Whether this SQLite may corrupt a database that something else checkpoints meanwhile."""
    if version >= _WAL_RESET_FIXED[-1]:
        return False
    return not any(version[:2] == fixed[:2] and version >= fixed for fixed in _WAL_RESET_FIXED)


def condition(error: sqlite3.Error, *, writing: bool) -> StorageError | None:
    """The condition that a SQLite error means; None for one that no device or lock explains."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    match code:
        case sqlite3.SQLITE_FULL:
            return OutOfSpace()
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED | sqlite3.SQLITE_PROTOCOL:
            return StoreBusy()
        case (
            sqlite3.SQLITE_IOERR
            | sqlite3.SQLITE_READONLY
            | sqlite3.SQLITE_CANTOPEN
            | sqlite3.SQLITE_CORRUPT
            | sqlite3.SQLITE_NOTADB
            | sqlite3.SQLITE_NOMEM
            | sqlite3.SQLITE_PERM
        ):
            reason = f"{error.sqlite_errorname}: {error}"
            return WriteFailed(reason) if writing else ReadFailed(reason)
    return None


def connect_file(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """A database that no other connection writes: one to read, or with `create` a new one.

    A new one replaces what was at `path`; it is on no disk before its file is synced.
    """
    if create:
        path.unlink(missing_ok=True)
    mode = "mode=rwc" if create else "mode=ro&immutable=1"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        if create:
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute("PRAGMA journal_mode=OFF")
            connection.execute("PRAGMA synchronous=OFF")
    except BaseException:
        connection.close()
        raise
    return connection
