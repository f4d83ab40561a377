"""Opening the metadata of a store, whichever engine its URL names."""

import asyncio
import json
import sqlite3
from pathlib import Path

from vexobj_storage.errors import ReadFailed, RestoreUnfinished
from vexobj_storage.files import PosixFiles, make_durable_directory, write_failure
from vexobj_storage.metadata.connections import SqliteFiles, condition
from vexobj_storage.metadata.migrate import migrate_sqlite
from vexobj_storage.metadata.sqlite import SqliteConfig, SqliteMetaStore
from vexobj_storage.metadata.tx import MetaStore
from vexobj_storage.metadata.writer import SyncPolicy
from vexobj_storage.room import Room
from vexobj_storage.types import Durability

RESTORING = "restoring"
"""A directory that is in the data directory while a restore is under way."""
RESTORE_MARK = "backup.json"


async def open_metadata(
    data_dir: Path, url: str | None = None, durability: Durability = Durability.STRICT
) -> MetaStore:
    """The engine for `url` (`postgresql://...`), or SQLite in `data_dir` when there is none.

    The schema is created or brought up to date first, however many processes open at once.

    Raises: SchemaTooNew, StoreBusy, OutOfSpace, WriteFailed, ReadFailed, RestoreUnfinished.
    """
    if (unfinished := restore_under_way(data_dir)) is not None:
        raise RestoreUnfinished(unfinished)
    if url is not None:
        return await open_server(url, durability)
    config = SqliteConfig(policy=SyncPolicy(durability))
    return await asyncio.to_thread(_open_sqlite, data_dir, config)


async def open_server(url: str, durability: Durability = Durability.STRICT) -> MetaStore:
    """As `open_metadata`, of a database server, while a restore is under way too."""
    from vexobj_storage.metadata.postgres import PostgresConfig, PostgresMetaStore

    return await PostgresMetaStore.open(url, PostgresConfig(durability=durability))


def restore_under_way(data_dir: Path) -> str | None:
    """The name of the backup that was being restored here, and is not in place yet.

    Raises: ReadFailed.
    """
    try:
        mark = (data_dir / RESTORING / RESTORE_MARK).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ReadFailed(error.strerror or str(error)) from error
    name: str = json.loads(mark)["backup"]
    return name


def _open_sqlite(data_dir: Path, config: SqliteConfig) -> SqliteMetaStore:
    try:
        make_durable_directory(data_dir, PosixFiles())
        Room(data_dir).release_if_full()
        migrate_sqlite(SqliteFiles(data_dir))
        return SqliteMetaStore(data_dir, config)
    except OSError as error:
        raise write_failure(error) from error
    except sqlite3.Error as error:
        raise condition(error, writing=True) or error from error
