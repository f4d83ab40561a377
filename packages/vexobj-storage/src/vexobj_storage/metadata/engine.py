"""Opening the metadata of a store, whichever engine its URL names."""

import asyncio
import sqlite3
from pathlib import Path

from vexobj_storage.files import PosixFiles, make_durable_directory, write_failure
from vexobj_storage.metadata.connections import SqliteFiles, condition
from vexobj_storage.metadata.migrate import migrate_sqlite
from vexobj_storage.metadata.sqlite import SqliteConfig, SqliteMetaStore
from vexobj_storage.metadata.tx import MetaStore
from vexobj_storage.metadata.writer import SyncPolicy
from vexobj_storage.room import Room
from vexobj_storage.types import Durability


async def open_metadata(
    data_dir: Path, url: str | None = None, durability: Durability = Durability.STRICT
) -> MetaStore:
    """The engine for `url` (`postgresql://...`), or SQLite in `data_dir` when there is none.

    The schema is created or brought up to date first, however many processes open at once.

    Raises: SchemaTooNew, StoreBusy, OutOfSpace, WriteFailed.
    """
    if url is not None:
        from vexobj_storage.metadata.postgres import PostgresConfig, PostgresMetaStore

        return await PostgresMetaStore.open(url, PostgresConfig(durability=durability))
    config = SqliteConfig(policy=SyncPolicy(durability))
    return await asyncio.to_thread(_open_sqlite, data_dir, config)


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
