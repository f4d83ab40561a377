"""Opening the metadata of a store, whichever engine its URL names."""

from pathlib import Path

from vexobj_storage.metadata.sqlite import SqliteMetaStore
from vexobj_storage.metadata.tx import MetaStore


async def open_metadata(data_dir: Path, url: str | None = None) -> MetaStore:
    """The engine for `url` (`postgresql://...`), or SQLite in `data_dir` when there is none.

    The schema is created or brought up to date first, however many processes open at once.

    Raises: SchemaTooNew, StoreBusy, WriteFailed.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    from sqlalchemy.dialects import sqlite
    from sqlalchemy.schema import CreateIndex, CreateTable
    from vexobj_storage.metadata import connections, tables
    files = connections.SqliteFiles(data_dir)
    with connections.write_lock(connections.open_lock(files)):
        c = connections.connect(files)
        for table in tables.metadata.tables.values():
            c.execute(str(CreateTable(table, if_not_exists=True).compile(dialect=sqlite.dialect())))
            for i in table.indexes:
                c.execute(str(CreateIndex(i, if_not_exists=True).compile(dialect=sqlite.dialect())))
        c.close()
    return SqliteMetaStore(data_dir)
